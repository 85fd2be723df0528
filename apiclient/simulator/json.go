package simulator

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// object is a JSON object; numbers in it are json.Number and keep their digits.
type object = map[string]any

// kindOf names the kind of a JSON value.
func kindOf(v any) string {
	switch v.(type) {
	case bool:
		return "a boolean"
	case json.Number:
		return "a number"
	case string:
		return "a string"
	case []any:
		return "an array"
	case object:
		return "an object"
	}
	return "null"
}

// byName yields the members of an object in the order of their names.
func byName(o object) iter.Seq2[string, any] {
	return func(yield func(string, any) bool) {
		for _, name := range slices.Sorted(maps.Keys(o)) {
			if !yield(name, o[name]) {
				return
			}
		}
	}
}

const maxDepth = 32

// parseJSON reads one JSON value that fills text. Repeated names, halves of
// surrogate pairs and text that is not UTF-8, all of which encoding/json takes,
// are refused.
func parseJSON(text string) (v any, err error) {
	if !utf8.ValidString(text) {
		return nil, errors.New("body is not valid UTF-8")
	}
	if !json.Valid([]byte(text)) {
		return nil, errors.New("body is not valid JSON")
	}
	hasMark := strings.ContainsRune(text, utf8.RuneError) || strings.Contains(strings.ToLower(text), `\ufffd`)
	if err := checkJSON(json.NewDecoder(strings.NewReader(text)), 0, hasMark); err != nil {
		return nil, fmt.Errorf("body is not valid JSON: %w", err)
	}
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	return v, d.Decode(&v)
}

// checkJSON looks at the next value for what is refused. hasMark says that the text
// has the character that stands for half of a surrogate pair.
func checkJSON(d *json.Decoder, depth int, hasMark bool) error {
	token, _ := d.Token() // the text is valid
	if text, ok := token.(string); ok && !hasMark && strings.ContainsRune(text, utf8.RuneError) {
		return errors.New("half of a surrogate pair")
	}
	begin, ok := token.(json.Delim)
	if !ok {
		return nil
	}
	if depth > maxDepth {
		return errors.New("nested too deep")
	}
	names := make(map[json.Token]bool)
	for isObject := begin == '{'; d.More(); {
		if isObject {
			name, _ := d.Token()
			if names[name] {
				return errors.New("a name is repeated")
			}
			if text, _ := name.(string); !hasMark && strings.ContainsRune(text, utf8.RuneError) {
				return errors.New("half of a surrogate pair")
			}
			names[name] = true
		}
		if err := checkJSON(d, depth+1, hasMark); err != nil {
			return err
		}
	}
	_, _ = d.Token() // the end of the list or object
	return nil
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
