package writers

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/zstd"

	"pushbatch/batch"
)

const (
	parquetGroupRows = 64 << 10 // rows a row group: what is held in memory
	parquetBatch     = 256      // rows handed over at a time
)

// parquetRenderer writes Parquet: zstd, optional columns in the order given,
// dictionaries for texts that repeat, statistics.
type parquetRenderer struct {
	to      *parquet.GenericWriter[any]
	columns []shownColumn
	rows    []parquet.Row
	used    int
}

func newParquetRenderer(to io.Writer, columns []shownColumn) (renderer, error) {
	return &parquetRenderer{
		to: parquet.NewGenericWriter[any](to, parquetSchema(columns),
			parquet.Compression(&zstd.Codec{Level: zstd.SpeedDefault}),
			parquet.MaxRowsPerRowGroup(parquetGroupRows),
			parquet.DataPageStatistics(true),
			parquet.CreatedBy("pushbatch", "", ""),
		),
		columns: columns, rows: make([]parquet.Row, parquetBatch),
	}, nil
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

func parquetSchema(columns []shownColumn) *parquet.Schema {
	g := parquetGroup{Group: make(parquet.Group, len(columns))}
	for _, c := range columns {
		g.Group[c.name] = parquet.Optional(parquetNode(c))
		g.order = append(g.order, c.name)
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

func parquetNode(c shownColumn) parquet.Node {
	switch c.typ {
	case booleanColumn:
		return parquet.Leaf(parquet.BooleanType)
	case timestampColumn:
		return parquet.Timestamp(parquet.Millisecond)
	case integerColumn:
		return parquet.Int(64)
	case doubleColumn:
		return parquet.Leaf(parquet.DoubleType)
	case jsonColumn:
		return parquet.Encoded(parquet.JSON(), &parquet.Plain)
	case mapColumn:
		return parquet.Map(parquet.Encoded(parquet.String(), &parquet.RLEDictionary), parquet.String())
	}
	if isUnique(c.name) {
		return parquet.Encoded(parquet.String(), &parquet.Plain)
	}
	return parquet.Encoded(parquet.String(), &parquet.RLEDictionary)
}

func (r *parquetRenderer) write(cells []shownValue) error {
	row := r.rows[r.used][:0]
	leaf := 0
	for i, c := range r.columns {
		if c.typ == mapColumn {
			row = appendMap(row, cells[i], leaf)
			leaf += 2
			continue
		}
		v, err := parquetValue(c.typ, cells[i])
		if err != nil {
			return fmt.Errorf("column %s: %w", c.name, err)
		}
		defined := 1
		if v.IsNull() {
			defined = 0
		}
		row = append(row, v.Level(0, defined, leaf))
		leaf++
	}
	r.rows[r.used] = row
	if r.used++; r.used == len(r.rows) {
		return r.flush()
	}
	return nil
}

func (r *parquetRenderer) flush() error {
	_, err := r.to.WriteRows(r.rows[:r.used])
	r.used = 0
	return err
}

func parquetValue(typ string, v shownValue) (parquet.Value, error) {
	if v.Kind == batch.Null {
		return parquet.Value{}, nil
	}
	switch typ {
	case booleanColumn:
		return parquet.BooleanValue(v.Text == "true"), nil
	case timestampColumn:
		t, err := time.Parse(time.RFC3339, v.Text)
		return parquet.Int64Value(t.UnixMilli()), err
	case integerColumn:
		n, err := strconv.ParseInt(v.Text, 10, 64)
		return parquet.Int64Value(n), err
	case doubleColumn:
		f, err := strconv.ParseFloat(v.Text, 64)
		return parquet.DoubleValue(f), err
	}
	return parquet.ByteArrayValue([]byte(v.Text)), nil
}

// appendMap appends the key and value leaves of a map of texts.
func appendMap(row parquet.Row, v shownValue, leaf int) parquet.Row {
	attributes := attributesOf(v)
	if v.Kind == batch.Null {
		return append(row, parquet.Value{}.Level(0, 0, leaf), parquet.Value{}.Level(0, 0, leaf+1))
	}
	if len(attributes) == 0 {
		return append(row, parquet.Value{}.Level(0, 1, leaf), parquet.Value{}.Level(0, 1, leaf+1))
	}
	names := slices.Sorted(maps.Keys(attributes))
	for column := range 2 {
		for i, name := range names {
			text := name
			if column == 1 {
				text = attributeText(attributes[name])
			}
			row = append(row, parquet.ByteArrayValue([]byte(text)).Level(min(i, 1), 2, leaf+column))
		}
	}
	return row
}

func (r *parquetRenderer) close() error {
	if err := r.flush(); err != nil {
		return err
	}
	return r.to.Close()
}
