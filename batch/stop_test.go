package batch_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pushbatch/batch"
	"pushbatch/testdata/thorough"
)

// sendFunc is a request that touches nothing another one touches.
type sendFunc func(ctx context.Context) (batch.Outcome, error)

func (f sendFunc) Keys() []string                                  { return nil }
func (f sendFunc) Send(ctx context.Context) (batch.Outcome, error) { return f(ctx) }

// numbered is what a row does when it is sent, or how it is settled.
type numbered func(ctx context.Context, row int64) (batch.Outcome, error)

// plain makes a world of n rows in one input that all do the same.
func plain(n int, send numbered) (*world, batch.Config) {
	w := newWorld(make([]spec, n))
	cfg := w.config()
	cfg.Inputs[0].Map = func(row *batch.Row) (batch.Request, *batch.Outcome) {
		num := row.Num
		return sendFunc(func(ctx context.Context) (batch.Outcome, error) { return send(ctx, num) }), nil
	}
	return w, cfg
}

func succeed(context.Context, int64) (batch.Outcome, error) {
	return batch.Outcome{Status: batch.Succeeded, Attempts: 1}, nil
}

// failing answers no to the rows that bad names.
func failing(bad func(row int64) bool) numbered {
	return func(_ context.Context, row int64) (batch.Outcome, error) {
		if bad(row) {
			return batch.Outcome{Status: batch.Failed, Code: "48013", Attempts: 1}, nil
		}
		return batch.Outcome{Status: batch.Succeeded, Attempts: 1}, nil
	}
}

func wantAbort(t *testing.T, err error, code string) {
	t.Helper()
	abort, ok := errors.AsType[*batch.Abort](err)
	if !ok || abort.Code != code {
		t.Errorf("run: %v, want an abort with the code %s", err, code)
	}
}

func (w *world) wantRows(t *testing.T, want ...int64) {
	t.Helper()
	var got []int64
	for _, line := range w.lines {
		var n int64
		fmt.Sscan(line, &n)
		got = append(got, n)
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("rows %v are listed, want %v", got, want)
	}
	for _, f := range w.faults {
		t.Error(f)
	}
}

func upTo(n int64) (rows []int64) {
	for i := range n {
		rows = append(rows, i+1)
	}
	return rows
}

// An error of Send that the run cannot explain ends it loudly instead of losing
// the row, or waiting for it for ever.
func TestRequestsThatBreakTheirPromise(t *testing.T) {
	t.Parallel()
	tests := map[string]error{
		"given up without a stop": fmt.Errorf("wrapped: %w", batch.ErrUnsent),
		"neither row nor run":     errors.New("nil map"),
		"no status":               nil,
	}
	for name, sendErr := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w, cfg := plain(50, func(_ context.Context, row int64) (batch.Outcome, error) {
					if row == 3 {
						return batch.Outcome{}, sendErr
					}
					return batch.Outcome{Status: batch.Succeeded}, nil
				})
				cfg.MaxInFlight, cfg.Window = 1, 4
				wantAbort(t, batch.New(cfg).Run(t.Context()), "internal")
				w.wantRows(t, 1, 2)
			})
		})
	}
}

// Refused credentials: no more requests than were in flight, whose rows are recorded.
func TestAbort(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var sends atomic.Int64
		w, cfg := plain(5000, func(_ context.Context, row int64) (batch.Outcome, error) {
			sends.Add(1)
			time.Sleep(time.Duration(100-row) * time.Millisecond)
			if row == 5 {
				return batch.Outcome{}, &batch.Abort{Code: "UNAUTHORIZED", Err: errors.New("401")}
			}
			return batch.Outcome{Status: batch.Succeeded}, nil
		})
		cfg.MaxInFlight = 5
		job := batch.New(cfg)
		wantAbort(t, job.Run(t.Context()), "UNAUTHORIZED")
		if sends.Load() != 5 {
			t.Errorf("%d requests, 5 were in flight", sends.Load())
		}
		w.wantRows(t, 1, 2, 3, 4)
		if n, known := job.Unsent(t.Context()); n != 4996 || !known {
			t.Errorf("unsent = %d, %t", n, known)
		}
	})
}

