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
)

// decoder returns the values of one page one after the other, nulls left out, as
// they are stored: little-endian numbers, one byte for a boolean, the bytes of an
// array. A value is valid until the next call.
type decoder func() ([]byte, error)

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
		return func() ([]byte, error) { return cut(&src, int64(l.width)) }
	}
	return func() ([]byte, error) { return cutArray(&src) }
}

// cut takes the next value off the front of src.
func cut(src *[]byte, size int64) ([]byte, error) {
	if size < 0 || size > int64(len(*src)) {
		return nil, errEncoded
	}
	value := (*src)[:size]
	*src = (*src)[size:]
	return value, nil
}

// cutArray takes the next byte array, which follows its length (PLAIN).
func cutArray(src *[]byte) ([]byte, error) {
	if len(*src) < 4 {
		return nil, errEncoded
	}
	size := int64(binary.LittleEndian.Uint32(*src))
	*src = (*src)[4:]
	return cut(src, size)
}

// packedBooleans take a bit each (PLAIN).
func packedBooleans(src []byte) decoder {
	value, bit := make([]byte, 1), uint(0)
	return func() ([]byte, error) {
		if bit/8 >= uint(len(src)) {
			return nil, errEncoded
		}
		value[0] = byte(bitsAt(src, bit, 1))
		bit++
		return value, nil
	}
}

// rleBooleans are runs of booleans (RLE).
func rleBooleans(src []byte) (decoder, error) {
	packed, err := cutArray(&src)
	runs, value := newRunReader(packed, 1), make([]byte, 1)
	return func() ([]byte, error) {
		v, err := runs.next()
		value[0] = byte(v)
		return value, err
	}, err
}

// deltaIntegers are DELTA_BINARY_PACKED.
func deltaIntegers(src []byte, width int) (decoder, error) {
	deltas, err := newDeltaReader(src)
	word := make([]byte, 8)
	return func() ([]byte, error) {
		v, err := deltas.next()
		binary.LittleEndian.PutUint64(word, uint64(v))
		return word[:width], err
	}, err
}

// deltaLengths are byte arrays after all their lengths (DELTA_LENGTH_BYTE_ARRAY).
func deltaLengths(src []byte) (decoder, error) {
	lengths, err := newDeltaReader(src)
	if err != nil {
		return nil, err
	}
	src, err = lengths.rest()
	return func() ([]byte, error) {
		size, err := lengths.next()
		if err != nil {
			return nil, err
		}
		return cut(&src, size)
	}, err
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
	var value []byte
	return func() ([]byte, error) {
		prefix, err := prefixes.next()
		if err != nil {
			return nil, err
		}
		suffix, err := suffixes()
		if err != nil {
			return nil, err
		}
		size := int(prefix) + len(suffix)
		if prefix < 0 || prefix > int64(len(value)) || width > 0 && size != width {
			return nil, errEncoded
		}
		if size > maxText {
			return nil, inputerror.New(inputerror.CodeBound, "a value is longer than %d MiB", maxText>>20)
		}
		value = append(value[:prefix], suffix...)
		return value, nil
	}, err
}

// byteStreamSplit are values of which first all first bytes are stored, then all
// second ones, and so on (BYTE_STREAM_SPLIT).
func byteStreamSplit(src []byte, width int) decoder {
	at, count := 0, len(src)/width
	value := make([]byte, width)
	return func() ([]byte, error) {
		if at == count {
			return nil, errEncoded
		}
		for k := range value {
			value[k] = src[k*count+at]
		}
		at++
		return value, nil
	}
}
