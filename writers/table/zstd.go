package table

import (
	"errors"
	"sync"

	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go/compress"
	"github.com/parquet-go/parquet-go/format"
)

// pageWindow is how far back a compressed page refers: a page is not much larger.
// The default, 8 MiB, takes a history of 16 MiB for each encoder, more than all
// else that a row group holds.
const pageWindow = 512 << 10

// pageCodec is zstd for the pages of a Parquet file, all compressed by one
// encoder.
type pageCodec struct {
	mu      sync.Mutex
	encoder *zstd.Encoder
}

var _ compress.Codec = (*pageCodec)(nil)

func newPageCodec() (*pageCodec, error) {
	encoder, err := zstd.NewWriter(
		nil, zstd.WithEncoderLevel(zstd.SpeedDefault), zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(pageWindow),
		zstd.WithLowerEncoderMem(true), zstd.WithZeroFrames(true), zstd.WithEncoderCRC(false),
	)
	return &pageCodec{encoder: encoder}, err
}

// String implements compress.Codec.
func (*pageCodec) String() string { return "ZSTD" }

// CompressionCodec implements compress.Codec.
func (*pageCodec) CompressionCodec() format.CompressionCodec { return format.Zstd }

// Encode implements compress.Codec.
func (c *pageCodec) Encode(dst, src []byte) ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.encoder.EncodeAll(src, dst[:0]), nil
}

// Decode implements compress.Codec. Nothing is read while a file is written.
func (*pageCodec) Decode([]byte, []byte) ([]byte, error) { return nil, errors.ErrUnsupported }
