package runstore

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
)

const (
	spoolPrefix = "pushbatch-spool-"
	spoolLock   = ".spool-lock"
)

// Spool is a folder below the temporary folder that only this user can read. Its
// lock is taken back by the system when the process dies: then another process
// removes the folder.
type Spool struct {
	Path string
	lock *flock.Flock
}

// NewSpool makes a folder, after removing those of processes that have died.
func NewSpool() (*Spool, error) {
	removeDeadSpools()
	path, err := os.MkdirTemp("", spoolPrefix+"*") // mode 0700
	if err != nil {
		return nil, fmt.Errorf("create a folder for temporary files (TMPDIR chooses another place): %w", err)
	}
	s := &Spool{Path: path, lock: flock.New(filepath.Join(path, spoolLock), flock.SetPermissions(fileMode))}
	if _, err := s.lock.TryLock(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(path))
	}
	return s, nil
}

// Remove removes the folder with all that is in it.
func (s *Spool) Remove() error { return errors.Join(s.lock.Close(), os.RemoveAll(s.Path)) }

// removeDeadSpools removes the folders whose lock nobody holds. One that is being
// made has no lock yet and is left alone, as is one of another user.
func removeDeadSpools() {
	found, _ := filepath.Glob(filepath.Join(os.TempDir(), spoolPrefix+"*")) // the pattern is a good one
	for _, path := range found {
		info, err := os.Lstat(path)
		if err != nil || !info.IsDir() || time.Since(info.ModTime()) < time.Minute { // a young one may be without its lock yet
			continue
		}
		if uid, _, known := owner(info); known && uid != os.Geteuid() {
			continue
		}
		if info, err := os.Lstat(filepath.Join(path, spoolLock)); err != nil || !info.Mode().IsRegular() {
			continue
		}
		dead := Spool{Path: path, lock: flock.New(filepath.Join(path, spoolLock))}
		if ok, err := dead.lock.TryLock(); err == nil && ok {
			_ = dead.Remove() // what stays costs room, nothing else
		}
	}
}
