package people

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"pushbatch/batch"
)

// page is one page of the listing as it is kept, a line of JSON: where
// pagination stands after it and the rows it gave. A cell is null, true, false
// or a text; the column tells its kind.
type page struct {
	Pagination pagination `json:"pagination"`
	Rows       [][]any    `json:"rows"`

	offset int64 // of its line in the file
}

// maxPage bounds a line, which is more than a page of the listing can be.
const maxPage = 256 << 20

// cells turns values into what a page keeps, and values back.
func cells(values []batch.Value) []any {
	kept := make([]any, len(values))
	for i, v := range values {
		switch v.Kind {
		case batch.Null:
		case batch.Bool:
			kept[i] = v.Text == "true"
		default:
			kept[i] = v.Text
		}
	}
	return kept
}

func values(header batch.Header, kept []any) []batch.Value {
	row := make([]batch.Value, len(header))
	for i := range min(len(header), len(kept)) {
		switch v := kept[i].(type) {
		case bool:
			row[i] = batch.BoolValue(v)
		case string:
			row[i] = batch.Value{Kind: header[i].Kind, Text: v}
		}
	}
	return row
}

// pageFile is the file of a listing. A page that a crash left incomplete at the
// end is cut off by the next one: no row of it was given out.
type pageFile struct {
	path string
	in   *bufio.Reader // nil: everything kept was read
	file *os.File      // nil: nothing is there yet
	at   int64
}

func openPages(path string, offset int64) (*pageFile, error) {
	f := &pageFile{path: path, at: offset}
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) && offset == 0 {
		return f, nil
	}
	if err != nil {
		return nil, err
	}
	if _, err := file.Seek(offset, io.SeekStart); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	f.file, f.in = file, bufio.NewReaderSize(file, 256<<10)
	return f, nil
}

// has reports whether a page can begin at offset.
func (f *pageFile) has(offset int64) bool {
	if f.file == nil {
		return false
	}
	info, err := f.file.Stat()
	return err == nil && info.Size() > offset
}

func (f *pageFile) close() {
	if f.file != nil {
		_ = f.file.Close() // every page was synced
	}
}

// read returns the next kept page, nil when there is none.
func (f *pageFile) read() (*page, error) {
	if f.in == nil {
		return nil, nil
	}
	line, err := f.line()
	if err != nil {
		return nil, err
	}
	p := &page{offset: f.at}
	if line == nil || json.Unmarshal(line, p) != nil {
		// Only the last line can be one that a crash left behind.
		if _, err := f.in.Peek(1); line != nil && err == nil {
			return nil, fmt.Errorf("%s is damaged at byte %d", f.path, f.at)
		}
		f.in = nil
		return nil, nil
	}
	f.at += int64(len(line))
	return p, nil
}

// line returns the next whole line, nil when there is none.
func (f *pageFile) line() ([]byte, error) {
	var line []byte
	for {
		part, err := f.in.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case err == nil:
			return line, nil
		case errors.Is(err, io.EOF):
			return nil, nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, err
		case len(line) > maxPage:
			return nil, fmt.Errorf("%s: a page of more than %d bytes", f.path, maxPage)
		}
	}
}

// append keeps a page durably after the others.
func (f *pageFile) append(p *page) error {
	line, err := json.Marshal(p)
	if err != nil {
		return err
	}
	if f.file == nil {
		if f.file, err = os.OpenFile(f.path, os.O_RDWR|os.O_CREATE, 0o600); err != nil {
			return unwritable(err)
		}
	}
	p.offset = f.at
	line = append(line, '\n')
	err = f.file.Truncate(f.at)
	if err == nil {
		_, err = f.file.WriteAt(line, f.at)
	}
	if err == nil {
		err = f.file.Sync()
	}
	if err != nil {
		return unwritable(err)
	}
	f.at += int64(len(line))
	return nil
}

func unwritable(err error) error {
	return &batch.Abort{Code: "results_unwritable", Err: fmt.Errorf("keep the people listing: %w", err)}
}
