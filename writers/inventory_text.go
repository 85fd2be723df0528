package writers

import (
	"bufio"
	"io"

	"pushbatch/batch"
	"pushbatch/batch/jsonappend"
)

// csvRenderer writes RFC 4180 with a header.
type csvRenderer struct {
	to   *bufio.Writer
	line []byte
	one  bool
}

func newCSVRenderer(to io.Writer, columns []shownColumn) (renderer, error) {
	r := &csvRenderer{to: bufio.NewWriterSize(to, 256<<10), one: len(columns) == 1}
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.name
		switch c.typ { // so that the values keep their type on the way back
		case integerColumn, doubleColumn:
			names[i] += ":number"
		case booleanColumn:
			if c.attr != "" {
				names[i] += ":boolean"
			}
		}
	}
	_, err := r.to.Write(appendLine(nil, names...))
	return r, err
}

func (r *csvRenderer) write(cells []shownValue) error {
	r.line = r.line[:0]
	for i, v := range cells {
		if i > 0 {
			r.line = append(r.line, ',')
		}
		r.line = appendCell(r.line, v.Text)
	}
	if r.one && len(r.line) == 0 {
		r.line = append(r.line, '"', '"') // an empty line would be no record
	}
	_, err := r.to.Write(append(r.line, '\n'))
	return err
}

func (r *csvRenderer) close() error { return r.to.Flush() }

// ndjsonRenderer writes an object a line, with every column in every line.
type ndjsonRenderer struct {
	to    *bufio.Writer
	names [][]byte // ,"name":
	types []string
	line  []byte
}

func newNDJSONRenderer(to io.Writer, columns []shownColumn) (renderer, error) {
	r := &ndjsonRenderer{to: bufio.NewWriterSize(to, 256<<10)}
	for _, c := range columns {
		r.names = append(r.names, append(jsonappend.String([]byte{','}, c.name), ':'))
		r.types = append(r.types, c.typ)
	}
	return r, nil
}

func (r *ndjsonRenderer) write(cells []shownValue) error {
	r.line = r.line[:0]
	for i, v := range cells {
		r.line = append(r.line, r.names[i]...)
		switch {
		case v.Kind == batch.Null:
			r.line = append(r.line, "null"...)
		case r.types[i] == textColumn || r.types[i] == timestampColumn:
			r.line = jsonappend.String(r.line, v.Text)
		default: // JSON already
			r.line = append(r.line, v.Text...)
		}
	}
	r.line = append(r.line, '}', '\n')
	r.line[0] = '{'
	_, err := r.to.Write(r.line)
	return err
}

func (r *ndjsonRenderer) close() error { return r.to.Flush() }
