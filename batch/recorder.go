package batch

import (
	"fmt"
	"slices"
	"time"
)

// drainAtMost is how many rows are recorded before the clock is looked at
// again: rows that come without end must not put off the checkpoint.
const drainAtMost = 64

// recorder is the one goroutine that owns the sink. It takes settled rows off
// the ring in input order and makes checkpoints.
type recorder struct {
	job      *Job
	point    Checkpoint // the watermark; valid for a save after Sink.Flush only
	earlier  []Waiting  // what an earlier sitting finished, by row
	finished int64      // rows that were recorded, those behind a gap included
	dirty    bool       // a row was settled since the last checkpoint
	freed    int64      // the head of the ring when the feeder was woken last
	closed   bool       // the rows themselves have stopped the run: none that needs no request is recorded any more
	err      error      // the sink or a save refused; nothing is recorded any more
}

// run records until every row that entered the ring is settled or given up.
func (r *recorder) run() error {
	tick := time.NewTicker(r.job.cfg.SaveEvery)
	defer tick.Stop()
	for {
		fed := r.job.fed.Load() // before draining, or the last rows could be missed
		if more := r.drain(); fed && !more {
			return r.end()
		}
		select {
		case <-r.job.ring.settled:
			// Also a row behind a gap: it must be in the next checkpoint, or a
			// crash would repeat it however long ago it was.
			r.dirty = true
		case <-tick.C:
			if r.dirty {
				r.save()
			}
		}
	}
}

// drain records settled rows at the head of the ring and reports whether it
// may have left some.
func (r *recorder) drain() (more bool) {
	ring := r.job.ring
	first := ring.head.Load()
	head, end := first, min(ring.tail.Load(), first+drainAtMost)
	for ; head < end; head++ {
		s := ring.at(head)
		if s.state.Load() != slotSettled || r.closed && s.mapped() {
			break
		}
		if s.mapped() {
			r.judge(&s.result)
		}
		if res := &s.result; r.record(res) {
			r.point.Rows, r.point.Input, r.point.Next = res.Row.Num, res.Row.Input, res.Row.Next
		}
		s.free()
	}
	if head > first {
		ring.head.Store(head)
		r.job.live.recorded.Store(r.point.Rows)
		wake(ring.settled)
	}
	// A feeder that waits is woken once for many rows, and when there are no more.
	if free := head - r.freed; free > 0 && (free >= ring.window/2 || head == first) {
		r.freed = head
		wake(ring.space)
	}
	return head > first
}

// judge looks at a row that was not sent. Those behind one that ends the run are
// unsent: a resumed run maps them again, and judges each once.
func (r *recorder) judge(res *Result) {
	if r.job.judge(res); res.Status.Bad() {
		r.closed = r.job.condemned()
	}
}

// record gives one result to the sink.
func (r *recorder) record(res *Result) bool {
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
	point := r.snapshot()
	r.job.live.publish(point.Tally)
	r.keep(&point)
}

func (r *recorder) keep(point *Checkpoint) {
	if r.job.cfg.Save == nil {
		return
	}
	if err := r.job.cfg.Save(point); err != nil {
		r.fail(fmt.Errorf("save checkpoint: %w", err))
	}
}

// snapshot is the checkpoint as of now, with the finished rows behind the
// watermark. It shares nothing with the recorder that changes later.
func (r *recorder) snapshot() Checkpoint {
	point := r.point
	point.Tally = r.point.Tally.clone()
	point.SavedAt = time.Now()
	point.Elapsed += point.SavedAt.Sub(r.job.start)
	point.Waiting = r.waiting()
	if r.job.cfg.Carry != nil {
		point.Carried = r.job.cfg.Carry()
	}
	return point
}

// waiting lists the finished rows behind the watermark by row. It looks at the
// newest first: while it looks, rows go on being finished, and one that is
// listed must never have a predecessor that is not, or a resumed run would send
// the predecessor after it. Rows that needed no request are not listed: a resumed
// run finds again what became of them.
func (r *recorder) waiting() []Waiting {
	var list []Waiting
	ring := r.job.ring
	head, tail := ring.head.Load(), ring.tail.Load()
	fed := r.point.Rows + tail - head
	for i := len(r.earlier) - 1; i >= 0 && r.earlier[i].Row > fed; i-- {
		list = append(list, r.earlier[i])
	}
	for n := tail - 1; n >= head; n-- {
		if s := ring.at(n); s.state.Load() == slotSettled && !s.mapped() {
			list = append(list, Waiting{s.result.Row.Num, s.result.Outcome})
		}
	}
	slices.Reverse(list)
	return list
}

// end saves a checkpoint, then lists the rows that are done behind a gap, which
// a stopped run may have: they stand in the reports, and in the checkpoint as
// waiting, so that a resumed run writes them again at their place. That the run
// has ended is claimed only after the results are published.
func (r *recorder) end() error {
	r.save()
	ring := r.job.ring
	for n := ring.head.Load(); n < ring.tail.Load(); n++ {
		if s := ring.at(n); s.state.Load() == slotSettled && !(r.closed && s.mapped()) {
			r.record(&s.result)
		}
	}
	if err := r.job.cfg.Sink.Close(); err != nil && r.err == nil {
		r.fail(fmt.Errorf("publish results: %w", err))
	}
	r.finished = r.point.Tally.Rows
	r.job.live.publish(r.point.Tally.clone())
	if r.err == nil && r.complete() {
		point := r.snapshot()
		point.Ended = true
		r.keep(&point)
	}
	return r.err
}

// complete reports whether every row of the inputs is recorded.
func (r *recorder) complete() bool {
	ring := r.job.ring
	return r.job.live.allRead.Load() && ring.head.Load() == ring.tail.Load()
}
