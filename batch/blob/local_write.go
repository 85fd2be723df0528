package blob

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/gofrs/flock"
)

const (
	fileMode   fs.FileMode = 0o600 // what is written may hold personal data
	folderMode fs.FileMode = 0o700
	// lockRetry is the time between two looks at a lock that another writer has.
	lockRetry = 20 * time.Millisecond
)

func (local) get(_ context.Context, path string) (Object, error) {
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() {
		return Object{}, fmt.Errorf("read %s: it is no file", path) // to open a pipe waits for its other end
	}
	if err != nil {
		return Object{}, err
	}
	f, err := os.Open(path)
	if err != nil {
		return Object{}, err
	}
	defer f.Close()
	data, err := readObject(f, path)
	return Object{Data: data, Version: ContentVersion(data), Age: max(0, time.Since(info.ModTime()))}, err
}

// readObject reads a small object to its end.
func readObject(r io.Reader, location string) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxObject+1))
	if err == nil && len(data) > maxObject {
		return data, tooLarge(location)
	}
	return data, err
}

func tooLarge(location string) error {
	return fmt.Errorf("read %s: it has more than %d MiB", location, maxObject>>20)
}

// ContentVersion names a content: a disk has no versions of its own.
func ContentVersion(data []byte) Version {
	sum := sha256.Sum256(data)
	return Version(hex.EncodeToString(sum[:16]))
}

func (s local) put(ctx context.Context, path string, data []byte, when Version) (Version, error) {
	u, err := s.create(ctx, path, CreateOptions{When: when})
	if err != nil {
		return "", err
	}
	if _, err := io.Copy(u, bytes.NewReader(data)); err != nil {
		return "", errors.Join(err, u.Abort())
	}
	return ContentVersion(data), u.Commit()
}

func (s local) create(ctx context.Context, path string, o CreateOptions) (Upload, error) {
	if o.When == AnyVersion || o.When == Absent { // a version that was read is in a folder, which may be on a disk that is gone
		if err := os.MkdirAll(filepath.Dir(path), folderMode); err != nil {
			return nil, err
		}
	}
	file, err := os.CreateTemp(filepath.Dir(path), tempName(path, o.Tag)+".*.tmp") // mode 0600
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("write %s: %w", path, ErrConflict)
	}
	if err != nil {
		return nil, err
	}
	return &localUpload{ctx: ctx, file: file, path: path, when: o.When}, nil
}

func tempName(path, tag string) string {
	name := "." + filepath.Base(path)
	if tag != "" {
		name += "." + tag
	}
	return name
}

// localUpload writes a temporary file beside the one that it becomes.
type localUpload struct {
	ctx      context.Context //nolint:containedctx // of create: Commit takes none
	file     *os.File        // nil: committed or aborted
	path     string
	when     Version
	finished bool // synced and closed
}

func (u *localUpload) Write(p []byte) (int, error) { return u.file.Write(p) }

func (u *localUpload) Finish() error {
	if u.finished {
		return nil
	}
	u.finished = true
	return errors.Join(u.file.Sync(), u.file.Close())
}

func (u *localUpload) Commit() error {
	err := u.Finish()
	file := u.file
	u.file = nil
	if err == nil {
		err = u.replace(file.Name())
	}
	if err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	_ = SyncFolder(filepath.Dir(u.path)) // it is published, and some systems cannot
	return nil
}

// replace renames the temporary file, under a lock when there is a condition: what
// was there must not change between the look at it and the renaming.
func (u *localUpload) replace(temp string) error {
	if u.when == AnyVersion {
		return os.Rename(temp, u.path)
	}
	lock := flock.New(filepath.Join(filepath.Dir(u.path), tempName(u.path, "lock")), flock.SetPermissions(fileMode))
	if _, err := lock.TryLockContext(u.ctx, lockRetry); err != nil {
		return fmt.Errorf("lock %s: %w", u.path, err)
	}
	defer lock.Close()
	is, err := VersionOf(u.ctx, u.path)
	if err != nil {
		return err
	}
	if is != u.when {
		return fmt.Errorf("write %s: %w", u.path, ErrConflict)
	}
	return os.Rename(temp, u.path)
}

// SyncFolder makes renames and new files in a folder survive a power loss. Windows
// cannot sync a folder and needs no such call; some network file systems refuse it
// with EINVAL.
func SyncFolder(path string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	defer dir.Close()
	if err := dir.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) {
		return err
	}
	return nil
}

func (u *localUpload) Abort() error {
	if u.file == nil {
		return nil
	}
	file := u.file
	u.file = nil
	var err error
	if !u.finished {
		err = file.Close()
	}
	return errors.Join(err, os.Remove(file.Name()))
}

func (local) names(ctx context.Context, folder string) ([]string, error) {
	var names []string
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case path == folder && errors.Is(err, fs.ErrNotExist):
			return nil
		case path == folder && err == nil && !d.IsDir():
			return fmt.Errorf("%s: it is a file: a folder was expected", folder)
		case err != nil || d.IsDir():
			return err
		}
		name, err := filepath.Rel(folder, path)
		names = append(names, filepath.ToSlash(name))
		return err
	})
	return names, err
}

func (local) remove(_ context.Context, folder string, names []string) error {
	for _, name := range names {
		path := filepath.Join(folder, filepath.FromSlash(name))
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		for dir := filepath.Dir(path); len(dir) > len(filepath.Clean(folder)); dir = filepath.Dir(dir) {
			if os.Remove(dir) != nil {
				break // it is not empty
			}
		}
	}
	_ = SyncFolder(folder) // which may not be there
	return nil
}

// Leftovers removes what uploads to a path with a tag left behind that were
// neither committed nor given up, because their process died. S3 keeps such
// parts out of sight until a rule of the bucket removes them.
func Leftovers(location, tag string) (err error) {
	if IsS3(location) {
		return nil
	}
	folder := filepath.Dir(location)
	entries, _ := os.ReadDir(folder) // where there is no folder nothing is left
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), tempName(location, tag)+".") && strings.HasSuffix(e.Name(), ".tmp") {
			err = errors.Join(err, os.Remove(filepath.Join(folder, e.Name())))
		}
	}
	return err
}
