package ops_test

import "pushbatch/batch"

// header is the header of a CSV file.
func header(names ...string) batch.Header {
	h := make(batch.Header, len(names))
	for i, name := range names {
		h[i] = batch.Column{Name: name, Kind: batch.Text, Type: "text"}
	}
	return h
}

// row is a row of a CSV file.
func row(cells ...string) *batch.Row {
	r := &batch.Row{Num: 1, Source: "rows.csv"}
	for _, cell := range cells {
		r.Values = append(r.Values, batch.TextValue(cell))
	}
	return r
}
