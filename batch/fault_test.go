package batch_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"testing"

	"pushbatch/batch"
)

// A fault in any part that a caller gives the engine stops the run as a fault of
// the program: it says where, tells no value, and no goroutine ends the process.
func TestFaultsStopTheRun(t *testing.T) {
	t.Parallel()
	tests := map[string]func(*batch.Config){
		"source": func(c *batch.Config) { c.Inputs[0].Source = faultySource{c.Inputs[0].Source} },
		"mapper": func(c *batch.Config) {
			c.Inputs[0].Map = func(*batch.Row) (batch.Request, *batch.Outcome) { panic("secret-of-a-row") }
		},
		"request": func(c *batch.Config) {
			c.Inputs[0].Map = func(*batch.Row) (batch.Request, *batch.Outcome) { return faultyRequest{}, nil }
		},
		"sink write": func(c *batch.Config) { c.Sink = faultySink{c.Sink, "write"} },
		"sink flush": func(c *batch.Config) { c.Sink = faultySink{c.Sink, "flush"} },
		"sink close": func(c *batch.Config) { c.Sink = faultySink{c.Sink, "close"} },
	}
	for name, change := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, cfg := plain(50, succeed)
			change(&cfg)
			err := batch.New(cfg).Run(t.Context())
			wantAbort(t, err, batch.CodeInternal)
			if err == nil || strings.Contains(err.Error(), "secret") || !strings.Contains(err.Error(), "fault_test.go:") {
				t.Errorf("%v", err)
			}
		})
	}
}

// A goroutine that is begun by Go or by a group with Guarded ends with the error of
// its fault, whatever is made of that later.
func TestGoroutinesEndWithTheirFault(t *testing.T) {
	t.Parallel()
	ended := make(chan error)
	faulty := func() error { panic("secret") }
	batch.Go(faulty, func(err error) { ended <- err })
	for _, err := range []error{<-ended, batch.Guarded(faulty)()} {
		wantAbort(t, err, batch.CodeInternal)
		later := errors.Join(io.EOF, &batch.Abort{Code: "results_unwritable", Err: fmt.Errorf("write it: %w", err)})
		if !batch.IsFault(later) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%v", err)
		}
	}
	if batch.IsFault(io.EOF) {
		t.Error("an error is no fault")
	}
}

type faultySource struct{ batch.Source }

func (faultySource) Rows(context.Context, batch.Position) iter.Seq2[batch.Row, error] {
	return func(func(batch.Row, error) bool) { panic("secret-of-a-file") }
}

type faultyRequest struct{}

func (faultyRequest) Keys() []string { return nil }

func (faultyRequest) Send(context.Context) (batch.Outcome, error) { panic("secret-of-a-request") }

type faultySink struct {
	batch.Sink
	at string
}

func (s faultySink) fault(at string) {
	if at == s.at {
		panic("secret-of-a-report")
	}
}

func (s faultySink) Write(r *batch.Result) error { s.fault("write"); return s.Sink.Write(r) }
func (s faultySink) Flush() (batch.Mark, error)  { s.fault("flush"); return s.Sink.Flush() }
func (s faultySink) Close() error                { s.fault("close"); return s.Sink.Close() }
