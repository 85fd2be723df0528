package parquetfile

import (
	"pushbatch/batch"
	"pushbatch/readers/inputerror"
)

// column is one column of the header, with the cursors of its leaves.
type column struct {
	headerColumn
	index   int // in the header
	cursors []*cursor
	values  int // that the current row has so far
}

// row puts the column's value of the next row together: the inverse of the record
// shredding that the Dremel paper describes.
func (c *column) row() (batch.Value, error) {
	c.values = 0
	for _, cur := range c.cursors {
		l, err := cur.peek()
		if err != nil {
			return batch.Value{}, cur.early(err)
		}
		if l.rep != 0 {
			return batch.Value{}, damaged("column %s continues a row where one should begin", cur.leaf.path)
		}
	}
	v, err := c.build(c.node)
	if err != nil {
		return batch.Value{}, err
	}
	for _, cur := range c.cursors {
		if cur.leaf.maxRep == 0 {
			continue
		}
		if _, more, err := cur.goesOn(); err != nil {
			return batch.Value{}, err
		} else if more {
			return batch.Value{}, c.inconsistent()
		}
	}
	return v, nil
}

// build makes the next value of a node. The first leaf below it tells whether it
// is null, empty or there.
func (c *column) build(n *node) (batch.Value, error) {
	if n.lo == n.hi {
		return batch.Value{}, nil // a group without columns
	}
	if c.values++; c.values > maxRowValues {
		return batch.Value{}, inputerror.New(inputerror.CodeBound, "column %s has a row of more than %d values", c.name, maxRowValues)
	}
	cur := c.cursor(n)
	if n.shape == leafShape {
		return cur.take()
	}
	l, err := cur.peek()
	if err != nil {
		return batch.Value{}, cur.early(err)
	}
	if l.def < n.def {
		return batch.Value{}, c.pass(n)
	}
	switch n.shape {
	case mapShape:
		return c.buildMap(n, l.def < n.itemDef)
	case listShape:
		return c.buildList(n, l.def < n.itemDef)
	}
	return c.buildStruct(n)
}

func (c *column) cursor(n *node) *cursor { return c.cursors[n.lo-c.node.lo] }

// pass moves over the place that every leaf below n has for a null or an empty
// list.
func (c *column) pass(n *node) error {
	for _, cur := range c.cursors[n.lo-c.node.lo : n.hi-c.node.lo] {
		if l, err := cur.peek(); err == nil && l.def == cur.leaf.maxDef {
			return c.inconsistent()
		}
		if _, err := cur.take(); err != nil {
			return err
		}
	}
	return nil
}

func (c *column) buildStruct(n *node) (batch.Value, error) {
	nested := &batch.Nested{Names: n.names, Values: make([]batch.Value, len(n.children))}
	for i, child := range n.children {
		v, err := c.build(child)
		if err != nil {
			return batch.Value{}, err
		}
		nested.Values[i] = v
	}
	return batch.Value{Kind: batch.Object, Nested: nested}, nil
}

func (c *column) buildList(n *node, empty bool) (batch.Value, error) {
	nested := new(batch.Nested)
	list := batch.Value{Kind: batch.List, Nested: nested}
	if empty {
		return list, c.pass(n)
	}
	for more := true; more; {
		v, err := c.build(n.children[0])
		if err != nil {
			return batch.Value{}, err
		}
		nested.Values = append(nested.Values, v)
		if more, err = c.another(n); err != nil {
			return batch.Value{}, err
		}
	}
	return list, nil
}

// buildMap makes an object of a map; keys that are no text become their text.
func (c *column) buildMap(n *node, empty bool) (batch.Value, error) {
	nested := &batch.Nested{Names: []string{}}
	object := batch.Value{Kind: batch.Object, Nested: nested}
	if empty {
		return object, c.pass(n)
	}
	for more := true; more; {
		key, err := c.build(n.children[0])
		if err != nil {
			return batch.Value{}, err
		}
		var v batch.Value
		if len(n.children) > 1 {
			if v, err = c.build(n.children[1]); err != nil {
				return batch.Value{}, err
			}
		}
		nested.Names, nested.Values = append(nested.Names, key.Text), append(nested.Values, v)
		if more, err = c.another(n); err != nil {
			return batch.Value{}, err
		}
	}
	return object, nil
}

// another reports whether the list or map n goes on in this row.
func (c *column) another(n *node) (bool, error) {
	l, more, err := c.cursor(n).goesOn()
	return more && l.rep == n.itemRep, err
}

func (c *column) inconsistent() error {
	return damaged("the parts of column %s do not fit together", c.name)
}