// A source that breaks: every row before that is finished and recorded, and a
// resumed run goes on after them.
func TestSourceError(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, cfg := plain(40, func(ctx context.Context, row int64) (batch.Outcome, error) {
			time.Sleep(time.Second)
			return succeed(ctx, row)
		})
		cfg.Inputs[0].Source = source{w: w, failAt: 25}
		job := batch.New(cfg)
		err := job.Run(t.Context())
		wantAbort(t, err, "input_unreadable")
		if !errors.Is(err, errBroken) {
			t.Errorf("%v does not wrap the reader's error", err)
		}
		w.wantRows(t, upTo(25)...)
		if n, known := job.Unsent(t.Context()); known {
			t.Errorf("%d rows are unsent of an input that cannot be read", n)
		}

		cfg.Inputs[0].Source = source{w: w, failAt: -1}
		cfg.Resume = w.checkpoint()
		w.begin(cfg.Resume.Mark["results"])
		if err := batch.New(cfg).Run(t.Context()); err != nil {
			t.Error(err)
		}
		w.wantRows(t, upTo(40)...)
	})
}

var errFull = errors.New("no space left on device")

// brokenSink fails in one of its methods, once n rows are written.
type brokenSink struct {
	sink
	method string
	n      int
}

func (s brokenSink) broken(method string) bool { return s.method == method && len(s.w.lines) >= s.n }

func (s brokenSink) Write(r *batch.Result) error {
	if s.broken("write") {
		return errFull
	}
	return s.sink.Write(r)
}

func (s brokenSink) Flush() (batch.Mark, error) {
	if s.broken("flush") {
		return nil, errFull
	}
	return s.sink.Flush()
}

func (s brokenSink) Close() error {
	if err := s.sink.Close(); err != nil || s.method != "close" {
		return err
	}
	return errFull
}

// Results that cannot be recorded stop the run: nothing is sent that could not
// be accounted for, no checkpoint claims more than is durable, and after the
// fix the run can be resumed.
func TestUnwritableResults(t *testing.T) {
	t.Parallel()
	for _, method := range []string{"write", "flush", "close", "save", "last save"} {
		t.Run(method, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { testUnwritable(t, method) })
		})
	}
}

func testUnwritable(t *testing.T, method string) {
	t.Helper()
	var sends atomic.Int64
	w, cfg := plain(500, func(ctx context.Context, row int64) (batch.Outcome, error) {
		sends.Add(1)
		time.Sleep(100 * time.Millisecond)
		return succeed(ctx, row)
	})
	cfg.MaxInFlight, cfg.Window = 10, 20
	cfg.Sink = brokenSink{sink{w}, method, 100}
	cfg.Save = func(c *batch.Checkpoint) error {
		if method == "save" && c.Rows >= 100 || method == "last save" && c.Ended {
			return errFull
		}
		return w.save(c)
	}
	err := batch.New(cfg).Run(t.Context())
	wantAbort(t, err, "results_unwritable")
	if !errors.Is(err, errFull) {
		t.Errorf("%v does not wrap the cause", err)
	}
	// A save is due every second, in which 100 rows are sent.
	if n := sends.Load(); n > 100+100+20 && !strings.Contains(method, "last") && method != "close" {
		t.Errorf("%d rows were sent, the results were not writable from row 100 on", n)
	}
	if w.closed != 1 {
		t.Errorf("the sink was closed %d times", w.closed)
	}

	cfg.Sink, cfg.Save, cfg.Resume = sink{w}, w.save, w.checkpoint()
	var mark int64
	if cfg.Resume != nil {
		mark = cfg.Resume.Mark["results"]
	}
	w.begin(mark)
	if err := batch.New(cfg).Run(t.Context()); err != nil {
		t.Errorf("resume: %v", err)
	}
	w.wantRows(t, upTo(500)...)
}

// Both errors are told when a stopped run cannot publish its results.
func TestStopAndUnwritableResults(t *testing.T) {
	t.Parallel()
	w, cfg := plain(5, succeed)
	cfg.Sink = brokenSink{sink{w}, "close", 0}
	job := batch.New(cfg)
	job.Stop(errStop)
	if err := job.Run(t.Context()); !errors.Is(err, errStop) || !errors.Is(err, errFull) {
		t.Errorf("run: %v", err)
	}
}

