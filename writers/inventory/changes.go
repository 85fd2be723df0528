package inventory

import (
	"bytes"
	"context"
	"encoding/binary"
	"hash/maphash"
	"io"
	"slices"

	"github.com/parquet-go/parquet-go"

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
	tables    [2]*snapshot
	columns   []string // of both, but the moment of the export
	places    [2][]int // of each column in each table, -1: it is not there
	seeds     [3]maphash.Seed
	different []uint64 // the first bytes of the keys of devices that differ, sorted
	stage     string   // folder for what is spilled
	out       table.Writer
	changes   Changes
}

// compare writes the change feed from one table on this machine to another.
func compare(ctx context.Context, from, to *snapshot, stage string, w io.Writer) (*Changes, error) {
	out, err := table.NewParquet(w, changeColumns())
	if err != nil {
		return nil, err
	}
	c := &comparison{ctx: ctx, tables: [2]*snapshot{from, to}, stage: stage, out: out}
	c.changes.Columns = make(map[string]int64)
	for i := range c.seeds {
		c.seeds[i] = maphash.MakeSeed()
	}
	for _, t := range c.tables {
		for _, column := range t.columns {
			if column.Name != exportedColumn && !slices.Contains(c.columns, column.Name) {
				c.columns = append(c.columns, column.Name)
			}
		}
	}
	for side, t := range c.tables {
		for _, name := range c.columns {
			c.places[side] = append(c.places[side], t.place(name))
		}
	}
	if err := c.findDifferent(); err != nil {
		return nil, err
	}
	if err := c.tellDifferent(); err != nil {
		return nil, err
	}
	return &c.changes, c.out.Close()
}

func (c *comparison) key(id []byte) (key spill.Key) {
	binary.BigEndian.PutUint64(key[:], maphash.Bytes(c.seeds[0], id))
	binary.BigEndian.PutUint64(key[8:], maphash.Bytes(c.seeds[1], id))
	return key
}

// buckets are as many as keep each below some ten thousand records.
func (c *comparison) buckets(records int64) (*spill.Buckets, error) {
	return spill.New(c.stage, int(min(1024, records/20_000+1)))
}

// findDifferent compares the hashes of all rows.
func (c *comparison) findDifferent() error {
	all, err := c.buckets(c.tables[before].parquet.NumRows() + c.tables[after].parquet.NumRows())
	if err != nil {
		return err
	}
	defer all.Close()
	for side := range c.tables {
		if err := c.spillHashes(all, side); err != nil {
			return err
		}
	}
	for records, err := range all.All() {
		if err != nil {
			return err
		}
		c.noteDifferent(records)
	}
	return nil
}

func (c *comparison) spillHashes(to *spill.Buckets, side int) error {
	var hash maphash.Hash
	hash.SetSeed(c.seeds[2])
	id := c.tables[side].place(idColumn)
	var record [9]byte
	record[0] = byte(side)
	return c.tables[side].eachRow(c.ctx, func(row []parquet.Value) error {
		hash.Reset()
		for _, at := range c.places[side] {
			if at < 0 {
				hash.WriteByte(0)
			} else {
				hashValue(&hash, row[at])
			}
		}
		binary.BigEndian.PutUint64(record[1:], hash.Sum64())
		return to.Add(c.key(row[id].ByteArray()), record[:])
	})
}

// hashValue adds a value so that no two lists of values look alike.
func hashValue(hash *maphash.Hash, v parquet.Value) {
	var number [8]byte
	switch v.Kind() {
	case parquet.ByteArray:
		text := v.ByteArray()
		binary.BigEndian.PutUint64(number[:], uint64(len(text)))
		hash.WriteByte(1)
		hash.Write(number[:])
		hash.Write(text)
	case parquet.Boolean, parquet.Int64, parquet.Double:
		binary.BigEndian.PutUint64(number[:], v.Uint64())
		hash.WriteByte(2)
		hash.Write(number[:])
	default: // null
		hash.WriteByte(0)
	}
}

// noteDifferent finds the devices of a bucket whose rows are not the same on both
// sides.
func (c *comparison) noteDifferent(records []spill.Record) {
	slices.SortStableFunc(records, func(a, b spill.Record) int { return bytes.Compare(a.Key[:], b.Key[:]) })
	for len(records) > 0 {
		n := 1
		for n < len(records) && records[n].Key == records[0].Key {
			n++
		}
		if n != 2 || records[0].Data[0] == records[1].Data[0] || !bytes.Equal(records[0].Data[1:], records[1].Data[1:]) {
			c.different = append(c.different, binary.BigEndian.Uint64(records[0].Key[:]))
		}
		records = records[n:]
	}
}

// tellDifferent reads the rows of the devices that differ and writes what has
// changed in them.
func (c *comparison) tellDifferent() error {
	rows, err := c.buckets(2 * int64(len(c.different)))
	if err != nil {
		return err
	}
	defer rows.Close()
	for side := range c.tables {
		if err := c.spillRows(rows, side); err != nil {
			return err
		}
	}
	for records, err := range rows.All() {
		if err != nil {
			return err
		}
		if err := c.tellBucket(records); err != nil {
			return err
		}
	}
	return nil
}

func (c *comparison) spillRows(to *spill.Buckets, side int) error {
	t := c.tables[side]
	id := t.place(idColumn)
	cells := make([]batch.Value, len(c.columns))
	var record []byte
	return t.eachRow(c.ctx, func(row []parquet.Value) error {
		key := c.key(row[id].ByteArray())
		if _, differs := slices.BinarySearch(c.different, binary.BigEndian.Uint64(key[:])); !differs {
			return nil
		}
		for i, at := range c.places[side] {
			if cells[i] = (batch.Value{}); at >= 0 {
				cells[i] = valueAs(t.columns[at].Type, row[at])
			}
		}
		record = batch.AppendCells(append(record[:0], byte(side)), cells)
		return to.Add(key, record)
	})
}

// tellBucket writes the changes of the devices of a bucket. Of a device that
// stands in a table more than once the last row counts.
func (c *comparison) tellBucket(records []spill.Record) error {
	rows := make(map[spill.Key]*[2][]batch.Value, len(records)/2)
	var order []spill.Key
	for _, r := range records {
		pair := rows[r.Key]
		if pair == nil {
			pair = new([2][]batch.Value)
			rows[r.Key], order = pair, append(order, r.Key)
		}
		cells, _, err := batch.ReadCells(string(r.Data[1:]), nil)
		if err != nil {
			return err
		}
		pair[r.Data[0]] = cells
	}
	for _, key := range order {
		if err := c.tellDevice(rows[key][before], rows[key][after]); err != nil {
			return err
		}
	}
	return nil
}

// tellDevice writes a row for each column that is not the same; nil stands for a
// day on which the device was not there.
func (c *comparison) tellDevice(was, is []batch.Value) error {
	change, count, shown := Changed, &c.changes.Changed, is
	switch {
	case was == nil:
		change, count, was = Appeared, &c.changes.Appeared, make([]batch.Value, len(is))
	case is == nil:
		change, count, shown, is = Vanished, &c.changes.Vanished, was, make([]batch.Value, len(was))
	}
	told := false
	for i, name := range c.columns {
		if was[i].Kind == is[i].Kind && was[i].Text == is[i].Text {
			continue
		}
		told = true
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
	if told {
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
