package blob

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	smithytime "github.com/aws/smithy-go/time"
)

// tricklingBody brings a byte after each of its pauses, then nothing more until
// its context ends, as the body of an answer does.
type tricklingBody struct {
	ctx    context.Context //nolint:containedctx // the body of an answer has one
	pauses []time.Duration
}

func (b *tricklingBody) Read(p []byte) (int, error) {
	if len(b.pauses) == 0 {
		<-b.ctx.Done()
		return 0, context.Cause(b.ctx)
	}
	if smithytime.SleepWithContext(b.ctx, b.pauses[0]) != nil {
		return 0, context.Cause(b.ctx)
	}
	b.pauses = b.pauses[1:]
	p[0] = 'x'
	return 1, nil
}

// A connection may be as slow as it likes, but not bring nothing.
func TestStalledBody(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		pauses []time.Duration
		want   int
		took   time.Duration
		err    error
	}{
		"slow":            {[]time.Duration{bodyStall - 1, bodyStall - 1, bodyStall - 1, 0}, 4, 3 * (bodyStall - 1), nil},
		"stands still":    {[]time.Duration{0, time.Second}, 2, time.Second + bodyStall, errStalled},
		"brings nothing":  {nil, 0, bodyStall, errStalled},
		"slow, then dead": {[]time.Duration{bodyStall - 1}, 1, 2*bodyStall - 1, errStalled},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancelCause(t.Context())
				defer cancel(nil)
				begun := time.Now()
				n, err := readWatched(&tricklingBody{ctx, tt.pauses}, make([]byte, 4), cancel)
				if took := time.Since(begun); n != tt.want || !errors.Is(err, tt.err) || took != tt.took {
					t.Errorf("%d bytes, %v, after %v", n, err, took)
				}
			})
		})
	}
}

// The end of a body before its range is complete is never the end of the input.
func TestShortBody(t *testing.T) {
	t.Parallel()
	n, err := readWatched(io.LimitReader(zeros{}, 3), make([]byte, 4), func(error) {})
	if n != 3 || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("%d bytes, %v", n, err)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }
