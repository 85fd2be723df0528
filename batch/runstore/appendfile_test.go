package runstore

import (
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

// syncDisk is the disk with syncs that are counted, and fail when asked to.
type syncDisk struct {
	*disk
	syncs atomic.Int32
	fails error
}

func (d *syncDisk) OpenFile(name string, flag int, perm fs.FileMode) (File, error) {
	f, err := d.disk.OpenFile(name, flag, perm)
	return syncFile{f, d}, err
}

type syncFile struct {
	File
	disk *syncDisk
}

func (f syncFile) Sync() error {
	f.disk.syncs.Add(1)
	return errors.Join(f.disk.fails, f.File.Sync())
}

// What a report grows by is made durable beside the writing, and a disk that
// refuses is heard of: by the next flush at the latest, for a second sync of the
// same bytes may succeed although they are lost.
func TestSyncBesideWriting(t *testing.T) {
	t.Parallel()
	refusal := errors.New("the disk is broken")
	line := strings.Repeat("x", 1<<10)
	for _, fails := range []error{nil, refusal} {
		path := filepath.Join(t.TempDir(), "run")
		d, err := makeDisk(path, false)
		if err != nil {
			t.Fatal(err)
		}
		disk := &syncDisk{disk: d}
		folder, err := CreateIn(t.Context(), disk, path, Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { folder.Close() })
		a, err := OpenAppend(folder, "results.csv", 0)
		if err != nil {
			t.Fatal(err)
		}
		disk.syncs.Store(0)
		disk.fails = fails
		for a.size <= syncBesideEvery+appendBuffer && err == nil {
			err = a.Grow(func(dst []byte) []byte { return append(dst, line...) })
		}
		if a.syncing != nil { // let it end before the disk is mended
			beside := a.syncing
			done := make(chan error, 1)
			done <- <-beside
			a.syncing = done
		}
		if n := disk.syncs.Load(); n != 1 {
			t.Errorf("%d syncs beside the writing", n)
		}
		disk.fails = nil
		_, flushed := a.Flush()
		if err = errors.Join(err, flushed); !errors.Is(err, fails) || fails == nil && err != nil {
			t.Errorf("a disk that says %v: %v", fails, err)
		}
		if err := a.Abandon(); err != nil {
			t.Error(err)
		}
	}
}
