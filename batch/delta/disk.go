package delta

import (
	"io/fs"
	"os"

	"pushbatch/batch/runstore"
)

// FS is the file layer below a State on disk. Disk is the real one; tests put one in
// its place that fails.
type FS interface {
	OpenFile(name string, flag int, perm fs.FileMode) (runstore.File, error)
	Rename(oldName, newName string) error
	Remove(name string) error
	SyncDir(name string) error
}

// Disk is the operating system's file system.
type Disk struct{}

// OpenFile implements FS. It follows no link and waits for no pipe.
func (Disk) OpenFile(name string, flag int, perm fs.FileMode) (runstore.File, error) {
	f, err := runstore.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err // a nil *os.File must not become a File that is not nil
	}
	return f, nil
}

// Rename implements FS.
func (Disk) Rename(oldName, newName string) error { return os.Rename(oldName, newName) }

// Remove implements FS.
func (Disk) Remove(name string) error { return os.Remove(name) }

// SyncDir implements FS.
func (Disk) SyncDir(name string) error { return runstore.SyncDir(name) }
