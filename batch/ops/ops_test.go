package ops_test

import (
	"strings"
	"testing"

	"pushbatch/batch"
	"pushbatch/batch/ops"
)

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

// dryBinding binds an operation for a dry run that shows requests.
func dryBinding(t testing.TB, operation string, h batch.Header, o ops.Options) *ops.Binding {
	t.Helper()
	o.HasAppCode, o.DryRun = true, ops.ShowRequests
	b, err := ops.Named(operation).Bind(h, o)
	if err != nil {
		t.Fatalf("bind %s: %v", operation, err)
	}
	return b
}

func mapping(t testing.TB, text string) *ops.Mapping {
	t.Helper()
	m, err := ops.ParseMapping("map.yaml", []byte(text))
	if err != nil {
		t.Fatalf("parse mapping: %v", err)
	}
	return m
}

// body is the body of a shown request.
func body(t testing.TB, out *batch.Outcome) string {
	t.Helper()
	if out.Status != batch.Skipped {
		t.Fatalf("row was %s (%s): %s", out.Status, out.Code, out.Message)
	}
	_, after, _ := strings.Cut(string(out.Payload), `"body":`)
	return strings.TrimSuffix(after, "}")
}
