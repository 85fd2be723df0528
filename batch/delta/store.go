package delta

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"pushbatch/batch/blob"
	"pushbatch/batch/runstore"
)

// Store is where a State lies. Names are relative to it.
type Store interface {
	// Location is a name's place as users know it; that of "" is the State's.
	Location(name string) string
	// Get reads a small file and what version of it. The error is fs.ErrNotExist
	// when it is not there.
	Get(ctx context.Context, name string) ([]byte, blob.Version, error)
	// Put replaces a small file, atomically and durably, when it is of the given
	// version, and returns its new one; else it is blob.ErrConflict.
	Put(ctx context.Context, name string, data []byte, when blob.Version) (blob.Version, error)
	// Publish gives a finished file on disk its name in the store, durably. The
	// file may be moved.
	Publish(ctx context.Context, path, name string) error
	// Fetch brings a file onto this machine, into folder where it is not there
	// anyway, and returns its path. One that is larger than it should be is not read.
	Fetch(ctx context.Context, f *File, folder string) (path string, err error)
	// Folder is where files that are to be published are made: on the store's disk
	// if it has one, else the folder given.
	Folder(other string) string
	// List names every file.
	List(ctx context.Context) ([]string, error)
	Remove(ctx context.Context, names ...string) error
}

// localStore is a folder. Whoever writes holds its lock.
type localStore struct {
	fs     FS
	folder string
}

// LocalStore is the store in a folder, which is made when something is written.
func LocalStore(fsys FS, folder string) Store { return &localStore{fsys, folder} }

func (s *localStore) path(name string) string     { return filepath.Join(s.folder, name) }
func (s *localStore) Location(name string) string { return s.path(name) }
func (s *localStore) Folder(string) string        { return s.folder }

func (s *localStore) Get(_ context.Context, name string) ([]byte, blob.Version, error) {
	file, err := s.fs.OpenFile(s.path(name), os.O_RDONLY, 0)
	if err != nil {
		return nil, "", err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxPointer))
	return data, blob.ContentVersion(data), err
}

func (s *localStore) Put(ctx context.Context, name string, data []byte, when blob.Version) (blob.Version, error) {
	_, is, err := s.Get(ctx, name)
	if errors.Is(err, fs.ErrNotExist) {
		is, err = blob.Absent, nil
	}
	if err == nil && when != blob.AnyVersion && is != when {
		err = fmt.Errorf("write %s: %w", s.path(name), blob.ErrConflict)
	}
	if err != nil {
		return "", err
	}
	if err := s.writeSynced(s.path(name+tempSuffix), data); err != nil {
		return "", fmt.Errorf("write %s: %w", s.path(name), err)
	}
	return blob.ContentVersion(data), s.Publish(ctx, s.path(name+tempSuffix), name)
}

func (s *localStore) writeSynced(path string, data []byte) error {
	_ = s.fs.Remove(path) // of a run that has died
	file, err := s.fs.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fileMode)
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	if err == nil {
		err = file.Sync()
	}
	return errors.Join(err, file.Close())
}

// Publish renames: the file was made in the store's own folder, and synced.
func (s *localStore) Publish(_ context.Context, path, name string) error {
	err := s.fs.Rename(path, s.path(name))
	if err == nil {
		err = s.fs.SyncDir(s.folder)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", s.path(name), err)
	}
	return nil
}

func (s *localStore) Fetch(_ context.Context, f *File, _ string) (string, error) {
	return s.path(f.Name), nil
}

func (s *localStore) List(context.Context) (names []string, err error) {
	entries, err := os.ReadDir(s.folder)
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return names, err
}

func (s *localStore) Remove(_ context.Context, names ...string) (all error) {
	for _, name := range names {
		if err := s.fs.Remove(s.path(name)); !errors.Is(err, fs.ErrNotExist) {
			all = errors.Join(all, err)
		}
	}
	return all
}

// remoteStore is a prefix in S3. Writes are conditional: a process that has lost
// its lease cannot replace what another one wrote.
type remoteStore string

// RemoteStore is the store below a prefix in S3.
func RemoteStore(location string) Store { return remoteStore(location) }

func (s remoteStore) Location(name string) string { return blob.Join(string(s), name) }
func (s remoteStore) Folder(other string) string  { return other }

func (s remoteStore) Get(ctx context.Context, name string) ([]byte, blob.Version, error) {
	object, err := blob.Get(ctx, s.Location(name))
	return object.Data, object.Version, err
}

func (s remoteStore) Put(ctx context.Context, name string, data []byte, when blob.Version) (blob.Version, error) {
	return blob.Put(ctx, s.Location(name), data, when)
}

func (s remoteStore) Publish(ctx context.Context, path, name string) error {
	return blob.CopyFile(ctx, path, s.Location(name))
}

func (s remoteStore) Fetch(ctx context.Context, f *File, folder string) (string, error) {
	path := filepath.Join(folder, f.Name)
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, fileMode)
	if err != nil {
		return "", err
	}
	_, err = blob.Download(ctx, s.Location(f.Name), file, f.Size)
	return path, errors.Join(err, file.Close())
}

func (s remoteStore) List(ctx context.Context) ([]string, error) { return blob.Names(ctx, string(s)) }

func (s remoteStore) Remove(ctx context.Context, names ...string) error {
	return blob.RemoveBelow(ctx, string(s), names)
}

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
func (Disk) SyncDir(name string) error { return blob.SyncFolder(name) }
