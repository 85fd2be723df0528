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
	// blockText is how many bytes of text are made at a time, of values that are
	// not there as they are.
	blockText = 256 << 10
)

// decoder reads the values of one page one after the other, nulls left out.
type decoder interface {
	// next reads up to n values as they are stored: little-endian numbers, one byte
	// for a boolean, the bytes of an array. It reads at least one, or fails; on an
	// error the values read before it count. They are valid until the next call.
	next(b *storedBlock, n int) error
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
			d, err = newRLEBooleans(src)
		}
	case format.DeltaBinaryPacked:
		if l.physical == format.Int32 || l.physical == format.Int64 {
			d, err = newDeltaIntegers(src, l.width)
		}
	case format.DeltaLengthByteArray:
		if l.width == 0 {
			d, err = newDeltaLengths(src)
		}
	case format.DeltaByteArray:
		if l.physical == format.ByteArray || l.physical == format.FixedLenByteArray {
			d, err = newDeltaPrefixes(src, l.width)
		}
	case format.ByteStreamSplit:
		if l.width > 0 && l.physical != format.Boolean {
			d, err = &byteStreamSplit{src, l.width, len(src) / l.width, 0}, nil
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
		return &packedBooleans{src: src}
	case l.width > 0:
		return &fixedValues{src, l.width}
	}
	return &plainArrays{src}
}

// fixedValues are numbers and arrays of one size (PLAIN).
type fixedValues struct {
	src   []byte
	width int
}

func (d *fixedValues) next(b *storedBlock, n int) error {
	for range n {
		if len(d.src) < d.width {
			return errEncoded
		}
		b.values = append(b.values, d.src[:d.width])
		d.src = d.src[d.width:]
	}
	return nil
}

// plainArrays are byte arrays that each follow their length (PLAIN).
type plainArrays struct{ src []byte }

func (d *plainArrays) next(b *storedBlock, n int) error {
	for range n {
		if len(d.src) < 4 {
			return errEncoded
		}
		size := int64(binary.LittleEndian.Uint32(d.src))
		if size > int64(len(d.src)-4) {
			return errEncoded
		}
		b.values = append(b.values, d.src[4:4+size])
		d.src = d.src[4+size:]
	}
	return nil
}

// packedBooleans take a bit each (PLAIN).
type packedBooleans struct {
	src []byte
	bit int
}

func (d *packedBooleans) next(b *storedBlock, n int) error {
	for range n {
		if d.bit/8 >= len(d.src) {
			return errEncoded
		}
		b.room(1)[0] = byte(bitsAt(d.src, uint(d.bit), 1))
		d.bit++
	}
	return nil
}

// rleBooleans are runs of booleans (RLE).
type rleBooleans struct{ runs runReader }

func newRLEBooleans(src []byte) (decoder, error) {
	if len(src) < 4 || int64(binary.LittleEndian.Uint32(src)) > int64(len(src)-4) {
		return nil, errEncoded
	}
	size := binary.LittleEndian.Uint32(src)
	return &rleBooleans{newRunReader(src[4:4+size], 1)}, nil
}

func (d *rleBooleans) next(b *storedBlock, n int) error {
	b.memory = append(b.memory, make([]byte, n)...)
	read, err := readRuns(&d.runs, b.memory[len(b.memory)-n:])
	for i := range read {
		b.values = append(b.values, b.memory[len(b.memory)-n:][i:i+1])
	}
	return err
}

// deltaIntegers are DELTA_BINARY_PACKED.
type deltaIntegers struct {
	deltas deltaReader
	width  int
}

func newDeltaIntegers(src []byte, width int) (decoder, error) {
	deltas, err := newDeltaReader(src)
	return &deltaIntegers{deltas, width}, err
}

func (d *deltaIntegers) next(b *storedBlock, n int) error {
	for range n {
		v, err := d.deltas.next()
		if err != nil {
			return err
		}
		if d.width == 4 {
			binary.LittleEndian.PutUint32(b.room(4), uint32(v))
		} else {
			binary.LittleEndian.PutUint64(b.room(8), uint64(v))
		}
	}
	return nil
}

// deltaLengths are byte arrays after all their lengths (DELTA_LENGTH_BYTE_ARRAY).
type deltaLengths struct {
	lengths deltaReader
	src     []byte
}

func newDeltaLengths(src []byte) (*deltaLengths, error) {
	lengths, err := newDeltaReader(src)
	if err != nil {
		return nil, err
	}
	src, err = lengths.rest()
	return &deltaLengths{lengths, src}, err
}

func (d *deltaLengths) next(b *storedBlock, n int) error {
	for range n {
		size, err := d.lengths.next()
		if err != nil {
			return err
		}
		if size < 0 || size > int64(len(d.src)) {
			return errEncoded
		}
		b.values = append(b.values, d.src[:size])
		d.src = d.src[size:]
	}
	return nil
}

// deltaPrefixes are arrays that each repeat the beginning of the one before
// (DELTA_BYTE_ARRAY).
type deltaPrefixes struct {
	prefixes deltaReader
	suffixes deltaLengths
	width    int // of every value; 0: any
	before   []byte
}

func newDeltaPrefixes(src []byte, width int) (decoder, error) {
	prefixes, err := newDeltaReader(src)
	if err != nil {
		return nil, err
	}
	if src, err = prefixes.rest(); err != nil {
		return nil, err
	}
	suffixes, err := newDeltaLengths(src)
	if err != nil {
		return nil, err
	}
	return &deltaPrefixes{prefixes: prefixes, suffixes: *suffixes, width: width}, nil
}

func (d *deltaPrefixes) next(b *storedBlock, n int) error {
	for i := 0; i < n && (i == 0 || len(b.memory) < blockText); i++ {
		prefix, err := d.prefixes.next()
		if err != nil {
			return err
		}
		at := len(b.values)
		if err := d.suffixes.next(b, 1); err != nil {
			return err
		}
		suffix := b.values[at]
		b.values = b.values[:at]
		size := int(prefix) + len(suffix)
		if prefix < 0 || prefix > int64(len(d.before)) || d.width > 0 && size != d.width {
			return errEncoded
		}
		if size > maxText {
			return inputerror.New(inputerror.CodeBound, "a value is longer than %d MiB", maxText>>20)
		}
		value := b.room(size)
		copy(value[copy(value, d.before[:prefix]):], suffix)
		d.before = append(d.before[:prefix], suffix...)
	}
	return nil
}

// byteStreamSplit are values of which first all first bytes are stored, then all
// second ones, and so on (BYTE_STREAM_SPLIT).
type byteStreamSplit struct {
	src              []byte
	width, count, at int
}

func (d *byteStreamSplit) next(b *storedBlock, n int) error {
	for range n {
		if d.at == d.count {
			return errEncoded
		}
		value := b.room(d.width)
		for k := range value {
			value[k] = d.src[k*d.count+d.at]
		}
		d.at++
	}
	return nil
}
