package batch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// recordAtMost is how many rows are recorded before the clock is looked at again: rows
// that come without end must not put off the checkpoint.
const recordAtMost = 64

// recorder is the one goroutine that owns the sink. It takes finished rows out of
// the window in input order and makes checkpoints.
type recorder struct {
	job     *Job
	point   Checkpoint // the watermark; valid for a save after Sink.Flush only
	earlier []Waiting  // what an earlier execution finished, by row
	dirty   bool       // a row was finished since the last checkpoint
	freed   int64      // rows dropped since the mapper was woken last
	bad     error      // a row that was not sent is one bad row too many
	aborted bool       // the rows themselves have stopped the run: none that needs no request is recorded any more
	err     error      // the sink or a save refused; nothing is recorded any more
}

func (r *recorder) restore(c *Checkpoint) {
	r.point = *c
	r.point.Tally, r.point.Waiting, r.point.Stopped = c.Tally.clone(), nil, false
	r.earlier = c.Waiting
	slices.SortFunc(r.earlier, func(a, b Waiting) int { return cmp.Compare(a.Row, b.Row) })
}

// run records until mapper and senders have ended.
func (r *recorder) run() error {
	tick := time.NewTicker(r.job.cfg.SaveEvery)
	defer tick.Stop()
	for {
		select {
		case <-r.job.changed:
			// Also a row after an unfinished one: it must be in the next checkpoint,
			// or a crash would repeat it however long ago it was.
			r.dirty = true
			if r.record() {
				wake(r.job.changed) // and the tick has its turn
			}
		case <-tick.C:
			if r.dirty {
				r.save()
			}
		case <-r.job.finished:
			for r.record() {
			}
			r.end()
			return cmp.Or(r.err, r.bad)
		}
	}
}

// record writes finished rows at the head of the window and reports whether it
// may have left some.
func (r *recorder) record() (more bool) {
	slots := r.job.window.next(recordAtMost)
	done := 0
	for _, s := range slots {
		if r.aborted && s.local() {
			break
		}
		if s.local() {
			r.checkThreshold(&s.result)
		}
		if res := &s.result; r.write(res) {
			r.point.Rows, r.point.Input, r.point.Next = res.Row.Num, res.Row.Input, res.Row.Next
		}
		done++
	}
	for _, s := range r.job.window.drop(int64(done)) {
		r.job.ready <- s
	}
	r.job.live.recorded.Store(r.point.Rows)
	// A mapper that waits is woken once for many rows, and when there are no more.
	if r.freed += int64(done); r.freed > 0 && (r.freed >= int64(r.job.cfg.Window)/2 || len(slots) < recordAtMost) {
		r.freed = 0
		wake(r.job.space)
	}
	return done > 0
}

// checkThreshold looks at a row that was not sent. Those after one that ends the
// run are unsent: a resumed run maps them again, and counts each once.
func (r *recorder) checkThreshold(res *Result) {
	if err := r.job.checkThreshold(res); err != nil {
		r.bad = cmp.Or(r.bad, err)
		r.job.Stop(err)
	}
	if res.Status.Bad() {
		cause := context.Cause(r.job.running)
		r.aborted = errors.Is(cause, ErrTooManyErrors) || errors.Is(cause, ErrCanary)
	}
}

func (r *recorder) write(res *Result) bool {
	if r.err != nil {
		return false
	}
	if err := r.job.cfg.Sink.Write(res); err != nil {
		r.fail(fmt.Errorf("write results: %w", err))
		return false
	}
	r.point.Tally.Add(res)
	return true
}

// fail stops the run: results that cannot be recorded must not be produced.
func (r *recorder) fail(err error) {
	r.err = abortOf(err, "results_unwritable")
	r.job.Stop(r.err)
}

// save makes what was recorded durable, then the checkpoint that says so: a
// checkpoint never claims a row whose result could be lost.
func (r *recorder) save() {
	if r.err != nil {
		return
	}
	mark, err := r.job.cfg.Sink.Flush()
	if err != nil {
		r.fail(fmt.Errorf("flush results: %w", err))
		return
	}
	r.dirty = false
	r.point.Mark = mark
	journal := r.job.cfg.Journal
	if journal != nil {
		r.point.Journal = journal.Begin()
	}
	point := r.snapshot()
	r.job.live.publish(point.Tally)
	if r.keep(&point); journal == nil || r.err != nil {
		return
	}
	if err := journal.Drop(); err != nil {
		r.fail(err)
	}
}

func (r *recorder) keep(point *Checkpoint) {
	if r.job.cfg.Save == nil {
		return
	}
	if err := r.job.cfg.Save(point); err != nil {
		r.fail(fmt.Errorf("save checkpoint: %w", err))
	}
}

// snapshot is the checkpoint as of now, with the finished rows after the
// watermark. It shares nothing with the recorder that changes later.
func (r *recorder) snapshot() Checkpoint {
	point := r.point
	point.Tally = r.point.Tally.clone()
	point.SavedAt = time.Now()
	point.Elapsed += point.SavedAt.Sub(r.job.start)
	point.Waiting = r.waiting()
	if r.job.cfg.CallerState != nil {
		point.CallerState = r.job.cfg.CallerState()
	}
	return point
}

// waiting lists the finished rows after the watermark by row. One that is listed
// has no predecessor that is not, or a resumed run would send the predecessor
// after it. Rows that needed no request are not listed: a resumed run finds again
// what became of them.
func (r *recorder) waiting() (list []Waiting) {
	slots, tail := r.job.window.afterHead()
	for _, s := range slots {
		if !s.local() {
			list = append(list, Waiting{s.result.Row.Num, s.result.Outcome})
		}
	}
	mapped, _ := slices.BinarySearchFunc(r.earlier, tail+1, func(w Waiting, row int64) int { return cmp.Compare(w.Row, row) })
	return append(list, r.earlier[mapped:]...) // not mapped again yet
}

// end saves a checkpoint, then lists the rows that are done after a gap, which
// a stopped run may have: they stand in the reports, and in the checkpoint as
// waiting, so that a resumed run writes them again at their place. That the run
// has ended is claimed only after the results are published.
func (r *recorder) end() {
	r.point.Stopped = true
	r.save()
	behind, _ := r.job.window.afterHead()
	for _, s := range behind {
		if !r.aborted || !s.local() {
			r.write(&s.result)
		}
	}
	for i := range r.job.mapper.late {
		r.write(&r.job.mapper.late[i])
	}
	if err := r.job.cfg.Sink.Close(); err != nil && r.err == nil {
		r.fail(fmt.Errorf("publish results: %w", err))
	}
	r.job.live.publish(r.point.Tally.clone())
	if r.err == nil && r.complete() {
		point := r.snapshot()
		point.Ended = true
		r.keep(&point)
	}
}

// complete reports whether every row of the inputs is recorded.
func (r *recorder) complete() bool { return r.job.live.allRead.Load() && r.job.window.empty() }
