package runstore

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"pushbatch/batch/blob"
)

// FS is the file layer of one folder: names have no separator. The real one is a
// folder of the operating system; tests put one in its place that fails or cuts
// every single call in turn.
type FS interface {
	// OpenFile opens a file as os.OpenFile does, but no link and nothing that is no
	// regular file.
	OpenFile(name string, flag int, perm fs.FileMode) (File, error)
	// Rename replaces newName if it exists.
	Rename(oldName, newName string) error
	Remove(name string) error
	Stat(name string) (fs.FileInfo, error)
	// Names lists the folder.
	Names() ([]string, error)
	// SyncDir makes renames and new files survive a power loss.
	SyncDir() error
	Close() error
}

// File is one open file of an FS.
type File interface {
	io.ReadWriteSeeker
	io.Closer
	// Sync makes what was written survive a power loss.
	Sync() error
	Truncate(size int64) error
}

// disk is a folder of the operating system. Everything is reached through an
// os.Root: whatever a name says, it leads to nothing outside.
type disk struct {
	root  *os.Root // nil: the folder is not there
	path  string
	trust bool
}

// openDisk opens a folder that is there and that nobody else can have prepared,
// unless trust says that this does not matter. The error is fs.ErrNotExist or a
// *TrustError.
func openDisk(path string, trust bool) (*disk, error) {
	root, err := openRoot(path)
	if err != nil {
		return &disk{path: path}, err
	}
	d := &disk{root: root, path: path, trust: trust}
	info, err := root.Stat(".")
	if err == nil && !trust {
		err = checkFolder(path, info)
	}
	if err == nil {
		err = d.checkEntries()
	}
	if err != nil {
		return nil, errors.Join(err, root.Close())
	}
	return d, nil
}

// openRoot opens a folder. With the separator behind it a pipe is refused, where the
// opening would wait for its other end.
func openRoot(path string) (*os.Root, error) {
	return os.OpenRoot(filepath.Clean(path) + string(filepath.Separator))
}

// checkEntries refuses a folder in which links, pipes or devices lie: what is opened
// there by its path would lead elsewhere, or wait for ever.
func (d *disk) checkEntries() error {
	entries, err := fs.ReadDir(d.root.FS(), ".")
	for _, e := range entries {
		if !e.IsDir() && !e.Type().IsRegular() {
			return &TrustError{Path: filepath.Join(d.path, e.Name()), Reason: "is no regular file"}
		}
	}
	return err
}

// OpenFile opens a file as os.OpenFile does, but over no link and nothing that is no
// regular file: a *TrustError.
func OpenFile(path string, flag int, perm fs.FileMode) (*os.File, error) {
	root, err := openRoot(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	d := &disk{root: root, path: filepath.Dir(path), trust: true}
	f, err := d.open(filepath.Base(path), flag, perm)
	return f, errors.Join(err, d.Close())
}

// makeDisk opens a folder, which is made when it is not there.
func makeDisk(path string, trust bool) (*disk, error) {
	if err := os.MkdirAll(path, folderMode); err != nil {
		return nil, err
	}
	return openDisk(path, trust)
}

func (d *disk) OpenFile(name string, flag int, perm fs.FileMode) (File, error) {
	f, err := d.open(name, flag, perm)
	if err != nil {
		return nil, err // a nil *os.File must not become a File that is not nil
	}
	return f, nil
}

func (d *disk) open(name string, flag int, perm fs.FileMode) (*os.File, error) {
	if err := d.check("open", name); err != nil {
		return nil, err
	}
	f, err := d.root.OpenFile(name, flag|noBlock, perm)
	if err != nil {
		return nil, err
	}
	if err := d.checkOpened(f, name, flag); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// checkOpened refuses what was reached over a link and what is no file of ours. A
// file that others could write, of an earlier version or another program, can be
// written by its owner only from now on.
func (d *disk) checkOpened(f *os.File, name string, flag int) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	entry, err := d.root.Lstat(name)
	if err != nil {
		return err
	}
	path := filepath.Join(d.path, name)
	if !os.SameFile(info, entry) {
		return &TrustError{Path: path, Reason: "is a link"}
	}
	if err := checkFile(path, info, d.trust); err != nil {
		return err
	}
	if flag&(os.O_WRONLY|os.O_RDWR) != 0 && info.Mode().Perm()&othersWrite != 0 {
		return f.Chmod(info.Mode().Perm() &^ othersWrite)
	}
	return nil
}

// check refuses names that are more than a name, and all where there is no folder.
func (d *disk) check(op string, names ...string) error {
	for _, name := range names {
		if d.root == nil {
			return &fs.PathError{Op: op, Path: filepath.Join(d.path, name), Err: fs.ErrNotExist}
		}
		if !isName(name) {
			return &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
		}
	}
	return nil
}

// isName tells a plain name of a file from what could lead elsewhere.
func isName(name string) bool { return filepath.IsLocal(name) && !strings.ContainsAny(name, `/\:`) }

func (d *disk) Rename(oldName, newName string) error {
	if err := d.check("rename", oldName, newName); err != nil {
		return err
	}
	return d.root.Rename(oldName, newName)
}

func (d *disk) Remove(name string) error {
	if err := d.check("remove", name); err != nil {
		return err
	}
	return d.root.Remove(name)
}

// Stat tells of a link itself, not of what it leads to.
func (d *disk) Stat(name string) (fs.FileInfo, error) {
	if err := d.check("stat", name); err != nil {
		return nil, err
	}
	return d.root.Lstat(name)
}

func (d *disk) Names() ([]string, error) {
	if err := d.check("list", "."); err != nil {
		return nil, err
	}
	dir, err := d.root.Open(".")
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	return dir.Readdirnames(-1)
}

func (d *disk) SyncDir() error { return blob.SyncFolder(d.path) }

func (d *disk) Close() error {
	if d.root == nil {
		return nil
	}
	return d.root.Close()
}
