package inventory

import (
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
	places    [2][]int // of each column in each table, -1: it is not there
	seeds     [3]maphash.Seed
	different []uint64 // the first bytes of the keys of devices that differ, sorted
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
	for side, t := range c.tables {
		for _, name := range c.columns {
			c.places[side] = append(c.places[side], columnAt(t.Header(), name))
		}
	}
	if err := c.findDifferent(); err != nil {
		return nil, err
	}
	if err := c.writeDifferent(); err != nil {
		return nil, err
	}
	return &c.changes, c.out.Close()
}

func (c *comparison) key(id string) (key spill.Key) {
	binary.BigEndian.PutUint64(key[:], maphash.String(c.seeds[0], id))
	binary.BigEndian.PutUint64(key[8:], maphash.String(c.seeds[1], id))
	return key
}

// buckets holds 50 million devices with 16 MB of memory a bucket.
const buckets = 256

// bothSides sorts something of both tables into buckets, at the same time.
func (c *comparison) bothSides(fill func(to *spill.Buckets, side int) error) (sides [2]*spill.Buckets, err error) {
	var group errgroup.Group
	for side := range sides {
		if sides[side], err = spill.New(c.stage, buckets); err != nil {
			return sides, errors.Join(err, group.Wait())
		}
		group.Go(batch.Guarded(func() error { return fill(sides[side], side) }))
	}
	return sides, group.Wait()
}

// eachBucket calls fn with the records of a bucket of both sides.
func eachBucket(sides [2]*spill.Buckets, fn func(was, is []spill.Record) error) error {
	for n := range sides[before].Count() {
		was, err := sides[before].Load(n)
		if err != nil {
			return err
		}
		is, err := sides[after].Load(n)
		if err != nil {
			return err
		}
		if err := fn(was, is); err != nil {
			return err
		}
	}
	return nil
}

func closeAll(sides [2]*spill.Buckets) {
	for _, b := range sides {
		if b != nil {
			_ = b.Close() // of no use any more
		}
	}
}

// findDifferent compares the hashes of all rows. Of a device that stands in a
// table more than once the last row counts.
func (c *comparison) findDifferent() error {
	sides, err := c.bothSides(c.spillHashes)
	defer closeAll(sides)
	if err != nil {
		return err
	}
	err = eachBucket(sides, func(was, is []spill.Record) error {
		hashes := make(map[spill.Key]uint64, len(was))
		for _, r := range was {
			hashes[r.Key] = binary.BigEndian.Uint64(r.Data)
		}
		for _, r := range is {
			if hash, there := hashes[r.Key]; !there || hash != binary.BigEndian.Uint64(r.Data) {
				c.different = append(c.different, binary.BigEndian.Uint64(r.Key[:]))
			}
			delete(hashes, r.Key)
		}
		for key := range hashes {
			c.different = append(c.different, binary.BigEndian.Uint64(key[:]))
		}
		return nil
	})
	slices.Sort(c.different)
	return err
}

func (c *comparison) spillHashes(to *spill.Buckets, side int) error {
	var hash maphash.Hash
	hash.SetSeed(c.seeds[2])
	id := columnAt(c.tables[side].Header(), idColumn)
	var record [8]byte
	return eachOf(c.ctx, c.tables[side], func(cells []batch.Value) error {
		hash.Reset()
		for _, at := range c.places[side] {
			if at < 0 {
				hashValue(&hash, batch.Value{})
			} else {
				hashValue(&hash, cells[at])
			}
		}
		binary.BigEndian.PutUint64(record[:], hash.Sum64())
		return to.Add(c.key(cellAt(cells, id).Text), record[:])
	})
}

// hashValue adds a value so that no two lists of values look alike.
func hashValue(hash *maphash.Hash, v batch.Value) {
	var length [8]byte
	text := v.String()
	binary.BigEndian.PutUint64(length[:], uint64(len(text)))
	hash.WriteByte(byte(v.Kind))
	hash.Write(length[:])
	hash.WriteString(text)
}

// writeDifferent reads the rows of the devices that differ and writes what has
// changed in them.
func (c *comparison) writeDifferent() error {
	sides, err := c.bothSides(c.spillRows)
	defer closeAll(sides)
	if err != nil {
		return err
	}
	return eachBucket(sides, c.writeBucket)
}

func (c *comparison) spillRows(to *spill.Buckets, side int) error {
	id := columnAt(c.tables[side].Header(), idColumn)
	kept := make([]batch.Value, len(c.columns))
	var record []byte
	return eachOf(c.ctx, c.tables[side], func(cells []batch.Value) error {
		key := c.key(cellAt(cells, id).Text)
		if _, differs := slices.BinarySearch(c.different, binary.BigEndian.Uint64(key[:])); !differs {
			return nil
		}
		for i, at := range c.places[side] {
			kept[i] = cellAt(cells, at)
		}
		record = batch.AppendCells(record[:0], kept)
		return to.Add(key, record)
	})
}

func (c *comparison) writeBucket(was, is []spill.Record) error {
	rows := make(map[spill.Key][]byte, len(was))
	for _, r := range was {
		rows[r.Key] = r.Data
	}
	for _, r := range is {
		if err := c.writeRows(rows[r.Key], r.Data); err != nil {
			return err
		}
		delete(rows, r.Key)
	}
	for _, r := range was {
		if _, vanished := rows[r.Key]; vanished {
			if err := c.writeRows(r.Data, nil); err != nil {
				return err
			}
			delete(rows, r.Key)
		}
	}
	return nil
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
