package readers

import (
	"encoding/binary"
	"errors"

	"github.com/parquet-go/parquet-go/encoding/thrift"
)

// The wire types of Thrift's compact protocol.
const (
	thriftStop   = 0
	thriftTrue   = 1
	thriftFalse  = 2
	thriftByte   = 3
	thriftInt16  = 4
	thriftInt32  = 5
	thriftInt64  = 6
	thriftDouble = 7
	thriftBinary = 8
	thriftList   = 9
	thriftSet    = 10
	thriftMap    = 11
	thriftStruct = 12
)

// thriftDepth bounds the nesting of a Thrift struct. Parquet's own structs are
// at most seven deep.
const thriftDepth = 32

var (
	errThriftShort   = errors.New("the structure goes on behind its end")
	errThriftInvalid = errors.New("the structure is not Thrift's compact protocol")
)

// decodeThrift decodes the struct at the start of b into v and returns its
// length in bytes. The struct is walked first: the decoder reserves memory by
// the counts a struct claims, which damaged bytes can raise to anything, so
// counts must have been seen to be backed by bytes.
func decodeThrift(b []byte, v any) (n int, err error) {
	s := thriftScan{rest: b}
	if err := s.structure(thriftDepth); err != nil {
		return 0, err
	}
	n = len(b) - len(s.rest)
	return n, thrift.Unmarshal(new(thrift.CompactProtocol), b[:n], v)
}

// thriftScan walks Thrift values without keeping them.
type thriftScan struct{ rest []byte }

func (s *thriftScan) skip(n uint64) error {
	if n > uint64(len(s.rest)) {
		return errThriftShort
	}
	s.rest = s.rest[n:]
	return nil
}

func (s *thriftScan) next() (byte, error) {
	if len(s.rest) == 0 {
		return 0, errThriftShort
	}
	b := s.rest[0]
	s.rest = s.rest[1:]
	return b, nil
}

func (s *thriftScan) uvarint() (uint64, error) {
	v, n := binary.Uvarint(s.rest)
	switch {
	case n < 0:
		return 0, errThriftInvalid
	case n == 0:
		return 0, errThriftShort
	}
	s.rest = s.rest[n:]
	return v, nil
}

func (s *thriftScan) structure(depth int) error {
	if depth == 0 {
		return errThriftInvalid
	}
	for {
		head, err := s.next()
		if err != nil || head == thriftStop {
			return err
		}
		if head>>4 == 0 { // the field's number follows, no delta
			if _, err := s.uvarint(); err != nil {
				return err
			}
		}
		kind := head & 15
		if kind == thriftTrue || kind == thriftFalse {
			continue // the value is in the type
		}
		if err := s.value(kind, depth-1); err != nil {
			return err
		}
	}
}

func (s *thriftScan) value(kind byte, depth int) error {
	switch kind {
	case thriftTrue, thriftFalse, thriftByte:
		return s.skip(1)
	case thriftInt16, thriftInt32, thriftInt64:
		_, err := s.uvarint()
		return err
	case thriftDouble:
		return s.skip(8)
	case thriftBinary:
		n, err := s.uvarint()
		if err != nil {
			return err
		}
		return s.skip(n)
	case thriftList, thriftSet:
		return s.list(depth)
	case thriftMap:
		return s.mapping(depth)
	case thriftStruct:
		return s.structure(depth)
	}
	return errThriftInvalid
}

func (s *thriftScan) list(depth int) error {
	head, err := s.next()
	if err != nil {
		return err
	}
	count := uint64(head >> 4)
	if count == 15 {
		if count, err = s.uvarint(); err != nil {
			return err
		}
	}
	return s.repeat(count, depth, head&15)
}

func (s *thriftScan) mapping(depth int) error {
	count, err := s.uvarint()
	if err != nil || count == 0 {
		return err
	}
	kinds, err := s.next()
	if err != nil {
		return err
	}
	return s.repeat(count, depth, kinds>>4, kinds&15)
}

func (s *thriftScan) repeat(count uint64, depth int, kinds ...byte) error {
	if depth == 0 {
		return errThriftInvalid
	}
	if count > uint64(len(s.rest)) {
		return errThriftShort // every value takes a byte at least
	}
	for range count {
		for _, kind := range kinds {
			if err := s.value(kind, depth-1); err != nil {
				return err
			}
		}
	}
	return nil
}
