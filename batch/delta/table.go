package delta

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go"
	parquetzstd "github.com/parquet-go/parquet-go/compress/zstd"

	"pushbatch/batch"
	"pushbatch/batch/runstore"
)

const fileMode fs.FileMode = 0o600

// Device is a row of a generation: what was acknowledged of a device.
type Device struct {
	AppCode        string `parquet:"app_code,dict"`
	RegistrationID string `parquet:"registration_id"`
	RequestHash    string `parquet:"request_hash,optional"`                           // hexadecimal; empty: known, nothing acknowledged
	AcknowledgedAt int64  `parquet:"acknowledged_at,timestamp(millisecond),optional"` // Unix milliseconds; 0: not
	Run            string `parquet:"run,dict,optional"`                               // that was acknowledged

	hash Hash // of the registration id
}

// touched is a row of the note that a run leaves before its first request: an
// input row that is about to be sent, or one that keeps its device from counting
// as acknowledged.
type touched struct {
	AppCode        string `parquet:"app_code,dict"`
	RegistrationID string `parquet:"registration_id"`
	RequestHash    string `parquet:"request_hash,optional"` // empty: the row makes no request
	Row            int64  `parquet:"row"`
	Kind           string `parquet:"kind,dict"`

	hash    Hash
	request Hash // before RequestHash is made of it
}

// The kinds of touched rows.
const (
	kindSend   = "send"   // sent, or adopted
	kindInert  = "inert"  // rejected: never sent
	kindVanish = "vanish" // depersonalized because the input names it no more
	kindIdle   = "idle"   // has nothing to do: of a plan only, never noted
)