func TestContextCancelledBeforeRun(t *testing.T) {
	t.Parallel()
	for range 200 {
		w, cfg := plain(5, func(context.Context, int64) (batch.Outcome, error) {
			return batch.Outcome{}, errors.New("a request was sent")
		})
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(errStop)
		if err := batch.New(cfg).Run(ctx); !errors.Is(err, errStop) {
			t.Fatalf("run: %v, want the cause of the context", err)
		}
		w.wantRows(t)
	}
}

// Requests that end with the context's own error do not hide why it ended.
func TestContextCancelledDuringRun(t *testing.T) {
	t.Parallel()
	for range thorough.Of(50, 200) {
		w, cfg := plain(500, nil)
		ctx, cancel := context.WithCancelCause(t.Context())
		cfg.Inputs[0].Map = func(row *batch.Row) (batch.Request, *batch.Outcome) {
			num := row.Num
			return sendFunc(func(ctx context.Context) (batch.Outcome, error) {
				if num == 20 {
					cancel(errStop)
				}
				if err := ctx.Err(); err != nil {
					return batch.Outcome{}, err
				}
				return batch.Outcome{Status: batch.Succeeded}, nil
			}), nil
		}
		if err := batch.New(cfg).Run(ctx); !errors.Is(err, errStop) {
			t.Fatalf("run: %v, want the cause of the context", err)
		}
		if w.closed != 1 {
			t.Fatalf("the sink was closed %d times", w.closed)
		}
	}
}

func TestStopBeforeRun(t *testing.T) {
	t.Parallel()
	w, cfg := plain(5, succeed)
	job := batch.New(cfg)
	job.Stop(nil) // even without a cause it does not look like an end
	job.Stop(errStop)
	if err := job.Run(t.Context()); !errors.Is(err, context.Canceled) {
		t.Errorf("run: %v", err)
	}
	w.wantRows(t)
	if n, known := job.Unsent(t.Context()); n != 5 || !known {
		t.Errorf("unsent = %d, %t", n, known)
	}
	if w.closed != 1 {
		t.Errorf("the sink was closed %d times", w.closed)
	}
}

// A stop that comes when every row is under way leaves none over: the run has
// ended, and there is nothing to resume.
func TestStopThatLeavesNoRow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, cfg := plain(10, func(ctx context.Context, row int64) (batch.Outcome, error) {
			time.Sleep(time.Second)
			return succeed(ctx, row)
		})
		job := batch.New(cfg)
		time.AfterFunc(500*time.Millisecond, func() { job.Stop(errStop) })
		if err := job.Run(t.Context()); err != nil {
			t.Errorf("run: %v", err)
		}
		w.wantRows(t, upTo(10)...)
		if !w.checkpoint().Ended {
			t.Error("the checkpoint does not say that the run has ended")
		}
	})
}

func TestEmptyInputs(t *testing.T) {
	t.Parallel()
	for inputs := range 3 {
		w := newWorld(make([][]spec, inputs)...)
		job := batch.New(w.config())
		if err := job.Run(t.Context()); err != nil {
			t.Errorf("%d inputs: %v", inputs, err)
		}
		if !w.checkpoint().Ended || w.closed != 1 {
			t.Errorf("%d inputs: checkpoint %s, closed %d times", inputs, w.saved, w.closed)
		}
		if n, known := job.Unsent(t.Context()); n != 0 || !known {
			t.Errorf("unsent = %d, %t", n, known)
		}
	}
}

// blockedSource yields one row and then waits for bytes that never come.
type blockedSource struct{ source }

func (s blockedSource) Rows(ctx context.Context, from batch.Position) iter.Seq2[batch.Row, error] {
	return func(yield func(batch.Row, error) bool) {
		for row, err := range s.source.Rows(ctx, from) {
			if !yield(row, err) {
				return
			}
			<-ctx.Done()
		}
	}
}

