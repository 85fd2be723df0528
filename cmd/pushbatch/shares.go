package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"pushbatch/apiclient"
	"pushbatch/batch"
	"pushbatch/batch/blob"
	"pushbatch/writers/console"
	"pushbatch/writers/report"
)

// blobShares keeps the record of shares in a file or an S3 object. It is used by one
// goroutine.
type blobShares struct {
	location string
	found    bool // the record was there
}

// Update implements apiclient.ShareStore by writing over the version that was
// read.
func (b *blobShares) Update(ctx context.Context, change func([]byte) ([]byte, error)) error {
	for {
		data, version, err := b.read(ctx)
		if err != nil {
			return err
		}
		if data, err = change(data); err != nil || data == nil {
			return err
		}
		if _, err = blob.Put(ctx, b.location, data, version); !errors.Is(err, blob.ErrConflict) {
			return err
		}
		select {
		case <-time.After(rand.N(100 * time.Millisecond)): // another was quicker
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func (b *blobShares) read(ctx context.Context) ([]byte, blob.Version, error) {
	object, err := blob.Get(ctx, b.location)
	switch {
	case err == nil:
		b.found = true
	case errors.Is(err, fs.ErrNotExist):
		if b.found && !blob.IsS3(b.location) {
			if _, err := os.Stat(filepath.Dir(b.location)); err != nil { // gone: a disk that is not mounted any more, on which no new record is begun
				return nil, "", err
			}
		}
		return nil, blob.Absent, nil
	}
	return object.Data, object.Version, err
}

// checkShares refuses a --share-limit that is no record of shares, or cannot be
// read.
func (x *execution) checkShares(ctx context.Context) error {
	location := x.flags.shareLimit
	if location == "" {
		return nil
	}
	data, _, err := (&blobShares{location: location}).read(ctx)
	if err == nil {
		err = apiclient.CheckShares(data)
	}
	return refuse(err != nil, "--share-limit %s: %w", location, err)
}

// keepShares keeps this process's share of the limit until the returned function
// gives it back.
func (x *execution) keepShares(ctx context.Context, cancel context.CancelCauseFunc) (end func()) {
	client := cmp.Or(x.client, x.reader)
	if client == nil || x.flags.shareLimit == "" {
		return func() {}
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(ctx)) // what is under way at a stop still needs it
	done := make(chan struct{})
	batch.Go(func() error { return client.KeepShares(ctx) }, func(err error) { // with end
		defer close(done)
		if err != nil {
			cancel(fmt.Errorf("--share-limit %s: %w", x.flags.shareLimit, err))
		}
	})
	return func() { stop(); <-done }
}

// shareOf is what a run has of a limit that it shares; nil: it does not.
func (x *execution) shareOf() *report.Share {
	if x.client == nil || x.flags.shareLimit == "" {
		return nil
	}
	s := x.client.Stats().Ops[x.op()].Share
	return &report.Share{Location: x.flags.shareLimit, Permits: s.Permits, Rate: s.Total, Processes: s.Processes}
}

// shareText says what a process has of a shared limit; empty: it has all of it.
func shareText(s apiclient.ShareStats) string {
	if s.Processes == 0 {
		return ""
	}
	return fmt.Sprintf("share %d of %s for %d %s", s.Permits, console.LimitText(s.Total), s.Processes, report.Pick(int64(s.Processes), "process", "processes"))
}
