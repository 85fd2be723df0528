package batch_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"pushbatch/batch"
)

// Invariants I1, I2, I5 and I7 for random rows, latencies and sizes: one result
// a row in input order, no overlap and input order for each key, at most Window
// unfinished rows and MaxInFlight sends. A goroutine that is left keeps the
// bubble from ending.
func TestUninterruptedRun(t *testing.T) {
	t.Parallel()
	for seed := range uint64(*seeds) {
		rng := rand.New(rand.NewPCG(seed, 1))
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(makeInputs(rng)...)
			cfg := randomConfig(w, rng)
			job := batch.New(cfg)
			if err := job.Run(t.Context()); err != nil {
				t.Errorf("seed %d: run: %v", seed, err)
			}
			w.checkEnd(t, seed, cfg)
			checkCounts(t, seed, w, job)
		})
	}
}

// The case: 6,000 rows, every device twice, 64 in flight, random latency.
func TestRepeatedDevices(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(6000, 64))
		rows := makeRows(rng, 6000)
		devices := rng.Perm(6000)
		for i := range rows {
			rows[i].keys[0] = fmt.Sprintf("device %d", devices[i]%3000)
		}
		w := newWorld(rows)
		cfg := w.config()
		w.window, cfg.MaxInFlight, cfg.Window = 1024, 64, 0
		if err := batch.New(cfg).Run(t.Context()); err != nil {
			t.Error(err)
		}
		cfg.MaxInFlight = 64
		w.checkEnd(t, 0, cfg)
		if w.peak != 64 {
			t.Errorf("at most %d requests were under way, 64 could have been", w.peak)
		}
	})
}

// Invariants I3 and I4 and guarantees 1 to 3: runs that are killed or stopped at
// random moments, any number of times, end as if they had never been.
func TestInterruptedRun(t *testing.T) {
	t.Parallel()
	kills, stops := 0, 0
	for seed := range uint64(*seeds) {
		rng := rand.New(rand.NewPCG(seed, 2))
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(makeInputs(rng)...)
			if rng.IntN(2) == 0 {
				w.journal = &journal{w: w}
			}
			cfg := randomConfig(w, rng)
			if rng.IntN(2) == 0 {
				slow := rng.IntN(100)
				w.delay = func() time.Duration { return time.Duration(slow) * time.Millisecond }
			}
			for !w.execution(t, seed, cfg, rng, &kills, &stops) {
				if t.Failed() {
					return
				}
			}
			w.checkEnd(t, seed, cfg)
		})
	}
	t.Logf("%d kills, %d graceful stops", kills, stops)
}

var (
	errKilled = errors.New("killed")
	errStop   = errors.New("asked to stop")
)

// execution goes on with a run until it ends, or is killed or stopped at a random
// moment, and reports whether it has ended.
func (w *world) execution(t *testing.T, seed uint64, cfg batch.Config, rng *rand.Rand, kills, stops *int) (ended bool) {
	t.Helper()
	cfg.Resume = w.checkpoint()
	var mark int64
	if cfg.Resume != nil {
		mark = cfg.Resume.Mark["results"]
	}
	w.begin(mark)
	job := batch.New(cfg)
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	kill := rng.IntN(2) == 0
	moment := time.Duration(rng.ExpFloat64() * float64(time.Second))
	if rng.IntN(8) == 0 {
		moment = 0
	}
	// Saved a whole interval after the row ended at the latest, if nothing is slow.
	allowed := cfg.SaveEvery + 4*w.delay()
	if w.journal != nil {
		allowed = 0 // it is in the journal at once
	}
	interruption := time.AfterFunc(moment, func() {
		if !kill {
			job.Stop(errStop)
			return
		}
		w.kill(rng, time.Now().Add(-allowed))
		cancel(errKilled)
	})
	err := job.Run(ctx)
	pending := interruption.Stop()
	synctest.Wait() // or the interruption may still be at work
	switch {
	case w.dead:
		*kills++
		return false
	case err == nil:
		return true
	case errors.Is(err, errStop) && !pending, errors.Is(err, batch.ErrTooManyErrors):
		*stops++
		w.checkStopped(t, seed, cfg, job)
		w.unanswered()
		return !w.hasMore(cfg)
	}
	t.Errorf("seed %d: run: %v", seed, err)
	return true
}

