package jsonlines

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"pushbatch/batch"
	"pushbatch/readers/inputerror"
	"pushbatch/readers/textfile"
)

// maxNested is how deep values may be nested.
const maxNested = 64

// jsonText reads JSON values (RFC 8259) out of one line. Values are pieces of
// the line wherever nothing was escaped; numbers keep their digits.
type jsonText struct {
	line   string
	at     int
	depth  int
	stored textfile.Text
	flaw   *jsonFault // the first text since the last field that is no text in the encoding
}

// flawed notes that a text is damaged though the line can be read.
func (j *jsonText) flawed(at int, say string) {
	if j.flaw == nil {
		j.flaw = &jsonFault{code: inputerror.CodeEncoding, at: at, say: say}
	}
}

// jsonFault is why a line is no JSON text that can be used.
type jsonFault struct {
	code string
	at   int // index in the line
	say  string
	end  bool // the line ended too early
}

func (j *jsonText) fault(say string) *jsonFault {
	f := &jsonFault{code: inputerror.CodeJSON, at: j.at, say: say, end: j.at >= len(j.line)}
	if f.end {
		f.say += ", found the end of the line"
	}
	return f
}

func (j *jsonText) space() {
	for j.at < len(j.line) {
		switch j.line[j.at] {
		case ' ', '\t', '\r', '\n':
			j.at++
		default:
			return
		}
	}
}

// next is the character at hand, or 0 at the end.
func (j *jsonText) next() byte {
	if j.at < len(j.line) {
		return j.line[j.at]
	}
	return 0
}

// take passes over c, and the space before it, if that is what comes.
func (j *jsonText) take(c byte) bool {
	j.space()
	if j.next() != c {
		return false
	}
	j.at++
	return true
}

// members reads an object and calls member at each of its values.
func (j *jsonText) members(member func(name string) *jsonFault) *jsonFault {
	if !j.take('{') {
		return j.fault("expected an object")
	}
	return j.each('}', "an object", func() *jsonFault {
		if j.next() != '"' {
			return j.fault("expected a quoted name")
		}
		name, fault := j.text()
		if fault == nil {
			fault = j.flaw // a name is not given back
		}
		if fault != nil {
			return fault
		}
		if !j.take(':') {
			return j.fault("expected a colon after a name")
		}
		j.space()
		return member(name)
	})
}

// each reads what stands between the commas of an object or a list, whose beginning was
// passed over.
func (j *jsonText) each(end byte, of string, one func() *jsonFault) *jsonFault {
	if j.take(end) {
		return nil
	}
	for {
		j.space()
		if fault := one(); fault != nil {
			return fault
		}
		if j.take(end) {
			return nil
		}
		if !j.take(',') {
			return j.fault("expected a comma or the end of " + of)
		}
	}
}

// value reads any value; space before it was passed over.
func (j *jsonText) value() (batch.Value, *jsonFault) {
	switch c := j.next(); {
	case c == '"':
		text, fault := j.text()
		return batch.Value{Kind: batch.Text, Text: text}, fault
	case c == '-' || c >= '0' && c <= '9':
		return j.number()
	case c == '{' || c == '[':
		return j.children(c == '{')
	}
	return j.literal()
}

func (j *jsonText) literal() (batch.Value, *jsonFault) {
	for _, known := range [...]batch.Value{{Kind: batch.Bool, Text: "true"}, {Kind: batch.Bool, Text: "false"}, {Text: "null"}} {
		if strings.HasPrefix(j.line[j.at:], known.Text) {
			j.at += len(known.Text)
			if known.Kind == batch.Null {
				return batch.Value{}, nil
			}
			return known, nil
		}
	}
	return batch.Value{}, j.fault("expected a value")
}

