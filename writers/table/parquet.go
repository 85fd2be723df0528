package table

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go"
	parquetzstd "github.com/parquet-go/parquet-go/compress/zstd"

	"pushbatch/batch"
)

// parquetGroupRows is how many rows a row group has: what is held in memory.
const parquetGroupRows = 64 << 10

// parquetWriter writes Parquet: zstd, optional columns in the order given,
// dictionaries for texts that repeat, statistics.
type parquetWriter struct {
	to      *parquet.GenericWriter[any]
	columns []Column
	row     parquet.Row
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
// memory, have groupRows rows. They share one compressor, which takes 2 MB.
func ParquetFiles(columns []Column, groupRows int64) (create func(to io.Writer) Writer, err error) {
	codec, err := newPageCodec()
	return func(to io.Writer) Writer {
		return &parquetWriter{columns: columns, to: parquet.NewGenericWriter[any](to, parquetSchema(columns),
			parquet.Compression(codec), parquet.MaxRowsPerRowGroup(groupRows), parquet.DataPageStatistics(true), parquet.CreatedBy("pushbatch", "", ""),
		)}
	}, err
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
	r.row = r.row[:0]
	leaf := 0 // the column's first one
	for i, c := range r.columns {
		if c.Type == Map {
			r.appendMap(cells[i], leaf)
			leaf += 2
			continue
		}
		v, defined := parquet.Value{}, 0
		if cells[i].Kind != batch.Null {
			var err error
			if v, err = parquetValue(c.Type, cells[i].Text); err != nil {
				return fmt.Errorf("column %s: %w", c.Name, err)
			}
			defined = 1
		}
		r.row = append(r.row, v.Level(0, defined, leaf))
		leaf++
	}
	_, err := r.to.WriteRows([]parquet.Row{r.row})
	return err
}

func parquetValue(typ, text string) (parquet.Value, error) {
	switch typ {
	case Text, JSON:
		return parquet.ValueOf(text), nil
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

// appendMap appends the key and value leaves of a map of texts.
func (r *parquetWriter) appendMap(v batch.Value, leaf int) {
	attributes := Attributes(v)
	if len(attributes) == 0 {
		defined := 1
		if v.Kind == batch.Null {
			defined = 0
		}
		r.row = append(r.row, parquet.Value{}.Level(0, defined, leaf), parquet.Value{}.Level(0, defined, leaf+1))
		return
	}
	names := slices.Sorted(maps.Keys(attributes))
	for i, name := range names {
		r.row = append(r.row, parquet.ValueOf(name).Level(min(i, 1), 2, leaf))
	}
	for i, name := range names {
		r.row = append(r.row, parquet.ValueOf(AttributeText(attributes[name])).Level(min(i, 1), 2, leaf+1))
	}
}

// Close implements Writer.
func (r *parquetWriter) Close() error { return r.to.Close() }

// pageWindow is how far back a compressed page refers: a page is not much larger.
// The default, 8 MiB, takes a history of 16 MiB for each encoder, more than all
// else that a row group holds.
const pageWindow = 512 << 10

// pageCodec is zstd for the pages of a Parquet file, all compressed by one
// encoder, which makes those wait that would use it at the same time.
type pageCodec struct {
	parquetzstd.Codec
	encoder *zstd.Encoder
}

func newPageCodec() (*pageCodec, error) {
	encoder, err := zstd.NewWriter(
		nil, zstd.WithEncoderLevel(zstd.SpeedDefault), zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(pageWindow),
		zstd.WithLowerEncoderMem(true), zstd.WithZeroFrames(true), zstd.WithEncoderCRC(false),
	)
	return &pageCodec{encoder: encoder}, err
}

// Encode implements compress.Codec.
func (c *pageCodec) Encode(dst, src []byte) ([]byte, error) {
	return c.encoder.EncodeAll(src, dst[:0]), nil
}
