package readers

import (
	"encoding/binary"
	"errors"
)

var errEncoded = errors.New("encoded values end too early or are malformed")

// bitsAt returns the width (at most 64) bits that begin at bit offset at, the
// lowest first. Bits behind the end of src are zero.
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

// inWords is how many of the first count values of width bits are each part of
// eight bytes of src that begin with the value's first: what bitsAt does in
// general, quickBits does for these with one load and a shift.
func inWords(src []byte, width uint, count int) int {
	switch {
	case width > 57 || len(src) < 8:
		return 0
	case width == 0:
		return count
	}
	return min(count, int((uint(len(src)-8)*8+7)/width)+1)
}

func quickBits(src []byte, at uint, mask uint64) uint64 {
	return binary.LittleEndian.Uint64(src[at>>3:]) >> (at & 7) & mask
}

// decodeHybrid fills dst from Parquet's hybrid of run lengths and bit packing
// (Encodings.md, RLE = 3), values of width bits. It never writes more than
// len(dst) values, whatever lengths the runs claim.
func decodeHybrid[T uint8 | uint32](dst []T, src []byte, width uint) error {
	size := int(width+7) / 8
	for len(dst) > 0 {
		head, n := binary.Uvarint(src)
		if n <= 0 {
			return errEncoded
		}
		src = src[n:]
		if head&1 == 1 {
			groups := min(head>>1, uint64(len(dst)+7)/8)
			run := dst[:min(int(groups)*8, len(dst))]
			need := (uint(len(run))*width + 7) / 8
			if uint(len(src)) < need || len(run) == 0 {
				return errEncoded
			}
			quick, mask := inWords(src, width, len(run)), uint64(1)<<width-1
			for i := range quick {
				run[i] = T(quickBits(src, uint(i)*width, mask))
			}
			for i := quick; i < len(run); i++ {
				run[i] = T(bitsAt(src, uint(i)*width, width))
			}
			src = src[min(uint64(len(src)), groups*uint64(width)):]
			dst = dst[len(run):]
			continue
		}
		if len(src) < size || head == 0 {
			return errEncoded
		}
		value := T(bitsAt(src[:size], 0, width))
		run := dst[:min(head>>1, uint64(len(dst)))]
		for i := range run {
			run[i] = value
		}
		src, dst = src[size:], dst[len(run):]
	}
	return nil
}

// decodeDelta decodes DELTA_BINARY_PACKED (Encodings.md, 5): at most limit
// integers. It returns them in dst and what stands behind them.
func decodeDelta(dst []int64, src []byte, limit int) (values []int64, rest []byte, err error) {
	var head [3]uint64 // values a block, miniblocks a block, values in all
	for i := range head {
		v, n := binary.Uvarint(src)
		if n <= 0 {
			return nil, nil, errEncoded
		}
		head[i], src = v, src[n:]
	}
	last, n := binary.Varint(src)
	perBlock, minis, total := head[0], head[1], head[2]
	if n <= 0 || perBlock == 0 || perBlock > 1<<24 || minis == 0 || minis > perBlock ||
		perBlock%minis != 0 || perBlock/minis%8 != 0 || total > uint64(limit) {
		return nil, nil, errEncoded
	}
	src = src[n:]
	if total == 0 {
		return dst[:0], src, nil
	}
	dst = append(dst[:0], last)
	for uint64(len(dst)) < total {
		if dst, src, err = deltaBlock(dst, src, int(total), int(minis), int(perBlock/minis)); err != nil {
			return nil, nil, err
		}
	}
	return dst, src, nil
}

func deltaBlock(dst []int64, src []byte, total, minis, perMini int) ([]int64, []byte, error) {
	least, n := binary.Varint(src)
	if n <= 0 || len(src)-n < minis {
		return nil, nil, errEncoded
	}
	widths, src := src[n:n+minis], src[n+minis:]
	last := dst[len(dst)-1]
	for _, width := range widths {
		count := min(perMini, total-len(dst))
		if count == 0 {
			break // miniblocks that hold nothing are not there
		}
		size := perMini / 8 * int(width)
		if width > 64 || (count*int(width)+7)/8 > len(src) {
			return nil, nil, errEncoded
		}
		quick, mask := inWords(src, uint(width), count), uint64(1)<<width-1
		for i := range quick {
			last += least + int64(quickBits(src, uint(i)*uint(width), mask))
			dst = append(dst, last)
		}
		for i := quick; i < count; i++ {
			last += least + int64(bitsAt(src, uint(i)*uint(width), uint(width)))
			dst = append(dst, last)
		}
		src = src[min(size, len(src)):]
	}
	return dst, src, nil
}
