package runstore

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"time"

	"github.com/gofrs/flock"
)

// lockFile is the lock; who holds it stands in a second file, since a locked file
// cannot be read by other processes on Windows.
const (
	lockFile = ".lock"
)

// Holder is who holds a run.
type Holder struct {
	Host  string    `json:"host"`
	PID   int       `json:"pid"`
	Since time.Time `json:"since"`
}

// LockedError says that another process holds a run.
type LockedError struct {
	Path   string
	Holder Holder // zero when it could not be read
}

// Error names the holder and what to do.
func (e *LockedError) Error() string {
	if e.Holder.PID == 0 {
		return fmt.Sprintf("%s is held by another process", e.Path)
	}
	return fmt.Sprintf("%s is held by process %d on %s since %s",
		e.Path, e.Holder.PID, e.Holder.Host, e.Holder.Since.UTC().Format(time.RFC3339))
}

// lock is an advisory lock that the operating system takes back when the
// process that holds it dies.
type lock struct {
	flock  *flock.Flock
	holder string
}

func acquireLock(path string) (*lock, error) {
	l := &lock{flock: flock.New(path, flock.SetPermissions(fileMode)), holder: path + ".json"}
	ok, err := l.flock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock run: %w", err)
	}
	if !ok {
		return nil, &LockedError{Path: filepath.Dir(path), Holder: readHolder(l.holder)}
	}
	host, _ := os.Hostname() // an unnamed host is no reason not to run
	data, err := json.Marshal(Holder{Host: host, PID: os.Getpid(), Since: time.Now().UTC()})
	if err == nil {
		err = os.WriteFile(l.holder, data, fileMode)
	}
	if err != nil {
		_ = l.flock.Close()
		return nil, fmt.Errorf("lock run: %w", err)
	}
	return l, nil
}

func readHolder(path string) (h Holder) {
	data, err := os.ReadFile(path)
	if err == nil {
		_ = json.Unmarshal(data, &h) // half written: the holder stays unknown
	}
	return h
}

// release leaves the lock file in place: removing it would let a third process
// lock a file that a second one is about to lock.
func (l *lock) release() error {
	_ = os.Remove(l.holder)
	return l.flock.Close()
}

// Holder tells who works on the run at the moment; ok is false when nobody
// does. It does not touch the lock, so it never stands in a starting
// process's way. The process of another host is taken to be alive.
func (f *Folder) Holder() (h Holder, ok bool) {
	if f.remote != nil {
		return f.remote.holder()
	}
	h = readHolder(f.LocalFile(lockFile) + ".json")
	if h.PID == 0 {
		return h, false
	}
	if host, _ := os.Hostname(); host != h.Host {
		return h, true
	}
	process, err := os.FindProcess(h.PID)
	if err != nil || runtime.GOOS == "windows" { // there FindProcess itself finds no dead process
		return h, err == nil
	}
	err = process.Signal(syscall.Signal(0))
	return h, err == nil || errors.Is(err, syscall.EPERM)
}