// children reads an object or a list.
func (j *jsonText) children(object bool) (batch.Value, *jsonFault) {
	if j.depth == maxNested {
		return batch.Value{}, j.fault(fmt.Sprintf("values are nested deeper than %d", maxNested))
	}
	j.depth++
	defer func() { j.depth-- }()
	value := batch.Value{Kind: batch.List, Nested: new(batch.Nested)}
	if !object {
		j.at++
		return value, j.each(']', "a list", func() *jsonFault { return j.push(value.Nested) })
	}
	value.Kind = batch.Object
	known := make(map[string]bool)
	return value, j.members(func(name string) *jsonFault {
		if known[name] {
			return &jsonFault{code: inputerror.CodeJSONRepeat, at: j.at, say: "an object has the same name twice"}
		}
		known[name] = true
		value.Nested.Names = append(value.Nested.Names, name)
		return j.push(value.Nested)
	})
}

// push reads a value onto the children of another.
func (j *jsonText) push(to *batch.Nested) *jsonFault {
	value, fault := j.value()
	to.Values = append(to.Values, value)
	return fault
}

var jsonNumber = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?`)

func (j *jsonText) number() (batch.Value, *jsonFault) {
	digits := jsonNumber.FindString(j.line[j.at:])
	end := j.at + len(digits)
	if digits == "" || end < len(j.line) && strings.IndexByte("0123456789.eE+-", j.line[end]) >= 0 {
		return batch.Value{}, j.fault("expected a number such as 12, -0.5 or 1e9, without leading zeros")
	}
	j.at = end
	return batch.Value{Kind: batch.Number, Text: digits}, nil
}

// text reads a string; its opening quote is at hand.
func (j *jsonText) text() (string, *jsonFault) {
	begin := j.at + 1
	escaped, seen := false, byte(0)
	for j.at = begin; ; {
		j.at, seen = plainEnd(j.line, j.at, seen)
		switch c := j.next(); {
		case j.at >= len(j.line):
			return "", j.fault("expected the closing quote of a text")
		case c == '\\':
			escaped = true
			j.at += 2
		case c < ' ':
			return "", j.fault("expected a control character in a text to be escaped")
		default:
			text := j.line[begin:j.at]
			if seen >= utf8.RuneSelf {
				if bad := j.stored.InvalidAt(text); bad >= 0 {
					j.flawed(begin+bad, "the text is not valid "+j.stored.EncodingName()+j.stored.Hint(text))
				}
			}
			j.at++
			if escaped {
				return j.unescaped(text, begin)
			}
			return text, nil
		}
	}
}

// plainEnd is the index of the next quote, backslash or control character of
// line at or after i. seen collects the bits of what it passes.
func plainEnd(line string, i int, seen byte) (int, byte) {
	for ; i < len(line) && line[i] != '"' && line[i] != '\\' && line[i] >= ' '; i++ {
		seen |= line[i]
	}
	return i, seen
}

// escapes are a surrogate pair, another character by its number, and whatever else
// follows a backslash.
var escapes = regexp.MustCompile(`\\u[dD][89abAB]..\\u[dD][c-fC-F]..|\\u....|\\.`)

// unescaped replaces the escapes of a string that begins at an index of the line.
// What stands between them stays as it is, valid UTF-8 or not.
func (j *jsonText) unescaped(text string, begin int) (string, *jsonFault) {
	var whole string
	if json.Unmarshal([]byte(`"`+text+`"`), &whole) == nil && !strings.ContainsRune(whole, utf8.RuneError) {
		return whole, nil // nothing is damaged: seven times as fast as escape by escape
	}
	var b strings.Builder
	rest := 0
	for _, at := range escapes.FindAllStringIndex(text, -1) {
		escape, char := text[at[0]:at[1]], ""
		if json.Unmarshal([]byte(`"`+escape+`"`), &char) != nil {
			return "", &jsonFault{code: inputerror.CodeJSON, at: begin + at[0] + 1, say: "an escape in a text is none that JSON knows"}
		}
		if char == "\uFFFD" && !strings.EqualFold(escape, `\uFFFD`) {
			j.flawed(begin+at[0]+1, "an escape in the text is half of a surrogate pair")
			char = escape // as it stands, to be fixed where rows are given back
		}
		b.WriteString(text[rest:at[0]])
		b.WriteString(char)
		rest = at[1]
	}
	b.WriteString(text[rest:])
	return b.String(), nil
}
