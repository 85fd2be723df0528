package runstore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"pushbatch/batch/blob"
)

// S3Options say how a run in S3 is held.
type S3Options struct {
	// Lease is how long a process that shows no life keeps the run; it shows
	// life three times as often. Default 30 s.
	Lease time.Duration
	// Waiting is told when the run is held by a process that may be dead, before
	// its lease is waited for. May be nil.
	Waiting func(Holder, time.Duration)
}

// spoolFS is the disk below a run in S3. What is durable lies there, not here:
// nothing is synced.
type spoolFS struct{ Disk }

type spoolFile struct{ File }

func (spoolFile) Sync() error { return nil }

// SyncDir implements FS.
func (spoolFS) SyncDir(string) error { return nil }

// OpenFile implements FS.
func (s spoolFS) OpenFile(name string, flag int, perm fs.FileMode) (File, error) {
	f, err := s.Disk.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	return spoolFile{f}, nil
}

// CreateS3Folder makes a prefix the folder of a new run and takes its lease;
// the rest is as with CreateFolder. Files grow in a temporary folder; every
// checkpoint brings what they grew by to S3, every published file goes there
// whole. Close removes the temporary folder.
func CreateS3Folder(ctx context.Context, location string, o S3Options) (*Folder, error) {
	return holdS3Folder(ctx, location, o, func(m *mirror) error {
		if _, err := m.objects.Get(ctx, JobFile); err == nil {
			return fmt.Errorf("%s: %w", location, ErrRunExists)
		} else if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return m.begin(ctx)
	})
}

// OpenS3Folder takes the lease of a run in S3, to go on with it: the files are
// rebuilt as its checkpoint says. The rest is as with OpenFolder.
func OpenS3Folder(ctx context.Context, location string, o S3Options) (*Folder, error) {
	objects, err := blob.OpenObjects(ctx, location)
	if err != nil {
		return nil, err
	}
	if _, err := objects.Get(ctx, JobFile); err != nil {
		return nil, noRun(location, err)
	}
	return holdS3Folder(ctx, location, o, func(m *mirror) error { return m.restore(ctx) })
}

func noRun(location string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s: %w", location, ErrNoRun)
	}
	return err
}

// holdS3Folder takes the lease and then prepares the folder.
func holdS3Folder(ctx context.Context, location string, o S3Options, prepare func(*mirror) error) (*Folder, error) {
	f, err := spoolFolder(ctx, location)
	if err != nil {
		return nil, err
	}
	if f.remote.lease, err = acquireLease(ctx, f.remote, o); err == nil {
		err = prepare(f.remote)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// ViewS3Folder looks at a run in S3 without holding it, as of now. Close it.
func ViewS3Folder(ctx context.Context, location string) (*Folder, error) {
	f, err := spoolFolder(ctx, location)
	if err != nil {
		return nil, err
	}
	if err := f.remote.fetch(ctx, JobFile, SummaryFile); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	point, _, err := f.remote.load(ctx)
	if err == nil && point.Checkpoint != nil {
		err = f.remote.spoolJSON(CheckpointFile, point.Checkpoint)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func spoolFolder(ctx context.Context, location string) (*Folder, error) {
	objects, err := blob.OpenObjects(ctx, location)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "pushbatch-run-*") // mode 0700
	if err != nil {
		return nil, fmt.Errorf("create the spool folder of %s (TMPDIR chooses another place): %w", location, err)
	}
	m := &mirror{objects: objects, spool: dir, sizes: defaultSegments, reports: make(map[string]*mirroredReport)}
	m.ctx, m.abandon = context.WithCancelCause(context.WithoutCancel(ctx))
	return &Folder{fs: spoolFS{}, path: dir, remote: m}, nil
}

// WhenLost calls stop, once, when the run is no longer held by this process
// although it was not closed: another one has taken it over (a *LockedError),
// or S3 could not be reached for so long that one may. Only runs in S3 can be
// lost.
func (f *Folder) WhenLost(stop func(error)) {
	if f.remote != nil {
		f.remote.lease.whenLost(stop)
	}
}

// Lost is why the run is no longer held; nil while it is.
func (f *Folder) Lost() error {
	if f.remote == nil {
		return nil
	}
	return f.remote.check()
}

// LocalFile is where a published file lies on this machine.
func (f *Folder) LocalFile(name string) string { return filepath.Join(f.path, name) }
