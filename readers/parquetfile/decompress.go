package parquetfile

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go/format"
	"github.com/pierrec/lz4/v4"

	"pushbatch/readers/inputerror"
)

var errPageSize = errors.New("it has not the size that its header claims")

// checkCodec refuses what cannot be decompressed.
func checkCodec(codec format.CompressionCodec, column string) error {
	switch codec {
	case format.Uncompressed, format.Snappy, format.Gzip, format.Brotli, format.Zstd, format.Lz4Raw, format.Lz4:
		return nil
	}
	return inputerror.New(inputerror.CodeFormat, "column %s is compressed with %s (codec %d), which is not read: write the file with zstd, snappy, gzip, brotli, lz4 or no compression", column, codec, int32(codec))
}

// decompressor undoes the compression of pages.
type decompressor struct{ zstd *zstd.Decoder } // made anew it would take a megabyte a page

// expand decompresses src into dst, which it must fill.
func (d *decompressor) expand(dst []byte, codec format.CompressionCodec, src []byte) (err error) {
	defer func() {
		if p := recover(); p != nil { // of a library that met damaged bytes
			err = fmt.Errorf("%v", p)
		}
	}()
	n, err := d.expandInto(dst, codec, src)
	if err == nil && n != len(dst) {
		err = errPageSize
	}
	return err
}

func (d *decompressor) expandInto(dst []byte, codec format.CompressionCodec, src []byte) (n int, err error) {
	switch codec {
	case format.Uncompressed:
		if len(src) != len(dst) {
			return 0, errPageSize
		}
		return copy(dst, src), nil
	case format.Snappy:
		return expandSnappy(dst, src)
	case format.Zstd:
		return d.expandZstd(dst, src)
	case format.Gzip:
		r, err := gzip.NewReader(bytes.NewReader(src))
		if err != nil {
			return 0, err
		}
		return expandStream(dst, r)
	case format.Brotli:
		return expandStream(dst, brotli.NewReader(bytes.NewReader(src)))
	case format.Lz4Raw:
		return lz4.UncompressBlock(src, dst)
	case format.Lz4:
		return expandHadoopLZ4(dst, src)
	}
	return 0, fmt.Errorf("codec %s", codec)
}

func expandSnappy(dst, src []byte) (int, error) {
	n, err := snappy.DecodedLen(src)
	if err != nil || n != len(dst) {
		return 0, errors.Join(err, errPageSize)
	}
	_, err = snappy.Decode(dst, src)
	return n, err
}

func (d *decompressor) expandZstd(dst, src []byte) (int, error) {
	if d.zstd == nil {
		dec, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecodeAllCapLimit(true),
			zstd.WithDecoderMaxMemory(maxPage), zstd.WithDecoderMaxWindow(maxPage), zstd.WithDecoderLowmem(true))
		if err != nil {
			return 0, err
		}
		d.zstd = dec
	}
	out, err := d.zstd.DecodeAll(src, dst[:0:len(dst)])
	return len(out), err
}

func expandStream(dst []byte, r io.Reader) (int, error) {
	n, err := io.ReadFull(r, dst)
	if err != nil {
		return n, err
	}
	var more [1]byte
	if extra, err := io.ReadFull(r, more[:]); extra > 0 || err != io.EOF {
		return 0, errors.Join(errPageSize, err)
	}
	return n, nil
}

// expandHadoopLZ4 reads the deprecated codec LZ4, which Hadoop wrote as blocks
// with both sizes (big endian) in front, and others as one block, or as a frame.
func expandHadoopLZ4(dst, src []byte) (int, error) {
	if n, ok := expandHadoopBlocks(dst, src); ok {
		return n, nil
	}
	if n, err := lz4.UncompressBlock(src, dst); err == nil && n == len(dst) {
		return n, nil
	}
	return expandStream(dst, lz4.NewReader(bytes.NewReader(src)))
}

func expandHadoopBlocks(dst, src []byte) (n int, ok bool) {
	for len(src) > 0 {
		if len(src) < 8 {
			return 0, false
		}
		size, packed := binary.BigEndian.Uint32(src), binary.BigEndian.Uint32(src[4:])
		src = src[8:]
		if uint64(size) > uint64(len(dst)-n) || uint64(packed) > uint64(len(src)) {
			return 0, false
		}
		got, err := lz4.UncompressBlock(src[:packed], dst[n:n+int(size)])
		if err != nil || got != int(size) {
			return 0, false
		}
		n, src = n+got, src[packed:]
	}
	return n, n == len(dst)
}

func (d *decompressor) close() {
	if d.zstd != nil {
		d.zstd.Close()
	}
}
