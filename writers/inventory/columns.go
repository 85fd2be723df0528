package inventory

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"pushbatch/batch"
	"pushbatch/writers/table"
)

// The forms of additional_data, as --additional-data takes them.
const (
	AdditionalJSON    = "json"    // one column with an object
	AdditionalMap     = "map"     // Parquet: a map of texts; else as json
	AdditionalColumns = "columns" // a column for each name
)

const additionalColumn = "additional_data"

// maxAttributes bounds the columns that additional_data can become.
const maxAttributes = 1000

// column is one column of a published file.
type column struct {
	table.Column
	cell int    // in a gathered row
	attr string // of additional_data, when it is spread over columns
}

// PickColumns are the columns that --columns names, each of which is there; none named: all.
func PickColumns(all batch.Header, names []string) (batch.Header, error) {
	if len(names) == 0 {
		return all, nil
	}
	var picked batch.Header
	for _, name := range names {
		column := all[all.Index(strings.TrimSpace(name))]
		if picked.Index(column.Name) >= 0 {
			return nil, fmt.Errorf("column %q is named twice", name)
		}
		picked = append(picked, column)
	}
	return picked, nil
}

// shownColumns are the columns of the published files.
func (o *Options) shownColumns(attributes map[string]string) []column {
	var list []column
	for _, c := range o.Columns {
		at := o.cell(c.Name)
		switch {
		case c.Name == o.PartitionBy:
		case c.Name != additionalColumn || o.Additional == AdditionalJSON:
			list = append(list, column{table.Column{Name: c.Name, Type: c.Type}, at, ""})
		case o.Additional == AdditionalMap:
			list = append(list, column{table.Column{Name: c.Name, Type: table.Map}, at, ""})
		default:
			for _, name := range slices.Sorted(maps.Keys(attributes)) {
				list = append(list, column{table.Column{Name: additionalColumn + "." + name, Type: attributes[name], Attribute: true}, at, name})
			}
		}
	}
	return list
}

// attributeType is the column type that holds the values of an attribute: the
// one of all of them, or text.
func attributeType(have string, raw json.RawMessage) string {
	typ := table.Text
	switch c := raw[0]; {
	case c == 't' || c == 'f':
		typ = table.Boolean
	case c == '-' || c >= '0' && c <= '9':
		typ = table.Double
		if _, err := strconv.ParseInt(string(raw), 10, 64); err == nil {
			typ = table.Integer
		}
	}
	switch {
	case have == "" || have == typ:
		return typ
	case have == table.Integer && typ == table.Double || have == table.Double && typ == table.Integer:
		return table.Double
	}
	return table.Text
}

// tableColumns are the columns as a writer takes them.
func tableColumns(columns []column) []table.Column {
	list := make([]table.Column, len(columns))
	for i, c := range columns {
		list[i] = c.Column
	}
	return list
}

// show picks the values of a published row out of a gathered one.
func show(dst []batch.Value, columns []column, cells []batch.Value) []batch.Value {
	dst = dst[:0]
	var attributes map[string]json.RawMessage
	for _, c := range columns {
		if c.attr == "" {
			dst = append(dst, cells[c.cell])
			continue
		}
		if attributes == nil {
			attributes = table.Attributes(cells[c.cell])
		}
		v := batch.Value{}
		if raw, has := attributes[c.attr]; has {
			v = batch.TextValue(table.AttributeText(raw))
		}
		dst = append(dst, v)
	}
	return dst
}
