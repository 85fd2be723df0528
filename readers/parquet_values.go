package readers

import (
	"encoding/binary"
	"unicode/utf8"

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
	ends    []uint32 // byte arrays: value i is data[starts[i]:ends[i]]
	starts  []uint32
	index   []uint32
	indexed bool
	spare   []byte // memory for values that do not lie in the page as they are
}

// raw returns value i as stored: little-endian, or the bytes of an array.
func (v *storedValues) raw(i int) []byte {
	if v.width > 0 {
		return v.data[i*v.width : (i+1)*v.width : (i+1)*v.width]
	}
	return v.data[v.starts[i]:v.ends[i]:v.ends[i]]
}

// textSpans finds the texts of the byte arrays from value first on in the
// stretch of the page that they take, and reports whether all of them are
// UTF-8. It looks at the stretch as a whole, lengths between the values
// included: where that is UTF-8 and a character begins at each value and
// behind it, each value is. False says nothing: the values must be looked at
// one by one.
func (v *storedValues) textSpans(spans []span, first int) bool {
	base, end := v.starts[first], v.ends[first+len(spans)-1]
	stretch := v.data[base:end]
	if !utf8.Valid(stretch) {
		return false
	}
	for i := range spans {
		from, to := v.starts[first+i]-base, v.ends[first+i]-base
		if int(from) < len(stretch) && !utf8.RuneStart(stretch[from]) || int(to) < len(stretch) && !utf8.RuneStart(stretch[to]) {
			return false
		}
		spans[i] = span{from: from, to: to}
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
	v.arrays()
	at := 0
	for i := range v.count {
		if len(src)-at < 4 {
			return false
		}
		length := int(binary.LittleEndian.Uint32(src[at:]))
		at += 4
		if length > len(src)-at {
			return false
		}
		v.starts[i], v.ends[i] = uint32(at), uint32(at+length)
		at += length
	}
	v.data = src
	return true
}

func (v *storedValues) arrays() {
	if cap(v.ends) < v.count {
		v.starts, v.ends = make([]uint32, v.count), make([]uint32, v.count)
	}
	v.starts, v.ends = v.starts[:v.count], v.ends[:v.count]
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
	v.arrays()
	at := int64(0)
	for i, n := range tools.ints {
		if n < 0 || n > int64(len(rest))-at {
			return false, nil
		}
		v.starts[i] = uint32(at)
		at += n
		v.ends[i] = uint32(at)
	}
	v.data = rest
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
	v.arrays()
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
		v.starts[i], v.ends[i] = uint32(start), uint32(len(v.spare))
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
		if int(v.ends[i]-v.starts[i]) != v.width {
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