// File is a file of a State, with what tells that it is whole.
type File struct {
	Name   string `json:"file"`
	Rows   int64  `json:"rows"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

const (
	groupRows   = 64 << 10 // rows a row group: what is held in memory
	pageBytes   = 64 << 10
	writeAtOnce = 256
)

type tableWriter[T any] struct {
	fs    FS
	path  string
	file  runstore.File
	sum   hash.Hash
	to    *parquet.GenericWriter[T]
	rows  []T
	count int64
}

func createTable[T any](fsys FS, path string) (*tableWriter[T], error) {
	file, err := fsys.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, fileMode)
	if err != nil {
		return nil, err
	}
	codec, err := newPageCodec()
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	w := &tableWriter[T]{fs: fsys, path: path, file: file, sum: sha256.New(), rows: make([]T, 0, writeAtOnce)}
	w.to = parquet.NewGenericWriter[T](io.MultiWriter(file, w.sum),
		parquet.Compression(codec), parquet.MaxRowsPerRowGroup(groupRows),
		parquet.PageBufferSize(pageBytes), parquet.CreatedBy("pushbatch", "", ""))
	return w, nil
}

// pageCodec is zstd that also compresses texts in which nothing repeats, ids and
// hashes in hexadecimal: half the size. One encoder with a small window for all
// pages; those of the library take 80 MB.
type pageCodec struct {
	parquetzstd.Codec
	encoder *zstd.Encoder
}

func newPageCodec() (*pageCodec, error) {
	encoder, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(512<<10), zstd.WithLowerEncoderMem(true),
		zstd.WithAllLitEntropyCompression(true), zstd.WithZeroFrames(true), zstd.WithEncoderCRC(false))
	return &pageCodec{encoder: encoder}, err
}

// Encode implements compress.Codec.
func (c *pageCodec) Encode(dst, src []byte) ([]byte, error) {
	return c.encoder.EncodeAll(src, dst[:0]), nil
}

func (w *tableWriter[T]) add(row *T) error {
	if w.rows = append(w.rows, *row); len(w.rows) < writeAtOnce {
		return nil
	}
	return w.flush()
}

func (w *tableWriter[T]) flush() error {
	n, err := w.to.Write(w.rows)
	w.count += int64(n)
	w.rows = w.rows[:0]
	return err
}

// finish makes the file durable and says what it is.
func (w *tableWriter[T]) finish() (File, error) {
	err := errors.Join(w.flush(), w.to.Close())
	size, seekErr := w.file.Seek(0, io.SeekCurrent)
	if err = errors.Join(err, seekErr); err == nil {
		err = w.file.Sync()
	}
	err = errors.Join(err, w.file.Close())
	return File{Name: filepath.Base(w.path), Rows: w.count, Size: size, SHA256: hex.EncodeToString(w.sum.Sum(nil))}, err
}

// abandon removes a file that is not finished.
func (w *tableWriter[T]) abandon() { _ = errors.Join(w.file.Close(), w.fs.Remove(w.path)) }

// DamagedError says that what lies in a State is not what it wrote there.
type DamagedError struct {
	Path string
	Err  error
}

func (e *DamagedError) Error() string {
	return fmt.Sprintf("%s is damaged: %v: give --delta-full to send every row and begin it anew, or --delta-adopt to take every row as sent", e.Path, e.Err)
}

func (e *DamagedError) Unwrap() error { return e.Err }

// verify compares a file with what state.json says of it.
func (f *File) verify(path string) error {
	file, err := runstore.OpenFile(path, os.O_RDONLY, 0)
	if err != nil {
		return err
	}
	defer file.Close()
	sum := sha256.New()
	n, err := io.Copy(sum, file)
	switch {
	case err != nil:
		return err
	case n != f.Size:
		return fmt.Errorf("it has %d bytes, state.json says %d", n, f.Size)
	case hex.EncodeToString(sum.Sum(nil)) != f.SHA256:
		return errors.New("its checksum is not the one in state.json")
	}
	return nil
}

// OpenTable opens a Parquet file on disk as a source. It must read files that
// anybody may have written: readers.Open does.
type OpenTable func(ctx context.Context, path string) (batch.Source, error)

// rowsOf yields the rows of a table as texts, in the order of columns; "" is null.
func rowsOf(ctx context.Context, open OpenTable, path string, columns []string) iter.Seq2[[]string, error] {
	return func(yield func([]string, error) bool) {
		if path == "" {
			return // no table, no rows
		}
		source, err := open(ctx, path)
		if err != nil {
			yield(nil, err)
			return
		}
		defer source.Close()
		batch.Texts(ctx, source, columns...)(yield)
	}
}

var errOrder = errors.New("its rows are not in the order in which they were written")

// devicesOf yields the rows of a generation, which must rise by hash.
func devicesOf(ctx context.Context, open OpenTable, path string) iter.Seq2[*Device, error] {
	columns := []string{"app_code", "registration_id", "request_hash", "acknowledged_at", "run"}
	var last *Device
	return batch.Each(rowsOf(ctx, open, path, columns), func(texts []string) (d *Device, err error) {
		d = &Device{AppCode: texts[0], RegistrationID: texts[1], RequestHash: texts[2], Run: texts[4], hash: DeviceHash(texts[1])}
		if d.AcknowledgedAt, err = milliseconds(texts[3]); err == nil && last != nil && bytes.Compare(last.hash[:], d.hash[:]) >= 0 {
			err = errOrder
		}
		last = d
		return d, err
	})
}

// touchedOf yields the rows of a note, which must rise by hash.
func touchedOf(ctx context.Context, open OpenTable, path string) iter.Seq2[*touched, error] {
	columns := []string{"app_code", "registration_id", "request_hash", "row", "kind"}
	var last Hash
	return batch.Each(rowsOf(ctx, open, path, columns), func(texts []string) (t *touched, err error) {
		t = &touched{AppCode: texts[0], RegistrationID: texts[1], RequestHash: texts[2], Kind: texts[4], hash: DeviceHash(texts[1])}
		if t.Row, err = strconv.ParseInt(texts[3], 10, 64); err == nil && bytes.Compare(last[:], t.hash[:]) > 0 {
			err = errOrder
		}
		last = t.hash
		return t, err
	})
}

// milliseconds reads a time; the empty text is 0.
func milliseconds(text string) (int64, error) {
	if text == "" {
		return 0, nil
	}
	t, err := time.Parse(time.RFC3339, text)
	return t.UnixMilli(), err
}
