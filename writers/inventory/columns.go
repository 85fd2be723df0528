package inventory

import (
	"fmt"
	"strings"

	"pushbatch/batch"
	"pushbatch/writers/table"
)

const additionalColumn = "additional_data"

// column is one column of a published file.
type column struct {
	table.Column
	cell int // in a gathered row
}

// PickColumns finds the columns that --columns names; none named: all.
func PickColumns(all []batch.Column, names []string) ([]batch.Column, error) {
	if len(names) == 0 {
		return all, nil
	}
	var picked []batch.Column
	for _, name := range names {
		at := columnAt(all, strings.TrimSpace(name))
		if at < 0 {
			return nil, fmt.Errorf("there is no column %q: the columns are %s", name, columnNames(all))
		}
		if columnAt(picked, all[at].Name) >= 0 {
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
func (o *Options) shownColumns() (list []column) {
	for _, c := range o.Columns {
		if c.Name != o.PartitionBy {
			list = append(list, column{table.Column{Name: c.Name, Type: c.Type}, o.cell(c.Name)})
		}
	}
	return list
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
	for _, c := range columns {
		dst = append(dst, cells[c.cell])
	}
	return dst
}
