package runstore

import (
	"errors"
	"fmt"
	"io"
	"os"

	"pushbatch/batch"
)

// appendBuffer is how many bytes an append file gathers before it writes them.
const appendBuffer = 64 << 10

// syncAhead is how many bytes are made durable at a time while more are written: a
// Flush that had to wait for all of a second stopped a dry run for a quarter of its time.
const syncAhead = 16 << 20

// AppendFile is a report that grows: NAME.part until it is published as NAME.
type AppendFile struct {
	folder *Folder
	name   string
	file   File // nil: nothing can be added
	buf    []byte
	size   int64      // bytes written and buffered
	synced int64      // bytes that are durable
	ahead  int64      // bytes that were written when a sync was begun last
	under  chan error // ends the sync that is under way; nil: none is
}

// OpenAppend opens a report at the length that a checkpoint vouches for, and
// cuts off what a crash left behind it. A report that was published when the
// run was stopped becomes a growing one again.
func OpenAppend(folder *Folder, name string, length int64) (*AppendFile, error) {
	part := name + PartSuffix
	if !folder.Exists(part) && folder.Exists(name) {
		if err := folder.publish(name, part); err != nil {
			return nil, fmt.Errorf("open report: %w", err)
		}
	}
	file, err := folder.fs.OpenFile(part, os.O_RDWR|os.O_CREATE, fileMode)
	if err != nil {
		return nil, fmt.Errorf("open report: %w", err)
	}
	a := &AppendFile{folder: folder, name: name, file: file, size: length, synced: -1, ahead: length}
	if err := a.cut(length); err != nil {
		return nil, errors.Join(fmt.Errorf("open report: %w", err), file.Close())
	}
	return a, nil
}

func (a *AppendFile) cut(length int64) error {
	end, err := a.file.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	if end < length {
		return fmt.Errorf("%s has %d bytes, but its checkpoint counts %d: it was cut or replaced",
			a.folder.Path(a.name+PartSuffix), end, length)
	}
	if err := a.file.Truncate(length); err != nil {
		return err
	}
	_, err = a.file.Seek(length, io.SeekStart)
	return err
}

// Grow lets add append to the buffer and writes it out when it is full.
func (a *AppendFile) Grow(add func(dst []byte) []byte) error {
	before := len(a.buf)
	a.buf = add(a.buf)
	a.size += int64(len(a.buf) - before)
	if len(a.buf) < appendBuffer {
		return nil
	}
	return a.write()
}

// Write implements io.Writer by Grow.
func (a *AppendFile) Write(p []byte) (int, error) {
	return len(p), a.Grow(func(dst []byte) []byte { return append(dst, p...) })
}

func (a *AppendFile) write() error {
	_, err := a.file.Write(a.buf)
	a.buf = a.buf[:0]
	if err != nil || a.size-a.ahead < syncAhead {
		return err
	}
	if err := a.settle(); err != nil {
		return err
	}
	under := make(chan error, 1)
	a.ahead, a.under = a.size, under
	batch.Go(a.file.Sync, func(err error) { under <- err })
	return nil
}

// settle waits for the sync that is under way.
func (a *AppendFile) settle() (err error) {
	if a.under != nil {
		err, a.under = <-a.under, nil
	}
	return err
}

// Abandon closes the file without publishing it.
func (a *AppendFile) Abandon() error {
	if a.file == nil {
		return nil
	}
	return errors.Join(a.settle(), a.file.Close())
}

// Flush makes everything durable and returns the file's length in bytes.
func (a *AppendFile) Flush() (int64, error) {
	if a.synced == a.size {
		return a.size, nil
	}
	if err := errors.Join(a.write(), a.settle(), a.file.Sync()); err != nil {
		return 0, err
	}
	a.synced, a.ahead = a.size, a.size
	return a.size, nil
}

// Close publishes the report under its name.
func (a *AppendFile) Close() error {
	_, err := a.Flush()
	if err = errors.Join(err, a.file.Close()); err != nil {
		return err
	}
	return a.folder.publish(a.name+PartSuffix, a.name)
}

// Name is the name that the report is published under.
func (a *AppendFile) Name() string { return a.name }

// Size is how many bytes the report has, those that are not written yet among
// them.
func (a *AppendFile) Size() int64 { return a.size }

// Complete is the report of a run that has ended: its length is known, and
// nothing can be added.
func Complete(folder *Folder, name string, length int64) *AppendFile {
	return &AppendFile{folder: folder, name: name, size: length, synced: length}
}

// Render publishes what render makes of the bytes of the report, which stay until
// RemovePart: a resumed run goes on with them.
func (a *AppendFile) Render(render func(to io.Writer, from io.Reader) error) error {
	_, err := a.Flush()
	if err = errors.Join(err, a.file.Close()); err != nil {
		return err
	}
	from, err := a.folder.fs.OpenFile(a.name+PartSuffix, os.O_RDONLY, 0)
	if err != nil {
		return err
	}
	defer from.Close()
	return a.folder.write(a.name, func(to io.Writer) error { return render(to, from) })
}

// RemovePart removes what Render was made of.
func (a *AppendFile) RemovePart() error { return a.folder.fs.Remove(a.name + PartSuffix) }
