package delta

import (
	"io"
	"io/fs"
	"os"
)

// FS is temporary.
type FS interface {
	OpenFile(name string, flag int, perm fs.FileMode) (File2, error)
	Rename(oldName, newName string) error
	Remove(name string) error
	Stat(name string) (fs.FileInfo, error)
	MkdirAll(name string, perm fs.FileMode) error
	SyncDir(name string) error
}
type File2 interface {
	io.ReadWriteSeeker
	io.Closer
	Sync() error
	Truncate(size int64) error
}
type Disk struct{}

func (Disk) OpenFile(name string, flag int, perm fs.FileMode) (File2, error) {
	f, err := os.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	return f, nil
}
func (Disk) Rename(oldName, newName string) error         { return os.Rename(oldName, newName) }
func (Disk) Remove(name string) error                     { return os.Remove(name) }
func (Disk) Stat(name string) (fs.FileInfo, error)        { return os.Stat(name) }
func (Disk) MkdirAll(name string, perm fs.FileMode) error { return os.MkdirAll(name, perm) }
func (Disk) SyncDir(name string) error {
	d, err := os.Open(name)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
