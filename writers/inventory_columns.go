package writers

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"pushbatch/batch"
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

// Types that only columns made of attributes have.
const (
	mapColumn     = "map"
	integerColumn = "integer"
	doubleColumn  = "double"
)

// shownColumn is one column of a published file.
type shownColumn struct {
	name string
	typ  string
	cell int    // in a gathered line
	attr string // of additional_data, when it is spread over columns
}

// shownValue is one value of a published line: as gathered, or the JSON of an
// attribute as text.
type shownValue = batch.Value

// PickColumns finds the columns that --columns names; none named: all.
func PickColumns(all []batch.Column, names []string) ([]batch.Column, error) {
	if len(names) == 0 {
		return all, nil
	}
	var picked []batch.Column
	for _, name := range names {
		at := slices.IndexFunc(all, func(c batch.Column) bool { return c.Name == strings.TrimSpace(name) })
		if at < 0 {
			return nil, fmt.Errorf("there is no column %q: the columns are %s", name, columnNames(all))
		}
		if slices.ContainsFunc(picked, func(c batch.Column) bool { return c.Name == all[at].Name }) {
			return nil, fmt.Errorf("column %q is named twice", name)
		}
		picked = append(picked, all[at])
	}
	return picked, nil
}

func columnNames(columns []batch.Column) string {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.Name
	}
	return strings.Join(names, ", ")
}

// shownColumns are the columns of the published files.
func (o *InventoryOptions) shownColumns(attributes map[string]string) []shownColumn {
	var list []shownColumn
	for _, c := range o.Columns {
		at := slices.IndexFunc(o.All, func(a batch.Column) bool { return a.Name == c.Name })
		switch {
		case c.Name == o.PartitionBy:
		case c.Name != additionalColumn || o.Additional == AdditionalJSON:
			list = append(list, shownColumn{name: c.Name, typ: c.Type, cell: at})
		case o.Additional == AdditionalMap:
			list = append(list, shownColumn{name: c.Name, typ: mapColumn, cell: at})
		default:
			for _, name := range slices.Sorted(maps.Keys(attributes)) {
				list = append(list, shownColumn{name: additionalColumn + "." + name, typ: attributes[name], cell: at, attr: name})
			}
		}
	}
	return list
}

// attributeType is the column type that holds the values of an attribute: the
// one of all of them, or text.
func attributeType(have string, raw json.RawMessage) string {
	typ := textColumn
	switch c := raw[0]; {
	case c == 't' || c == 'f':
		typ = booleanColumn
	case c == '-' || c >= '0' && c <= '9':
		typ = doubleColumn
		if _, err := strconv.ParseInt(string(raw), 10, 64); err == nil {
			typ = integerColumn
		}
	}
	switch {
	case have == "" || have == typ:
		return typ
	case have == integerColumn && typ == doubleColumn || have == doubleColumn && typ == integerColumn:
		return doubleColumn
	}
	return textColumn
}

func attributesOf(v batch.Value) map[string]json.RawMessage {
	if v.Kind == batch.Null {
		return nil
	}
	var all map[string]json.RawMessage
	_ = json.Unmarshal([]byte(v.Text), &all) // it was compacted JSON when it was gathered
	maps.DeleteFunc(all, func(_ string, raw json.RawMessage) bool { return string(raw) == "null" })
	return all
}

// attributeText is an attribute as text: a string's content, else its JSON.
func attributeText(raw json.RawMessage) string {
	var s string
	if raw[0] == '"' && json.Unmarshal(raw, &s) == nil {
		return s
	}
	return string(raw)
}

// show picks the values of a published line out of a gathered one.
func show(dst []shownValue, columns []shownColumn, cells []batch.Value) []shownValue {
	dst = dst[:0]
	var attributes map[string]json.RawMessage
	for _, c := range columns {
		if c.attr == "" {
			dst = append(dst, cells[c.cell])
			continue
		}
		if attributes == nil {
			attributes = attributesOf(cells[c.cell])
		}
		v := batch.Value{}
		if raw, has := attributes[c.attr]; has {
			v = batch.TextValue(attributeText(raw))
		}
		dst = append(dst, v)
	}
	return dst
}
