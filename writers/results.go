package writers

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"pushbatch/batch"
	"pushbatch/writers/table"
)

// resultColumn is one column of the results file. An empty text is no value:
// null where the format has one.
type resultColumn struct {
	name, typ string
	add       func(dst []byte, operation string, r *batch.Result) []byte
}

// resultColumns are those of the contract, in its order.
var resultColumns = []resultColumn{
	{"row", table.Integer, func(dst []byte, _ string, r *batch.Result) []byte { return strconv.AppendInt(dst, r.Row.Num, 10) }},
	{"source", table.Text, func(dst []byte, _ string, r *batch.Result) []byte { return append(dst, r.Row.Source...) }},
	{"source_row", table.Integer, func(dst []byte, _ string, r *batch.Result) []byte {
		return strconv.AppendInt(dst, r.Row.SourceNum(), 10)
	}},
	{"registration_id", table.Text, func(dst []byte, _ string, r *batch.Result) []byte { return append(dst, r.RegistrationID...) }},
	{"operation", table.Text, func(dst []byte, operation string, _ *batch.Result) []byte { return append(dst, operation...) }},
	{"status", table.Text, func(dst []byte, _ string, r *batch.Result) []byte { return append(dst, r.Status.String()...) }},
	{"http_status", table.Integer, func(dst []byte, _ string, r *batch.Result) []byte {
		if r.HTTPStatus == 0 {
			return dst
		}
		return strconv.AppendInt(dst, int64(r.HTTPStatus), 10)
	}},
	{"error_code", table.Text, func(dst []byte, _ string, r *batch.Result) []byte { return append(dst, r.Code...) }},
	{"error_message", table.Text, func(dst []byte, _ string, r *batch.Result) []byte { return append(dst, r.Message...) }},
	{"attempts", table.Integer, func(dst []byte, _ string, r *batch.Result) []byte {
		return strconv.AppendInt(dst, int64(r.Attempts), 10)
	}},
	{"latency_ms", table.Double, func(dst []byte, _ string, r *batch.Result) []byte {
		if r.Attempts == 0 {
			return dst
		}
		return strconv.AppendFloat(dst, float64(r.Latency.Microseconds())/1000, 'f', -1, 64)
	}},
	{"finished_at", table.Timestamp, func(dst []byte, _ string, r *batch.Result) []byte {
		dst = r.Finished.UTC().AppendFormat(dst, time.RFC3339) // a layout of its own takes four times the time
		ms := r.Finished.Nanosecond() / 1e6
		return append(dst[:len(dst)-1], '.', byte('0'+ms/100), byte('0'+ms/10%10), byte('0'+ms%10), 'Z')
	}},
	{"error_columns", table.Text, func(dst []byte, _ string, r *batch.Result) []byte { return append(dst, r.ErrorColumns...) }},
	{"warnings", table.Text, func(dst []byte, _ string, r *batch.Result) []byte { return append(dst, r.Warnings...) }},
}

func resultTable() []table.Column {
	columns := make([]table.Column, len(resultColumns))
	for i, c := range resultColumns {
		columns[i] = table.Column{Name: c.name, Type: c.typ}
	}
	return columns
}

// resultLayout lays results out as the columns. The texts of a row are made in one
// piece: each by itself took a fifth of a dry run's time. What the input stored and is
// no text (a cell of another encoding) is U+FFFD: one byte of it would keep others from
// reading the file. failed.csv has it as it was.
type resultLayout struct {
	text  []byte
	ends  []int
	cells []batch.Value
}

func (l *resultLayout) row(operation string, r *batch.Result) []batch.Value {
	l.text, l.ends, l.cells = l.text[:0], l.ends[:0], l.cells[:0]
	for _, c := range resultColumns {
		l.text = c.add(l.text, operation, r)
		l.ends = append(l.ends, len(l.text))
	}
	whole, from := string(l.text), 0
	for _, end := range l.ends {
		v := batch.Value{}
		if end > from {
			v = batch.TextValue(strings.ToValidUTF8(whole[from:end], "\uFFFD"))
		}
		l.cells, from = append(l.cells, v), end
	}
	return l.cells
}

// appendCSV appends the line of a result, in which no text can start a formula in a
// spreadsheet. Laid out and encoded as other tables, it took 0.5 of 3.5 s of a million rows.
func appendCSV(dst []byte, operation string, r *batch.Result) []byte {
	for _, c := range resultColumns {
		begin := len(dst)
		dst = append(c.add(dst, operation, r), ',')
		if text := dst[begin : len(dst)-1]; c.typ == table.Text && !isBare(text) {
			dst = append(table.AppendSafe(dst[:begin], strings.ToValidUTF8(string(text), "\uFFFD")), ',')
		}
	}
	dst[len(dst)-1] = '\n'
	return dst
}

// isBare reports whether a text is ASCII that means nothing to CSV and to a spreadsheet.
func isBare(text []byte) bool {
	for _, c := range text {
		if !bare[c] {
			return false
		}
	}
	return len(text) == 0 || text[0] != '-'
}

var bare = func() (bare [256]bool) {
	for c := '-'; c < utf8.RuneSelf; c++ {
		bare[c] = !strings.ContainsRune(";=@|", c)
	}
	return bare
}()

// ResultFormat is a format of the results file.
type ResultFormat struct {
	Name     string               // as --results takes it, and the file's ending
	encoder  func() table.Encoder // of the header, and of rows where append is nil
	append   func(dst []byte, operation string, r *batch.Result) []byte
	rendered bool // the file is made at the end, of what was gathered
}

// ResultFormats lists the formats of the results file; the first is the default.
func ResultFormats() []ResultFormat {
	return []ResultFormat{
		{"csv", func() table.Encoder { return table.CSV(resultTable(), true) }, appendCSV, false},
		{"parquet", nil, nil, true},
		{"ndjson", func() table.Encoder { return table.NDJSON(resultTable()) }, nil, false},
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
