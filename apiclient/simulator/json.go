package simulator

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"
)

// The simulator reads bodies with a parser of its own: it keeps the digits of
// numbers, tells null from absent, refuses repeated names and text that is not
// UTF-8, and costs a fraction of encoding/json.

type kind uint8

const (
	kindNull kind = iota
	kindBoolean
	kindNumber
	kindString
	kindArray
	kindObject
)

func (k kind) String() string {
	return [...]string{"null", "a boolean", "a number", "a string", "an array", "an object"}[k]
}

type value struct {
	kind    kind
	text    string // of a string, decoded; of a number or boolean, as written
	items   []value
	members []member
}

type member struct {
	name  string
	value value
}

func (v *value) member(name string) *value {
	for i := range v.members {
		if v.members[i].name == name {
			return &v.members[i].value
		}
	}
	return nil
}

const maxDepth = 32

// parseJSON reads one JSON value that fills text.
func parseJSON(text string) (value, error) {
	if !utf8.ValidString(text) {
		return value{}, fmt.Errorf("body is not valid UTF-8")
	}
	p := parser{text: text}
	v, err := p.value(0)
	if err != nil {
		return value{}, err
	}
	if p.space(); p.at < len(text) {
		return value{}, p.fault("text behind the value")
	}
	return v, nil
}

type parser struct {
	text string
	at   int
}

func (p *parser) fault(what string) error {
	return fmt.Errorf("body is not valid JSON: %s at byte %d", what, p.at)
}

func (p *parser) space() {
	for p.at < len(p.text) {
		switch p.text[p.at] {
		case ' ', '\t', '\n', '\r':
			p.at++
		default:
			return
		}
	}
}

// next returns the next byte behind white space, 0 at the end.
func (p *parser) next() byte {
	p.space()
	if p.at == len(p.text) {
		return 0
	}
	return p.text[p.at]
}

func (p *parser) value(depth int) (value, error) {
	if depth > maxDepth {
		return value{}, p.fault("nested too deep")
	}
	switch c := p.next(); {
	case c == '{':
		return p.object(depth)
	case c == '[':
		return p.array(depth)
	case c == '"':
		s, err := p.string()
		return value{kind: kindString, text: s}, err
	case c == '-' || c >= '0' && c <= '9':
		return p.number()
	default:
		return p.word()
	}
}

func (p *parser) word() (value, error) {
	for _, w := range [...]value{{kind: kindBoolean, text: "true"}, {kind: kindBoolean, text: "false"}, {text: "null"}} {
		if strings.HasPrefix(p.text[p.at:], w.text) {
			p.at += len(w.text)
			return w, nil
		}
	}
	return value{}, p.fault("value expected")
}

func (p *parser) object(depth int) (value, error) {
	v := value{kind: kindObject}
	p.at++
	if p.next() == '}' {
		p.at++
		return v, nil
	}
	v.members = make([]member, 0, 4)
	for {
		m, err := p.member(&v, depth)
		if err != nil {
			return v, err
		}
		v.members = append(v.members, m)
		if done, err := p.endOr('}'); done || err != nil {
			return v, err
		}
	}
}

func (p *parser) member(of *value, depth int) (member, error) {
	if p.next() != '"' {
		return member{}, p.fault("name expected")
	}
	name, err := p.string()
	if err != nil {
		return member{}, err
	}
	if of.member(name) != nil {
		return member{}, p.fault("repeated name")
	}
	if p.next() != ':' {
		return member{}, p.fault("colon expected")
	}
	p.at++
	v, err := p.value(depth + 1)
	return member{name: name, value: v}, err
}

func (p *parser) array(depth int) (value, error) {
	v := value{kind: kindArray}
	p.at++
	if p.next() == ']' {
		p.at++
		return v, nil
	}
	for {
		item, err := p.value(depth + 1)
		if err != nil {
			return v, err
		}
		v.items = append(v.items, item)
		if done, err := p.endOr(']'); done || err != nil {
			return v, err
		}
	}
}

// endOr steps over a comma or over end; it reports whether it was end.
func (p *parser) endOr(end byte) (bool, error) {
	c := p.next()
	if c != end && c != ',' {
		return false, p.fault("comma expected")
	}
	p.at++
	return c == end, nil
}

func (p *parser) string() (string, error) {
	start := p.at
	escaped := false
	for i := p.at + 1; i < len(p.text); i++ {
		switch c := p.text[i]; {
		case c == '"':
			p.at = i + 1
			if !escaped {
				return p.text[start+1 : i], nil
			}
			return p.unescape(p.text[start:p.at])
		case c == '\\':
			escaped = true
			i++
		case c < ' ':
			return "", p.fault("control character in a string")
		}
	}
	return "", p.fault("string without an end")
}

func (p *parser) unescape(quoted string) (string, error) {
	var s string
	if err := json.Unmarshal([]byte(quoted), &s); err != nil {
		return "", p.fault("bad escape in the string before")
	}
	// A lone surrogate has no text; encoding/json makes it U+FFFD.
	if strings.ContainsRune(s, utf8.RuneError) && !strings.Contains(strings.ToLower(quoted), `\ufffd`) &&
		!strings.ContainsRune(quoted, utf8.RuneError) {
		return "", p.fault("lone surrogate in the string before")
	}
	return s, nil
}

func (p *parser) number() (value, error) {
	start := p.at
	if p.peek() == '-' {
		p.at++
	}
	if p.peek() == '0' {
		p.at++
	} else if p.digits() == 0 {
		return value{}, p.fault("digit expected")
	}
	if p.peek() == '.' {
		p.at++
		if p.digits() == 0 {
			return value{}, p.fault("digit expected")
		}
	}
	if c := p.peek(); c == 'e' || c == 'E' {
		p.at++
		if c := p.peek(); c == '+' || c == '-' {
			p.at++
		}
		if p.digits() == 0 {
			return value{}, p.fault("digit expected")
		}
	}
	return value{kind: kindNumber, text: p.text[start:p.at]}, nil
}

func (p *parser) peek() byte {
	if p.at == len(p.text) {
		return 0
	}
	return p.text[p.at]
}

func (p *parser) digits() int {
	start := p.at
	for p.at < len(p.text) && p.text[p.at] >= '0' && p.text[p.at] <= '9' {
		p.at++
	}
	return p.at - start
}