// hasMore reports whether a stopped run has rows left. One whose last row was
// the error too many has none.
func (w *world) hasMore(cfg batch.Config) bool {
	c := w.checkpoint()
	return c == nil || !c.Ended || cfg.MaxErrors == (batch.Threshold{})
}

// checkStopped checks what a run that was stopped gracefully leaves behind: the
// sink lists exactly the rows that are done, in input order.
func (w *world) checkStopped(t *testing.T, seed uint64, cfg batch.Config, job *batch.Job) {
	t.Helper()
	rows := w.all()
	listed := map[int64]bool{}
	at := 0
	for _, line := range w.lines {
		for at < len(rows) && rows[at].line() != line {
			at++
		}
		if at == len(rows) {
			t.Errorf("seed %d: the line %q is out of place", seed, line)
			return
		}
		listed[rows[at].num] = true
		at++
	}
	for row := range w.answered {
		if !listed[row] {
			t.Errorf("seed %d: row %d was answered and is not listed", seed, row)
		}
	}
	for row := range listed {
		if _, answered := w.answered[row]; !answered && rows[row-1].settled == 0 {
			t.Errorf("seed %d: row %d is listed and was not answered", seed, row)
		}
	}
	checkCounts(t, seed, w, job)
	total := int64(len(rows))
	if cfg.Limit > 0 {
		total = min(total, cfg.Limit)
	}
	for range 2 { // asking does not change the answer
		if n, known := job.Unsent(t.Context()); !known || n != total-int64(len(w.lines)) {
			t.Errorf("seed %d: unsent = %d, %t; want %d, true", seed, n, known, total-int64(len(w.lines)))
		}
	}
}

// checkCounts holds the tally and the progress against the lines of the sink.
func checkCounts(t *testing.T, seed uint64, w *world, job *batch.Job) {
	t.Helper()
	p, tally := job.Progress(), job.Tally()
	if n := int64(len(w.lines)); tally.Rows != n || p.Done != n || p.InFlight != 0 {
		t.Errorf("seed %d: %d lines, tally %d, progress %d done and %d in flight", seed, n, tally.Rows, p.Done, p.InFlight)
	}
	for _, s := range batch.Statuses {
		if tally.Statuses[s] != p.Statuses[s] {
			t.Errorf("seed %d: %s: tally %d, progress %d", seed, s, tally.Statuses[s], p.Statuses[s])
		}
	}
}

// checkEnd checks what a run leaves behind that reached the end of its input.
func (w *world) checkEnd(t *testing.T, seed uint64, cfg batch.Config) {
	t.Helper()
	for _, f := range w.faults {
		t.Errorf("seed %d: %s", seed, f)
	}
	lines, store := w.want(cfg.Limit)
	if diff := cmp.Diff(lines, w.lines); diff != "" {
		t.Errorf("seed %d: results differ (-want +got):\n%s", seed, diff)
	}
	if diff := cmp.Diff(store, w.store); diff != "" {
		t.Errorf("seed %d: the platform's state differs (-want +got):\n%s", seed, diff)
	}
	if w.closed != 1 {
		t.Errorf("seed %d: the sink was closed %d times", seed, w.closed)
	}
	if w.peak > cfg.MaxInFlight {
		t.Errorf("seed %d: %d requests under way, at most %d may be", seed, w.peak, cfg.MaxInFlight)
	}
	if c := w.checkpoint(); c == nil || !c.Ended || c.Rows != int64(len(lines)) {
		t.Errorf("seed %d: the last checkpoint does not say that all %d rows are done: %s", seed, len(lines), w.saved)
	}
}

func randomConfig(w *world, rng *rand.Rand) batch.Config {
	cfg := w.config()
	cfg.MaxInFlight = 1 + rng.IntN(16)
	cfg.Window = 1 + rng.IntN(100)
	w.window = cfg.Window
	cfg.SaveEvery = time.Duration(50+rng.IntN(950)) * time.Millisecond
	if rng.IntN(4) == 0 {
		cfg.Limit = 1 + rng.Int64N(300)
	}
	for i := range cfg.Inputs {
		s := cfg.Inputs[i].Source.(source)
		s.pace = time.Duration(rng.IntN(3)) * time.Millisecond
		cfg.Inputs[i].Source = s
	}
	return cfg
}
