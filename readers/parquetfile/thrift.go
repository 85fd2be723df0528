package parquetfile

import (
	"encoding/binary"
	"errors"

	"github.com/parquet-go/parquet-go/encoding/thrift"
)

// thriftDepth bounds the nesting of structures; Parquet's own are at most seven
// deep.
const thriftDepth = 32

var (
	errThriftShort   = errors.New("the structure ends too early")
	errThriftInvalid = errors.New("the structure is not Thrift's compact protocol")
	errThriftList    = errors.New("a list of it has too many elements")
)

// readThrift reads a structure of Thrift's compact protocol into to, whose fields
// name theirs by tags, and returns how many bytes it takes. Strings share the
// memory of data. The library reserves what lists claim to have and follows what is
// nested to any depth: so the structure is walked over first.
func readThrift(data []byte, to any) (size int, err error) {
	w := thriftWalk{rest: data}
	if w.value(thrift.STRUCT, 0); w.err != nil {
		return 0, w.err
	}
	size = len(data) - len(w.rest)
	decoder := thrift.NewDecoder(new(thrift.CompactProtocol).NewReaderFromBytes(data[:size]))
	decoder.SetStrict(true)
	return size, decoder.Decode(to)
}

// thriftWalk passes over a structure. The first error stays, and ends it.
type thriftWalk struct {
	rest   []byte
	chunks int // structures in lists down to the depth of a row group's
	err    error
}

func (w *thriftWalk) fail(err error) {
	if w.err == nil {
		w.err = err
	}
	w.rest = nil
}

func (w *thriftWalk) take(n uint64) []byte {
	if n > uint64(len(w.rest)) {
		w.fail(errThriftShort)
		return nil
	}
	taken := w.rest[:n]
	w.rest = w.rest[n:]
	return taken
}

func (w *thriftWalk) oneByte() byte {
	if b := w.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (w *thriftWalk) number() uint64 {
	v, n := binary.Uvarint(w.rest)
	if n < 0 {
		w.fail(errThriftInvalid)
		return 0
	}
	if w.take(uint64(max(n, 1))) == nil {
		return 0
	}
	return v
}

func (w *thriftWalk) value(t thrift.Type, depth int) {
	if depth > thriftDepth {
		w.fail(errThriftInvalid)
		return
	}
	switch t {
	case thrift.TRUE, thrift.FALSE: // its type is its value
	case thrift.I8:
		w.take(1)
	case thrift.I16, thrift.I32, thrift.I64:
		w.number()
	case thrift.DOUBLE:
		w.take(8)
	case thrift.BINARY:
		w.take(w.number())
	case thrift.LIST, thrift.SET:
		head := w.oneByte()
		count := uint64(head >> 4)
		if count == 15 {
			count = w.number()
		}
		w.elements(count, depth, thrift.Type(head&15))
	case thrift.MAP:
		if count := w.number(); count > 0 {
			types := w.oneByte()
			w.elements(count, depth, thrift.Type(types>>4), thrift.Type(types&15))
		}
	case thrift.STRUCT:
		for head := w.oneByte(); head != 0; head = w.oneByte() {
			if head>>4 == 0 { // the field's number follows, no difference
				w.number()
			}
			w.value(thrift.Type(head&15), depth+1)
		}
	default:
		w.fail(errThriftInvalid)
	}
}

// elements passes over those of a list or a map. None takes less than a byte, and a
// structure in a list of Parquet's at least three.
func (w *thriftWalk) elements(count uint64, depth int, types ...thrift.Type) {
	for n := uint64(0); n < count && w.err == nil; n++ {
		for _, t := range types {
			before := len(w.rest)
			if t == thrift.TRUE || t == thrift.FALSE {
				t = thrift.I8 // a field's type is its value, an element has one
			}
			w.value(t, depth+1)
			if t == thrift.STRUCT && depth <= 3 {
				w.chunks++
			}
			switch {
			case t == thrift.STRUCT && n == maxElements, w.chunks > maxChunks:
				w.fail(errThriftList)
			case t == thrift.STRUCT && before-len(w.rest) < 3:
				w.fail(errThriftInvalid)
			}
		}
	}
}
