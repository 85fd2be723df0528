package jsonlines

import (
	"fmt"
	"slices"
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
	nested *nestedStack
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
	if j.take('}') {
		return nil
	}
	for {
		if j.space(); j.next() != '"' {
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
			return j.fault("expected a colon behind a name")
		}
		j.space()
		if fault := member(name); fault != nil {
			return fault
		}
		if j.take('}') {
			return nil
		}
		if !j.take(',') {
			return j.fault("expected a comma or the end of an object")
		}
	}
}

// value reads any value; space before it was passed over.
func (j *jsonText) value() (batch.Value, *jsonFault) {
	switch c := j.next(); {
	case c == '"':
		text, fault := j.text()
		return batch.Value{Kind: batch.Text, Text: text}, fault
	case c == '-' || isDigit(c):
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

// children reads an object or a list. What is inside is gathered on a stack
// that all depths share.
func (j *jsonText) children(object bool) (batch.Value, *jsonFault) {
	if j.depth == maxNested {
		return batch.Value{}, j.fault(fmt.Sprintf("values are nested deeper than %d", maxNested))
	}
	j.depth++
	names, values := len(j.nested.names), len(j.nested.values)
	value, read := batch.Value{Kind: batch.List}, j.list
	if object {
		value.Kind, read = batch.Object, j.object
	}
	fault := read()
	value.Nested = j.nested.take(names, values)
	j.depth--
	return value, fault
}

func (j *jsonText) object() *jsonFault {
	first := len(j.nested.names)
	var names nameSet
	return j.members(func(name string) *jsonFault {
		if !names.add(j.nested.names[first:], name) {
			return &jsonFault{code: inputerror.CodeJSONRepeat, at: j.at, say: "an object has the same name twice"}
		}
		j.nested.names = append(j.nested.names, name)
		return j.push()
	})
}

// push reads a value onto the stack.
func (j *jsonText) push() *jsonFault {
	value, fault := j.value()
	j.nested.values = append(j.nested.values, value)
	return fault
}

// nameSet notices a name that comes twice; a short list is searched, a long
// one gets a map.
type nameSet map[string]bool

func (s *nameSet) add(before []string, name string) bool {
	const short = 16
	if len(before) < short {
		return !slices.Contains(before, name)
	}
	if *s == nil {
		*s = make(nameSet, 2*short)
		for _, have := range before {
			(*s)[have] = true
		}
	}
	if (*s)[name] {
		return false
	}
	(*s)[name] = true
	return true
}

func (j *jsonText) list() *jsonFault {
	j.at++
	if j.take(']') {
		return nil
	}
	for {
		j.space()
		if fault := j.push(); fault != nil {
			return fault
		}
		if j.take(']') {
			return nil
		}
		if !j.take(',') {
			return j.fault("expected a comma or the end of a list")
		}
	}
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func (j *jsonText) digits() bool {
	begin := j.at
	for isDigit(j.next()) {
		j.at++
	}
	return j.at > begin
}

func (j *jsonText) number() (batch.Value, *jsonFault) {
	begin := j.at
	if j.next() == '-' {
		j.at++
	}
	zero := j.next() == '0'
	if whole := j.at; !j.digits() || zero && j.at > whole+1 {
		return batch.Value{}, j.fault("expected a number without leading zeros")
	}
	if j.next() == '.' {
		j.at++
		if !j.digits() {
			return batch.Value{}, j.fault("expected a digit behind the decimal point")
		}
	}
	if c := j.next(); c == 'e' || c == 'E' {
		j.at++
		if c := j.next(); c == '+' || c == '-' {
			j.at++
		}
		if !j.digits() {
			return batch.Value{}, j.fault("expected a digit in the exponent")
		}
	}
	return batch.Value{Kind: batch.Number, Text: j.line[begin:j.at]}, nil
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
// line at or behind i. seen collects the bits of what it passes.
func plainEnd(line string, i int, seen byte) (int, byte) {
	for ; i < len(line) && line[i] != '"' && line[i] != '\\' && line[i] >= ' '; i++ {
		seen |= line[i]
	}
	return i, seen
}
