package runstore

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
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
	lockFile   = ".lock"
	holderFile = ".lock.json"
	maxHolder  = 4 << 10 // bytes
)

// Holder is who holds a location.
type Holder struct {
	Host  string    `json:"host"`
	PID   int       `json:"pid"`
	Since time.Time `json:"since"`
}

// LockedError says that another process holds a location.
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
	flock *flock.Flock
	disk  *disk
}

func acquireLock(d *disk) (*lock, error) {
	if info, err := d.Stat(lockFile); err == nil {
		if err := checkFile(filepath.Join(d.path, lockFile), info, d.trust); err != nil {
			return nil, err
		}
	}
	l := &lock{flock: flock.New(filepath.Join(d.path, lockFile), flock.SetPermissions(fileMode)), disk: d}
	ok, err := l.flock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", d.path, err)
	}
	if !ok {
		return nil, &LockedError{Path: d.path, Holder: readHolder(d)}
	}
	if err := l.sign(); err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s: %w", d.path, err), l.flock.Close())
	}
	return l, nil
}

// sign writes who holds the lock.
func (l *lock) sign() error {
	data, err := json.Marshal(thisProcess())
	if err != nil {
		return err
	}
	if err := l.disk.Remove(holderFile); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := l.disk.open(holderFile, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fileMode)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Close())
}

func thisProcess() Holder {
	host, _ := os.Hostname() // an unnamed host is no reason not to run
	return Holder{Host: host, PID: os.Getpid(), Since: time.Now().UTC()}
}

func readHolder(d *disk) (h Holder) {
	f, err := d.open(holderFile, os.O_RDONLY, 0)
	if err != nil {
		return h
	}
	defer f.Close()
	_ = json.NewDecoder(io.LimitReader(f, maxHolder)).Decode(&h) // half written: the holder stays unknown
	return h
}

// release leaves the lock file in place: removing it would let a third process
// lock a file that a second one is about to lock.
func (l *lock) release() error {
	_ = l.disk.Remove(holderFile)
	return errors.Join(l.flock.Close(), l.disk.Close())
}

// alive tells whether the process is still there. One of another host is taken to
// be.
func (h *Holder) alive() bool {
	if host, _ := os.Hostname(); host != h.Host {
		return true
	}
	process, err := os.FindProcess(h.PID)
	if err != nil || runtime.GOOS == "windows" { // there FindProcess itself finds no dead process
		return err == nil
	}
	err = process.Signal(syscall.Signal(0))
	return err == nil || errors.Is(err, syscall.EPERM)
}
