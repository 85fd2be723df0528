package csvfile

import (
	"strings"

	"pushbatch/batch"
)

// state is where in a record recordEnd stands.
type state uint8

const (
	atCell     state = iota // before the first character of a cell
	inCell                  // in an unquoted cell
	inQuotes                // in a quoted cell
	afterQuote              // after a quote in a quoted cell: closed, or doubled
	afterBreak              // after a closing quote and a CR: a record end if LF follows
	afterCR                 // after a CR that ends the record; a LF belongs to it
)

// recordEnd finds the end of a record, in text that comes piece by piece. It keeps
// nothing of it.
type recordEnd struct {
	dialect
	state  state
	found  bool
	line   int64 // of the character read last; after the record when found
	opened int64 // line of the quote that was opened last
	prior  byte  // character before, inside quotes
}

// feed reads on in text and returns how many bytes belong to the record, and whether
// these are its last.
func (e *recordEnd) feed(text string) (bytes int, found bool) {
	if e.state == atCell && !e.cr { // most records have no quote
		if i := strings.IndexByte(text, '\n'); i >= 0 && strings.IndexByte(text[:i], '"') < 0 {
			e.found = true
			e.line++
			return i + 1, true
		}
	}
	for i := range len(text) {
		c := text[i]
		if e.state == afterCR {
			e.found = true
			if c == '\n' {
				i++
			}
			return i, true
		}
		if e.step(c); e.found {
			return i + 1, true
		}
	}
	return len(text), false
}

func (e *recordEnd) step(c byte) {
	switch {
	case e.state == inQuotes:
		e.quoted(c)
	case e.state == afterQuote && c == '"':
		e.state = inQuotes
	case c == '\n':
		e.found = true
		e.line++
	case c == '\r' && e.cr:
		e.state = afterCR
		e.line++
	case c == '\r' && e.state == afterQuote:
		e.state = afterBreak
	case c == e.delimiter:
		e.state = atCell
	case c == '"' && e.state == atCell:
		e.state, e.opened, e.prior = inQuotes, e.line, c
	default:
		e.state = inCell
	}
}

func (e *recordEnd) quoted(c byte) {
	switch {
	case c == '"':
		e.state = afterQuote
	case c == '\n' && !(e.cr && e.prior == '\r'), c == '\r' && e.cr:
		e.line++
	}
	e.prior = c
}

// record is one record without its line end.
type record struct {
	text  string
	cells []batch.Value
	stray int  // 1-based number of the first cell with text after its closing quote; 0: none
	open  bool // the cell after the last one has a quote that is never closed
}

// split cuts a record, with or without its line end, into cells, which are appended
// to those given.
func (d *dialect) split(text string, cells []batch.Value) record {
	text = strings.TrimSuffix(strings.TrimSuffix(text, "\n"), "\r")
	rec := record{text: text, cells: cells}
	for more := true; more; {
		cell, rest := "", text
		if strings.HasPrefix(text, `"`) {
			if cell, rest, rec.open = quotedCell(text); rec.open {
				return rec
			}
		}
		quoted := len(rest) < len(text)
		end := strings.IndexByte(rest, d.delimiter)
		if more = end >= 0; !more {
			end = len(rest)
		}
		if !quoted || end > 0 { // what stands after a closing quote is read as if unquoted
			cell = text[:len(text)-len(rest)+end]
		}
		rec.cells = append(rec.cells, batch.Value{Kind: batch.Text, Text: cell})
		if quoted && end > 0 && rec.stray == 0 {
			rec.stray = len(rec.cells)
		}
		if more {
			text = rest[end+1:]
		}
	}
	return rec
}

// quotedCell returns what is in the quotes that text begins with, and what follows
// them.
func quotedCell(text string) (cell, rest string, open bool) {
	for i := 1; ; i += 2 {
		end := strings.IndexByte(text[i:], '"')
		if end < 0 {
			return "", "", true
		}
		if i += end; !strings.HasPrefix(text[i+1:], `"`) {
			return strings.ReplaceAll(text[1:i], `""`, `"`), text[i+1:], false
		}
	}
}
