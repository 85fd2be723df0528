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
	// Finish says that all is written, some time before Commit. A file is durable
	// then, and no handle is held for it any more.
	Finish() error
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
	return CreateTagged(ctx, location, "")
}

// CreateTagged is Create with a tag in the name of the temporary file, by which
// Leftovers finds it when the process died.
func CreateTagged(ctx context.Context, location, tag string) (Upload, error) {
	if strings.HasPrefix(location, s3Scheme) {
		return s3Of(ctx).create(ctx, location)
	}
	if scheme, _, found := strings.Cut(location, "://"); found || location == Stdin {
		return nil, fmt.Errorf("write %s: give a path or s3://BUCKET/KEY, not %s", location, scheme)
	}
	if err := os.MkdirAll(filepath.Dir(location), 0o700); err != nil {
		return nil, err
	}
	file, err := os.CreateTemp(filepath.Dir(location), tempName(location, tag)+".*.tmp") // mode 0600
	if err != nil {
		return nil, err
	}
	return &localUpload{file: file, path: location}, nil
}

func tempName(location, tag string) string {
	name := "." + filepath.Base(location)
	if tag != "" {
		name += "." + tag
	}
	return name
}

// localUpload writes a temporary file beside the one that it becomes.
type localUpload struct {
	file     *os.File // nil: committed or aborted
	path     string
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
		err = os.Rename(file.Name(), u.path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	syncFolder(filepath.Dir(u.path))
	return nil
}

// syncFolder makes the names in a folder durable, where the system can.
func syncFolder(path string) {
	if dir, err := os.Open(path); err == nil {
		_ = dir.Sync() // some systems cannot sync a folder
		_ = dir.Close()
	}
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
