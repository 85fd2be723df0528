package runstore

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pushbatch/batch"
)

func newFolder(t *testing.T) *Folder {
	t.Helper()
	f, err := Create(t.Context(), filepath.Join(t.TempDir(), "run"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	return f
}

func TestFolderIsTakenOnce(t *testing.T) {
	t.Parallel()
	f := newFolder(t)
	path := f.Path("")
	var locked *LockedError
	if _, err := Create(t.Context(), path, Options{}); !errors.As(err, &locked) || locked.Holder.PID != os.Getpid() {
		t.Errorf("a second process gets %v", err)
	}
	if h, running := HolderOf(t.Context(), path); !running || h.PID != os.Getpid() {
		t.Errorf("the holder is %v, %v", h, running)
	}
	if err := f.WriteJSON(JobFile, 1); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), path, Options{}); !errors.As(err, &locked) {
		t.Errorf("a second process that resumes gets %v", err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Create(t.Context(), path, Options{}); !errors.Is(err, ErrRunExists) {
		t.Errorf("a new run in the folder of an old one gets %v", err)
	}
	if _, running := HolderOf(t.Context(), path); running {
		t.Error("a folder that nobody holds has a holder")
	}
	again, err := Open(t.Context(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), t.TempDir(), Options{}); !errors.Is(err, ErrNoRun) {
		t.Errorf("an empty folder opens with %v", err)
	}
}

func TestCheckpoint(t *testing.T) {
	t.Parallel()
	f := newFolder(t)
	if c, err := f.LoadCheckpoint(); c != nil || err != nil {
		t.Errorf("without one: %v, %v", c, err)
	}
	want := &batch.Checkpoint{Rows: 7, Mark: batch.Mark{"results.csv": 9}}
	if err := f.SaveCheckpoint(want); err != nil {
		t.Fatal(err)
	}
	got, err := f.LoadCheckpoint()
	if err != nil || got.Rows != 7 || got.Mark["results.csv"] != 9 {
		t.Errorf("got %+v, %v", got, err)
	}
	for _, text := range []string{"{", `{"tally":{"statuses":{"succeeded":1}}}`} { // the second is of another version
		if err := os.WriteFile(f.Path(CheckpointFile), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := f.LoadCheckpoint(); err == nil || !strings.Contains(err.Error(), "the version that began it") {
			t.Errorf("%s: %v", text, err)
		}
	}
	if err := f.ReadJSON("none.json", nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}
