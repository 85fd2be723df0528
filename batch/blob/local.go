package blob

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

type local struct{}

func (local) stat(_ context.Context, path string) (Info, error) {
	fi, err := os.Stat(path)
	if err != nil {
		return Info{}, err
	}
	return localInfo(path, fi)
}

// localInfo describes a file. Pipes and devices have no size that means
// anything.
func localInfo(path string, fi fs.FileInfo) (Info, error) {
	if fi.IsDir() {
		return Info{}, fmt.Errorf("open %s: it is a folder", path)
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return Info{}, err
	}
	in := Info{Location: path, URI: abs, Size: -1, Partitions: partitions(path)}
	if fi.Mode().IsRegular() {
		in.Size, in.ModTime = fi.Size(), fi.ModTime()
	}
	return in, nil
}

func (local) open(_ context.Context, in Info, offset int64) (io.ReadCloser, error) {
	f, err := openSame(in)
	if err != nil || !in.Rereadable() {
		return f, err
	}
	if _, err := f.Seek(offset, io.SeekStart); err != nil {
		f.Close()
		return nil, err
	}
	return &localReader{file: f, in: in, at: offset}, nil
}

func (local) openAt(_ context.Context, in Info) (ReaderAt, error) {
	f, err := openSame(in)
	if err != nil {
		return nil, err
	}
	return &localReader{file: f, in: in}, nil
}

// openSame opens the file and makes sure that it is the one in describes.
func openSame(in Info) (*os.File, error) {
	f, err := os.Open(in.URI)
	if err != nil {
		return nil, err
	}
	if err := unchanged(f, in); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

func unchanged(f *os.File, in Info) error {
	if !in.Rereadable() {
		return nil
	}
	fi, err := f.Stat()
	if err != nil {
		return err
	}
	if fi.Size() != in.Size {
		return fmt.Errorf("read %s: %w: it had %d bytes and has %d", in.Location, ErrChanged, in.Size, fi.Size())
	}
	if !fi.ModTime().Equal(in.ModTime) {
		return fmt.Errorf("read %s: %w: it was written again", in.Location, ErrChanged)
	}
	return nil
}

// localReader reads a regular file and holds what it reads against in.
type localReader struct {
	file *os.File
	in   Info
	at   int64 // of the next sequential byte
}

func (r *localReader) Read(p []byte) (int, error) {
	n, err := r.file.Read(p)
	r.at += int64(n)
	if r.at > r.in.Size || err == io.EOF {
		if changed := r.ended(); changed != nil {
			return 0, changed
		}
	}
	return n, err
}

// ended proves that the end of the file is the end of the input.
func (r *localReader) ended() error {
	if err := unchanged(r.file, r.in); err != nil {
		return err
	}
	if r.at != r.in.Size {
		return fmt.Errorf("read %s: %w: it ends at byte %d of %d", r.in.Location, ErrChanged, r.at, r.in.Size)
	}
	return nil
}

func (r *localReader) ReadAt(p []byte, off int64) (int, error) {
	n, err := r.file.ReadAt(p, off)
	if changed := unchanged(r.file, r.in); changed != nil {
		return 0, changed
	}
	return n, err
}

func (r *localReader) Close() error { return r.file.Close() }
