package parquetfile

import (
	"encoding/binary"
	"errors"
)

// wireType is a type of Thrift's compact protocol.
type wireType byte

const (
	wireTrue   wireType = 1
	wireFalse  wireType = 2
	wireByte   wireType = 3
	wireInt16  wireType = 4
	wireInt32  wireType = 5
	wireInt64  wireType = 6
	wireDouble wireType = 7
	wireBinary wireType = 8
	wireList   wireType = 9
	wireSet    wireType = 10
	wireMap    wireType = 11
	wireStruct wireType = 12
)

// thriftDepth bounds the nesting of structures; Parquet's own are at most seven
// deep.
const thriftDepth = 32

var (
	errThriftShort   = errors.New("the structure ends too early")
	errThriftInvalid = errors.New("the structure is not Thrift's compact protocol")
)

// thriftReader reads Thrift's compact protocol. The first error stays, and what
// is read after it is zero. Nothing is reserved by the counts that a structure
// claims: every element of a list is read from at least one byte.
type thriftReader struct {
	rest  []byte
	depth int
	err   error
}

func (r *thriftReader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
	r.rest = nil
}

func (r *thriftReader) take(n uint64) []byte {
	if n > uint64(len(r.rest)) {
		r.fail(errThriftShort)
		return nil
	}
	taken := r.rest[:n]
	r.rest = r.rest[n:]
	return taken
}

func (r *thriftReader) octet() byte {
	if b := r.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *thriftReader) uvarint() uint64 {
	v, n := binary.Uvarint(r.rest)
	switch {
	case n < 0:
		r.fail(errThriftInvalid)
		return 0
	case n == 0:
		r.fail(errThriftShort)
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

// expect fails unless a value has the type that its field has in the format.
func (r *thriftReader) expect(ok bool) bool {
	if !ok {
		r.fail(errThriftInvalid)
	}
	return ok
}

// integer reads a value of any integer type.
func (r *thriftReader) integer(t wireType) int64 {
	if t == wireByte {
		return int64(int8(r.octet()))
	}
	if !r.expect(t == wireInt16 || t == wireInt32 || t == wireInt64) {
		return 0
	}
	u := r.uvarint()
	return int64(u>>1) ^ -int64(u&1)
}

func (r *thriftReader) boolean(t wireType) bool {
	r.expect(t == wireTrue || t == wireFalse)
	return t == wireTrue
}

func (r *thriftReader) text(t wireType) string {
	if !r.expect(t == wireBinary) {
		return ""
	}
	return string(r.take(r.uvarint()))
}

// fields are where the fields of a structure go, by their numbers: an *int64, a
// *string, a *bool, a *presence or what reads the field. Others are skipped.
type fields []any

// presence is set by a field of any value.
type presence bool

// enum is where a field of an enumeration goes.
func enum[T ~int32](to *T) func(*thriftReader, wireType) {
	return func(r *thriftReader, t wireType) { *to = T(r.integer(t)) }
}

// elements is where a field that is a list of structures goes.
func elements[T any](to *[]T, absent T, read func(*T, *thriftReader, wireType)) func(*thriftReader, wireType) {
	return func(r *thriftReader, t wireType) {
		r.list(t, func(t wireType) {
			*to = append(*to, absent)
			read(&(*to)[len(*to)-1], r, t)
		})
	}
}

// structure reads the fields of a structure.
func (r *thriftReader) structure(t wireType, known fields) {
	r.union(t, func(field int64, t wireType) {
		if field < 0 || field >= int64(len(known)) {
			r.skip(t)
			return
		}
		switch to := known[field].(type) {
		case *int64:
			*to = r.integer(t)
		case *string:
			*to = r.text(t)
		case *bool:
			*to = r.boolean(t)
		case func(*thriftReader, wireType):
			to(r, t)
		case *presence:
			*to = true
			r.skip(t)
		default:
			r.skip(t)
		}
	})
}

// union calls read at the value of every field of a structure, which it must
// read.
func (r *thriftReader) union(t wireType, read func(field int64, t wireType)) {
	if r.depth++; !r.expect(t == wireStruct && r.depth <= thriftDepth) {
		return
	}
	for field := int64(0); r.err == nil; {
		head := r.octet()
		if head == 0 {
			break
		}
		if head>>4 == 0 { // the field's number follows, no difference
			field = r.integer(wireInt16)
		} else {
			field += int64(head >> 4)
		}
		read(field, wireType(head&15))
	}
	r.depth--
}

// list reads the elements of a list one by one.
func (r *thriftReader) list(t wireType, read func(wireType)) {
	if !r.expect(t == wireList || t == wireSet) {
		return
	}
	head := r.octet()
	count := uint64(head >> 4)
	if count == 15 {
		count = r.uvarint()
	}
	for ; count > 0 && r.err == nil; count-- {
		read(wireType(head & 15))
	}
}

// skip passes over a value. In a list, a boolean takes a byte; as a field it
// stands in its type.
func (r *thriftReader) skip(t wireType) {
	switch t {
	case wireTrue, wireFalse:
	case wireByte, wireInt16, wireInt32, wireInt64:
		r.integer(t)
	case wireDouble:
		r.take(8)
	case wireBinary:
		r.take(r.uvarint())
	case wireList, wireSet, wireMap:
		if r.depth++; r.expect(r.depth <= thriftDepth) {
			r.skipElements(t)
		}
		r.depth--
	case wireStruct:
		r.structure(t, nil)
	default:
		r.fail(errThriftInvalid)
	}
}

func (r *thriftReader) skipElements(t wireType) {
	element := func(t wireType) {
		if t == wireTrue || t == wireFalse {
			t = wireByte
		}
		r.skip(t)
	}
	if t != wireMap {
		r.list(t, element)
		return
	}
	count := r.uvarint()
	if count == 0 {
		return
	}
	types := r.octet()
	for ; count > 0 && r.err == nil; count-- {
		element(wireType(types >> 4))
		element(wireType(types & 15))
	}
}
