package parquetfile

import (
	"encoding/binary"
	"errors"
	"math"
)

var errEncoded = errors.New("encoded values end too early or are malformed")

// bitsAt returns the width (at most 64) bits that begin at bit offset at, the
// lowest first. Bits after the end of src are zero.
func bitsAt(src []byte, at, width uint) uint64 {
	i, shift := at>>3, at&7
	var lo uint64
	if i+8 <= uint(len(src)) {
		lo = binary.LittleEndian.Uint64(src[i:])
	} else {
		for k := uint(0); i+k < uint(len(src)); k++ {
			lo |= uint64(src[i+k]) << (8 * k)
		}
	}
	v := lo >> shift
	if shift+width > 64 && i+8 < uint(len(src)) {
		v |= uint64(src[i+8]) << (64 - shift)
	}
	if width == 64 {
		return v
	}
	return v & (1<<width - 1)
}

// runReader reads Parquet's hybrid of run lengths and bit packing (Encodings.md,
// RLE = 3). It keeps its place in a run, so that one of millions of values takes
// no memory.
type runReader struct {
	src    []byte
	width  uint
	left   uint64 // values of the current run
	packed []byte // the values of a bit-packed run; nil: each is value
	bit    uint   // where in packed the next one lies
	value  uint32
}

func newRunReader(src []byte, width uint) runReader {
	r := runReader{src: src, width: width}
	if width == 0 { // the only value there is takes no bits
		r.left = math.MaxUint64
	}
	return r
}

// next returns the next value.
func (r *runReader) next() (uint32, error) {
	if r.left == 0 {
		if err := r.begin(); err != nil {
			return 0, err
		}
	}
	r.left--
	if r.packed == nil {
		return r.value, nil
	}
	r.bit += r.width
	return uint32(bitsAt(r.packed, r.bit-r.width, r.width)), nil
}

// begin begins the next run.
func (r *runReader) begin() error {
	head, n := binary.Uvarint(r.src)
	if n <= 0 {
		return errEncoded
	}
	r.src, r.packed, r.bit = r.src[n:], nil, 0
	r.left = head >> 1
	if head&1 == 0 {
		size := int(r.width+7) / 8
		if len(r.src) < size || r.left == 0 {
			return errEncoded
		}
		r.value = uint32(bitsAt(r.src[:size], 0, r.width))
		r.src = r.src[size:]
		return nil
	}
	size := uint64(len(r.src))
	if r.left < size { // else the last values of the run are not there
		size = min(size, r.left*uint64(r.width))
	}
	r.packed, r.src = r.src[:size], r.src[size:]
	if r.left = min(r.left, math.MaxUint32) * 8; r.left > size*8/uint64(r.width) {
		r.left = size * 8 / uint64(r.width)
	}
	if r.left == 0 {
		return errEncoded
	}
	return nil
}
