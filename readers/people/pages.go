package people

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/klauspost/compress/zstd"

	"pushbatch/batch"
)

// page is one page of the listing as it is kept, JSON in a zstd frame with its
// length in front: where pagination stands after it and the rows it gave.
type page struct {
	Pagination pagination `json:"pagination"`
	Rows       []byte     `json:"rows"`              // see batch.AppendCells
	Without    []string   `json:"without,omitempty"` // ids of people without a device

	offset int64 // in the file
}

const (
	pageHead = 4         // bytes of the length
	maxPage  = 256 << 20 // more than a page of the listing can be
)

// pageFile is the file of a listing. A page that a crash left incomplete at the
// end is cut off by the next one: no row of it was given out.
type pageFile struct {
	path   string
	file   *os.File // nil: nothing is there yet
	at     int64    // of the next page
	ended  bool     // everything kept was read
	packer *zstd.Encoder
	opener *zstd.Decoder
}

func openPages(path string, offset int64) (*pageFile, error) {
	packer, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithLowerEncoderMem(true))
	if err != nil {
		return nil, err
	}
	opener, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxPage))
	if err != nil {
		return nil, err
	}
	f := &pageFile{path: path, at: offset, packer: packer, opener: opener}
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) && offset == 0 {
		return f, nil
	}
	f.file = file
	return f, err
}

// has reports whether a page can begin at offset.
func (f *pageFile) has(offset int64) bool {
	if f.file == nil {
		return false
	}
	info, err := f.file.Stat()
	return err == nil && info.Size() > offset+pageHead
}

func (f *pageFile) close() {
	f.opener.Close()
	if f.file != nil {
		_ = f.file.Close() // every page was synced
	}
}

// read returns the next kept page, nil when there is none.
func (f *pageFile) read() (*page, error) {
	if f.file == nil || f.ended {
		return nil, nil
	}
	var frame []byte
	head := make([]byte, pageHead)
	_, err := f.file.ReadAt(head, f.at)
	if size := int64(binary.BigEndian.Uint32(head)); err == nil && size <= maxPage {
		frame = make([]byte, size)
		_, err = f.file.ReadAt(frame, f.at+pageHead)
	}
	if err != nil && err != io.EOF {
		return nil, err
	}
	p, next := &page{offset: f.at}, f.at+pageHead+int64(len(frame))
	text, damaged := f.opener.DecodeAll(frame, nil)
	if err == nil && damaged == nil && json.Unmarshal(text, p) == nil {
		f.at = next
		return p, nil
	}
	// Only the last page can be one that a crash left behind.
	if err == nil && f.has(next-pageHead) {
		return nil, fmt.Errorf("%s is damaged at byte %d", f.path, f.at)
	}
	f.ended = true
	return nil, nil
}

// append keeps a page durably after the others.
func (f *pageFile) append(p *page) error {
	text, err := json.Marshal(p)
	if err != nil {
		return err
	}
	frame := f.packer.EncodeAll(text, make([]byte, pageHead))
	binary.BigEndian.PutUint32(frame, uint32(len(frame)-pageHead))
	if f.file == nil {
		if f.file, err = os.OpenFile(f.path, os.O_RDWR|os.O_CREATE, 0o600); err != nil {
			return unwritable(err)
		}
	}
	p.offset = f.at
	err = f.file.Truncate(f.at)
	if err == nil {
		_, err = f.file.WriteAt(frame, f.at)
	}
	if err == nil {
		err = f.file.Sync()
	}
	if err != nil {
		return unwritable(err)
	}
	f.at += int64(len(frame))
	return nil
}

func unwritable(err error) error {
	return &batch.Abort{Code: "results_unwritable", Err: fmt.Errorf("keep the people listing: %w", err)}
}

// EachWithout calls fn with the id of everybody in a kept listing who has no
// device: no row tells of them.
func EachWithout(path string, fn func(id string)) error {
	f, err := openPages(path, 0)
	if err != nil {
		return err
	}
	defer f.close()
	for {
		p, err := f.read()
		if err != nil || p == nil {
			return err
		}
		for _, id := range p.Without {
			fn(id)
		}
	}
}
