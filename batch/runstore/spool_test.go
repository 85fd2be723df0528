package runstore

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/gofrs/flock"
	"golang.org/x/sync/errgroup"

	"pushbatch/testdata/thorough"
)

// What a killed process left in the temporary folder is removed by the next one;
// what is in use, or is no folder of ours, stays.
func TestDeadSpoolsAreRemoved(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	live, err := NewSpool()
	if err != nil {
		t.Fatal(err)
	}
	spool := func(name string, lock bool) string {
		path := filepath.Join(os.TempDir(), name)
		if err := os.Mkdir(path, 0o700); err != nil {
			t.Fatal(err)
		}
		if lock {
			if err := os.WriteFile(filepath.Join(path, spoolLock), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		old := time.Now().Add(-time.Hour)
		if err := os.Chtimes(path, old, old); err != nil {
			t.Fatal(err)
		}
		return path
	}
	dead, young, other := spool(spoolPrefix+"1", true), spool(spoolPrefix+"2", false), spool("another", true)
	second, err := NewSpool()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dead); !os.IsNotExist(err) {
		t.Errorf("the dead process' folder is still there: %v", err)
	}
	for _, path := range []string{live.Path, young, other} {
		if _, err := os.Stat(path); err != nil {
			t.Error(err)
		}
	}
	if ok, _ := flock.New(filepath.Join(live.Path, spoolLock)).TryLock(); ok {
		t.Error("the folder in use is not locked")
	}
	for _, s := range []*Spool{live, second} {
		if err := s.Remove(); err != nil {
			t.Error(err)
		}
	}
}

// Of many that are made at once none is taken for a dead one.
func TestSpoolsMadeAtOnce(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	var group errgroup.Group
	for range 16 {
		group.Go(func() error {
			for range thorough.Of(15, 50) {
				s, err := NewSpool()
				if err != nil {
					return err
				}
				if err := os.WriteFile(filepath.Join(s.Path, "rows"), nil, 0o600); err != nil {
					return err
				}
				if err := s.Remove(); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		t.Error(err)
	}
}
