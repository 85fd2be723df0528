package undo

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
)

// Kinds of records.
const (
	KindPerson = "person" // whose device it was, from a listing or an inventory
	KindListed = "listed" // all persons were written
	KindSent   = "sent"   // a request is about to be sent
	KindEnd    = "end"    // how a request ended
)

// How a request ended. One without a record of its end may have been carried out.
const (
	Succeeded = "succeeded"
	Refused   = "refused" // the platform said no, for good: nothing was changed
	Unknown   = "unknown"
)

// Person is who a device belonged to, by what names a person for the platform.
type Person struct {
	ID         string `json:"id,omitempty"`
	ExternalID string `json:"external_id,omitempty"`
	Phone      string `json:"phone,omitempty"`
	Email      string `json:"email,omitempty"`
}

// Identified reports whether a device can be given to the person again.
func (p *Person) Identified() bool { return p.ExternalID != "" || p.Phone != "" || p.Email != "" }

// Record is one line of the log.
type Record struct {
	Kind        string          `json:"kind"`
	Device      string          `json:"device,omitempty"`
	AppCode     string          `json:"app_code,omitempty"`
	Application string          `json:"application,omitempty"` // the application's id, of a person's device
	Web         bool            `json:"web,omitempty"`         // a person's device is a web push registration
	Person      *Person         `json:"person,omitempty"`
	Before      json.RawMessage `json:"before,omitempty"`  // of an update: the registration as it was
	Body        json.RawMessage `json:"body,omitempty"`    // of a request
	Ended       string          `json:"ended,omitempty"`   // of an end
	Partial     bool            `json:"partial,omitempty"` // of listed: it was not everybody
}

// maxRecord bounds a line of the log: a registration has at most a few thousand
// attributes of 4 KB.
const maxRecord = 16 << 20

// Log is a log that grows. Each record is in the file when Append returns, so that
// it outlives the process; nothing is synced.
type Log struct {
	file *os.File
}

// OpenLog opens a log to append to, mode 0600. A last line that was not written
// whole is cut off.
func OpenLog(path string) (*Log, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	whole, err := wholeLines(file)
	if err == nil {
		err = file.Truncate(whole)
	}
	if err == nil {
		_, err = file.Seek(whole, io.SeekStart)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", path, err), file.Close())
	}
	return &Log{file: file}, nil
}

// wholeLines is the length of a file up to its last newline.
func wholeLines(file *os.File) (int64, error) {
	info, err := file.Stat()
	if err != nil {
		return 0, err
	}
	block := make([]byte, 64<<10)
	for end := info.Size(); end > 0; {
		begin := max(0, end-int64(len(block)))
		part := block[:end-begin]
		if _, err := file.ReadAt(part, begin); err != nil {
			return 0, err
		}
		if at := bytes.LastIndexByte(part, '\n'); at >= 0 {
			return begin + int64(at) + 1, nil
		}
		end = begin
	}
	return 0, nil
}

// Append writes records with one write. It may be called from several goroutines.
func (l *Log) Append(records ...Record) error {
	var lines []byte
	for i := range records {
		line, err := json.Marshal(&records[i])
		if err != nil {
			return err
		}
		lines = append(append(lines, line...), '\n')
	}
	_, err := l.file.Write(lines)
	return err
}

// Sync makes durable what was appended.
func (l *Log) Sync() error { return l.file.Sync() }

// Close closes the file.
func (l *Log) Close() error { return l.file.Close() }

// Records reads a log. A last line that was not written whole is passed over; any
// other line that is no record is an error.
func Records(from io.Reader) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		lines := bufio.NewScanner(from)
		lines.Buffer(make([]byte, 0, 256<<10), maxRecord)
		lines.Split(wholeLine)
		number := 1
		for ; lines.Scan(); number++ {
			var r Record
			err := json.Unmarshal(lines.Bytes(), &r)
			if err != nil {
				err = fmt.Errorf("line %d: %w", number, err)
			}
			if !yield(r, err) || err != nil {
				return
			}
		}
		err := lines.Err()
		if errors.Is(err, bufio.ErrTooLong) {
			err = fmt.Errorf("it has more than %d bytes", maxRecord)
		}
		if err != nil {
			yield(Record{}, fmt.Errorf("line %d: %w", number, err))
		}
	}
}

// wholeLine is a bufio.SplitFunc: without a newline a line was not written whole.
func wholeLine(data []byte, _ bool) (advance int, line []byte, err error) {
	if at := bytes.IndexByte(data, '\n'); at >= 0 {
		return at + 1, data[:at], nil
	}
	return 0, nil, nil
}