func TestStopInterruptsReader(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, cfg := plain(2, succeed)
		cfg.Inputs[0].Source = blockedSource{source{w: w, failAt: -1}}
		job := batch.New(cfg)
		time.AfterFunc(time.Minute, func() { job.Stop(errStop) })
		if err := job.Run(t.Context()); !errors.Is(err, errStop) {
			t.Errorf("run: %v", err)
		}
		w.wantRows(t, 1)
	})
}

func TestCanary(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		rows   int
		canary int64
		bad    int64
		want   error
		listed int64
	}{
		{"good", 50, 10, 0, nil, 50},
		{"bad canary row", 50, 10, 7, batch.ErrCanary, 10},
		{"bad last canary row", 50, 10, 10, batch.ErrCanary, 10},
		{"bad row behind them", 50, 10, 11, nil, 50},
		{"as many as rows", 10, 10, 0, nil, 10},
		{"more than rows", 5, 10, 0, nil, 5},
		{"more than rows, bad", 5, 10, 5, batch.ErrCanary, 5},
		{"more than the window", 50, 30, 0, nil, 50},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				w, cfg := plain(tt.rows, func(ctx context.Context, row int64) (batch.Outcome, error) {
					if row > tt.canary && time.Since(began) < time.Second {
						t.Errorf("row %d is sent before the %d canary rows are proved", row, tt.canary)
					}
					time.Sleep(time.Second)
					return failing(func(row int64) bool { return row == tt.bad })(ctx, row)
				})
				cfg.Canary, cfg.MaxInFlight, cfg.Window = tt.canary, 20, 20
				if err := batch.New(cfg).Run(t.Context()); !errors.Is(err, tt.want) {
					t.Errorf("run: %v, want %v", err, tt.want)
				}
				w.wantRows(t, upTo(tt.listed)...)
			})
		})
	}
}

// Who resumes a run has accepted its bad rows, those after a gap included: they
// do not stop it again.
func TestResumedRunAcceptsEarlierErrors(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"canary", "max errors"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				execution := 1
				w, cfg := plain(20, func(ctx context.Context, row int64) (batch.Outcome, error) {
					if row == 1 && execution == 1 { // a gap before all others
						<-batch.Stopping(ctx)
						return batch.Outcome{}, batch.ErrUnsent
					}
					return failing(func(row int64) bool { return row > 1 && row <= 5 })(ctx, row)
				})
				cfg.MaxInFlight = 2
				if cfg.Canary = 10; name != "canary" {
					cfg.Canary, cfg.MaxErrors = 0, threshold(t, "3")
				}
				if err := batch.New(cfg).Run(t.Context()); err == nil {
					t.Error("the first execution was not stopped")
				}
				for execution = 2; ; execution++ {
					if execution > 6 {
						t.Fatal("the run never ends")
					}
					cfg.Resume = w.checkpoint()
					w.begin(cfg.Resume.Mark["results"])
					err := batch.New(cfg).Run(t.Context())
					if err == nil {
						break
					}
				}
				w.wantRows(t, upTo(20)...)
				if name != "canary" && execution > 2 {
					t.Errorf("it took %d executions", execution)
				}
			})
		})
	}
}

func TestMaxErrors(t *testing.T) {
	t.Parallel()
	every := func(n int64) func(int64) bool { return func(row int64) bool { return row%n == 0 } }
	first := func(n int64) func(int64) bool { return func(row int64) bool { return row <= n } }
	tests := []struct {
		name, max string
		rows      int
		bad       func(int64) bool
		stoppedAt int64 // 0: not at all
		toSend    int64
	}{
		{"none set", "", 300, every(1), 0, 0},
		{"count not reached", "20", 300, first(20), 0, 0},
		{"count", "20", 300, first(21), 21, 0},
		{"zero", "0", 300, first(1), 1, 0},
		{"count at the last row", "20", 21, first(21), 21, 0},
		{"share, too few rows", "5%", 99, every(1), 0, 0},
		{"share", "5%", 300, every(1), 100, 0},
		{"share exceeded at row 100 by a good one", "5%", 300, first(50), 100, 0},
		{"share exactly kept", "29%", 100, first(29), 0, 0},
		{"share later", "10%", 400, func(row int64) bool { return row > 200 }, 223, 0},
		{"share of few that are to be sent", "5%", 99, first(5), 99, 99},
		{"share of few that is kept", "5%", 99, first(4), 0, 99},
		{"share of few, half", "50%", 3, every(2), 0, 3},
		{"share of many that are to be sent", "5%", 300, every(1), 100, 300},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w, cfg := plain(tt.rows, failing(tt.bad))
			cfg.MaxInFlight, cfg.MaxErrors, cfg.ToSend = 1, threshold(t, tt.max), tt.toSend
			want, listed := error(nil), int64(tt.rows)
			if tt.stoppedAt > 0 {
				want, listed = batch.ErrTooManyErrors, tt.stoppedAt
			}
			if err := batch.New(cfg).Run(t.Context()); !errors.Is(err, want) {
				t.Errorf("run: %v, want %v", err, want)
			}
			w.wantRows(t, upTo(listed)...)
		})
	}
}

