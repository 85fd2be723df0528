package table

import (
	"encoding/json"
	"maps"
	"strings"

	"pushbatch/batch"
	"pushbatch/batch/jsonappend"
)

// AppendCell appends one CSV cell (RFC 4180), quoted where it must be. What a
// reader of CSV gets back is s, byte for byte. What some readers would trim or
// take for something else is quoted as well: blanks at the ends, and the
// delimiters that are guessed from content.
func AppendCell(dst []byte, s string) []byte {
	quote := s != "" && (s[0] == ' ' || s[len(s)-1] == ' ')
	for i := 0; i < len(s) && !quote; i++ {
		switch s[i] {
		case '"', ',', '\r', '\n', ';', '|', '\t':
			quote = true
		}
	}
	if !quote {
		return append(dst, s...)
	}
	return append(append(append(dst, '"'), strings.ReplaceAll(s, `"`, `""`)...), '"')
}

// AppendSafe appends a text of a report for people, so that a spreadsheet does
// not take it for a formula: an apostrophe goes before what could start one. A
// single character (- for standard input) is none.
func AppendSafe(dst []byte, s string) []byte { return AppendCell(dst, Safe(s)) }

// Safe is s with an apostrophe before what a spreadsheet would take for a formula.
func Safe(s string) string {
	if len(s) > 1 && startsFormula(s[0]) {
		return "'" + s
	}
	return s
}

// Unsafe is a text of a report without the apostrophe of Safe.
func Unsafe(s string) string {
	if len(s) > 2 && s[0] == '\'' && startsFormula(s[1]) {
		return s[1:]
	}
	return s
}

func startsFormula(c byte) bool { return strings.IndexByte("=+-@\t\r", c) >= 0 }

// AppendRecord appends cells as one CSV line. A single empty cell is quoted:
// an empty line would be no record at all.
func AppendRecord(dst []byte, cells ...string) []byte {
	if len(cells) == 1 && cells[0] == "" {
		return append(dst, '"', '"', '\n')
	}
	for i, cell := range cells {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = AppendCell(dst, cell)
	}
	return append(dst, '\n')
}

// csvEncoder makes RFC 4180 with a header.
type csvEncoder struct {
	names, cells []string
	safe         []bool // of each column: text that a spreadsheet must not take for a formula
}

// CSV encodes rows as CSV. With safe, texts cannot start a formula in a
// spreadsheet, at the price of an apostrophe in them.
func CSV(columns []Column, safe bool) Encoder {
	e := &csvEncoder{cells: make([]string, len(columns))}
	for _, c := range columns {
		name := c.Name
		switch { // so that the values keep their type on the way back
		case c.Attribute && (c.Type == Integer || c.Type == Double):
			name += ":number"
		case c.Attribute && c.Type == Boolean:
			name += ":boolean"
		}
		if safe {
			name = Safe(name)
		}
		e.names, e.safe = append(e.names, name), append(e.safe, safe && c.Type != Integer && c.Type != Double)
	}
	return e
}

func (e *csvEncoder) AppendHeader(dst []byte) []byte { return AppendRecord(dst, e.names...) }

func (e *csvEncoder) AppendRow(dst []byte, cells []batch.Value) []byte {
	for i, v := range cells {
		if e.cells[i] = v.Text; e.safe[i] {
			e.cells[i] = Safe(v.Text)
		}
	}
	return AppendRecord(dst, e.cells...)
}

// ndjsonEncoder makes an object a line, with every column in every line.
type ndjsonEncoder struct {
	names [][]byte // ,"name":
	texts []bool   // the column's values are not JSON yet
}

// NDJSON encodes rows as JSON lines.
func NDJSON(columns []Column) Encoder {
	e := &ndjsonEncoder{}
	for _, c := range columns {
		e.names = append(e.names, append(jsonappend.String([]byte{','}, c.Name), ':'))
		e.texts = append(e.texts, c.Type == Text || c.Type == Timestamp)
	}
	return e
}

func (e *ndjsonEncoder) AppendHeader(dst []byte) []byte { return dst }

func (e *ndjsonEncoder) AppendRow(dst []byte, cells []batch.Value) []byte {
	begin := len(dst)
	for i, v := range cells {
		dst = append(dst, e.names[i]...)
		switch {
		case v.Kind == batch.Null:
			dst = append(dst, "null"...)
		case e.texts[i]:
			dst = jsonappend.String(dst, v.Text)
		default:
			dst = append(dst, v.Text...)
		}
	}
	dst[begin] = '{'
	return append(dst, '}', '\n')
}

// Attributes are the members of an object as JSON text, but for those that are null.
func Attributes(v batch.Value) map[string]json.RawMessage {
	if v.Kind == batch.Null {
		return nil
	}
	var all map[string]json.RawMessage
	_ = json.Unmarshal([]byte(v.Text), &all) // it was compacted JSON when it was gathered
	maps.DeleteFunc(all, func(_ string, raw json.RawMessage) bool { return string(raw) == "null" })
	return all
}

// AttributeText is an attribute as text: a string's content, else its JSON.
func AttributeText(raw json.RawMessage) string {
	var s string
	if raw[0] == '"' && json.Unmarshal(raw, &s) == nil {
		return s
	}
	return string(raw)
}
