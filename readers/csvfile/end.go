package csvfile

import "strings"

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

// recordEnd finds the end of a record byte by byte, keeping nothing of it. It
// agrees with scan on where that is.
type recordEnd struct {
	dialect
	state  state
	found  bool
	line   int64 // of the character read last; after the record when found
	opened int64 // line of the quote that was opened last
	prior  byte  // character before, inside quotes
}

// feed reads on in text and returns how many bytes belong to the record.
func (e *recordEnd) feed(text string) int {
	for i := range len(text) {
		c := text[i]
		if e.state == afterCR {
			e.found = true
			if c == '\n' {
				return i + 1
			}
			return i
		}
		if e.step(c); e.found {
			return i + 1
		}
	}
	return len(text)
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

// lineBreaks counts the line ends in text[begin:end].
func (s *scan) lineBreaks(begin, end int) int64 {
	text := s.text[begin:end]
	n := strings.Count(text, "\n")
	if s.cr {
		n += strings.Count(text, "\r") - strings.Count(text, "\r\n")
	}
	return int64(n)
}
