package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// Upload is bytes on their way to a location. Nothing is to be seen there
// before Commit. It is used by one goroutine.
type Upload interface {
	io.Writer
	// Commit publishes what was written, whole and durable, in place of what
	// was there. After an error nothing is published.
	Commit() error
	// Abort gives up: nothing is published and nothing is left behind. After
	// Commit it does nothing, so that it can be deferred.
	Abort() error
}

// Create begins to write a location: a path, in whose folder a temporary file
// is renamed at the end, or s3://bucket/key, by a multipart upload that takes
// no more than 32 MiB of memory. A folder that is missing is made, mode 0700;
// files have mode 0600.
func Create(ctx context.Context, location string) (Upload, error) {
	if strings.HasPrefix(location, s3Scheme) {
		return s3Of(ctx).create(ctx, location)
	}
	if scheme, _, found := strings.Cut(location, "://"); found || location == Stdin {
		return nil, fmt.Errorf("write %s: give a path or s3://BUCKET/KEY, not %s", location, scheme)
	}
	if err := os.MkdirAll(filepath.Dir(location), 0o700); err != nil {
		return nil, err
	}
	file, err := os.CreateTemp(filepath.Dir(location), "."+filepath.Base(location)+".*.tmp") // mode 0600
	if err != nil {
		return nil, err
	}
	return &localUpload{file: file, path: location}, nil
}

// localUpload writes a temporary file beside the one that it becomes.
type localUpload struct {
	file *os.File // nil: committed or aborted
	path string
}

func (u *localUpload) Write(p []byte) (int, error) { return u.file.Write(p) }

func (u *localUpload) Commit() error {
	file := u.file
	u.file = nil
	err := errors.Join(file.Sync(), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), u.path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	if dir, err := os.Open(filepath.Dir(u.path)); err == nil {
		_ = dir.Sync() // some systems cannot sync a folder
		_ = dir.Close()
	}
	return nil
}

func (u *localUpload) Abort() error {
	if u.file == nil {
		return nil
	}
	file := u.file
	u.file = nil
	return errors.Join(file.Close(), os.Remove(file.Name()))
}
