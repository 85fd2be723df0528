package runstore

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"pushbatch/batch"
	"pushbatch/testdata/thorough"
)

func journalRows(t *testing.T, f *Folder) []int64 {
	t.Helper()
	rows, _, err := f.readJournal(0)
	if err != nil {
		t.Fatal(err)
	}
	var nums []int64
	for _, r := range rows {
		nums = append(nums, r.Row)
	}
	return nums
}

// A journal is read as far as there is room: what is more is refused, and what a
// checkpoint holds already takes none.
func TestJournalIsBounded(t *testing.T) {
	t.Parallel()
	f := newFolder(t)
	j, err := f.OpenJournal(nil)
	if err != nil {
		t.Fatal(err)
	}
	for n := range int64(100) {
		if err := j.Append(batch.Waiting{Row: n + 1, Outcome: batch.Outcome{Status: batch.Succeeded}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(f.Path(""), journalParts[0]))
	if err != nil {
		t.Fatal(err)
	}
	for from, want := range map[int64]bool{0: false, 90: true} {
		room := int64(len(data)) / 5
		if rows, err := readJournalPart(nil, bytes.NewReader(data), from, &room); (err == nil) != want || (len(rows) > 0) != want {
			t.Errorf("from %d: %d rows, %v", from, len(rows), err)
		}
	}
}

// Wherever the files of a journal are cut, or a byte of them is damaged, what is
// read is the beginning of what was appended: a row never without those before it.
func TestJournalReadsAPrefix(t *testing.T) {
	t.Parallel()
	f := newFolder(t)
	j, err := f.OpenJournal(nil)
	if err != nil {
		t.Fatal(err)
	}
	const rows = 9
	for n := int64(1); n <= rows; n++ {
		if n == 4 || n == 7 {
			j.Begin() // and no checkpoint is made: the process dies before
		}
		if err := j.Append(batch.Waiting{Row: n, Outcome: batch.Outcome{Status: batch.Succeeded, RegistrationID: "d"}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if got := journalRows(t, f); len(got) != rows {
		t.Fatalf("read %v of %d rows", got, rows)
	}
	for _, name := range journalParts {
		path := filepath.Join(f.Path(""), name)
		whole, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for at := range thorough.Some(len(whole), 4) {
			flipped := append([]byte(nil), whole...)
			flipped[at] ^= 1
			for _, damaged := range [][]byte{whole[:at], flipped} {
				if err := os.WriteFile(path, damaged, 0o600); err != nil {
					t.Fatal(err)
				}
				got := journalRows(t, f)
				for i, num := range got {
					if num != int64(i+1) {
						t.Fatalf("%s with byte %d of %d damaged: rows %v", name, at, len(whole), got)
					}
				}
				if len(got) == rows && len(damaged) < len(whole)-1 {
					t.Fatalf("%s cut at %d of %d gives all rows", name, at, len(whole))
				}
			}
		}
		if err := os.WriteFile(path, whole, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// A checkpoint that was made empties the journal; one that goes on from it counts
// on, and a graceful end leaves no file.
func TestJournalIsEmptied(t *testing.T) {
	t.Parallel()
	f := newFolder(t)
	j, err := f.OpenJournal(nil)
	if err != nil {
		t.Fatal(err)
	}
	row := func(n int64) batch.Waiting {
		return batch.Waiting{Row: n, Outcome: batch.Outcome{Status: batch.Succeeded, Attempts: 2}}
	}
	if err := j.Append(row(1)); err != nil {
		t.Fatal(err)
	}
	point := &batch.Checkpoint{Rows: 1, Journal: j.Begin()}
	if err := j.Append(row(2)); err != nil {
		t.Fatal(err)
	}
	if err := f.SaveCheckpoint(point); err != nil {
		t.Fatal(err)
	}
	if err := j.Drop(); err != nil {
		t.Fatal(err)
	}
	back, err := f.LoadCheckpoint()
	if err != nil || len(back.Waiting) != 1 || back.Waiting[0].Row != 2 {
		t.Fatalf("%+v, %v", back, err)
	}
	if err := j.close(); err != nil {
		t.Fatal(err)
	}
	again, err := f.OpenJournal(back)
	if err != nil {
		t.Fatal(err)
	}
	if back, err = f.LoadCheckpoint(); err != nil || len(back.Waiting) != 1 || back.Journal != 2 {
		t.Errorf("after the row went into the checkpoint: %+v, %v", back, err)
	}
	if err := again.Close(); err != nil {
		t.Fatal(err)
	}
	for _, name := range journalParts {
		if f.Exists(name) {
			t.Errorf("%s is left", name)
		}
	}
}

// dyingFS dies at one of its calls: a write is cut, anything else is not done, and
// nothing after it.
type dyingFS struct {
	FS
	left int
}

var errDied = errors.New("the process died")

func (d *dyingFS) call() error {
	if d.left--; d.left < 0 {
		return errDied
	}
	return nil
}

func (d *dyingFS) OpenFile(name string, flag int, perm fs.FileMode) (File, error) {
	if err := d.call(); err != nil {
		return nil, err
	}
	file, err := d.FS.OpenFile(name, flag, perm)
	return &dyingFile{file, d}, err
}

func (d *dyingFS) Rename(from, to string) error {
	if err := d.call(); err != nil {
		return err
	}
	return d.FS.Rename(from, to)
}

func (d *dyingFS) Remove(name string) error {
	if err := d.call(); err != nil {
		return err
	}
	return d.FS.Remove(name)
}

type dyingFile struct {
	File
	fs *dyingFS
}

func (f *dyingFile) Write(data []byte) (int, error) {
	if err := f.fs.call(); err != nil {
		if f.fs.left == -1 {
			_, _ = f.File.Write(data[:len(data)/2])
		}
		return 0, err
	}
	return f.File.Write(data)
}

func (f *dyingFile) Truncate(size int64) error {
	if err := f.fs.call(); err != nil {
		return err
	}
	return f.File.Truncate(size)
}

// At whatever call a process dies, also one that goes on after another has died: what
// the next one reads is every row that was kept, once, and at most the one besides
// that was being written.
func TestJournalAtEveryCrash(t *testing.T) {
	t.Parallel()
	for first := range thorough.Some(math.MaxInt, 5) {
		survived := true
		for second := range thorough.Some(math.MaxInt, 3) {
			f := newFolder(t)
			kept, died := journalLife(f, first, 0)
			demandJournal(t, f, kept)
			if !died {
				break
			}
			survived = false
			kept, died = journalLife(f, second, kept)
			demandJournal(t, f, kept)
			if !died {
				break
			}
		}
		if survived {
			t.Logf("%d calls", first)
			return
		}
	}
}

// journalLife is a process that dies at a call; kept is how many rows it knows to be.
func journalLife(whole *Folder, calls, kept int) (int, bool) {
	dying := &dyingFS{whole.fs, calls}
	f := &Folder{fs: dying, path: whole.path}
	point, err := f.LoadCheckpoint()
	if err != nil {
		return kept, true
	}
	if point != nil {
		kept = int(point.Rows) + len(point.Waiting) // with the row that was being written
		point.Rows, point.Waiting = int64(kept), nil
	}
	j, err := f.OpenJournal(point)
	if err != nil {
		return kept, true
	}
	defer func() { _ = j.close() }()
	for n := range 7 {
		if err := j.Append(batch.Waiting{Row: int64(kept + 1), Outcome: batch.Outcome{Status: batch.Succeeded}}); err != nil {
			return kept, true
		}
		kept++
		if n%3 != 2 {
			continue
		}
		if err := f.SaveCheckpoint(&batch.Checkpoint{Rows: int64(kept), Journal: j.Begin()}); err != nil {
			return kept, true
		}
		if err := j.Drop(); err != nil {
			return kept, true
		}
	}
	return kept, false
}

func demandJournal(t *testing.T, f *Folder, kept int) {
	t.Helper()
	point, err := f.LoadCheckpoint()
	if err != nil {
		t.Fatal(err)
	}
	if point == nil {
		point = &batch.Checkpoint{}
	}
	if n := int(point.Rows) + len(point.Waiting); n < kept || n > kept+1 {
		t.Fatalf("%d rows were kept, %d are read", kept, n)
	}
	for i, w := range point.Waiting {
		if w.Row != point.Rows+int64(i)+1 {
			t.Fatalf("row %d stands at place %d behind %d rows", w.Row, i, point.Rows)
		}
	}
}

// Rows that finish together share a write: each is in the files when its Append
// returns, so that no row is repeated that was finished before a kill.
func TestJournalHoldsWhatWasAppended(t *testing.T) {
	t.Parallel()
	f := newFolder(t)
	j, err := f.OpenJournal(nil)
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for worker := range int64(16) {
		all.Go(func() {
			for n := range int64(10) {
				row := 1 + worker*10 + n
				if row%50 == 0 {
					j.Begin() // and no checkpoint is made
				}
				if err := j.Append(batch.Waiting{Row: row, Outcome: batch.Outcome{Status: batch.Succeeded}}); err != nil {
					t.Error(err)
				}
				var text []byte
				for _, name := range journalParts {
					part, err := os.ReadFile(f.Path(name))
					if err != nil {
						t.Error(err)
					}
					text = append(text, part...)
				}
				if !bytes.Contains(text, fmt.Appendf(nil, `{"row":%d,`, row)) {
					t.Errorf("row %d is in no file", row)
				}
			}
		})
	}
	all.Wait()
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if got := journalRows(t, f); len(got) != 160 {
		t.Errorf("%d rows can be read, want 160", len(got))
	}
}
