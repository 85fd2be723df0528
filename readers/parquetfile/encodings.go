package parquetfile

import (
	"encoding/binary"

	"github.com/parquet-go/parquet-go/format"

	"pushbatch/readers/inputerror"
)

const (
	// plainDictionary is what older writers call both the encoding of a dictionary
	// and that of the indexes into it.
	plainDictionary = format.Encoding(2)
	// maxText is the longest value that is read, in bytes.
	maxText = 16 << 20
	// blockText is how many bytes of values are read at a time, and one value more: a
	// long value that a dictionary or a prefix repeats costs no bytes in the file.
	blockText = 256 << 10
)

// decoder reads the values of one page one after the other, nulls left out: up to
// n, and blockText, as they are stored (little-endian numbers, one byte for a boolean, the bytes of
// an array). It reads at least one, or fails; on an error the values read before
// it count. They are valid until the next call.
type decoder func(b *storedBlock, n int) error

// each makes a decoder of what reads the next value.
func each(next func(b *storedBlock) error) decoder {
	return func(b *storedBlock, n int) error {
		for size := 0; n > 0 && size < blockText; n-- {
			if err := next(b); err != nil {
				return err
			}
			size += len(b.values[len(b.values)-1])
		}
		return nil
	}
}

// storedBlock is a block of stored values.
type storedBlock struct {
	values [][]byte
	memory []byte // of those that do not lie in the page as they are
}

func (b *storedBlock) reset() { b.values, b.memory = b.values[:0], b.memory[:0] }

// room returns n new bytes, which become the next value.
func (b *storedBlock) room(n int) []byte {
	from := len(b.memory)
	b.memory = append(b.memory, make([]byte, n)...)
	value := b.memory[from : from+n : from+n]
	b.values = append(b.values, value)
	return value
}

// newDecoder reads a page of a leaf that is encoded in a way.
func newDecoder(l *leaf, enc format.Encoding, src []byte, dictionary *dictionary) (decoder, error) {
	var d decoder
	err := errEncoded
	switch enc {
	case format.Plain:
		d, err = newPlainDecoder(l, src), nil
	case plainDictionary, format.RLEDictionary:
		d, err = newDictionaryDecoder(src, dictionary)
	case format.RLE:
		if l.physical == format.Boolean {
			d, err = rleBooleans(src)
		}
	case format.DeltaBinaryPacked:
		if l.physical == format.Int32 || l.physical == format.Int64 {
			d, err = deltaIntegers(src, l.width)
		}
	case format.DeltaLengthByteArray:
		if l.width == 0 {
			d, err = deltaLengths(src)
		}
	case format.DeltaByteArray:
		if l.physical == format.ByteArray || l.physical == format.FixedLenByteArray {
			d, err = deltaPrefixes(src, l.width)
		}
	case format.ByteStreamSplit:
		if l.width > 0 && l.physical != format.Boolean {
			d, err = byteStreamSplit(src, l.width), nil
		}
	default:
		return nil, inputerror.New(inputerror.CodeFormat, "column %s is encoded in a way that is not known (encoding %d)", l.path, int32(enc))
	}
	if err != nil {
		return nil, damaged("a page of column %s (encoding %s): %w", l.path, enc, err)
	}
	return d, nil
}

func newPlainDecoder(l *leaf, src []byte) decoder {
	switch {
	case l.physical == format.Boolean:
		return packedBooleans(src)
	case l.width > 0:
		return each(func(b *storedBlock) error { return b.cut(&src, int64(l.width)) })
	}
	return each(func(b *storedBlock) error { return b.cutArray(&src) })
}

// cut takes the next value off the front of src.
func (b *storedBlock) cut(src *[]byte, size int64) error {
	if size < 0 || size > int64(len(*src)) {
		return errEncoded
	}
	b.values = append(b.values, (*src)[:size])
	*src = (*src)[size:]
	return nil
}

// cutArray takes the next byte array, which follows its length (PLAIN).
func (b *storedBlock) cutArray(src *[]byte) error {
	if len(*src) < 4 {
		return errEncoded
	}
	size := int64(binary.LittleEndian.Uint32(*src))
	*src = (*src)[4:]
	return b.cut(src, size)
}

// packedBooleans take a bit each (PLAIN).
func packedBooleans(src []byte) decoder {
	bit := 0
	return each(func(b *storedBlock) error {
		if bit/8 >= len(src) {
			return errEncoded
		}
		b.room(1)[0] = byte(bitsAt(src, uint(bit), 1))
		bit++
		return nil
	})
}

// rleBooleans are runs of booleans (RLE).
func rleBooleans(src []byte) (decoder, error) {
	if len(src) < 4 || int64(binary.LittleEndian.Uint32(src)) > int64(len(src)-4) {
		return nil, errEncoded
	}
	runs := newRunReader(src[4:4+binary.LittleEndian.Uint32(src)], 1)
	return each(func(b *storedBlock) error {
		var value [1]uint8
		if _, err := readRuns(&runs, value[:]); err != nil {
			return err
		}
		b.room(1)[0] = value[0]
		return nil
	}), nil
}

// deltaIntegers are DELTA_BINARY_PACKED.
func deltaIntegers(src []byte, width int) (decoder, error) {
	deltas, err := newDeltaReader(src)
	return each(func(b *storedBlock) error {
		v, err := deltas.next()
		if err != nil {
			return err
		}
		var word [8]byte
		binary.LittleEndian.PutUint64(word[:], uint64(v))
		copy(b.room(width), word[:])
		return nil
	}), err
}

// deltaLengths are byte arrays after all their lengths (DELTA_LENGTH_BYTE_ARRAY).
func deltaLengths(src []byte) (decoder, error) {
	lengths, err := newDeltaReader(src)
	if err != nil {
		return nil, err
	}
	src, err = lengths.rest()
	return each(func(b *storedBlock) error {
		size, err := lengths.next()
		if err != nil {
			return err
		}
		return b.cut(&src, size)
	}), err
}

// deltaPrefixes are arrays that each repeat the beginning of the one before
// (DELTA_BYTE_ARRAY), all of a width unless that is 0.
func deltaPrefixes(src []byte, width int) (decoder, error) {
	prefixes, err := newDeltaReader(src)
	if err != nil {
		return nil, err
	}
	if src, err = prefixes.rest(); err != nil {
		return nil, err
	}
	suffixes, err := deltaLengths(src)
	var before []byte
	return each(func(b *storedBlock) error {
		prefix, err := prefixes.next()
		if err != nil {
			return err
		}
		at := len(b.values)
		if err := suffixes(b, 1); err != nil {
			return err
		}
		suffix := b.values[at]
		b.values = b.values[:at]
		size := int(prefix) + len(suffix)
		if prefix < 0 || prefix > int64(len(before)) || width > 0 && size != width {
			return errEncoded
		}
		if size > maxText {
			return inputerror.New(inputerror.CodeBound, "a value is longer than %d MiB", maxText>>20)
		}
		value := b.room(size)
		copy(value[copy(value, before[:prefix]):], suffix)
		before = append(before[:prefix], suffix...)
		return nil
	}), err
}

// byteStreamSplit are values of which first all first bytes are stored, then all
// second ones, and so on (BYTE_STREAM_SPLIT).
func byteStreamSplit(src []byte, width int) decoder {
	at, count := 0, len(src)/width
	return each(func(b *storedBlock) error {
		if at == count {
			return errEncoded
		}
		value := b.room(width)
		for k := range value {
			value[k] = src[k*count+at]
		}
		at++
		return nil
	})
}
