package parquetfile

import (
	"encoding/base64"
	"slices"

	"pushbatch/batch"
)

// isShredded reports whether a group is a value, a typed value, or both.
func (n *node) isShredded() bool {
	value, typed := n.member("value"), n.member("typed_value")
	if n.shape != structShape || value == nil && typed == nil || value != nil && (value.shape != leafShape || value.leaf.width > 0) {
		return false
	}
	switch {
	case typed == nil || typed.shape == leafShape:
		return true
	case typed.shape == listShape:
		return typed.children[0].isShredded()
	case typed.shape == structShape:
		return !slices.ContainsFunc(typed.children, func(field *node) bool { return !field.isShredded() })
	}
	return false
}

func (n *node) member(name string) *node {
	if i := slices.Index(n.names, name); i >= 0 {
		return n.children[i]
	}
	return nil
}

// unshred puts a value together from its group; there is false for a member that
// its object does not have.
func (v *variant) unshred(n *node, stored batch.Value) (value batch.Value, there bool, err error) {
	if stored.Nested == nil {
		return batch.Value{}, false, nil
	}
	var rest, typed batch.Value
	var typedNode *node
	for i, child := range n.children {
		switch child.name {
		case "value":
			rest = stored.Nested.Values[i]
		case "typed_value":
			typed, typedNode = stored.Nested.Values[i], child
		}
	}
	if typed.Kind == batch.Null {
		if rest.Kind == batch.Null {
			return batch.Value{}, false, nil
		}
		value, err = v.decode([]byte(rest.Text), 0)
		return value, true, err
	}
	switch typedNode.shape {
	case listShape:
		value, err = v.unshredList(typedNode.children[0], typed)
	case structShape:
		value, err = v.unshredObject(typedNode, typed, rest)
	default:
		value = typedLeaf(typedNode, typed)
	}
	if err == nil && rest.Kind != batch.Null && typedNode.shape != structShape {
		err = v.damaged()
	}
	return value, true, err
}

func typedLeaf(n *node, typed batch.Value) batch.Value {
	if n.leaf.typ.name == "binary" {
		typed.Text = base64.StdEncoding.EncodeToString([]byte(typed.Text))
	}
	return typed
}

func (v *variant) unshredList(item *node, typed batch.Value) (batch.Value, error) {
	list := &batch.Nested{Values: make([]batch.Value, len(typed.Nested.Values))}
	for i, stored := range typed.Nested.Values {
		value, _, err := v.unshred(item, stored)
		if err != nil {
			return batch.Value{}, err
		}
		list.Values[i] = value
	}
	return batch.Value{Kind: batch.List, Nested: list}, nil
}

// unshredObject adds the members that have no column of their own: they are in
// rest.
func (v *variant) unshredObject(n *node, typed, rest batch.Value) (batch.Value, error) {
	object := &batch.Nested{Names: []string{}}
	for i, field := range n.children {
		value, there, err := v.unshred(field, typed.Nested.Values[i])
		if err != nil {
			return batch.Value{}, err
		}
		if there {
			object.Names, object.Values = append(object.Names, field.name), append(object.Values, value)
		}
	}
	if rest.Kind != batch.Null {
		others, err := v.decode([]byte(rest.Text), 0)
		if err != nil {
			return batch.Value{}, err
		}
		if others.Kind != batch.Object {
			return batch.Value{}, v.damaged()
		}
		for i, name := range others.Nested.Names {
			if slices.Contains(n.names, name) {
				return batch.Value{}, v.damaged()
			}
			object.Names, object.Values = append(object.Names, name), append(object.Values, others.Nested.Values[i])
		}
	}
	return batch.Value{Kind: batch.Object, Nested: object}, nil
}
