package table

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"time"
	"unsafe"

	"github.com/parquet-go/parquet-go"

	"pushbatch/batch"
)

const (
	parquetGroupRows = 64 << 10 // rows a row group: what is held in memory
	parquetBatch     = 512      // rows handed over at a time
)

// parquetWriter writes Parquet: zstd, optional columns in the order given,
// dictionaries for texts that repeat, statistics. Values go to their columns
// without rows between.
type parquetWriter struct {
	to      *parquet.GenericWriter[any]
	columns []parquetColumn
	leaves  [][]parquet.Value // of each leaf column, until they are handed over
	used    int               // rows in leaves
	group   int               // rows of the row group that were handed over
	most    int               // rows a row group
}

// parquetColumn is what a column needs for its next value.
type parquetColumn struct {
	Column
	leaf    int // the first of its leaf columns
	text    bool
	null    parquet.Value
	last    string        // text of the value before, when it is not kept as text
	lastOne parquet.Value // devices of a page share a time; of booleans there are two
}

// NewParquet begins a Parquet file.
func NewParquet(to io.Writer, columns []Column) (Writer, error) {
	create, err := ParquetFiles(columns, parquetGroupRows)
	if err != nil {
		return nil, err
	}
	return create(to), nil
}

// ParquetFiles returns what begins Parquet files whose row groups, which are held in
// memory, have about groupRows rows. They share one compressor, which takes 2 MB.
func ParquetFiles(columns []Column, groupRows int) (create func(to io.Writer) Writer, err error) {
	codec, err := newPageCodec()
	return func(to io.Writer) Writer { return newParquetWriter(to, columns, groupRows, codec) }, err
}

func newParquetWriter(to io.Writer, columns []Column, groupRows int, codec *pageCodec) *parquetWriter {
	r := &parquetWriter{
		most: groupRows,
		to: parquet.NewGenericWriter[any](to, parquetSchema(columns),
			parquet.Compression(codec),
			parquet.DataPageStatistics(true),
			parquet.CreatedBy("pushbatch", "", ""),
		),
	}
	r.leaves = make([][]parquet.Value, len(r.to.ColumnWriters()))
	leaf := 0
	for _, c := range columns {
		r.columns = append(r.columns, parquetColumn{
			Column: c, leaf: leaf, text: c.Type == Text || c.Type == JSON, null: parquet.Value{}.Level(0, 0, leaf),
		})
		if leaf++; c.Type == Map {
			leaf++
		}
	}
	return r
}

// parquetGroup is a group whose fields keep their order.
type parquetGroup struct {
	parquet.Group
	order []string
}

func (g parquetGroup) Fields() []parquet.Field {
	fields := g.Group.Fields() // by name
	slices.SortFunc(fields, func(a, b parquet.Field) int {
		return slices.Index(g.order, a.Name()) - slices.Index(g.order, b.Name())
	})
	return fields
}

func parquetSchema(columns []Column) *parquet.Schema {
	g := parquetGroup{Group: make(parquet.Group, len(columns))}
	for _, c := range columns {
		g.Group[c.Name] = parquet.Optional(parquetNode(c))
		g.order = append(g.order, c.Name)
	}
	return parquet.NewSchema("device", g)
}

// uniqueColumns hold a value of its own in nearly every row: a dictionary would
// only cost.
func isUnique(name string) bool {
	switch name {
	case "registration_id", "person_id", "external_id", "phone", "email", "extra":
		return true
	}
	return false
}

func parquetNode(c Column) parquet.Node {
	switch c.Type {
	case Boolean:
		return parquet.Leaf(parquet.BooleanType)
	case Timestamp:
		return parquet.Timestamp(parquet.Millisecond)
	case Integer:
		return parquet.Int(64)
	case Double:
		return parquet.Leaf(parquet.DoubleType)
	case JSON:
		return parquet.Encoded(parquet.JSON(), &parquet.Plain)
	case Map:
		return parquet.Map(parquet.Encoded(parquet.String(), &parquet.RLEDictionary), parquet.String())
	}
	if c.Plain || isUnique(c.Name) {
		return parquet.Encoded(parquet.String(), &parquet.Plain)
	}
	return parquet.Encoded(parquet.String(), &parquet.RLEDictionary)
}

// Write implements Writer.
func (r *parquetWriter) Write(cells []batch.Value) error {
	for i := range r.columns {
		c, cell := &r.columns[i], &cells[i]
		to := &r.leaves[c.leaf]
		switch {
		case c.Type == Map:
			appendMap(r.leaves, *cell, c.leaf)
		case cell.Kind == batch.Null:
			*to = append(*to, c.null)
		case c.text:
			*to = append(*to, textValue(cell.Text).Level(0, 1, c.leaf))
		default:
			if err := c.read(cell.Text); err != nil {
				return fmt.Errorf("column %s: %w", c.Name, err)
			}
			*to = append(*to, c.lastOne)
		}
	}
	if r.used++; r.used == parquetBatch {
		return r.flush()
	}
	return nil
}

func (r *parquetWriter) flush() error {
	for i, w := range r.to.ColumnWriters() {
		if _, err := w.WriteRowValues(r.leaves[i]); err != nil {
			return err
		}
		r.leaves[i] = r.leaves[i][:0]
	}
	r.group += r.used
	r.used = 0
	if r.group < r.most {
		return nil
	}
	r.group = 0
	return r.to.Flush()
}

// read makes lastOne of the text of a value that is not kept as text.
func (c *parquetColumn) read(text string) error {
	if text == c.last && text != "" {
		return nil
	}
	v, err := c.value(text)
	c.last, c.lastOne = text, v.Level(0, 1, c.leaf)
	return err
}

func (c *parquetColumn) value(text string) (parquet.Value, error) {
	switch c.Type {
	case Boolean:
		return parquet.BooleanValue(text == "true"), nil
	case Timestamp:
		at, err := time.Parse(time.RFC3339, text)
		return parquet.Int64Value(at.UnixMilli()), err
	case Integer:
		n, err := strconv.ParseInt(text, 10, 64)
		return parquet.Int64Value(n), err
	}
	f, err := strconv.ParseFloat(text, 64)
	return parquet.DoubleValue(f), err
}

// textValue shares the text, which nobody changes; the writer copies it.
func textValue(s string) parquet.Value {
	return parquet.ByteArrayValue(unsafe.Slice(unsafe.StringData(s), len(s)))
}

// appendMap appends the key and value leaves of a map of texts.
func appendMap(leaves [][]parquet.Value, v batch.Value, leaf int) {
	attributes := Attributes(v)
	if len(attributes) == 0 {
		defined := 1
		if v.Kind == batch.Null {
			defined = 0
		}
		for column := leaf; column < leaf+2; column++ {
			leaves[column] = append(leaves[column], parquet.Value{}.Level(0, defined, column))
		}
		return
	}
	for i, name := range slices.Sorted(maps.Keys(attributes)) {
		leaves[leaf] = append(leaves[leaf], textValue(name).Level(min(i, 1), 2, leaf))
		leaves[leaf+1] = append(leaves[leaf+1], textValue(AttributeText(attributes[name])).Level(min(i, 1), 2, leaf+1))
	}
}

// Close implements Writer.
func (r *parquetWriter) Close() error {
	if err := r.flush(); err != nil {
		return err
	}
	return r.to.Close()
}
