package main

import (
	"strings"

	"pushbatch/batch"
	"pushbatch/batch/ops"
)

// failedColumns names the columns of every input in failed.csv. What several
// inputs spell in different ways has the name that the first one gives it: the
// file given back has each target once.
func failedColumns(inputs []openedInput) [][]string {
	var all [][]string
	first := make(map[string]string) // target and type -> name
	for _, in := range inputs {
		names := make([]string, len(in.source.Header()))
		for i, c := range in.source.Header() {
			use := in.binding.Columns[i]
			names[i] = failedColumn(c, use)
			if use.Use != ops.Sent || use.Found != ops.ByName {
				continue
			}
			_, typ, _ := strings.Cut(names[i], ":")
			key := use.Target + ":" + typ
			if _, named := first[key]; !named {
				first[key] = names[i]
			}
			names[i] = first[key]
		}
		all = append(all, names)
	}
	return all
}

// failedColumn names a column in failed.csv. The cells there are text: what a
// typed column of Parquet means by name keeps its type, so that the file given
// back as input is sent as before.
func failedColumn(c batch.Column, use ops.ColumnUse) string {
	if c.Partition && use.Use != ops.Sent {
		return "" // a folder's name, which nothing was made of
	}
	free := strings.HasPrefix(use.Target, "customAttributes.") || strings.HasPrefix(use.Target, "additionalData.")
	if !free || use.Found != ops.ByName || strings.Contains(c.Name, ":") {
		return c.Name
	}
	switch c.Kind {
	case batch.Number, batch.Bool, batch.Date:
		return c.Name + ":" + c.Kind.String()
	}
	return c.Name
}
