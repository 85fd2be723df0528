package batch

import (
	"encoding/binary"
	"errors"
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

// ErrCells says that bytes are not what AppendCells made.
var ErrCells = errors.New("a stored row is damaged")

// AppendCells appends a row of scalar values in a form that ReadCells reads
// back: the number of values, then of each its kind, length and text. It is
// for files that only pushbatch reads.
func AppendCells(dst []byte, values []Value) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(values)))
	for _, v := range values {
		dst = append(dst, byte(v.Kind))
		if v.Kind == Null {
			continue
		}
		dst = binary.AppendUvarint(dst, uint64(len(v.Text)))
		dst = append(dst, v.Text...)
	}
	return dst
}

// ReadCells reads one row into values, which it uses again, and returns what
// follows it. The texts share the memory of src: a text that is kept for long
// should be cloned. The error is ErrCells.
func ReadCells(src string, values []Value) ([]Value, string, error) {
	n, src, ok := cutUvarint(src)
	if !ok || n > uint64(len(src)) {
		return nil, "", ErrCells
	}
	values = values[:0]
	for range n {
		if src == "" || Kind(src[0]) >= List {
			return nil, "", ErrCells
		}
		kind := Kind(src[0])
		src = src[1:]
		if kind == Null {
			values = append(values, Value{})
			continue
		}
		size, rest, ok := cutUvarint(src)
		if !ok || size > uint64(len(rest)) {
			return nil, "", ErrCells
		}
		values = append(values, Value{Kind: kind, Text: rest[:size]})
		src = rest[size:]
	}
	return values, src, nil
}

// cutUvarint cuts a number off a string.
func cutUvarint(s string) (n uint64, rest string, ok bool) {
	n, size := binary.Uvarint([]byte(s[:min(len(s), binary.MaxVarintLen64)]))
	if size <= 0 {
		return 0, "", false
	}
	return n, s[size:], true
}

// PlatformTime reads a time as the platform writes it: UTC where it names no zone.
func PlatformTime(text string) (time.Time, bool) {
	for _, layout := range []string{"2006-01-02T15:04:05", time.RFC3339Nano, "2006-01-02T15:04:05-0700"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}
