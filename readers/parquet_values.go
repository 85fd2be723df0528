package readers

import (
	"encoding/binary"
	"unicode/utf8"
	"unsafe"

	"github.com/parquet-go/parquet-go/format"
)

// plainDictionary is what older writers call both the encoding of a dictionary
// and that of the indexes into it.
const plainDictionary = format.Encoding(2)

// storedValues are the values of one page, nulls left out, in one of three
// forms: fixed-size values one after another, byte arrays, or indexes into
// the chunk's dictionary. They lie in the page's memory.
type storedValues struct {
	count   int
	width   int
	data    []byte
	ends    []uint32 // byte arrays: value i is data[ends[i]+gap:ends[i+1]]
	gap     uint32   // what lies between two values: their length, or nothing
	index   []uint32
	indexed bool
	spare   []byte // memory for values that do not lie in the page as they are
}

// raw returns value i as stored: little-endian, or the bytes of an array.
func (v *storedValues) raw(i int) []byte {
	if v.width > 0 {
		return v.data[i*v.width : (i+1)*v.width : (i+1)*v.width]
	}
	from, to := v.span(i)
	return v.data[from:to:to]
}

func (v *storedValues) span(i int) (from, to uint32) { return v.ends[i] + v.gap, v.ends[i+1] }

// stretch is where count byte arrays from value first on lie, and where it begins.
func (v *storedValues) stretch(first, count int) (bytes []byte, base uint32) {
	base = v.ends[first] + v.gap
	return v.data[base:v.ends[first+count]], base
}

// areTexts reports whether count byte arrays from value first on are all UTF-8.
// It looks at the stretch they take as a whole, lengths between the values
// included: where that is UTF-8 and a character begins at each value and behind
// it, each value is. False says nothing: the values must be looked at one by one.
func (v *storedValues) areTexts(first, count int) bool {
	stretch, base := v.stretch(first, count)
	text := unsafe.String(unsafe.SliceData(stretch), len(stretch))
	ascii := asciiEnd(text, 0)
	if ascii == len(text) {
		return true
	}
	if !utf8.ValidString(text[ascii:]) {
		return false
	}
	for i := first; i < first+count; i++ {
		from, to := v.span(i)
		from, to = from-base, to-base
		if int(from) < len(text) && !utf8.RuneStart(text[from]) || int(to) < len(text) && !utf8.RuneStart(text[to]) {
			return false
		}
	}
	return true
}

// decode reads count values of a leaf from src.
func (v *storedValues) decode(l *parquetLeaf, enc format.Encoding, src []byte, count int, tools *pageTools) error {
	v.count, v.width, v.indexed = count, l.width, false
	if count == 0 {
		return nil
	}
	var ok bool
	var err error
	switch enc {
	case format.Plain:
		ok = v.plain(l, src)
	case plainDictionary, format.RLEDictionary:
		ok = v.indexes(src)
	case format.RLE:
		ok = l.physical == format.Boolean && v.runs(src)
	case format.DeltaBinaryPacked:
		ok, err = v.deltas(l, src, tools)
	case format.DeltaLengthByteArray:
		ok, err = v.deltaLengths(l, src, tools)
	case format.DeltaByteArray:
		ok, err = v.deltaPrefixes(src, tools)
	case format.ByteStreamSplit:
		ok = v.streams(src)
	default:
		return failure(CodeFormat, "column %s is encoded in a way that is not known (encoding %d)", l.path, int32(enc))
	}
	if err == nil && !ok {
		err = errEncoded
	}
	if err != nil {
		return damaged("a page of column %s (encoding %s): %w", l.path, enc, err)
	}
	return nil
}

func (v *storedValues) plain(l *parquetLeaf, src []byte) bool {
	switch {
	case l.physical == format.Boolean:
		if len(src) < (v.count+7)/8 {
			return false
		}
		v.unpackBits(src)
		return true
	case v.width > 0:
		v.data = src
		return len(src)/v.width >= v.count
	}
	return v.plainArrays(src)
}

func (v *storedValues) unpackBits(src []byte) {
	v.spare = resize(v.spare, int64(v.count))
	for i := range v.spare {
		v.spare[i] = src[i/8] >> (i % 8) & 1
	}
	v.data = v.spare
}

// plainArrays finds byte arrays that each follow their length.
func (v *storedValues) plainArrays(src []byte) bool {
	if len(src)/4 < v.count {
		return false
	}
	ends := v.arrays(src, 4)
	at := 0
	for i := range ends {
		if len(src)-at < 4 {
			return false
		}
		length := int(binary.LittleEndian.Uint32(src[at:]))
		at += 4
		if length > len(src)-at {
			return false
		}
		at += length
		ends[i] = uint32(at)
	}
	return true
}

