package inventory

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"hash/maphash"
	"io"
	"slices"

	"golang.org/x/sync/errgroup"

	"pushbatch/batch"
	"pushbatch/batch/spill"
	"pushbatch/writers/table"
)

// What can become of a device from one day to the next.
const (
	Appeared = "appeared"
	Vanished = "vanished"
	Changed  = "changed"
)

// Changes sums up what happened between two days.
type Changes struct {
	Since    string           `json:"since"` // the day before
	Appeared int64            `json:"appeared"`
	Vanished int64            `json:"vanished"`
	Changed  int64            `json:"changed"`
	Columns  map[string]int64 `json:"columns"` // of changed devices: how many changed in it
}

// changeColumns are the columns of a change feed.
func changeColumns() (columns []table.Column) {
	for _, name := range []string{idColumn, applicationColumn, channelColumn, "change", "column", "before", "after"} {
		columns = append(columns, table.Column{Name: name, Type: table.Text})
	}
	return columns
}

// Sides of a comparison.
const (
	before = 0
	after  = 1
)

// comparison joins two tables by registration id. Neither is held in memory: a
// first reading finds the devices that differ by a hash of their rows, a second
// one looks at those. Memory is 8 bytes for each device that differs, and one
// bucket.
type comparison struct {
	ctx       context.Context
	tables    [2]batch.Source
	columns   []string // of both, but the moment of the export
	seeds     [3]maphash.Seed
	different []uint64 // the first bytes of the keys of devices that differ, sorted
	hashed    bool     // different is known: only those are looked at
	stage     string   // folder for what is spilled
	out       table.Writer
	changes   Changes
}

