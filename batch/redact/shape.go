package redact

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"pushbatch/batch"
	"pushbatch/batch/jsonappend"
)

// Cell is the shape of a value: enough to see what a column holds, too
// little to know a value.
func Cell(v batch.Value) string {
	switch v.Kind {
	case batch.Bool:
		return "true or false"
	case batch.List:
		return fmt.Sprintf("a list of %d", len(v.Nested.Values))
	case batch.Object:
		return fmt.Sprintf("an object of %d", len(v.Nested.Values))
	}
	return shape(v.Text)
}

// longestShape is the number of parts after which a shape is cut.
const longestShape = 6

// shape counts the letters and digits that follow each other: an address is
// 5×letter @ 7×letter . 3×letter.
func shape(text string) string {
	var parts []string
	kind, n := "", 0
	end := func() {
		if n > 0 && (kind == "letter" || kind == "digit" || kind == "space" || n > 1) {
			parts = append(parts, fmt.Sprintf("%d×%s", n, kind))
		} else if n > 0 {
			parts = append(parts, kind)
		}
	}
	for _, r := range text {
		if next := characterKind(r); next != kind {
			end()
			kind, n = next, 0
		}
		n++
	}
	end()
	if len(parts) > longestShape {
		return strings.Join(parts[:longestShape], " ") + fmt.Sprintf(" … %d characters", utf8.RuneCountInString(text))
	}
	return strings.Join(parts, " ")
}

func characterKind(r rune) string {
	switch {
	case r == utf8.RuneError: // a byte that is no text
		return "other"
	case unicode.IsLetter(r), unicode.IsMark(r):
		return "letter"
	case unicode.IsDigit(r):
		return "digit"
	case unicode.IsSpace(r):
		return "space"
	case unicode.IsPunct(r), unicode.IsSymbol(r):
		return string(r)
	}
	return "other"
}

// Request replaces the texts and numbers of a call's body and the device
// in its path by their shapes. Names, their order, true, false and null stay.
func Request(call []byte) json.RawMessage {
	return maskedCall(call, func(text string) string { return "<" + shape(text) + ">" })
}

// maskedCall replaces the texts and numbers of a call's body and the device in its
// path by what mask makes of them.
func maskedCall(call []byte, mask func(string) string) json.RawMessage {
	d := json.NewDecoder(bytes.NewReader(call))
	d.UseNumber()
	m := masker{decoder: d, mask: mask}
	m.value("")
	return m.out
}

type masker struct {
	decoder *json.Decoder
	mask    func(string) string
	out     []byte
}

func (m *masker) value(path string) {
	token, err := m.decoder.Token()
	if err != nil {
		return
	}
	switch token := token.(type) {
	case json.Delim:
		m.nested(token, path)
	case string:
		m.out = jsonappend.String(m.out, m.text(path, token))
	case json.Number:
		m.number(path, token)
	default:
		word, _ := json.Marshal(token) // null, true or false
		m.out = append(m.out, word...)
	}
}

func (m *masker) number(path string, n json.Number) {
	if strings.HasPrefix(path, ".body") {
		m.out = jsonappend.String(m.out, m.mask(n.String()))
		return
	}
	m.out = append(m.out, n...)
}

func (m *masker) nested(open json.Delim, path string) {
	m.out = append(m.out, byte(open))
	for first := true; m.decoder.More(); first = false {
		if !first {
			m.out = append(m.out, ',')
		}
		below := path
		if open == '{' {
			name, err := m.decoder.Token()
			if err != nil {
				return
			}
			below += "." + name.(string)
			m.out = append(jsonappend.String(m.out, name.(string)), ':')
		}
		m.value(below)
	}
	if _, err := m.decoder.Token(); err == nil {
		m.out = append(m.out, byte(open)+2) // in ASCII both brackets close two after where they open
	}
}

// text masks everything that comes from a row.
func (m *masker) text(path, text string) string {
	switch path {
	case ".path":
		return m.path(text)
	case ".method", ".query", ".op":
		return text
	}
	return m.mask(text)
}

// path masks the device that a path ends with, or has before its last
// step.
func (m *masker) path(path string) string {
	steps := strings.Split(path, "/")
	for i, step := range steps {
		if i > 0 && (steps[i-1] == "push" || steps[i-1] == "registrations") {
			steps[i] = m.mask(step)
		}
	}
	return strings.Join(steps, "/")
}
