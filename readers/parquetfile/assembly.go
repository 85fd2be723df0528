package parquetfile

import (
	"pushbatch/batch"
	"pushbatch/readers/inputerror"
)

// column is one column of the header, with the cursors of its leaves.
type column struct {
	headerColumn
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
	if cur.scan.bytes += valueBytes; cur.scan.bytes > maxRowBytes {
		return batch.Value{}, inputerror.New(inputerror.CodeBound, "column %s: the row takes more than %d MiB: write shorter lists and texts", c.name, maxRowBytes>>20)
	}
	if n.shape == leafShape {
		v, err := cur.take()
		cur.scan.bytes += len(v.Text)
		return v, err
	}
	l, err := cur.peek()
	if err != nil {
		return batch.Value{}, cur.early(err)
	}
	if l.def < n.def {
		return batch.Value{}, c.pass(n)
	}
	if n.shape == structShape {
		return c.buildStruct(n)
	}
	return c.buildItems(n, l.def < n.itemDef)
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

// buildItems makes a list, or an object of a map: keys that are no text become
// their text.
func (c *column) buildItems(n *node, empty bool) (batch.Value, error) {
	nested, value := new(batch.Nested), batch.Value{Kind: batch.List}
	if n.shape == mapShape {
		nested.Names, value.Kind = []string{}, batch.Object
	}
	if value.Nested = nested; empty {
		return value, c.pass(n)
	}
	for more := true; more; {
		var item batch.Value
		for i, child := range n.children {
			v, err := c.build(child)
			if err != nil {
				return batch.Value{}, err
			}
			if n.shape == mapShape && i == 0 {
				nested.Names = append(nested.Names, v.Text)
			} else {
				item = v
			}
		}
		nested.Values = append(nested.Values, item)
		l, goesOn, err := c.cursor(n).goesOn()
		if err != nil {
			return batch.Value{}, err
		}
		more = goesOn && l.rep == n.itemRep
	}
	return value, nil
}

func (c *column) inconsistent() error {
	return damaged("the parts of column %s do not fit together", c.name)
}