// compare writes the change feed from one table to another.
func compare(ctx context.Context, from, to batch.Source, stage string, w io.Writer) (*Changes, error) {
	out, err := table.NewParquet(w, changeColumns())
	if err != nil {
		return nil, err
	}
	c := &comparison{ctx: ctx, tables: [2]batch.Source{from, to}, stage: stage, out: out}
	c.changes.Columns = make(map[string]int64)
	for i := range c.seeds {
		c.seeds[i] = maphash.MakeSeed()
	}
	for _, t := range c.tables {
		for _, column := range t.Header() {
			if column.Name != exportedColumn && !column.Partition && !slices.Contains(c.columns, column.Name) {
				c.columns = append(c.columns, column.Name)
			}
		}
	}
	err = c.join(c.hash, func(key spill.Key, was, is []byte) error {
		if !bytes.Equal(was, is) {
			c.different = append(c.different, firstOf(key))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	slices.Sort(c.different)
	c.hashed = true
	if err := c.join(c.row, func(_ spill.Key, was, is []byte) error { return c.writeRows(was, is) }); err != nil {
		return nil, err
	}
	return &c.changes, c.out.Close()
}

func (c *comparison) key(id string) (key spill.Key) {
	binary.BigEndian.PutUint64(key[:], maphash.String(c.seeds[0], id))
	binary.BigEndian.PutUint64(key[8:], maphash.String(c.seeds[1], id))
	return key
}

func firstOf(key spill.Key) uint64 { return binary.BigEndian.Uint64(key[:]) }

// buckets holds 50 million devices with 16 MB of memory a bucket.
const buckets = 256

// record appends what is compared of a device.
type record func(dst []byte, cells []batch.Value) []byte

// hash is the record of every device: eight bytes.
func (c *comparison) hash(dst []byte, cells []batch.Value) []byte {
	row := batch.AppendCells(dst, cells)
	return binary.BigEndian.AppendUint64(row[:0], maphash.Bytes(c.seeds[2], row))
}

// row is the record of the devices that differ: all of it.
func (c *comparison) row(dst []byte, cells []batch.Value) []byte {
	for i, v := range cells {
		cells[i] = kept(v)
	}
	return batch.AppendCells(dst, cells)
}

// join sorts a record of every device of both tables into buckets, at the same
// time, and calls fn for every device with that of each table; nil: it is not in
// that one. Of a device that stands in a table more than once the last row counts.
func (c *comparison) join(of record, fn func(key spill.Key, was, is []byte) error) error {
	var sides [2]*spill.Buckets
	defer func() {
		for _, b := range sides {
			if b != nil {
				_ = b.Close() // of no use any more
			}
		}
	}()
	var group errgroup.Group
	var err error
	for side := range sides {
		if sides[side], err = spill.New(c.stage, buckets); err != nil {
			break
		}
		group.Go(batch.Guarded(func() error { return c.spill(sides[side], c.tables[side], of) }))
	}
	if err := errors.Join(err, group.Wait()); err != nil {
		return err
	}
	for n := range buckets {
		was, err := sides[before].Load(n)
		if err != nil {
			return err
		}
		is, err := sides[after].Load(n)
		if err != nil {
			return err
		}
		if err := eachDevice(was, is, fn); err != nil {
			return err
		}
	}
	return nil
}

// eachDevice calls fn for the devices of a bucket.
func eachDevice(was, is []spill.Record, fn func(key spill.Key, was, is []byte) error) error {
	lastOf := func(records []spill.Record) map[spill.Key]int {
		last := make(map[spill.Key]int, len(records))
		for i, r := range records {
			last[r.Key] = i
		}
		return last
	}
	wasAt, isAt := lastOf(was), lastOf(is)
	for i, r := range is {
		if isAt[r.Key] != i {
			continue
		}
		var old []byte
		if at, there := wasAt[r.Key]; there {
			old = was[at].Data
		}
		if err := fn(r.Key, old, r.Data); err != nil {
			return err
		}
	}
	for i, r := range was {
		if _, stays := isAt[r.Key]; stays || wasAt[r.Key] != i {
			continue
		}
		if err := fn(r.Key, r.Data, nil); err != nil {
			return err
		}
	}
	return nil
}

func (c *comparison) spill(to *spill.Buckets, from batch.Source, of record) error {
	id := from.Header().Index(idColumn)
	places := make([]int, len(c.columns))
	for i, name := range c.columns {
		places[i] = from.Header().Index(name)
	}
	compared := make([]batch.Value, len(places))
	var data []byte
	return eachOf(c.ctx, from, func(cells []batch.Value) error {
		key := c.key(cellAt(cells, id).Text)
		if _, differs := slices.BinarySearch(c.different, firstOf(key)); c.hashed && !differs {
			return nil
		}
		for i, at := range places {
			compared[i] = batch.Value{}
			if at >= 0 && cells[at].Nested != nil {
				compared[i] = batch.TextValue(cells[at].String())
			} else if at >= 0 {
				compared[i] = cells[at]
			}
		}
		data = of(data[:0], compared)
		return to.Add(key, data)
	})
}

func (c *comparison) writeRows(was, is []byte) error {
	var cells [2][]batch.Value
	for side, data := range [][]byte{was, is} {
		if data == nil {
			continue
		}
		var err error
		if cells[side], _, err = batch.ReadCells(string(data), nil); err != nil {
			return err
		}
	}
	return c.writeDevice(cells[before], cells[after])
}

// writeDevice writes a row for each column that is not the same; nil stands for a
// day on which the device was not there.
func (c *comparison) writeDevice(was, is []batch.Value) error {
	change, count, shown := Changed, &c.changes.Changed, is
	switch {
	case was == nil:
		change, count, was = Appeared, &c.changes.Appeared, make([]batch.Value, len(is))
	case is == nil:
		change, count, shown, is = Vanished, &c.changes.Vanished, was, make([]batch.Value, len(was))
	}
	written := false
	for i, name := range c.columns {
		if was[i].Kind == is[i].Kind && was[i].Text == is[i].Text {
			continue
		}
		written = true
		if change == Changed {
			c.changes.Columns[name]++
		}
		err := c.out.Write([]batch.Value{
			c.cell(shown, idColumn), c.cell(shown, applicationColumn), c.cell(shown, channelColumn), batch.TextValue(change), batch.TextValue(name), asText(was[i]), asText(is[i]),
		})
		if err != nil {
			return err
		}
	}
	if written {
		*count++
	}
	return nil
}

func (c *comparison) cell(row []batch.Value, name string) batch.Value {
	if i := slices.Index(c.columns, name); i >= 0 {
		return row[i]
	}
	return batch.Value{}
}

func asText(v batch.Value) batch.Value {
	if v.Kind == batch.Null {
		return v
	}
	return batch.TextValue(v.Text)
}
