package apiclient

import (
	"context"
	"errors"
	"time"
)

// ErrDrained is what Do returns when it was to begin an attempt after the
// context's drain channel was closed.
var ErrDrained = errors.New("not sent: the client is being drained")

type drainKey struct{}

// WithDrain returns a context for a graceful stop: after ch is closed, calls
// made with it begin no further attempt and return ErrDrained, whether they
// wait for the limit, for Retry-After, in a backoff or for the end of an
// outage. An attempt under way is finished. Cancelling the context itself ends
// everything at once.
func WithDrain(ctx context.Context, ch <-chan struct{}) context.Context {
	return context.WithValue(ctx, drainKey{}, ch)
}

func draining(ctx context.Context) <-chan struct{} {
	ch, _ := ctx.Value(drainKey{}).(<-chan struct{})
	return ch
}

// stopped returns why no attempt may begin, nil if one may.
func stopped(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-draining(ctx):
		return ErrDrained
	default:
		return nil
	}
}

// pause waits for d (negative: for ever), for wake, or for the end of the
// context or its drain, which alone are errors.
func pause(ctx context.Context, d time.Duration, wake <-chan struct{}) error {
	var due <-chan time.Time
	if d >= 0 {
		timer := time.NewTimer(d)
		defer timer.Stop()
		due = timer.C
	}
	select {
	case <-due:
	case <-wake:
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-draining(ctx):
		return ErrDrained
	}
	return nil
}
