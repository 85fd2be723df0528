package runstore

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"time"

	"pushbatch/batch"
	"pushbatch/batch/blob"
)

const (
	leaseFile          = "lock.json"
	defaultLease       = 30 * time.Second
	heartbeatsPerLease = 3
	tokenLength        = 12 // characters
)

// codeLeaseLost ends a run whose lease could not be renewed in time.
const codeLeaseLost = "lease_lost"

// leaseRecord is the lock of a prefix in S3. It is rewritten again and again by
// its holder, each time on the condition that it is as the holder left it.
type leaseRecord struct {
	Holder
	Token    string  `json:"token"` // empty: given back
	Renewals int64   `json:"beat"`
	Length   float64 `json:"lease_seconds"`
}

func (r *leaseRecord) over(age time.Duration) bool {
	// Ages count whole seconds; one more keeps two clocks' rounding apart.
	return r.Token == "" || age > time.Duration(r.Length*float64(time.Second))+time.Second
}

// lease holds a prefix in S3. A goroutine, which ends with release, shows life.
type lease struct {
	location string // of what is held
	length   time.Duration
	token    string
	ctx      context.Context //nolint:containedctx // of acquireLease: release and check take none
	end      context.CancelFunc
	ended    chan struct{}
	held     context.Context //nolint:containedctx // it ends, with the cause, when the lease is lost
	lose     context.CancelCauseFunc

	mu      sync.Mutex
	record  leaseRecord
	version blob.Version
	shown   time.Time // when the last sign of life was sent
}

// acquireLease takes the lease when nobody has it, or when its holder has shown
// no life for its length. A holder that may be dead is watched: a sign of life
// makes it a *LockedError at once.
func acquireLease(ctx context.Context, location string, o Options) (*lease, error) {
	if o.Lease <= 0 {
		o.Lease = defaultLease
	}
	l := &lease{location: location, length: o.Lease, token: rand.Text()[:tokenLength], ended: make(chan struct{})}
	l.record = leaseRecord{Holder: thisProcess(), Token: l.token, Length: o.Lease.Seconds()}
	if err := l.take(ctx, o.Waiting); err != nil {
		return nil, err
	}
	if err := l.proveConditions(ctx); err != nil {
		return nil, err
	}
	l.ctx = context.WithoutCancel(ctx)
	l.held, l.lose = context.WithCancelCause(l.ctx)
	ctx, l.end = context.WithCancel(l.ctx)
	batch.Go(func() error { l.heartbeat(ctx); return nil }, func(err error) {
		if err != nil {
			l.lose(err)
		}
	})
	return l, nil
}

