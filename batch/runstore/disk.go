package runstore

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"runtime"
	"syscall"
)

// FS is the file layer below a run folder. Disk is the real one; tests put one
// in its place that fails or cuts every single call in turn.
type FS interface {
	// OpenFile opens a file as os.OpenFile does.
	OpenFile(name string, flag int, perm fs.FileMode) (File, error)
	// Rename replaces newName if it exists.
	Rename(oldName, newName string) error
	Remove(name string) error
	Stat(name string) (fs.FileInfo, error)
	MkdirAll(name string, perm fs.FileMode) error
	// SyncDir makes renames and new files in a folder survive a power loss.
	SyncDir(name string) error
}

// File is one open file of an FS.
type File interface {
	io.ReadWriteSeeker
	io.Closer
	// Sync makes what was written survive a power loss.
	Sync() error
	Truncate(size int64) error
}

// Disk is the operating system's file system.
type Disk struct{}

// OpenFile implements FS.
func (Disk) OpenFile(name string, flag int, perm fs.FileMode) (File, error) {
	f, err := os.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err // a nil *os.File must not become a File that is not nil
	}
	return f, nil
}

// Rename implements FS.
func (Disk) Rename(oldName, newName string) error { return os.Rename(oldName, newName) }

// Remove implements FS.
func (Disk) Remove(name string) error { return os.Remove(name) }

// Stat implements FS.
func (Disk) Stat(name string) (fs.FileInfo, error) { return os.Stat(name) }

// MkdirAll implements FS.
func (Disk) MkdirAll(name string, perm fs.FileMode) error { return os.MkdirAll(name, perm) }

// SyncDir implements FS. Windows cannot sync a folder and needs no such call;
// some network file systems refuse it with EINVAL.
func (Disk) SyncDir(name string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(name)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) {
		return err
	}
	return nil
}
