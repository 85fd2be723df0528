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
// follows it. The texts are copies. The error is ErrCells.
func ReadCells(src []byte, values []Value) ([]Value, []byte, error) {
	n, used := binary.Uvarint(src)
	if used <= 0 || n > uint64(len(src)) {
		return nil, nil, ErrCells
	}
	src, values = src[used:], values[:0]
	for range n {
		if len(src) == 0 || Kind(src[0]) >= List {
			return nil, nil, ErrCells
		}
		kind := Kind(src[0])
		src = src[1:]
		if kind == Null {
			values = append(values, Value{})
			continue
		}
		size, used := binary.Uvarint(src)
		if used <= 0 || size > uint64(len(src)-used) {
			return nil, nil, ErrCells
		}
		values = append(values, Value{Kind: kind, Text: string(src[used : used+int(size)])})
		src = src[used+int(size):]
	}
	return values, src, nil
}
