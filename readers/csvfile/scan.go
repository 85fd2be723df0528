package csvfile

import (
	"strings"
	"unicode/utf8"

	"pushbatch/batch"
)

// scan cuts text into records, a large piece of text at a time.
type scan struct {
	dialect
	text string
	end  bool // nothing follows text
}

// record is one record of scan.text.
type record struct {
	begin, end, next int // text[begin:end] is the record, text[next:] what follows it
	cells            []batch.Value
	plain            bool // it is ASCII without a quote
	blank            bool // an empty line
	stray            int  // 1-based number of the first cell with text after its closing quote; 0: none
	open             int  // index of a quote that is never closed, in text that nothing follows; -1: none
}

func (s *scan) reset(text string, end bool) { s.text, s.end = text, end }

// record reads the record at pos into rec, its cells into cells, which has
// length 0. It reports false when text ends before the record does.
func (s *scan) record(rec *record, pos int, cells []batch.Value) bool {
	*rec = record{begin: pos, cells: cells, open: -1}
	if s.cr || !s.plainRecord(rec) {
		return s.quotedRecord(rec)
	}
	return rec.next >= 0
}

// plainRecord reads a record that ends with a line feed and has no quote; at
// the first quote it gives up and reports false. Where the text ends before the
// record, its next is -1.
func (s *scan) plainRecord(rec *record) bool {
	text, begin, seen := s.text, rec.begin, byte(0)
	for i := rec.begin; i < len(text); i++ {
		c := text[i]
		seen |= c
		switch c {
		case s.delimiter:
			rec.cells = append(rec.cells, batch.Value{Kind: batch.Text, Text: text[begin:i]})
			begin = i + 1
		case '\n':
			rec.plain = seen < utf8.RuneSelf
			rec.finish(text, begin, i, i+1)
			return true
		case '"':
			rec.cells = rec.cells[:0]
			return false
		}
	}
	rec.next = -1
	if s.end {
		rec.plain = seen < utf8.RuneSelf
		rec.finish(text, begin, len(text), len(text))
	}
	return true
}

// finish adds the last cell, without the CR of a CRLF.
func (rec *record) finish(text string, begin, end, next int) {
	if end > begin && text[end-1] == '\r' {
		end--
	}
	rec.cells = append(rec.cells, batch.Value{Kind: batch.Text, Text: text[begin:end]})
	rec.end, rec.next, rec.blank = end, next, end == rec.begin
}

// lineEnd finds where the line with pos ends and the next one begins.
func (s *scan) lineEnd(pos int) (end, next int, ok bool) {
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
func (s *scan) anyLineEnd(pos int) (end, next int, ok bool) {
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

// quotedRecord reads any record.
func (s *scan) quotedRecord(rec *record) bool {
	end, next, known := -1, 0, false // of the line, found when it is needed
	for i := rec.begin; ; {
		from := i
		if i < len(s.text) && s.text[i] == '"' {
			cell, after, ok := s.quotedCell(i)
			if !ok {
				if s.end {
					rec.open = i
				}
				return s.end
			}
			if after >= 0 {
				rec.cells = append(rec.cells, batch.Value{Kind: batch.Text, Text: cell})
				if after < len(s.text) && s.text[after] == s.delimiter {
					i = after + 1
					continue
				}
				rec.end, rec.next, ok = s.lineEnd(after)
				return ok
			}
			if rec.stray == 0 {
				rec.stray = len(rec.cells) + 1
			}
			from = -after // the closing quote; what stands after it is read as if unquoted
		}
		if end < from {
			if end, next, known = s.lineEnd(from); !known {
				return false
			}
		}
		if d := strings.IndexByte(s.text[from:end], s.delimiter); d >= 0 {
			rec.cells = append(rec.cells, batch.Value{Kind: batch.Text, Text: s.text[i : from+d]})
			i = from + d + 1
			continue
		}
		rec.cells = append(rec.cells, batch.Value{Kind: batch.Text, Text: s.text[i:end]})
		rec.end, rec.next, rec.blank = end, next, end == rec.begin
		return true
	}
}

// quotedCell reads the cell whose opening quote is at i. It returns what is
// inside and the index after the closing quote, where a delimiter, a line end
// or the end of the text stands; or, when something else stands there, minus
// that index. It reports false when text ends first.
func (s *scan) quotedCell(i int) (cell string, after int, ok bool) {
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
func (s *scan) closes(i int) (closes, known bool) {
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
