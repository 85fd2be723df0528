package batch_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pushbatch/batch"
)

// One row stuck for a minute: the rest goes on at full rate until the window is
// full, and a kill then repeats only the stuck row.
func TestStuckRow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const window, inFlight = 256, 4
		began := time.Now()
		var sends, fullAfter atomic.Int64
		w, cfg := plain(1000, func(ctx context.Context, row int64) (batch.Outcome, error) {
			if sends.Add(1) == window {
				fullAfter.Store(int64(time.Since(began)))
			}
			if row == 1 {
				time.Sleep(time.Minute)
			}
			time.Sleep(30 * time.Millisecond)
			return succeed(ctx, row)
		})
		cfg.MaxInFlight, cfg.Window = inFlight, window
		job := batch.New(cfg)
		time.AfterFunc(59*time.Second, func() {
			p := job.Progress()
			if p.Done != window-1 || p.Recorded != 0 || p.InFlight != 1 || p.Read != window || p.AllRead {
				t.Errorf("after 59 s: %+v", p)
			}
			w.mu.Lock()
			defer w.mu.Unlock()
			if c := w.checkpoint(); len(c.Waiting) != window-1 || c.Rows != 0 {
				t.Errorf("the checkpoint holds %d waiting rows behind row %d", len(c.Waiting), c.Rows)
			}
		})
		if err := job.Run(t.Context()); err != nil {
			t.Error(err)
		}
		if want := (window / (inFlight - 1)) * 30 * time.Millisecond; time.Duration(fullAfter.Load()) > want {
			t.Errorf("the window was full after %s, at full rate it is after %s", time.Duration(fullAfter.Load()), want)
		}
		w.wantRows(t, upTo(1000)...)
		if got := job.Elapsed(); got != time.Since(began) || got != job.Progress().Elapsed {
			t.Errorf("elapsed: %s and %s, want %s", got, job.Progress().Elapsed, time.Since(began))
		}
	})
}

// A checkpoint of a resumed run keeps what earlier executions finished, also of
// rows that were not read again yet. Else the next execution would send them twice.
func TestCheckpointKeepsWaitingRows(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, cfg := plain(100, func(ctx context.Context, row int64) (batch.Outcome, error) {
			if row == 1 {
				<-batch.Stopping(ctx)
				return batch.Outcome{}, batch.ErrUnsent
			}
			return succeed(ctx, row)
		})
		job := batch.New(cfg)
		time.AfterFunc(time.Minute, func() { job.Stop(errStop) })
		if err := job.Run(t.Context()); !errors.Is(err, errStop) {
			t.Error(err)
		}
		first := w.checkpoint()
		if len(first.Waiting) != 99 {
			t.Fatalf("%d rows wait, want 99", len(first.Waiting))
		}

		// The reader is slow; the run is killed while it reads row 2 to 100 again.
		cfg.Resume = first
		cfg.Inputs[0].Source = source{w: w, failAt: -1, pace: time.Second}
		w.begin(0)
		cfg.Save = func(c *batch.Checkpoint) error {
			if len(c.Waiting) < 98 || c.Waiting[len(c.Waiting)-1].Row != 100 {
				t.Errorf("a checkpoint of the second execution holds %d waiting rows", len(c.Waiting))
			}
			return w.save(c)
		}
		job = batch.New(cfg)
		time.AfterFunc(30*time.Second, func() { job.Stop(errStop) })
		if err := job.Run(t.Context()); !errors.Is(err, errStop) {
			t.Error(err)
		}
		if n := len(w.lines); n != 99 {
			t.Errorf("%d rows are listed, 99 are done", n)
		}
		if p := job.Progress(); p.Done != 99 || p.DoneBefore != 99 {
			t.Errorf("progress: %+v", p)
		}
	})
}

// Rows that need no request come as fast as they are written; the checkpoint
// comes all the same, once in SaveEvery.
func TestCheckpointOfRunThatNeverWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(make([]spec, 5000))
		cfg := w.config()
		cfg.Inputs[0].Map = func(*batch.Row) (batch.Request, *batch.Outcome) {
			return nil, &batch.Outcome{Status: batch.Rejected, Code: "phone_invalid"}
		}
		cfg.Sink = slowSink{sink{w}}
		saves := 0
		cfg.Save = func(c *batch.Checkpoint) error { saves++; return w.save(c) }
		began := time.Now()
		if err := batch.New(cfg).Run(t.Context()); err != nil {
			t.Error(err)
		}
		if seconds := int(time.Since(began) / time.Second); saves < seconds*3/4 {
			t.Errorf("%d checkpoints in %d s", saves, seconds)
		}
		w.wantRows(t, upTo(5000)...)
	})
}

type slowSink struct{ sink }

func (s slowSink) Write(r *batch.Result) error {
	time.Sleep(2 * time.Millisecond)
	return s.sink.Write(r)
}

// No wake-up is lost: a run without latency takes next to no time, though the window is
// small, rows wait for each other, and the clock that would help comes late.
func TestNoLostWakeUp(t *testing.T) {
	t.Parallel()
	for range *seeds {
		synctest.Test(t, func(t *testing.T) {
			rows := make([]spec, 500)
			for i := range rows {
				rows[i].answer = batch.Succeeded
				rows[i].keys = []string{fmt.Sprintf("device %d", i%2)}
			}
			w := newWorld(rows)
			cfg := w.config()
			cfg.MaxInFlight, cfg.Window, cfg.SaveEvery, cfg.Canary = 3, 4, time.Hour, 400
			w.window = 4
			began := time.Now()
			if err := batch.New(cfg).Run(t.Context()); err != nil {
				t.Error(err)
			}
			if waited := time.Since(began); waited > time.Minute {
				t.Fatalf("the run waited %s for nothing", waited)
			}
			w.wantRows(t, upTo(500)...)
		})
	}
}

