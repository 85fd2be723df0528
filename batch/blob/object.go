package blob

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Version is one state of an object, as its store names it, or a condition on it.
type Version string

// Conditions that are no version of their own.
const (
	AnyVersion Version = ""  // no condition
	Absent     Version = "*" // there is no such object
)

// maxObject is the most bytes that Get reads, whatever a store says of the size.
const maxObject = 64 << 20

// ErrConflict says that an object is not in the state a conditional write asked
// for: another process has written it.
var ErrConflict = errors.New("the object was written by another process")

// Object is a small object, whole.
type Object struct {
	Data    []byte
	Version Version
	Age     time.Duration // since it was written, by the store's clock, to the second
}

// IsS3 tells whether a location lies in S3.
func IsS3(location string) bool { return strings.HasPrefix(location, s3Scheme) }

// Join is the location of a file below a folder or an S3 prefix; that of "" is the
// folder's.
func Join(folder, name string) string {
	if !IsS3(folder) {
		return filepath.Join(folder, filepath.FromSlash(name))
	}
	return strings.TrimRight(strings.TrimRight(folder, "/")+"/"+name, "/")
}

// Get reads a whole object of at most 64 MiB. The error is fs.ErrNotExist when it is
// not there. An object that is replaced meanwhile is read as it was or as it is.
func Get(ctx context.Context, location string) (Object, error) {
	return in(ctx, location, func(s store) (Object, error) { return s.get(ctx, location) })
}

// Put writes a small object, whole and durable, if what is there is of the given
// version, and returns its new one. The error is ErrConflict when it is not: of
// several processes that write over the same version one succeeds. Folders that are
// missing are made, mode 0700; files have mode 0600. On disk a lock file beside the
// object (.NAME.lock) keeps writers apart; in S3 a condition that fails only because
// an earlier try of this very call was successful counts as met, which the content
// tells: it must be unique.
func Put(ctx context.Context, location string, data []byte, when Version) (Version, error) {
	return in(ctx, location, func(s store) (Version, error) { return s.put(ctx, location, data, when) })
}

// VersionOf is what an object is now: Absent when it is not there.
func VersionOf(ctx context.Context, location string) (Version, error) {
	info, err := Stat(ctx, location)
	version := Version(info.ETag)
	if err == nil && version == "" { // a disk names no versions: the content does
		var object Object
		object, err = Get(ctx, location)
		version = object.Version
	}
	if errors.Is(err, fs.ErrNotExist) {
		return Absent, nil
	}
	return version, err
}

// Names lists every file below a folder or an S3 prefix, those that begin with
// "_" or "." too, relative to it and with slashes, in no order that counts.
// There may be none, and no folder.
func Names(ctx context.Context, folder string) ([]string, error) {
	return in(ctx, folder, func(s store) ([]string, error) { return s.names(ctx, folder) })
}

// RemoveBelow removes files below a folder or an S3 prefix, and the folders
// below it that are empty then. Those that are not there do not matter.
func RemoveBelow(ctx context.Context, folder string, names []string) error {
	s, err := storeFor(ctx, folder)
	if err != nil {
		return err
	}
	for _, name := range names {
		if !filepath.IsLocal(filepath.FromSlash(name)) {
			return fmt.Errorf("remove %s: it is not below %s", name, folder)
		}
	}
	return s.remove(ctx, folder, names)
}

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

// CreateOptions say how a location is written.
type CreateOptions struct {
	// When is what must be there at Commit, which fails with ErrConflict else. In S3
	// it may fail so although this very call was successful: that it was can get lost
	// on the way back.
	When Version
	// Tag stands in the name of the temporary file, by which Leftovers finds it when
	// the process died.
	Tag string
	// Parts is told of a multipart upload that has begun in S3, before any part is
	// sent; an error ends the upload. AbortParts gives it up when the process died.
	Parts func(uploadID string) error
}

// Create begins to write a location: a path, in whose folder a temporary file
// is renamed at the end, or s3://bucket/key, by a multipart upload that takes
// no more than 32 MiB of memory. A folder that is missing is made, mode 0700;
// files have mode 0600.
func Create(ctx context.Context, location string) (Upload, error) {
	return CreateWith(ctx, location, CreateOptions{})
}

// CreateWith is Create with options.
func CreateWith(ctx context.Context, location string, o CreateOptions) (Upload, error) {
	if location == Stdin {
		return nil, errors.New("write -: give a path or s3://BUCKET/KEY")
	}
	return in(ctx, location, func(s store) (Upload, error) { return s.create(ctx, location, o) })
}

// Copy writes what a reader has to a location, whole or not at all.
func Copy(ctx context.Context, location string, from io.Reader, o CreateOptions) error {
	u, err := CreateWith(ctx, location, o)
	if err != nil {
		return err
	}
	if _, err := io.Copy(u, from); err != nil {
		return errors.Join(err, u.Abort())
	}
	return u.Commit()
}

// CopyFile writes a file of this machine to a location, whole or not at all.
func CopyFile(ctx context.Context, path, location string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	return Copy(ctx, location, file, CreateOptions{})
}

// PutJSON writes a value as indented JSON to a location, whole or not at all.
func PutJSON(ctx context.Context, location string, v any) error {
	data, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	return Copy(ctx, location, bytes.NewReader(append(data, '\n')), CreateOptions{})
}

// maxJSON bounds what GetJSON decodes, in bytes.
const maxJSON = 16 << 20

// ErrNoJSON says that what is at a location is not what GetJSON was to read.
var ErrNoJSON = errors.New("it is not the JSON that was expected")

// GetJSON reads a value of at most 16 MiB of JSON. The error is fs.ErrNotExist when
// nothing is there.
func GetJSON(ctx context.Context, location string, v any) error {
	object, err := Get(ctx, location)
	if err != nil {
		return err
	}
	if len(object.Data) > maxJSON {
		return fmt.Errorf("read %s: it has more than %d MiB", location, maxJSON>>20)
	}
	if err := json.Unmarshal(object.Data, v); err != nil {
		return fmt.Errorf("read %s: %w (%w)", location, ErrNoJSON, err)
	}
	return nil
}

// Download appends an object's bytes to w and returns how many. One that has more than
// most is refused before any of it is read.
func Download(ctx context.Context, location string, w io.Writer, most int64) (int64, error) {
	in, err := Stat(ctx, location)
	if err == nil && in.Size > most {
		err = fmt.Errorf("read %s: it has %d bytes, where at most %d were expected", location, in.Size, most)
	}
	if err != nil {
		return 0, err
	}
	r, err := Open(ctx, in, 0)
	if err != nil {
		return 0, err
	}
	defer r.Close()
	return io.Copy(w, r)
}