// Every execution tolerates as many bad rows anew.
func TestMaxErrorsPerExecution(t *testing.T) {
	t.Parallel()
	w, cfg := plain(25, failing(func(int64) bool { return true }))
	cfg.MaxInFlight, cfg.MaxErrors = 1, threshold(t, "9")
	for _, want := range []int64{10, 20} {
		if err := batch.New(cfg).Run(t.Context()); !errors.Is(err, batch.ErrTooManyErrors) {
			t.Errorf("run: %v", err)
		}
		w.wantRows(t, upTo(want)...)
		cfg.Resume = w.checkpoint()
		w.begin(cfg.Resume.Mark["results"])
	}
	if err := batch.New(cfg).Run(t.Context()); err != nil {
		t.Error(err)
	}
	w.wantRows(t, upTo(25)...)
}

// Rows that are rejected ahead of those that are sent do not count before these:
// every execution judges what stands after the rows that are done, and a share is
// that of the rows up to there.
func TestRejectedRowsAreJudgedInOrder(t *testing.T) {
	t.Parallel()
	every := func(n int64) func(int64) bool { return func(row int64) bool { return row%n == 0 } }
	for _, tt := range []struct {
		name, max string
		canary    int64
		bad       func(int64) bool
		stops     []int64 // the last row that is done when a execution stops
	}{
		{"share that is never reached", "3%", 0, every(50), nil},
		{"share", "1.5%", 0, func(row int64) bool { return row%50 == 0 && row <= 300 }, []int64{100, 200, 300}},
		{"count", "3", 0, every(100), []int64{400, 800}},
		{"none", "0", 0, every(400), []int64{400, 800}},
		{"canary", "", 10, func(row int64) bool { return row == 3 || row == 5 }, []int64{3, 5}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w, cfg := plain(1000, func(context.Context, int64) (batch.Outcome, error) {
					time.Sleep(time.Second)
					return batch.Outcome{Status: batch.Succeeded}, nil
				})
				cfg.MaxInFlight, cfg.MaxErrors, cfg.Canary = 1, threshold(t, tt.max), tt.canary
				send := cfg.Inputs[0].Map
				cfg.Inputs[0].Map = func(row *batch.Row) (batch.Request, *batch.Outcome) {
					if tt.bad(row.Num) {
						return nil, &batch.Outcome{Status: batch.Rejected, Code: "bad"}
					}
					return send(row)
				}
				for _, stop := range tt.stops {
					if err := batch.New(cfg).Run(t.Context()); !errors.Is(err, batch.ErrTooManyErrors) && !errors.Is(err, batch.ErrCanary) {
						t.Fatalf("run to row %d: %v", stop, err)
					}
					cfg.Resume = w.checkpoint()
					if done := cfg.Resume.Rows; done < stop || done > stop+1 { // one may be under way
						t.Fatalf("it stops at row %d, want %d", done, stop)
					}
					w.begin(cfg.Resume.Mark["results"])
				}
				if err := batch.New(cfg).Run(t.Context()); err != nil {
					t.Error(err)
				}
				w.wantRows(t, upTo(1000)...)
			})
		})
	}
}

func threshold(t *testing.T, text string) batch.Threshold {
	t.Helper()
	limit, err := batch.ParseThreshold(text)
	if err != nil {
		t.Fatal(err)
	}
	return limit
}
