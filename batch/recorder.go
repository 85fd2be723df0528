package batch

import (
	"fmt"
	"time"
)

// recorder is the one goroutine that owns the sink. It takes settled rows off
// the ring in input order and makes checkpoints.
type recorder struct {
	job      *Job
	point    Checkpoint // the watermark; valid for a save after Sink.Flush only
	finished int64      // rows with a result, those behind a gap included
	dirty    bool       // something was recorded since the last checkpoint
	err      error      // the sink or a save refused; nothing is recorded any more
}

// run records until every row that entered the ring is settled or given up.
func (r *recorder) run() error {
	tick := time.NewTicker(r.job.cfg.SaveEvery)
	defer tick.Stop()
	for {
		r.drain()
		if r.job.fed.Load() {
			return r.end()
		}
		select {
		case <-r.job.ring.settled:
		case <-tick.C:
			r.save(false)
		}
	}
}

// drain records the settled rows at the head of the ring.
func (r *recorder) drain() {
	ring := r.job.ring
	for ring.head.Load() < ring.tail.Load() {
		s := ring.at(ring.head.Load())
		if s.state.Load() != slotSettled {
			return
		}
		r.record(&s.result)
		r.point.Rows = s.result.Row.Num
		r.point.Input, r.point.Next = s.result.Row.Input, s.result.Row.Next
		ring.pop()
		r.job.live.recorded.Store(r.point.Rows)
		wake(ring.space)
	}
}

// record gives one result to the sink.
func (r *recorder) record(res *Result) {
	if r.err != nil {
		return
	}
	if err := r.job.cfg.Sink.Write(res); err != nil {
		r.fail(fmt.Errorf("write results: %w", err))
		return
	}
	r.point.Tally.Add(res)
	r.dirty = true
}

// fail stops the run: results that cannot be recorded must not be produced.
func (r *recorder) fail(err error) {
	r.err = &Abort{Code: "results_unwritable", Err: err}
	r.job.Stop(r.err)
}

// save makes what was recorded durable, then the checkpoint that says so: a
// checkpoint never claims a row whose result could be lost.
func (r *recorder) save(ended bool) {
	if r.err != nil || !r.dirty && !ended {
		return
	}
	mark, err := r.job.cfg.Sink.Flush()
	if err != nil {
		r.fail(fmt.Errorf("flush results: %w", err))
		return
	}
	r.dirty = false
	r.job.live.publish(&r.point.Tally)
	if r.job.cfg.Save == nil {
		return
	}
	point := r.snapshot(mark)
	point.Ended = ended && r.complete()
	if err := r.job.cfg.Save(&point); err != nil {
		r.fail(fmt.Errorf("save checkpoint: %w", err))
	}
}

// snapshot is the checkpoint as of now, with the finished rows behind the
// watermark.
func (r *recorder) snapshot(mark Mark) Checkpoint {
	point := r.point
	point.Mark = mark
	point.Elapsed += time.Since(r.job.start)
	point.Waiting = nil
	ring := r.job.ring
	for n := ring.head.Load(); n < ring.tail.Load(); n++ {
		if s := ring.at(n); s.state.Load() == slotSettled {
			point.Waiting = append(point.Waiting, Waiting{s.result.Row.Num, s.result.Outcome})
		}
	}
	if r.job.cfg.Carry != nil {
		point.Carried = r.job.cfg.Carry()
	}
	return point
}

// end saves the last checkpoint, then lists the rows that are done behind a
// gap, which a stopped run may have: they stand in the reports, and in the
// checkpoint as waiting, so that a resumed run writes them again at their place.
func (r *recorder) end() error {
	r.save(true)
	ring := r.job.ring
	for n := ring.head.Load(); n < ring.tail.Load(); n++ {
		if s := ring.at(n); s.state.Load() == slotSettled {
			r.record(&s.result)
		}
	}
	r.finished = r.point.Tally.Rows
	r.job.live.publish(&r.point.Tally)
	if err := r.job.cfg.Sink.Close(); err != nil && r.err == nil {
		r.fail(fmt.Errorf("publish results: %w", err))
	}
	return r.err
}

// complete reports whether every row of the inputs is recorded.
func (r *recorder) complete() bool {
	ring := r.job.ring
	return r.job.live.allRead.Load() && ring.head.Load() == ring.tail.Load()
}
