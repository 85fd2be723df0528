package simulator

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

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

// value is a JSON value that keeps the order of members and the digits of
// numbers.
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

// parseJSON reads one JSON value that fills text. Repeated names, halves of
// surrogate pairs and text that is not UTF-8, all of which encoding/json takes,
// are refused.
func parseJSON(text string) (value, error) {
	if !utf8.ValidString(text) {
		return value{}, errors.New("body is not valid UTF-8")
	}
	if !json.Valid([]byte(text)) {
		return value{}, errors.New("body is not valid JSON")
	}
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	v, err := readValue(d, 0)
	if err != nil {
		return value{}, fmt.Errorf("body is not valid JSON: %w", err)
	}
	hasMark := strings.ContainsRune(text, utf8.RuneError) || strings.Contains(strings.ToLower(text), `\ufffd`)
	if !hasMark && v.contains(string(utf8.RuneError)) {
		return value{}, errors.New("body is not valid JSON: half of a surrogate pair")
	}
	return v, nil
}

func (v *value) contains(part string) bool {
	if v.kind == kindString && strings.Contains(v.text, part) {
		return true
	}
	for i := range v.items {
		if v.items[i].contains(part) {
			return true
		}
	}
	for i := range v.members {
		if strings.Contains(v.members[i].name, part) || v.members[i].value.contains(part) {
			return true
		}
	}
	return false
}

func readValue(d *json.Decoder, depth int) (value, error) {
	token, err := d.Token()
	if err != nil {
		return value{}, err
	}
	switch t := token.(type) {
	case bool:
		return value{kind: kindBoolean, text: strconv.FormatBool(t)}, nil
	case json.Number:
		return value{kind: kindNumber, text: t.String()}, nil
	case string:
		return value{kind: kindString, text: t}, nil
	case json.Delim:
		if depth > maxDepth {
			return value{}, errors.New("nested too deep")
		}
		return readContainer(d, t, depth+1)
	}
	return value{text: "null"}, nil
}

func readContainer(d *json.Decoder, begin json.Delim, depth int) (v value, err error) {
	v.kind = kindArray
	if begin == '{' {
		v.kind = kindObject
	}
	for d.More() {
		var name string
		if v.kind == kindObject {
			token, err := d.Token()
			if err != nil {
				return v, err
			}
			if name, _ = token.(string); v.member(name) != nil {
				return v, errors.New("a name is repeated")
			}
		}
		item, err := readValue(d, depth)
		if err != nil {
			return v, err
		}
		if v.kind == kindObject {
			v.members = append(v.members, member{name, item})
		} else {
			v.items = append(v.items, item)
		}
	}
	_, err = d.Token()
	return v, err
}

// toJSON encodes what the simulator answers or logs.
func toJSON(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil { // only types that can be encoded are given
		panic(err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// entries encodes as an object in the order of the list.
type entries []entry

// MarshalJSON implements json.Marshaler.
func (list entries) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	for i, e := range list {
		b.WriteByte("{,"[min(i, 1)])
		b.Write(toJSON(e.name))
		b.WriteByte(':')
		b.WriteString(e.json)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}
