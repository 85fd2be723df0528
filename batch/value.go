package batch

import (
	"strconv"
	"time"

	"pushbatch/batch/jsonappend"
)

// Kind says what a Value is. Readers set it from what the file itself says;
// nothing is guessed from the shape of a text.
type Kind uint8

// The kinds of values. A CSV cell is always Text. Parquet and NDJSON keep
// their types.
const (
	Null      Kind = iota // no value: a Parquet null, an NDJSON null, a field that is not there
	Text                  // Text holds the text as it was read, possibly empty
	Bool                  // Text holds true or false
	Number                // Text holds the number with all its digits, in JSON's number syntax; NaN, +Inf and -Inf stand for themselves
	Date                  // Text holds YYYY-MM-DD
	Timestamp             // Text holds RFC 3339 with as many fraction digits as needed; without a zone where the file has none (a local time)
	List                  // Nested.Values holds the elements
	Object                // Nested holds names and values, in file order
)

var kindNames = [...]string{"null", "text", "boolean", "number", "date", "timestamp", "list", "object"}

// String returns the kind's name as users read it in messages.
func (k Kind) String() string { return kindNames[k] }

// Value is one cell. Scalars stay in the text they were read as, so that no
// digit is lost between file and request; nothing is boxed, so that a row of
// text cells costs no allocation a cell.
type Value struct {
	Kind   Kind
	Text   string
	Nested *Nested // for List and Object, else nil
}

// Nested holds the children of a List (Names is nil) or of an Object
// (Names[i] names Values[i]).
type Nested struct {
	Names  []string
	Values []Value
}

// String renders v for a report cell: scalars as they were read, Null as the
// empty string, lists and objects as JSON text.
func (v Value) String() string {
	switch v.Kind {
	case Null:
		return ""
	case List, Object:
		return string(v.AppendJSON(nil))
	}
	return v.Text
}

// AppendJSON appends v as JSON. Numbers keep their digits; NaN and infinities,
// which JSON lacks, become strings, as dates and timestamps do.
func (v Value) AppendJSON(dst []byte) []byte {
	switch v.Kind {
	case Null:
		return append(dst, "null"...)
	case Bool:
		return append(dst, v.Text...)
	case Number:
		if c := v.Text[len(v.Text)-1]; c >= '0' && c <= '9' {
			return append(dst, v.Text...)
		}
		return jsonappend.String(dst, v.Text)
	case List:
		dst = append(dst, '[')
		for i, e := range v.Nested.Values {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = e.AppendJSON(dst)
		}
		return append(dst, ']')
	case Object:
		dst = append(dst, '{')
		for i, e := range v.Nested.Values {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = jsonappend.String(dst, v.Nested.Names[i])
			dst = append(dst, ':')
			dst = e.AppendJSON(dst)
		}
		return append(dst, '}')
	}
	return jsonappend.String(dst, v.Text)
}

// TextValue returns s as a Text value.
func TextValue(s string) Value { return Value{Kind: Text, Text: s} }

// IntValue returns n as a Number value.
func IntValue(n int64) Value { return Value{Kind: Number, Text: strconv.FormatInt(n, 10)} }

// BoolValue returns b as a Bool value.
func BoolValue(b bool) Value { return Value{Kind: Bool, Text: strconv.FormatBool(b)} }

// PlatformTime reads a time as the platform writes it: UTC where it names no zone.
func PlatformTime(text string) (time.Time, bool) {
	for _, layout := range []string{"2006-01-02T15:04:05", time.RFC3339Nano, "2006-01-02T15:04:05-0700"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}
