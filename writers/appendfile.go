package writers

import (
	"errors"
	"fmt"
	"io"
	"os"
)

const (
	// appendBuffer is how many bytes an append file gathers before it writes them.
	appendBuffer = 64 << 10
	// syncBesideEvery is after how many bytes what was written is made durable
	// beside the writing: a flush, which all rows wait for, then has little to do.
	syncBesideEvery = 8 << 20
)

// appendFile is a report that grows: NAME.part until it is published as NAME.
type appendFile struct {
	folder *Folder
	name   string
	file   File
	buf    []byte
	size   int64 // bytes written and buffered
	synced int64 // bytes that are durable

	unsynced int64      // bytes written since the last sync began
	syncing  chan error // what came of a sync beside the writing; nil: none is under way
}

// openAppend opens a report at the length that a checkpoint vouches for, and
// cuts off what a crash left behind it. A report that was published when the
// run was stopped becomes a growing one again.
func openAppend(folder *Folder, name string, length int64) (*appendFile, error) {
	part := name + PartSuffix
	if !folder.Exists(part) && folder.Exists(name) {
		if err := folder.publish(folder.file(name), folder.file(part)); err != nil {
			return nil, fmt.Errorf("open report: %w", err)
		}
	}
	file, err := folder.fs.OpenFile(folder.file(part), os.O_RDWR|os.O_CREATE, fileMode)
	if err != nil {
		return nil, fmt.Errorf("open report: %w", err)
	}
	a := &appendFile{folder: folder, name: name, file: file, size: length, synced: -1, buf: make([]byte, 0, appendBuffer+4096)}
	if err := a.cut(length); err != nil {
		return nil, errors.Join(fmt.Errorf("open report: %w", err), file.Close())
	}
	return a, nil
}

func (a *appendFile) cut(length int64) error {
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

// grow lets add append to the buffer and writes it out when it is full.
func (a *appendFile) grow(add func(dst []byte) []byte) error {
	before := len(a.buf)
	a.buf = add(a.buf)
	a.size += int64(len(a.buf) - before)
	if len(a.buf) < appendBuffer {
		return nil
	}
	return a.write()
}

func (a *appendFile) write() error {
	n, err := a.file.Write(a.buf)
	a.buf = a.buf[:0]
	if a.unsynced += int64(n); err != nil || a.unsynced < syncBesideEvery {
		return err
	}
	return a.syncBeside()
}

// syncBeside begins to make durable what was written, unless that is under way.
// The goroutine belongs to a and is waited for by the next flush, or by abandon.
func (a *appendFile) syncBeside() error {
	select {
	case err := <-a.syncing:
		a.syncing = nil
		if err != nil {
			return err
		}
	default:
		if a.syncing != nil {
			return nil
		}
	}
	done := make(chan error, 1)
	a.syncing, a.unsynced = done, 0
	go func() { done <- a.file.Sync() }()
	return nil
}

// syncEnd waits for a sync beside the writing.
func (a *appendFile) syncEnd() (err error) {
	if a.syncing != nil {
		err = <-a.syncing
		a.syncing = nil
	}
	return err
}

// abandon closes the file without publishing it.
func (a *appendFile) abandon() error { return errors.Join(a.syncEnd(), a.file.Close()) }

// flush makes everything durable and returns the file's length.
func (a *appendFile) flush() (int64, error) {
	if a.synced == a.size {
		return a.size, nil
	}
	if err := errors.Join(a.write(), a.syncEnd(), a.file.Sync()); err != nil {
		return 0, err
	}
	a.synced, a.unsynced = a.size, 0
	return a.size, nil
}

// close publishes the report under its name.
func (a *appendFile) close() error {
	_, err := a.flush()
	if err = errors.Join(err, a.file.Close()); err != nil {
		return err
	}
	return a.folder.publish(a.folder.file(a.name+PartSuffix), a.folder.file(a.name))
}
