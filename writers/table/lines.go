package table

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/klauspost/compress/zstd"

	"pushbatch/batch"
)

// spoolFrame is how many bytes of rows are compressed together.
const spoolFrame = 512 << 10

// Spool keeps rows, compressed, until they are rendered. What it writes are frames
// that stand for themselves: a file of them may end after any.
type Spool struct {
	to      io.Writer
	rows    []byte // of the frame that is being filled
	row     []byte
	encoder *zstd.Encoder
}

// NewSpool returns an empty spool whose frames go to a writer, each by one Write.
func NewSpool(to io.Writer) (*Spool, error) {
	encoder, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(spoolFrame))
	return &Spool{to: to, encoder: encoder}, err
}

// Add takes a row, and writes a frame when it is worth it.
func (s *Spool) Add(cells []batch.Value) error {
	s.row = batch.AppendCells(s.row[:0], cells)
	s.rows = append(binary.AppendUvarint(s.rows, uint64(len(s.row))), s.row...)
	if len(s.rows) < spoolFrame {
		return nil
	}
	return s.Flush()
}

// Flush writes what was added since the last frame.
func (s *Spool) Flush() error {
	if len(s.rows) == 0 {
		return nil
	}
	_, err := s.to.Write(s.encoder.EncodeAll(s.rows, nil))
	s.rows = s.rows[:0]
	return err
}

// maxRow is more than any row can have: a person has few devices, an answer is
// at most 8 MiB.
const maxRow = 64 << 20

// EachRow reads the rows of a file of frames in order. The cells are used again.
func EachRow(path string, fn func(cells []batch.Value) error) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	var refused error
	err = ReadRows(file, func(cells []batch.Value) error {
		refused = fn(cells)
		return refused
	})
	if err != nil && refused == nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	return err
}

// ReadRows reads the rows of frames, to their end. The cells are used again.
func ReadRows(from io.Reader, fn func(cells []batch.Value) error) error {
	decoder, err := zstd.NewReader(from, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true))
	if err != nil {
		return err
	}
	defer decoder.Close()
	in := bufio.NewReaderSize(decoder, 64<<10)
	var row []byte
	var cells []batch.Value
	for {
		size, err := binary.ReadUvarint(in)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil || size > maxRow {
			return errors.Join(batch.ErrCells, err)
		}
		if uint64(cap(row)) < size {
			row = make([]byte, size*2)
		}
		row = row[:size]
		if _, err := io.ReadFull(in, row); err != nil {
			return err
		}
		if cells, _, err = batch.ReadCells(string(row), cells); err != nil {
			return err
		}
		if err := fn(cells); err != nil {
			return err
		}
	}
}
