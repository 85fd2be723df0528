package readers

import "pushbatch/batch"

// build puts the next value of a node together from the entries of its leaves:
// the inverse of the record shredding that the Dremel paper describes. The
// first leaf below a node tells whether the node is null, empty or there.
func (r *columnReader) build(n *parquetNode) (batch.Value, error) {
	if n.lo == n.hi {
		return batch.Value{}, nil // a group without columns
	}
	e, err := r.peek(n)
	if err != nil {
		return batch.Value{}, err
	}
	switch {
	case n.shape == leafShape:
		r.cursor(n).entry++
		return e.value, nil
	case e.def < n.def:
		return batch.Value{}, r.pass(n)
	case n.shape == structShape:
		return r.buildStruct(n)
	case n.shape == mapShape:
		return r.buildMap(n, e.def < n.itemDef)
	}
	return r.buildList(n, e.def < n.itemDef)
}

func (r *columnReader) cursor(n *parquetNode) *leafCursor { return r.cursors[n.lo-r.node.lo] }

func (r *columnReader) peek(n *parquetNode) (*entry, error) {
	c := r.cursor(n)
	if c.entry >= len(c.entries) {
		return nil, r.inconsistent()
	}
	return &c.entries[c.entry], nil
}

// pass moves over the place that every leaf below n has for a null or an
// empty list.
func (r *columnReader) pass(n *parquetNode) error {
	for _, c := range r.cursors[n.lo-r.node.lo : n.hi-r.node.lo] {
		if c.entry >= len(c.entries) {
			return r.inconsistent()
		}
		c.entry++
	}
	return nil
}

func (r *columnReader) buildStruct(n *parquetNode) (batch.Value, error) {
	nested := &batch.Nested{Names: n.names, Values: make([]batch.Value, len(n.children))}
	for i, child := range n.children {
		v, err := r.build(child)
		if err != nil {
			return batch.Value{}, err
		}
		nested.Values[i] = v
	}
	return batch.Value{Kind: batch.Object, Nested: nested}, nil
}

func (r *columnReader) buildList(n *parquetNode, empty bool) (batch.Value, error) {
	nested := new(batch.Nested)
	list := batch.Value{Kind: batch.List, Nested: nested}
	if empty {
		return list, r.pass(n)
	}
	for {
		v, err := r.build(n.children[0])
		if err != nil {
			return batch.Value{}, err
		}
		nested.Values = append(nested.Values, v)
		if !r.another(n) {
			return list, nil
		}
	}
}

// buildMap makes an object of a map; keys that are no text become their text.
func (r *columnReader) buildMap(n *parquetNode, empty bool) (batch.Value, error) {
	nested := &batch.Nested{Names: []string{}}
	object := batch.Value{Kind: batch.Object, Nested: nested}
	if empty {
		return object, r.pass(n)
	}
	for {
		key, err := r.build(n.children[0])
		if err != nil {
			return batch.Value{}, err
		}
		var v batch.Value
		if len(n.children) > 1 {
			if v, err = r.build(n.children[1]); err != nil {
				return batch.Value{}, err
			}
		}
		nested.Names, nested.Values = append(nested.Names, key.Text), append(nested.Values, v)
		if !r.another(n) {
			return object, nil
		}
	}
}

// another reports whether the list or map n goes on in this row.
func (r *columnReader) another(n *parquetNode) bool {
	c := r.cursor(n)
	return c.entry < len(c.entries) && c.entries[c.entry].rep == n.itemRep
}
