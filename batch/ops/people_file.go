package ops

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"

	"pushbatch/batch"
)

// peopleFrame is one page of the listing as it is kept: where the walk stands
// behind it and the rows it gave.
type peopleFrame struct {
	offset int64
	walk   walk
	rows   [][]batch.Value
}

// peopleFile is the file of a walk: pages one behind the other, each with its
// length and checksum in front. A page that a crash left incomplete at the end
// is cut off: no row of it was given out.
type peopleFile struct {
	path string
	in   *bufio.Reader // nil: everything kept was read
	file *os.File      // nil: nothing is there yet
	at   int64
}

const (
	frameHead = 8        // length and checksum
	maxFrame  = 64 << 20 // more than a page of the listing can be
)

func openPeopleFile(path string, offset int64) (*peopleFile, error) {
	f := &peopleFile{path: path, at: offset}
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
func (f *peopleFile) has(offset int64) bool {
	if f.file == nil {
		return false
	}
	info, err := f.file.Stat()
	return err == nil && info.Size() > offset+frameHead
}

func (f *peopleFile) close() {
	if f.file != nil {
		_ = f.file.Close() // every page was synced
	}
}

// read returns the next kept page, nil when there is none.
func (f *peopleFile) read() (*peopleFrame, error) {
	if f.in == nil {
		return nil, nil
	}
	var head [frameHead]byte
	_, err := io.ReadFull(f.in, head[:])
	size := int64(binary.BigEndian.Uint32(head[:4]))
	var data []byte
	if err == nil && size <= maxFrame {
		data = make([]byte, size)
		_, err = io.ReadFull(f.in, data)
	}
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		f.in = nil
		return nil, nil
	case err != nil:
		return nil, err
	case crc32.ChecksumIEEE(data) != binary.BigEndian.Uint32(head[4:]) || size > maxFrame:
		return f.damaged(size)
	}
	frame, err := decodeFrame(data)
	if err != nil {
		return nil, err
	}
	frame.offset = f.at
	f.at += frameHead + size
	return frame, nil
}

// damaged tells a page that a crash left behind, which is the last thing in the
// file, from damage in its middle.
func (f *peopleFile) damaged(size int64) (*peopleFrame, error) {
	if info, err := f.file.Stat(); err != nil || f.at+frameHead+size < info.Size() && size <= maxFrame && size > 0 {
		return nil, fmt.Errorf("%s is damaged at byte %d", f.path, f.at)
	}
	f.in = nil
	return nil, nil
}

func decodeFrame(data []byte) (*peopleFrame, error) {
	size, used := binary.Uvarint(data)
	if used <= 0 || size > uint64(len(data)-used) {
		return nil, batch.ErrCells
	}
	frame := new(peopleFrame)
	if err := json.Unmarshal(data[used:used+int(size)], &frame.walk); err != nil {
		return nil, err
	}
	for rest := string(data[used+int(size):]); rest != ""; {
		row, more, err := batch.ReadCells(rest, nil)
		if err != nil {
			return nil, err
		}
		frame.rows = append(frame.rows, row)
		rest = more
	}
	return frame, nil
}

// append keeps a page durably behind the others.
func (f *peopleFile) append(frame *peopleFrame) error {
	state, err := json.Marshal(frame.walk)
	if err != nil {
		return err
	}
	data := binary.AppendUvarint(make([]byte, frameHead, 64<<10), uint64(len(state)))
	data = append(data, state...)
	for _, row := range frame.rows {
		data = batch.AppendCells(data, row)
	}
	binary.BigEndian.PutUint32(data, uint32(len(data)-frameHead))
	binary.BigEndian.PutUint32(data[4:], crc32.ChecksumIEEE(data[frameHead:]))
	if f.file == nil {
		if f.file, err = os.OpenFile(f.path, os.O_RDWR|os.O_CREATE, 0o600); err != nil {
			return &batch.Abort{Code: "results_unwritable", Err: err}
		}
	}
	frame.offset = f.at
	if err := f.write(data); err != nil {
		return &batch.Abort{Code: "results_unwritable", Err: fmt.Errorf("keep the people listing: %w", err)}
	}
	f.at += int64(len(data))
	return nil
}

func (f *peopleFile) write(data []byte) error {
	if err := f.file.Truncate(f.at); err != nil {
		return err
	}
	if _, err := f.file.WriteAt(data, f.at); err != nil {
		return err
	}
	return f.file.Sync()
}
