package runstore

import (
	"os"
	"path/filepath"
	"testing"

	"pushbatch/batch"
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
		for at := range whole {
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
	if err != nil || len(back.Waiting) != 1 || back.Waiting[0].Row != 2 || back.Recovered != 2 {
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
