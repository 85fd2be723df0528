package readers

import (
	"strings"

	"pushbatch/batch"
)

// csvScan cuts text into records. It works on a large piece of text at a time
// and remembers where the next quote is, so that a line without one is cut by
// nothing but searches for the delimiter.
type csvScan struct {
	dialect
	text  string
	end   bool // nothing follows text
	quote int  // first quote at or behind the last position asked for; len(text) when none
}

// csvRecord is one record of csvScan.text.
type csvRecord struct {
	begin, end, next int // text[begin:end] is the record, text[next:] what follows it
	cells            []batch.Value
	blank            bool // an empty line
	stray            int  // 1-based number of the first cell with text behind its closing quote; 0: none
	open             int  // index of a quote that is never closed, in text that nothing follows; -1: none
}

func (s *csvScan) reset(text string, end bool) {
	s.text, s.end, s.quote = text, end, -1
}

// record reads the record at pos onto cells. It reports false when text ends
// before the record does.
func (s *csvScan) record(pos int, cells []batch.Value) (csvRecord, bool) {
	rec := csvRecord{begin: pos, cells: cells, open: -1}
	end, next, ok := s.lineEnd(pos)
	if !ok && !s.quoteBefore(pos, len(s.text)) {
		return rec, false
	}
	if !ok || s.quoteBefore(pos, end) {
		return s.quotedRecord(rec)
	}
	rec.end, rec.next, rec.blank = end, next, end == pos
	rec.cells = plainCells(s.text[pos:end], s.delimiter, cells)
	return rec, true
}

// quoteBefore reports whether a quote stands in text[pos:end].
func (s *csvScan) quoteBefore(pos, end int) bool {
	if s.quote < pos {
		s.quote = len(s.text)
		if i := strings.IndexByte(s.text[pos:], '"'); i >= 0 {
			s.quote = pos + i
		}
	}
	return s.quote < end
}

// lineEnd finds where the line with pos ends and the next one begins.
func (s *csvScan) lineEnd(pos int) (end, next int, ok bool) {
	if s.cr {
		return s.anyLineEnd(pos)
	}
	i := strings.IndexByte(s.text[pos:], '\n')
	switch {
	case i >= 0:
		end, next = pos+i, pos+i+1
	case s.end:
		end, next = len(s.text), len(s.text)
	default:
		return 0, 0, false
	}
	if end > pos && s.text[end-1] == '\r' {
		end--
	}
	return end, next, true
}

// anyLineEnd takes CR, LF and CRLF.
func (s *csvScan) anyLineEnd(pos int) (end, next int, ok bool) {
	i := strings.IndexAny(s.text[pos:], "\r\n")
	if i < 0 {
		return len(s.text), len(s.text), s.end
	}
	end = pos + i
	if s.text[end] == '\n' {
		return end, end + 1, true
	}
	if end+1 == len(s.text) {
		return end, end + 1, s.end // a line feed may follow
	}
	if s.text[end+1] == '\n' {
		return end, end + 2, true
	}
	return end, end + 1, true
}

// plainCells cuts a line without quotes.
func plainCells(line string, delimiter byte, cells []batch.Value) []batch.Value {
	for {
		i := strings.IndexByte(line, delimiter)
		if i < 0 {
			return append(cells, batch.Value{Kind: batch.Text, Text: line})
		}
		cells = append(cells, batch.Value{Kind: batch.Text, Text: line[:i]})
		line = line[i+1:]
	}
}

// quotedRecord reads a record that has a quote on its first line.
func (s *csvScan) quotedRecord(rec csvRecord) (csvRecord, bool) {
	end, next, known := -1, 0, false // of the line, found when it is needed
	for i := rec.begin; ; {
		from := i
		if i < len(s.text) && s.text[i] == '"' {
			cell, after, ok := s.quotedCell(i)
			if !ok {
				if s.end {
					rec.open = i
				}
				return rec, s.end
			}
			if after >= 0 {
				rec.cells = append(rec.cells, batch.Value{Kind: batch.Text, Text: cell})
				if after < len(s.text) && s.text[after] == s.delimiter {
					i = after + 1
					continue
				}
				rec.end, rec.next, ok = s.lineEnd(after)
				return rec, ok
			}
			if rec.stray == 0 {
				rec.stray = len(rec.cells) + 1
			}
			from = -after // the closing quote; what stands behind it is read as if unquoted
		}
		if end < from {
			if end, next, known = s.lineEnd(from); !known {
				return rec, false
			}
		}
		if d := strings.IndexByte(s.text[from:end], s.delimiter); d >= 0 {
			rec.cells = append(rec.cells, batch.Value{Kind: batch.Text, Text: s.text[i : from+d]})
			i = from + d + 1
			continue
		}
		rec.cells = append(rec.cells, batch.Value{Kind: batch.Text, Text: s.text[i:end]})
		rec.end, rec.next = end, next
		return rec, true
	}
}

// quotedCell reads the cell whose opening quote is at i. It returns what is
// inside and the index behind the closing quote, where a delimiter, a line end
// or the end of the text stands; or, when something else stands there, minus
// that index. It reports false when text ends first.
func (s *csvScan) quotedCell(i int) (cell string, after int, ok bool) {
	escaped := false
	for j := i + 1; ; j += 2 {
		k := strings.IndexByte(s.text[j:], '"')
		if k < 0 {
			return "", 0, false
		}
		j += k
		if j+1 < len(s.text) && s.text[j+1] == '"' {
			escaped = true
			continue
		}
		if j+1 == len(s.text) && !s.end {
			return "", 0, false
		}
		closes, known := s.closes(j + 1)
		if !known {
			return "", 0, false
		}
		if !closes {
			return "", -(j + 1), true
		}
		cell = s.text[i+1 : j]
		if escaped {
			cell = strings.ReplaceAll(cell, `""`, `"`)
		}
		return cell, j + 1, true
	}
}

// closes reports whether what stands at i may follow a closing quote. It is
// not known while a line feed may follow a carriage return.
func (s *csvScan) closes(i int) (closes, known bool) {
	if i == len(s.text) {
		return true, true
	}
	switch c := s.text[i]; {
	case c == s.delimiter || c == '\n':
		return true, true
	case c != '\r':
		return false, true
	case s.cr:
		return true, true
	case i+1 < len(s.text):
		return s.text[i+1] == '\n', true
	}
	return true, s.end
}