// arrays makes room for the ends of the byte arrays that lie in data.
func (v *storedValues) arrays(data []byte, gap uint32) (ends []uint32) {
	if cap(v.ends) <= v.count {
		v.ends = make([]uint32, v.count+1)
	}
	v.data, v.gap, v.ends = data, gap, v.ends[:v.count+1]
	v.ends[0] = 0
	return v.ends[1:]
}

func (v *storedValues) indexes(src []byte) bool {
	if len(src) == 0 || src[0] > 32 {
		return false
	}
	v.indexed = true
	if cap(v.index) < v.count {
		v.index = make([]uint32, v.count)
	}
	v.index = v.index[:v.count]
	if src[0] == 0 { // a dictionary of one value takes no bits
		clear(v.index)
		return true
	}
	return decodeHybrid(v.index, src[1:], uint(src[0])) == nil
}

func (v *storedValues) runs(src []byte) bool {
	if len(src) < 4 {
		return false
	}
	v.spare = resize(v.spare, int64(v.count))
	v.data = v.spare
	size := binary.LittleEndian.Uint32(src)
	return int64(size) <= int64(len(src)-4) && decodeHybrid(v.spare, src[4:4+size], 1) == nil
}

func (v *storedValues) deltas(l *parquetLeaf, src []byte, tools *pageTools) (ok bool, err error) {
	if l.physical != format.Int32 && l.physical != format.Int64 {
		return false, nil
	}
	if tools.ints, _, err = decodeDelta(tools.ints, src, v.count); err != nil || len(tools.ints) != v.count {
		return false, err
	}
	v.spare = v.spare[:0]
	for _, n := range tools.ints {
		if v.width == 4 {
			v.spare = binary.LittleEndian.AppendUint32(v.spare, uint32(n))
		} else {
			v.spare = binary.LittleEndian.AppendUint64(v.spare, uint64(n))
		}
	}
	v.data = v.spare
	return true, nil
}

// lengths reads count lengths that are at most size in all.
func (v *storedValues) lengths(src []byte, tools *pageTools) (rest []byte, ok bool, err error) {
	if tools.ints, rest, err = decodeDelta(tools.ints, src, v.count); err != nil || len(tools.ints) != v.count {
		return nil, false, err
	}
	return rest, true, nil
}

func (v *storedValues) deltaLengths(l *parquetLeaf, src []byte, tools *pageTools) (ok bool, err error) {
	if l.width > 0 {
		return false, nil
	}
	rest, ok, err := v.lengths(src, tools)
	if !ok {
		return false, err
	}
	ends := v.arrays(rest, 0)
	at := int64(0)
	for i, n := range tools.ints[:len(ends)] {
		if n < 0 || n > int64(len(rest))-at {
			return false, nil
		}
		at += n
		ends[i] = uint32(at)
	}
	return true, nil
}

// deltaPrefixes reads arrays that each repeat the beginning of the one before.
func (v *storedValues) deltaPrefixes(src []byte, tools *pageTools) (ok bool, err error) {
	rest, ok, err := v.lengths(src, tools)
	if !ok {
		return false, err
	}
	prefixes := append([]int64(nil), tools.ints...)
	rest, ok, err = v.lengths(rest, tools)
	if !ok {
		return false, err
	}
	ends := v.arrays(nil, 0)
	v.spare = v.spare[:0]
	start := 0
	for i, suffix := range tools.ints {
		prefix := prefixes[i]
		if prefix < 0 || prefix > int64(len(v.spare)-start) || suffix < 0 || suffix > int64(len(rest)) {
			return false, nil
		}
		if int64(len(v.spare))+prefix+suffix > maxPage {
			return false, errPageTooLarge
		}
		before := v.spare[start : start+int(prefix)]
		start = len(v.spare)
		v.spare = append(append(v.spare, before...), rest[:suffix]...)
		rest = rest[suffix:]
		ends[i] = uint32(len(v.spare))
	}
	v.data = v.spare
	return v.fixedArrays(), nil
}

// fixedArrays turns arrays of a fixed-size column, which must all have its
// width, into the form of fixed-size values.
func (v *storedValues) fixedArrays() bool {
	if v.width == 0 {
		return true
	}
	for i := range v.count {
		if from, to := v.span(i); int(to-from) != v.width {
			return false
		}
	}
	return true
}

// streams puts the bytes of values together that BYTE_STREAM_SPLIT took apart.
func (v *storedValues) streams(src []byte) bool {
	if v.width == 0 || len(src) < v.count*v.width {
		return false
	}
	v.spare = resize(v.spare, int64(v.count*v.width))
	for k := range v.width {
		stream := src[k*v.count : (k+1)*v.count]
		for i, b := range stream {
			v.spare[i*v.width+k] = b
		}
	}
	v.data = v.spare
	return true
}
