// Package table writes rows of typed columns as CSV, NDJSON or Parquet, and
// keeps rows in a form of its own until they are rendered.
//
//	w, err := table.NewParquet(file, []table.Column{{Name: "os", Type: table.Text}})
//	err = w.Write([]batch.Value{batch.TextValue("iOS")})
//	err = w.Close()
//
// Memory is bounded by one row group.
package table

import (
	"bufio"
	"io"

	"pushbatch/batch"
)

// Types of columns. A value is kept as its text, whatever its type.
const (
	Text      = "text"
	Boolean   = "boolean"   // true, false
	Timestamp = "timestamp" // UTC, RFC 3339 with milliseconds
	Integer   = "integer"
	Double    = "double"
	JSON      = "json" // an object as JSON text
	Map       = "map"  // the same; in Parquet a map of texts
)

// Column is a column of a table.
type Column struct {
	Name, Type string
	Attribute  bool // named by its values' owner: a CSV header tells its type
	Plain      bool // Parquet: few texts repeat, so that a dictionary would only cost memory
}

// Writer writes rows in a format. Close writes what is left; the file below
// stays open.
type Writer interface {
	Write(cells []batch.Value) error
	Close() error
}

// Encoder makes the lines of a text format.
type Encoder interface {
	AppendHeader(dst []byte) []byte
	AppendRow(dst []byte, cells []batch.Value) []byte
}

// lineWriter writes what an encoder makes.
type lineWriter struct {
	to      *bufio.Writer
	encoder Encoder
	line    []byte
}

// NewLines begins a file of a text format.
func NewLines(to io.Writer, e Encoder) (Writer, error) {
	w := &lineWriter{to: bufio.NewWriterSize(to, 256<<10), encoder: e}
	_, err := w.to.Write(e.AppendHeader(nil))
	return w, err
}

// Write implements Writer.
func (w *lineWriter) Write(cells []batch.Value) error {
	w.line = w.encoder.AppendRow(w.line[:0], cells)
	_, err := w.to.Write(w.line)
	return err
}

// Close implements Writer.
func (w *lineWriter) Close() error { return w.to.Flush() }
