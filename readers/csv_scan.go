package readers

import (
	"math/bits"
	"strings"

	"pushbatch/batch"
	"pushbatch/batch/octets"
)

// csvScan cuts text into records, a large piece of text at a time.
type csvScan struct {
	dialect
	text string
	end  bool // nothing follows text
}

// csvRecord is one record of csvScan.text.
type csvRecord struct {
	begin, end, next int // text[begin:end] is the record, text[next:] what follows it
	cells            []batch.Value
	plain            bool // it is ASCII without a quote
	blank            bool // an empty line
	stray            int  // 1-based number of the first cell with text behind its closing quote; 0: none
	open             int  // index of a quote that is never closed, in text that nothing follows; -1: none
}

func (s *csvScan) reset(text string, end bool) { s.text, s.end = text, end }

// record reads the record at pos into rec, its cells into cells, which has
// length 0. It reports false when text ends before the record does.
func (s *csvScan) record(rec *csvRecord, pos int, cells []batch.Value) bool {
	*rec = csvRecord{begin: pos, cells: cells, open: -1}
	if s.cr || !s.plainRecord(rec) {
		return s.quotedRecord(rec)
	}
	return rec.next >= 0
}

// plainRecord reads a record that ends with a line feed and has no quote; at
// the first quote it gives up and reports false. It looks at eight bytes at a
// time for all three of delimiter, line feed and quote, which is what makes
// it faster than a search for each: cells are short. Where the delimiter is low
// in ASCII, as a comma is, one comparison finds them and little else.
func (s *csvScan) plainRecord(rec *csvRecord) bool {
	text, delimiter := s.text, s.delimiter
	delimiters, cells := octets.Ones*uint64(delimiter), rec.cells[:cap(rec.cells)]
	low, below := delimiter <= ',', octets.Ones*(max(uint64(delimiter), '"')+1)
	begin, n, seen := rec.begin, 0, uint64(0)
	i := begin
	for ; i+8 <= len(text); i += 8 {
		w := octets.Word(text, i)
		seen |= w
		var m uint64
		if low {
			m = (w - below) &^ w & octets.High // and some that are not below
		} else {
			m = octets.Zeros(w^delimiters) | octets.Zeros(w^octets.Ones*'\n') | octets.Zeros(w^octets.Ones*'"')
		}
		for ; m != 0; m &= m - 1 {
			at := i + bits.TrailingZeros64(m)>>3
			switch text[at] {
			case delimiter:
				if n == len(cells) {
					cells = grown(cells)
				}
				cells[n].Kind, cells[n].Text = batch.Text, text[begin:at]
				n, begin = n+1, at+1
			case '\n':
				rec.plain = seen&octets.High == 0
				rec.finish(text, cells, n, begin, at, at+1)
				return true
			case '"':
				return false
			}
		}
	}
	return s.plainTail(rec, cells, n, begin, i, seen)
}

// plainTail goes on with plainRecord in the last bytes of the text.
func (s *csvScan) plainTail(rec *csvRecord, cells []batch.Value, n, begin, i int, seen uint64) bool {
	for ; i < len(s.text); i++ {
		seen |= uint64(s.text[i])
		switch s.text[i] {
		case s.delimiter:
			if n == len(cells) {
				cells = grown(cells)
			}
			cells[n].Kind, cells[n].Text = batch.Text, s.text[begin:i]
			n, begin = n+1, i+1
		case '\n':
			rec.plain = seen&octets.High == 0
			rec.finish(s.text, cells, n, begin, i, i+1)
			return true
		case '"':
			return false
		}
	}
	rec.next = -1
	if s.end {
		rec.plain = seen&octets.High == 0
		rec.finish(s.text, cells, n, begin, i, i)
	}
	return true
}

// finish adds the last cell, without the CR of a CRLF.
func (rec *csvRecord) finish(text string, cells []batch.Value, n, begin, end, next int) {
	if end > begin && text[end-1] == '\r' {
		end--
	}
	if n == len(cells) {
		cells = grown(cells)
	}
	cells[n].Kind, cells[n].Text = batch.Text, text[begin:end]
	rec.cells, rec.end, rec.next, rec.blank = cells[:n+1], end, next, end == rec.begin
}

// grown makes room for more cells than the header has columns.
func grown(cells []batch.Value) []batch.Value {
	more := make([]batch.Value, 2*len(cells)+8)
	copy(more, cells)
	return more
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

// quotedRecord reads any record.
func (s *csvScan) quotedRecord(rec *csvRecord) bool {
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
			from = -after // the closing quote; what stands behind it is read as if unquoted
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
