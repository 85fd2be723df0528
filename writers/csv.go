package writers

import (
	"strconv"
	"strings"
	"time"
)

// appendCell appends one CSV cell (RFC 4180), quoted where it must be. What a
// reader of CSV gets back is s, byte for byte.
func appendCell(dst []byte, s string) []byte {
	if !needsQuotes(s) {
		return append(dst, s...)
	}
	dst = append(dst, '"')
	for {
		i := strings.IndexByte(s, '"')
		if i < 0 {
			break
		}
		dst = append(dst, s[:i+1]...)
		dst = append(dst, '"')
		s = s[i+1:]
	}
	dst = append(dst, s...)
	return append(dst, '"')
}

// needsQuotes also quotes what some readers would trim or take for something
// else: blanks at the ends, and the delimiters that are guessed from content.
func needsQuotes(s string) bool {
	if s == "" {
		return false
	}
	if c := s[0]; c == ' ' || c == '\t' || s[len(s)-1] == ' ' || s[len(s)-1] == '\t' {
		return true
	}
	for i := range len(s) {
		if quoted[s[i]] {
			return true
		}
	}
	return false
}

// quoted are the bytes that a cell with any of them is quoted for.
var quoted = [256]bool{'"': true, ',': true, '\r': true, '\n': true, ';': true, '|': true, '\t': true}

// appendMade appends a text that pushbatch (or the platform) made, so that a
// spreadsheet does not take it for a formula: an apostrophe goes before what
// could start one. A single character (- for standard input) is none.
func appendMade(dst []byte, s string) []byte {
	if len(s) > 1 && startsFormula(s[0]) {
		return appendCell(dst, "'"+s)
	}
	return appendCell(dst, s)
}

// Unmade is a text of a report without the apostrophe of appendMade.
func Unmade(s string) string {
	if len(s) > 2 && s[0] == '\'' && startsFormula(s[1]) {
		return s[1:]
	}
	return s
}

func startsFormula(c byte) bool { return strings.IndexByte("=+-@\t\r", c) >= 0 }

// appendMillis appends d in milliseconds with up to three decimals.
func appendMillis(dst []byte, d time.Duration) []byte {
	return strconv.AppendFloat(dst, float64(d.Microseconds())/1000, 'f', -1, 64)
}

// stamp appends times. It keeps the text of the last second, and of the last
// time: rows finish many a second, and many at once when they are not sent.
type stamp struct {
	second int64
	time   time.Time
	text   []byte // of time
}

const toSecond = "2006-01-02T15:04:05."

// append appends t in UTC with milliseconds (RFC 3339).
func (s *stamp) append(dst []byte, t time.Time) []byte {
	if s.text == nil || !t.Equal(s.time) {
		if second := t.Unix(); second != s.second || s.text == nil {
			s.second, s.text = second, t.UTC().AppendFormat(s.text[:0], toSecond)
		}
		ms := t.Nanosecond() / int(time.Millisecond)
		s.text = append(s.text[:len(toSecond)], byte('0'+ms/100), byte('0'+ms/10%10), byte('0'+ms%10), 'Z')
		s.time = t
	}
	return append(dst, s.text...)
}

// appendLine appends cells as one CSV line. A single empty cell is quoted:
// an empty line would be no record at all.
func appendLine(dst []byte, cells ...string) []byte {
	if len(cells) == 1 && cells[0] == "" {
		return append(dst, '"', '"', '\n')
	}
	for i, cell := range cells {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendCell(dst, cell)
	}
	return append(dst, '\n')
}
