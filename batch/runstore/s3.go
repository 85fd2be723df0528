package runstore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"pushbatch/batch/blob"
)

func createS3(ctx context.Context, location string, o Options) (*Folder, error) {
	return holdS3(ctx, location, o, func(m *mirror) error {
		if _, err := blob.Get(ctx, m.at(JobFile)); err == nil {
			return fmt.Errorf("%s: %w", location, ErrRunExists)
		} else if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return m.begin(ctx)
	})
}

func openS3(ctx context.Context, location string, o Options) (*Folder, error) {
	if _, err := blob.Get(ctx, blob.Join(location, JobFile)); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("%s: %w", location, ErrNoRun)
		}
		return nil, err
	}
	return holdS3(ctx, location, o, func(m *mirror) error { return m.restore(ctx) })
}

// holdS3 takes the lease and then prepares the folder.
func holdS3(ctx context.Context, location string, o Options, prepare func(*mirror) error) (*Folder, error) {
	f, err := spoolFolder(ctx, location)
	if err != nil {
		return nil, err
	}
	if f.hold, err = Hold(ctx, location, o); err == nil {
		f.remote.lease = f.hold.lease
		f.hold.WhenLost(f.remote.abandon) // what is under way in S3 is given up
		err = prepare(f.remote)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func viewS3(ctx context.Context, location string) (*Folder, error) {
	f, err := spoolFolder(ctx, location)
	if err != nil {
		return nil, err
	}
	if err = f.remote.fetch(ctx, JobFile, SummaryFile); err == nil {
		var point remotePoint
		if point, _, err = f.remote.load(ctx); err == nil && point.Checkpoint != nil {
			err = f.remote.spool.WriteJSON(CheckpointFile, point.Checkpoint)
		}
	}
	if notThere(err) != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func spoolFolder(ctx context.Context, location string) (*Folder, error) {
	temp, err := NewSpool()
	if err != nil {
		return nil, err
	}
	dir := temp.Path
	d, err := openDisk(dir, false)
	if err != nil {
		return nil, errors.Join(err, temp.Remove())
	}
	m := &mirror{
		location: blob.Join(location, ""), spool: &Folder{fs: d, path: dir}, temp: temp, sizes: defaultSegments,
		reports: make(map[string]*mirroredReport),
	}
	m.ctx, m.abandon = context.WithCancelCause(context.WithoutCancel(ctx))
	return &Folder{fs: d, path: dir, remote: m}, nil
}
