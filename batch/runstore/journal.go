package runstore

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"runtime"
	"slices"
	"strconv"
	"sync"

	"pushbatch/batch"
)

// journalParts are the two files of a journal: while a checkpoint is made, what is
// finished meanwhile goes to the other one.
var journalParts = [2]string{"journal-0", "journal-1"}

// Bounds of a journal that is read, in bytes: a line that is longer is damaged, rows
// that no checkpoint holds are no more than those of 40 s at full speed.
const (
	journalLine = 64 << 20
	maxJournal  = 256 << 20
)

// Journal keeps finished rows between two checkpoints. Every row is in a file before
// Append returns, and outlives the process; it is not synced, so that a power loss costs what
// came after the last checkpoint. A line is the row as JSON, a number that goes up
// by one, and the CRC-32 of both in hexadecimal.
type Journal struct {
	folder *Folder
	files  [2]File

	writing sync.Mutex // is locked before mu
	err     error      // a write failed: what followed it could not be read

	mu      sync.Mutex
	current int
	next    int64         // number of the next line
	kept    bool          // lines are there that no checkpoint holds
	lines   []byte        // that are in no file yet
	pending *journalWrite // who is about to write them; nil: nobody
}

// OpenJournal begins the journal of a run that goes on from a checkpoint of
// LoadCheckpoint; nil is the start. What the journal of an execution that died
// has given to the checkpoint is made durable in it first. A folder in S3 has no
// journal: nil.
func (f *Folder) OpenJournal(point *batch.Checkpoint) (*Journal, error) {
	if f.remote != nil {
		return nil, nil
	}
	j := &Journal{folder: f}
	if point != nil {
		j.next = point.Journal
		if err := f.SaveCheckpoint(point); err != nil {
			return nil, err
		}
	}
	for i, name := range journalParts {
		file, err := f.fs.OpenFile(name, os.O_RDWR|os.O_CREATE, fileMode)
		if err == nil {
			j.files[i] = file
			err = file.Truncate(0)
		}
		if err != nil {
			return nil, errors.Join(fmt.Errorf("open journal: %w", err), j.close())
		}
	}
	return j, nil
}

// Append implements batch.Journal. Rows that finish together are one write, of some
// fourteen rows at full speed, for a write takes longer than all else here.
func (j *Journal) Append(row batch.Waiting) error {
	j.mu.Lock()
	j.add(row)
	if w := j.pending; w != nil { // somebody is about to write
		j.mu.Unlock()
		<-w.done
		return w.err
	}
	w := &journalWrite{done: make(chan struct{})}
	j.pending = w
	j.mu.Unlock()
	runtime.Gosched() // others that have finished add their rows meanwhile
	w.err = j.write()
	close(w.done)
	return w.err
}

// journalWrite is a write that several rows wait for.
type journalWrite struct {
	done chan struct{} // is closed when err is set
	err  error
}

func (j *Journal) add(row batch.Waiting) {
	begin := len(j.lines)
	j.lines = row.AppendJSON(j.lines)
	j.lines = strconv.AppendInt(append(j.lines, ' '), j.next, 10)
	sum := crc32.ChecksumIEEE(j.lines[begin:])
	j.lines = append(strconv.AppendUint(append(j.lines, ' '), uint64(sum), 16), '\n')
	j.next++
}

// write writes what was added; after an error nothing.
func (j *Journal) write() error {
	j.writing.Lock()
	defer j.writing.Unlock()
	j.mu.Lock()
	lines, file := j.lines, j.files[j.current]
	j.lines, j.pending, j.kept = make([]byte, 0, len(lines)), nil, true
	j.mu.Unlock()
	if j.err != nil {
		return j.err
	}
	if _, err := file.Write(lines); err != nil {
		j.err = fmt.Errorf("write journal: %w", err)
	}
	return j.err
}

// Begin implements batch.Journal. Rows that wait for their write have a number below
// what it returns: the checkpoint holds them.
func (j *Journal) Begin() int64 {
	j.writing.Lock()
	defer j.writing.Unlock()
	j.mu.Lock()
	defer j.mu.Unlock()
	j.current = 1 - j.current
	j.kept = false
	return j.next
}

// Drop implements batch.Journal.
func (j *Journal) Drop() error {
	j.writing.Lock()
	defer j.writing.Unlock()
	file := j.files[1-j.current]
	err := file.Truncate(0)
	if err == nil {
		_, err = file.Seek(0, io.SeekStart)
	}
	if err != nil {
		return fmt.Errorf("empty journal: %w", err)
	}
	return nil
}

// Close closes the journal, and removes its files if a checkpoint holds
// everything that is in them.
func (j *Journal) Close() error {
	err := j.close()
	if j.kept || j.err != nil {
		return err
	}
	for _, name := range journalParts {
		err = errors.Join(err, j.folder.fs.Remove(name))
	}
	return err
}

func (j *Journal) close() (err error) {
	for _, file := range j.files {
		if file != nil {
			err = errors.Join(err, file.Close())
		}
	}
	return err
}

// journalEntry is a line of a journal that is whole.
type journalEntry struct {
	number int64
	row    batch.Waiting
}

// readJournal returns the rows of the journal from a number on, in the order in
// which they were finished, and the number after them. A line that is torn, or
// was lost, ends it: what follows may depend on it.
func (f *Folder) readJournal(from int64) (rows []batch.Waiting, next int64, err error) {
	var entries []journalEntry
	room := int64(maxJournal)
	for _, name := range journalParts {
		file, err := f.fs.OpenFile(name, os.O_RDONLY, 0)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, 0, err
		}
		entries, err = readJournalPart(entries, file, from, &room)
		if err := errors.Join(err, file.Close()); err != nil {
			return nil, 0, err
		}
	}
	slices.SortStableFunc(entries, func(a, b journalEntry) int { return cmp.Compare(a.number, b.number) })
	for _, e := range entries {
		if e.number > from {
			break
		}
		if e.number == from {
			rows, from = append(rows, e.row), from+1
		}
	}
	return rows, from, nil
}

// readJournalPart appends the lines of a file that are whole, from a number on. room is
// the bytes that they may have.
func readJournalPart(entries []journalEntry, r io.Reader, from int64, room *int64) ([]journalEntry, error) {
	scan := bufio.NewScanner(r)
	scan.Buffer(nil, journalLine)
	for scan.Scan() {
		if e, ok := parseJournalLine(scan.Bytes()); ok && e.number >= from {
			entries, *room = append(entries, e), *room-int64(len(scan.Bytes()))
		}
		if *room < 0 || len(entries) > batch.MaxWaiting {
			return nil, fmt.Errorf("more than %d rows or %d MiB that no checkpoint holds: it was damaged or replaced", batch.MaxWaiting, maxJournal>>20)
		}
	}
	return entries, nil
}

func parseJournalLine(line []byte) (e journalEntry, ok bool) {
	checked, sum := cutLast(line)
	want, err := strconv.ParseUint(string(sum), 16, 32)
	if err != nil || want != uint64(crc32.ChecksumIEEE(checked)) {
		return e, false
	}
	data, number := cutLast(checked)
	if e.number, err = strconv.ParseInt(string(number), 10, 64); err != nil {
		return e, false
	}
	return e, json.Unmarshal(data, &e.row) == nil
}

func cutLast(line []byte) (before, word []byte) {
	i := max(bytes.LastIndexByte(line, ' '), 0)
	return line[:i], bytes.TrimPrefix(line[i:], []byte(" "))
}
