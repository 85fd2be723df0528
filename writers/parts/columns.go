package parts

import (
	"strings"

	"pushbatch/batch"
	"pushbatch/writers/table"
)

// Columns that parts have after those of the inputs. Their names begin with _:
// no operation sends them.
const (
	SourceColumn    = "_source"     // the input that the row was read from
	SourceRowColumn = "_source_row" // its number there, from 1
)

// columns are those of all inputs, in order of first appearance, and those of parts.
type columns struct {
	all     []table.Column
	place   [][]int // input -> its column -> index in all, -1: left out
	source  int     // index of SourceColumn; SourceRowColumn is the next
	message int     // index of batch.MessageColumn; -1: every row could be read
}

// columnsOf joins the columns of inputs by name. A name that inputs give to
// different types becomes text, with the type after the name where one is known:
// its cells then mean what they meant.
func columnsOf(inputs []batch.Header, unreadable bool) *columns {
	c := &columns{message: -1}
	index := make(map[table.Column]int)
	mixed := mixedNames(inputs)
	for _, header := range inputs {
		place := make([]int, len(header))
		for i, column := range header {
			place[i] = -1
			if column.Name == SourceColumn || column.Name == SourceRowColumn || batch.IsFailedColumn(column.Name) {
				continue
			}
			kept := partColumn(column, mixed[column.Name])
			at, known := index[kept]
			if !known {
				at = len(c.all)
				index[kept] = at
				c.all = append(c.all, kept)
			}
			place[i] = at
		}
		c.place = append(c.place, place)
	}
	if unreadable {
		c.message = len(c.all)
		c.all = append(c.all, table.Column{Name: batch.MessageColumn, Type: table.Text})
	}
	c.source = len(c.all)
	c.all = append(c.all, table.Column{Name: SourceColumn, Type: table.Text}, table.Column{Name: SourceRowColumn, Type: table.Integer})
	return c
}

func mixedNames(inputs []batch.Header) map[string]bool {
	types, mixed := make(map[string]string), make(map[string]bool)
	for _, header := range inputs {
		for _, column := range header {
			typ := partType(column)
			if was, known := types[column.Name]; known && was != typ {
				mixed[column.Name] = true
			}
			types[column.Name] = typ
		}
	}
	return mixed
}

// partColumn is the column that keeps the values of an input's column.
func partColumn(c batch.Column, mixed bool) table.Column {
	typ := partType(c)
	typed := c.Kind == batch.Number || c.Kind == batch.Bool || c.Kind == batch.Date
	name := c.Name
	if (mixed || typ == table.Text) && typed && !strings.Contains(name, ":") && strings.Contains(name, ".") {
		name += ":" + c.Kind.String()
	}
	if mixed {
		typ = table.Text
	}
	return table.Column{Name: name, Type: typ, Plain: true}
}

// partType is the type that keeps every value of a column; numbers that need more
// digits than 64 bits have are kept as text.
func partType(c batch.Column) string {
	switch {
	case c.Kind == batch.Bool:
		return table.Boolean
	case c.Kind == batch.Number && strings.HasPrefix(c.Type, "int"):
		return table.Integer
	case c.Kind == batch.Number && (c.Type == "double" || c.Type == "float"):
		return table.Double
	case c.Kind == batch.Object:
		return table.JSON
	}
	return table.Text
}

// fill puts the values of a row into the cells of a part. A row that could not be
// read is marked, as failed.csv marks it, so that it is refused again unless
// somebody mends it.
func (c *columns) fill(cells []batch.Value, row *batch.Row) {
	clear(cells)
	for i, v := range row.Values {
		if at := c.place[row.Input][i]; at >= 0 && v.Kind != batch.Null {
			cells[at] = v
			if v.Kind == batch.List || v.Kind == batch.Object {
				cells[at] = batch.TextValue(v.String())
			}
		}
	}
	cells[c.source] = batch.TextValue(row.Source)
	cells[c.source+1] = batch.IntValue(row.SourceNum())
	if row.Err == nil || c.message < 0 {
		return
	}
	var sum batch.Unmodified
	for i, v := range cells {
		if i != c.message {
			sum.Add(c.all[i].Name, v.String())
		}
	}
	cells[c.message] = batch.TextValue(row.Err.Error() + sum.Sign())
}