// The last rows may be settled while the recorder looks elsewhere: the run has
// ended all the same.
func TestEndIsNeverMissed(t *testing.T) {
	t.Parallel()
	for range 20 * *seeds {
		w, cfg := plain(3, succeed)
		if err := batch.New(cfg).Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if c := w.checkpoint(); !c.Ended || c.Rows != 3 || len(c.Waiting) != 0 {
			t.Fatalf("the last checkpoint is %s", w.saved)
		}
	}
}

// A checkpoint that holds a row holds every earlier row it shares a key with.
// Else a resumed run would send the earlier one after it. Here rows go on being
// finished while checkpoints are taken, in real time.
func TestCheckpointHoldsPredecessors(t *testing.T) {
	t.Parallel()
	const pairs = 2000 // row n+pairs touches what row n touched; row 0 keeps all after the watermark
	gates := make([]chan struct{}, 1+2*pairs)
	for i := range gates {
		gates[i] = make(chan struct{})
	}
	w := newWorld(make([]spec, len(gates)))
	cfg := w.config()
	cfg.MaxInFlight, cfg.Window, cfg.SaveEvery = 1+pairs, len(gates), time.Nanosecond
	cfg.Inputs[0].Map = func(row *batch.Row) (batch.Request, *batch.Outcome) {
		n := row.Pos.Row
		return gated{key: fmt.Sprint("pair ", (n-1)%pairs), gate: gates[n]}, nil
	}
	for n := pairs + 1; n < len(gates); n++ {
		close(gates[n]) // waits for its predecessor only
	}
	cfg.Save = func(c *batch.Checkpoint) error {
		held := make([]bool, len(gates))
		for _, k := range c.Waiting {
			held[k.Row-1] = true
		}
		for n := pairs + 1; n < len(held); n++ {
			if c.Rows == 0 && held[n] && !held[n-pairs] {
				t.Errorf("a checkpoint holds row %d and not row %d", n+1, n-pairs+1)
			}
		}
		return nil
	}
	job := batch.New(cfg)
	var releaser sync.WaitGroup
	releaser.Go(func() { // ends with the last gate
		for _, n := range rand.Perm(pairs) {
			close(gates[n+1])
		}
		for job.Progress().Done < 2*pairs {
			runtime.Gosched()
		}
		close(gates[0])
	})
	if err := job.Run(t.Context()); err != nil {
		t.Error(err)
	}
	releaser.Wait()
}

// gated is a request that succeeds when its gate opens.
type gated struct {
	key  string
	gate <-chan struct{}
}

func (g gated) Keys() []string { return []string{g.key} }

func (g gated) Send(context.Context) (batch.Outcome, error) {
	<-g.gate
	return batch.Outcome{Status: batch.Succeeded, Attempts: 1}, nil
}

// A checkpoint belongs to Save: what is recorded later does not change it.
func TestCheckpointSharesNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var kept []*batch.Checkpoint
		_, cfg := plain(50, func(ctx context.Context, row int64) (batch.Outcome, error) {
			time.Sleep(300 * time.Millisecond)
			return failing(func(int64) bool { return true })(ctx, row)
		})
		cfg.MaxInFlight = 1
		cfg.CallerState = func() json.RawMessage { return json.RawMessage(`{"rate":50}`) }
		cfg.Save = func(c *batch.Checkpoint) error { kept = append(kept, c); return nil }
		if err := batch.New(cfg).Run(t.Context()); err != nil {
			t.Error(err)
		}
		if len(kept) < 10 {
			t.Fatalf("%d checkpoints", len(kept))
		}
		for _, c := range kept {
			counted := c.Tally.Codes["48013"].Count
			if counted != c.Rows || c.Tally.Rows != c.Rows || c.Tally.Latency.Count() != c.Rows {
				t.Errorf("the checkpoint of %d rows counts %d, %d and %d",
					c.Rows, counted, c.Tally.Rows, c.Tally.Latency.Count())
			}
			if string(c.CallerState) != `{"rate":50}` {
				t.Errorf("carried: %s", c.CallerState)
			}
		}
	})
}

// Answers of a megabyte after a row that is stuck: memory is bounded by their
// bytes, not by the rows of the window, and no row is forgotten.
func TestLargeAnswersWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const rows, inFlight = 600, 8
		var sends atomic.Int64
		large := make([]byte, 1<<20)
		w, cfg := plain(rows, func(ctx context.Context, row int64) (batch.Outcome, error) {
			sends.Add(1)
			if row == 1 {
				time.Sleep(time.Minute)
			}
			time.Sleep(30 * time.Millisecond)
			out, err := succeed(ctx, row)
			out.Payload = large
			return out, err
		})
		cfg.MaxInFlight, cfg.Window, cfg.SaveEvery = inFlight, rows, time.Hour
		time.AfterFunc(59*time.Second, func() {
			if n := sends.Load(); n < 64 || n > 65+inFlight {
				t.Errorf("%d rows were sent with a megabyte each waiting", n)
			}
		})
		if err := batch.New(cfg).Run(t.Context()); err != nil {
			t.Error(err)
		}
		w.wantRows(t, upTo(rows)...)
	})
}
