package writers

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"pushbatch/batch"
	"pushbatch/writers/table"
)

// resultColumn is one column of the results file. An empty text is no value:
// null where the format has one.
type resultColumn struct {
	name, typ string
	cell      func(operation string, r *batch.Result) string
}

// resultColumns are those of the contract, in its order.
var resultColumns = []resultColumn{
	{"row", table.Integer, func(_ string, r *batch.Result) string { return number(r.Row.Num) }},
	{"source", table.Text, func(_ string, r *batch.Result) string { return r.Row.Source }},
	{"source_row", table.Integer, func(_ string, r *batch.Result) string { return number(r.Row.SourceNum()) }},
	{"registration_id", table.Text, func(_ string, r *batch.Result) string { return r.RegistrationID }},
	{"operation", table.Text, func(operation string, _ *batch.Result) string { return operation }},
	{"status", table.Text, func(_ string, r *batch.Result) string { return r.Status.String() }},
	{"http_status", table.Integer, func(_ string, r *batch.Result) string {
		if r.HTTPStatus == 0 {
			return ""
		}
		return number(int64(r.HTTPStatus))
	}},
	{"error_code", table.Text, func(_ string, r *batch.Result) string { return r.Code }},
	{"error_message", table.Text, func(_ string, r *batch.Result) string { return r.Message }},
	{"attempts", table.Integer, func(_ string, r *batch.Result) string { return number(int64(r.Attempts)) }},
	{"latency_ms", table.Double, func(_ string, r *batch.Result) string {
		if r.Attempts == 0 {
			return ""
		}
		return strconv.FormatFloat(float64(r.Latency.Microseconds())/1000, 'f', -1, 64)
	}},
	{"finished_at", table.Timestamp, func(_ string, r *batch.Result) string { return stamp(r.Finished) }},
	{"error_columns", table.Text, func(_ string, r *batch.Result) string { return r.ErrorColumns }},
	{"warnings", table.Text, func(_ string, r *batch.Result) string { return r.Warnings }},
}

func number(n int64) string { return strconv.FormatInt(n, 10) }

// stamp is a time in UTC with milliseconds (RFC 3339).
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// ResultColumns are the names of the columns of the results file.
func ResultColumns() []string {
	names := make([]string, len(resultColumns))
	for i, c := range resultColumns {
		names[i] = c.name
	}
	return names
}

func resultTable() []table.Column {
	columns := make([]table.Column, len(resultColumns))
	for i, c := range resultColumns {
		columns[i] = table.Column{Name: c.name, Type: c.typ}
	}
	return columns
}

// resultCells lays a result out as the columns.
func resultCells(dst []batch.Value, operation string, r *batch.Result) []batch.Value {
	dst = dst[:0]
	for _, c := range resultColumns {
		v := batch.Value{}
		if text := c.cell(operation, r); text != "" {
			v = batch.TextValue(text)
		}
		dst = append(dst, v)
	}
	return dst
}

// ResultFormat is a format of the results file.
type ResultFormat struct {
	Name     string // as --results takes it, and the file's ending
	encoder  func() table.Encoder
	rendered bool // the file is made at the end, of what was gathered
}

// ResultFormats lists the formats of the results file; the first is the default.
// Texts in CSV cannot start a formula in a spreadsheet.
func ResultFormats() []ResultFormat {
	return []ResultFormat{
		{"csv", func() table.Encoder { return table.CSV(resultTable(), true) }, false},
		{"parquet", nil, true},
		{"ndjson", func() table.Encoder { return table.NDJSON(resultTable()) }, false},
	}
}

// ResultFormatNamed finds a format by name.
func ResultFormatNamed(name string) (ResultFormat, error) {
	var names []string
	for _, f := range ResultFormats() {
		if f.Name == name {
			return f, nil
		}
		names = append(names, f.Name)
	}
	return ResultFormat{}, fmt.Errorf("unknown results format %q: take one of %s", name, strings.Join(names, ", "))
}

// File is the name of the results file in this format.
func (f ResultFormat) File() string { return "results." + f.Name }
