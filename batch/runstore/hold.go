package runstore

import (
	"context"
	"errors"
	"io/fs"
	"syscall"
	"time"

	"pushbatch/batch/blob"
)

// Options say how a location is held.
type Options struct {
	// Lease is how long a process that shows no life keeps a location in S3; it
	// shows life three times as often. Default 30 s.
	Lease time.Duration
	// Waiting is told when a location in S3 is held by a process that may be dead,
	// before its lease is waited for. May be nil.
	Waiting func(Holder, time.Duration)
	// Trust takes a folder on disk that another user owns or can write.
	Trust bool
}

// Holding keeps other processes out of a location.
type Holding struct {
	lock  *lock  // on disk
	lease *lease // in S3
}

// Hold keeps every other process out of a location until Release: a folder, which
// is made when it is not there and locked by the operating system (.lock in it),
// or an s3:// prefix, by a lease (lock.json below it). The lock of a process that
// dies is free at once, a lease after its length. The error is a *LockedError
// when another process has the location, a *TrustError for a folder that somebody
// else may have prepared.
//
//	held, err := runstore.Hold(ctx, location, runstore.Options{Lease: time.Minute})
//	defer held.Release()
//	held.WhenLost(cancel)  // of a context.WithCancelCause
//	if err := held.Check(); err != nil { … } // before what nobody else may do
func Hold(ctx context.Context, location string, o Options) (*Holding, error) {
	if blob.IsS3(location) {
		l, err := acquireLease(ctx, location, o)
		if err != nil {
			return nil, err
		}
		return &Holding{lease: l}, nil
	}
	d, err := makeDisk(location, o.Trust)
	if err != nil {
		return nil, err
	}
	l, err := acquireLock(d)
	if err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return &Holding{lock: l}, nil
}

// Check is nil while no other process can have taken the location. A lock on disk
// cannot be lost.
func (h *Holding) Check() error { return h.lease.check() }

// WhenLost calls stop, once, when the location is no longer held although it was
// not released: another process has taken it over (a *LockedError), or S3 could
// not be reached for so long that one may. It may be called several times.
func (h *Holding) WhenLost(stop func(error)) { h.lease.whenLost(stop) }

// Release lets the next process in.
func (h *Holding) Release() error {
	if h.lease != nil {
		return h.lease.release()
	}
	return h.lock.release()
}

// HolderOf tells who holds a location at the moment; ok is false when nobody does.
// It touches neither lock nor lease. The process of another host is taken to be
// alive.
func HolderOf(ctx context.Context, location string) (h Holder, ok bool) {
	if blob.IsS3(location) {
		record, object, err := readLease(ctx, location)
		return record.Holder, err == nil && !record.over(object.Age)
	}
	d, err := openDisk(location, true) // it is only looked at
	if err != nil {
		return h, false
	}
	defer d.Close()
	h = readHolder(d)
	return h, h.PID != 0 && h.alive()
}

// notThere makes no error of what is not there, or is a file where a folder is meant.
func notThere(err error) error {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return nil
	}
	return err
}
