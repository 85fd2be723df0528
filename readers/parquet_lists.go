package readers

import "pushbatch/batch"

// fillLists is fill for most lists there are: of values that are no lists or
// objects, in rows that lie in one page. It reads rows from row on, at most up to
// to, and returns how many; none: the next row must be put together by its
// entries.
//
// The values of a stretch of levels go to as many children, those of
// one row next to each other: a list is a part of them.
func (r *columnReader) fillLists(b *rowBatch, row, to int) (rows int, err error) {
	c, n := r.cursors[0], r.node
	if err := c.need(); err != nil {
		return 0, err
	}
	var memory [blockValues]uint16
	ends := c.wholeRows(memory[:0], to-row, n.itemDef)
	if len(ends) == 0 {
		return 0, nil
	}
	c.rewind()
	children, sound := c.children(int(ends[len(ends)-1]))
	lists := make([]batch.Nested, len(ends))
	from := uint16(0)
	for i, end := range ends {
		if int(end) > sound {
			return i, c.notInDictionary()
		}
		var v batch.Value
		if def := c.defs[c.at+int(from)]; def >= n.def {
			v = batch.Value{Kind: batch.List, Nested: &lists[i]}
			if def >= n.itemDef {
				lists[i].Values = children[from:end:end]
			}
		}
		b.put(row+i, r.index, v)
		if c.bad {
			r.report(b, row+i, v)
		}
		from = end
	}
	c.at += len(children)
	return len(ends), nil
}

// wholeRows appends, for each of the next rows that lie in the page as a whole,
// the number of levels up to its end: at most most rows and blockValues levels. It
// ends in front of a row whose levels contradict each other.
func (c *leafCursor) wholeRows(ends []uint16, most int, itemDef uint8) []uint16 {
	reps := c.reps[c.at:min(c.at+blockValues+1, c.levels)]
	if reps[0] != 0 {
		return nil
	}
	last := c.whole && len(reps) <= blockValues // the page, and so a row, ends with reps
	for i, from := 1, 0; i <= len(reps) && len(ends) < most; i++ {
		if i < len(reps) && reps[i] != 0 || i == len(reps) && !last {
			continue
		}
		if i-from > 1 && c.defs[c.at+from] < itemDef {
			break // null or empty, and yet there is more
		}
		ends = append(ends, uint16(i))
		from = i
	}
	return ends
}

// children makes values of the next levels, Null where a level has none. Those
// behind sound cannot be made.
func (c *leafCursor) children(levels int) (children []batch.Value, sound int) {
	children = make([]batch.Value, levels)
	var memory [blockValues]uint16
	places, defined := c.places(memory[:0], levels)
	placed := c.place(children, 1, places, defined)
	if placed < defined {
		return children, int(places[placed])
	}
	return children, levels
}
