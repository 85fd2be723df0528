package readers

import (
	"strings"

	"pushbatch/batch"
)

// flattened are the structs whose fields are columns of their own, written
// with a dot, as the other formats write them.
var flattened = [...]string{"identity", "attributes", "systemData"}

// parquetColumn is one header column.
type parquetColumn struct {
	name string
	node *parquetNode
}

// columns lists the header columns of the file.
func (f *parquetFile) columns() ([]parquetColumn, error) {
	if len(f.leaves) == 0 {
		return nil, failure(CodeEmpty, "the Parquet file has no columns")
	}
	var columns []parquetColumn
	for _, n := range f.root.children {
		if n.shape != structShape || !isFlattened(n.name) {
			columns = append(columns, parquetColumn{n.name, n})
			continue
		}
		for _, field := range n.children {
			columns = append(columns, parquetColumn{n.name + "." + field.name, field})
		}
	}
	seen := make(map[string]bool, len(columns))
	for i, c := range columns {
		if c.node.name == "" {
			return nil, failure(CodeHeader, "column %d has no name", i+1)
		}
		if seen[c.name] {
			return nil, failure(CodeHeaderRepeat, "two columns are named %s", c.name)
		}
		seen[c.name] = true
	}
	return columns, nil
}

func isFlattened(name string) bool {
	for _, f := range flattened {
		if strings.EqualFold(f, name) {
			return true
		}
	}
	return false
}

// columnReader reads one header column.
type columnReader struct {
	parquetColumn
	index   int           // in the header
	cursors []*leafCursor // of the node's leaves
	plain   bool          // a list of values that are no lists or objects
}

func newColumnReader(f *parquetFile, c parquetColumn, index int, tools *pageTools) *columnReader {
	n := c.node
	r := &columnReader{parquetColumn: c, index: index}
	r.plain = n.shape == listShape && n.itemRep == 1 && n.hi-n.lo == 1 && n.children[0].shape == leafShape
	for _, leaf := range f.leaves[c.node.lo:c.node.hi] {
		r.cursors = append(r.cursors, newLeafCursor(f, leaf, tools))
	}
	return r
}

// open moves to a row of a row group.
func (r *columnReader) open(g *parquetGroup, row int64) (err error) {
	defer panicked(&err)
	for i, c := range r.cursors {
		if err := c.open(&g.chunks[r.node.lo+i], row); err != nil {
			return err
		}
	}
	return nil
}

// fill reads up to n rows into the column's place in b and returns how many
// it read before the error.
func (r *columnReader) fill(b *rowBatch, n int) (filled int, err error) {
	defer panicked(&err)
	if r.node.shape == leafShape {
		defer func() { r.reportFlat(b, filled) }()
		return r.fillFlat(b, n, &filled)
	}
	for filled < n {
		if r.plain {
			lists, err := r.fillLists(b, filled, n)
			if filled += lists; err != nil {
				return filled, err
			} else if lists > 0 {
				continue
			}
		}
		v, err := r.buildRow()
		if err != nil {
			return filled, err
		}
		b.put(filled, r.index, v)
		r.report(b, filled, v)
		filled++
	}
	return filled, nil
}

// buildRow puts the next row together from the entries of the column's leaves.
func (r *columnReader) buildRow() (batch.Value, error) {
	for _, c := range r.cursors {
		if err := c.readRow(); err != nil {
			return batch.Value{}, err
		}
	}
	v, err := r.build(r.node)
	for _, c := range r.cursors {
		if c.entry != len(c.entries) && err == nil {
			err = r.inconsistent()
		}
	}
	return v, err
}

// fillFlat counts in *filled, so that a panic loses no row.
func (r *columnReader) fillFlat(b *rowBatch, n int, filled *int) (int, error) {
	c := r.cursors[0]
	for *filled < n {
		if err := c.need(); err != nil {
			return *filled, err
		}
		count := min(n-*filled, c.levels-c.at, blockValues)
		var memory [blockValues]uint16
		places, defined := c.places(memory[:0], count)
		values := b.values[*filled*b.width+r.index:]
		placed := c.place(values, b.width, places, defined)
		if placed < defined {
			if places != nil {
				placed = int(places[placed])
			}
			return *filled + placed, c.notInDictionary()
		}
		c.at += count
		*filled += count
	}
	return *filled, nil
}

// places lists which of the next count levels are values, or nil for all.
func (c *leafCursor) places(places []uint16, count int) (at []uint16, defined int) {
	if c.leaf.maxDef == 0 {
		return nil, count
	}
	for i, def := range c.defs[c.at : c.at+count] {
		if def == c.leaf.maxDef {
			places = append(places, uint16(i))
		}
	}
	return places, len(places)
}

// reportFlat makes problems of the column's fault marks.
func (r *columnReader) reportFlat(b *rowBatch, filled int) {
	if !r.cursors[0].bad {
		return
	}
	for row := range filled {
		if v := &b.values[row*b.width+r.index]; v.Kind >= faulty {
			*v = b.fault(row, r.name, *v)
		}
	}
}

// report clears fault marks below v and makes problems of them.
func (r *columnReader) report(b *rowBatch, row int, v batch.Value) {
	if v.Nested == nil {
		return
	}
	for i, e := range v.Nested.Values {
		if e.Kind >= faulty {
			v.Nested.Values[i] = b.fault(row, r.name, e)
		} else {
			r.report(b, row, e)
		}
	}
}

func (r *columnReader) inconsistent() error {
	return damaged("the parts of column %s do not fit together", r.name)
}
