package batch

import (
	"encoding/binary"
	"errors"
)

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
