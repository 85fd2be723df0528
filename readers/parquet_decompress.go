package readers

import (
	"bytes"
	"fmt"
	"io"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go/format"
)

// maxPage is the largest page, compressed or not, that is read. The format
// allows 2 GiB; writers end pages at about 1 MiB, or a row group's column at
// most.
const maxPage = 256 << 20

// checkCodec refuses what cannot be decompressed. LZ4_RAW is among it although
// the library knows it: parquet-go 0.32.0 returns wrong values from such files
// without an error (its issue 608), and no file may be read that it and we
// cannot both be held against.
func checkCodec(codec format.CompressionCodec, column string) error {
	switch codec {
	case format.Uncompressed, format.Snappy, format.Gzip, format.Brotli, format.Zstd:
		return nil
	case format.Lz4Raw, format.Lz4, format.LZO:
		return failure(CodeFormat, "column %s is compressed with %s, which is not read: write the file with zstd, snappy, gzip, brotli or no compression", column, codec)
	}
	return failure(CodeFormat, "column %s is compressed in a way that is not known (codec %d)", column, int32(codec))
}

// decompressor undoes the compression of pages. It keeps its buffers.
type decompressor struct {
	gzip   gzip.Reader
	brotli *brotli.Reader
	zstd   *zstd.Decoder
}

// expand decompresses src into dst's memory. What it reserves is bounded by
// what src really holds, never by what a header claims.
func (d *decompressor) expand(dst []byte, codec format.CompressionCodec, src []byte) ([]byte, error) {
	switch codec {
	case format.Uncompressed:
		return append(dst[:0], src...), nil
	case format.Snappy:
		return expandSnappy(dst, src)
	case format.Zstd:
		return d.expandZstd(dst, src)
	case format.Gzip:
		if err := d.gzip.Reset(bytes.NewReader(src)); err != nil {
			return nil, err
		}
		return expandStream(dst, &d.gzip)
	case format.Brotli:
		if d.brotli == nil {
			d.brotli = brotli.NewReader(nil)
		}
		if err := d.brotli.Reset(bytes.NewReader(src)); err != nil {
			return nil, err
		}
		return expandStream(dst, d.brotli)
	}
	return nil, fmt.Errorf("codec %s", codec)
}

func expandSnappy(dst, src []byte) ([]byte, error) {
	n, err := snappy.DecodedLen(src)
	if err != nil {
		return nil, err
	}
	// A copy of two bytes yields at most 64: more than that is not in there.
	if n > maxPage || n > 64*len(src) {
		return nil, snappy.ErrCorrupt
	}
	return snappy.Decode(dst[:cap(dst)], src)
}

func (d *decompressor) expandZstd(dst, src []byte) ([]byte, error) {
	if d.zstd == nil {
		dec, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxPage), zstd.WithDecoderLowmem(true))
		if err != nil {
			return nil, err
		}
		d.zstd = dec
	}
	return d.zstd.DecodeAll(src, dst[:0])
}

func expandStream(dst []byte, r io.Reader) ([]byte, error) {
	buf := bytes.NewBuffer(dst[:0])
	n, err := buf.ReadFrom(io.LimitReader(r, maxPage+1))
	if err == nil && n > maxPage {
		err = errPageTooLarge
	}
	return buf.Bytes(), err
}

func (d *decompressor) close() {
	if d.zstd != nil {
		d.zstd.Close()
	}
}