// take tries until the lease is this process's or another is seen to live.
func (l *lease) take(ctx context.Context, waiting func(Holder, time.Duration)) error {
	seen := blob.Version("")
	for when := blob.Absent; ; {
		err := l.write(ctx, when)
		if !errors.Is(err, blob.ErrConflict) {
			return err
		}
		record, object, err := readLease(ctx, l.location)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			when = blob.Absent
			continue
		case err != nil:
			return err
		case record.over(object.Age):
			when = object.Version
			continue
		case seen != "" && seen != object.Version:
			return &LockedError{Path: l.location, Holder: record.Holder}
		case seen == "" && waiting != nil:
			waiting(record.Holder, time.Duration(record.Length*float64(time.Second))-object.Age)
		}
		seen = object.Version
		select {
		case <-time.After(min(time.Second, l.length/heartbeatsPerLease/2)):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// proveConditions makes sure that the service heeds the conditions of writes: one
// that passes over them would let two processes hold the same run.
func (l *lease) proveConditions(ctx context.Context) error {
	for _, when := range []blob.Version{blob.Absent, `"00000000000000000000000000000000"`} {
		err := l.write(ctx, when)
		if err == nil {
			_ = blob.RemoveBelow(ctx, l.location, []string{leaseFile})
			return fmt.Errorf("hold %s: the service passes over the conditions of writes (If-Match, If-None-Match), by which processes are kept "+
				"apart: take a service that heeds them, or a local --out; inputs and --to work without", l.location)
		}
		if !errors.Is(err, blob.ErrConflict) {
			return err
		}
	}
	return nil
}

func readLease(ctx context.Context, location string) (leaseRecord, blob.Object, error) {
	var record leaseRecord
	object, err := blob.Get(ctx, blob.Join(location, leaseFile))
	if err != nil {
		return record, object, err
	}
	if err := json.Unmarshal(object.Data, &record); err != nil {
		return record, object, fmt.Errorf("read %s: %w", blob.Join(location, leaseFile), err)
	}
	return record, object, nil
}

// write rewrites the lock. A lease counts from before the request.
func (l *lease) write(ctx context.Context, when blob.Version) error {
	l.record.Renewals++
	data, err := json.Marshal(l.record)
	if err != nil {
		return err
	}
	sent := time.Now()
	version, err := blob.Put(ctx, blob.Join(l.location, leaseFile), data, when)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.version, l.shown = version, sent
	return nil
}

// rewrite writes the lock again, as it was left or as a write has made it whose answer
// was not waited for.
func (l *lease) rewrite(ctx context.Context) error {
	err := l.write(ctx, l.version)
	if errors.Is(err, blob.ErrConflict) {
		if record, object, _ := readLease(ctx, l.location); record.Token == l.token {
			return l.write(ctx, object.Version)
		}
	}
	return err
}

// heartbeat shows life until the lease is given back or lost.
func (l *lease) heartbeat(ctx context.Context) {
	defer close(l.ended)
	tick := time.NewTicker(l.length / heartbeatsPerLease)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		renewal, cancel := context.WithTimeout(ctx, l.length/heartbeatsPerLease)
		err := l.rewrite(renewal)
		cancel()
		switch {
		case ctx.Err() != nil:
			return
		case errors.Is(err, blob.ErrConflict):
			_ = l.takenOver()
			return
		case err != nil && l.check() != nil:
			return
		}
	}
}

// check is nil while no other process can have taken the run, and where there is no
// lease. It gives up one sign of life before the lease is over.
func (l *lease) check() error {
	if l == nil {
		return nil
	}
	l.mu.Lock()
	silent := elapsed(l.shown)
	l.mu.Unlock()
	if l.held.Err() == nil && silent >= l.length-l.length/(2*heartbeatsPerLease) {
		l.lose(&batch.Abort{Code: codeLeaseLost, Err: fmt.Errorf(
			"%s was not renewed for %s (S3 could not be reached, or this process stood still): another process may take the run over, so this one stops",
			blob.Join(l.location, leaseFile), silent.Round(time.Second))})
	}
	return context.Cause(l.held)
}

// elapsed is the time since t by whichever clock counts more: on some systems
// the monotonic one stands still while the machine sleeps.
func elapsed(t time.Time) time.Duration {
	return max(time.Since(t), time.Now().Round(0).Sub(t.Round(0)))
}

// takenOver says who has taken the run over.
func (l *lease) takenOver() error {
	ctx, cancel := context.WithTimeout(l.ctx, l.length)
	defer cancel()
	record, _, _ := readLease(ctx, l.location) // a holder that cannot be read stays unknown
	l.lose(&LockedError{Path: l.location, Holder: record.Holder})
	return context.Cause(l.held)
}

func (l *lease) whenLost(stop func(error)) {
	if l != nil {
		context.AfterFunc(l.held, func() { stop(context.Cause(l.held)) })
	}
}

// release gives the lease back: the record stays, without a token.
func (l *lease) release() error {
	l.end()
	<-l.ended
	if lost := l.check(); lost != nil {
		return nil //nolint:nilerr // there is nothing to give back; that it was lost was said
	}
	l.record.Token = ""
	if err := l.rewrite(l.ctx); !errors.Is(err, blob.ErrConflict) {
		return err
	}
	return nil
}
