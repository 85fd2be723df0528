package batch

import (
	"sync"
	"sync/atomic"
	"time"
)

// Progress is where a run stands at one moment.
type Progress struct {
	Read       int64         // rows pulled from the inputs, over all executions
	Done       int64         // rows with a result
	Recorded   int64         // rows written in input order
	Statuses   StatusCounts  // of the Done rows
	InFlight   int64         // requests under way
	Input      int           // the input that is being read
	Next       Position      // how far it was read
	AllRead    bool          // the end of the inputs (or the limit) was reached
	Elapsed    time.Duration // of this execution
	DoneBefore int64         // Done when this execution began
}

// Progress may be called from any goroutine, before, during and after Run.
func (j *Job) Progress() Progress { return j.live.snapshot() }

// Tally returns the counts as of the last checkpoint; after Run, those of every
// row that is done. It may be called from any goroutine.
func (j *Job) Tally() Tally {
	if t := j.live.tally.Load(); t != nil {
		return *t
	}
	return Tally{}
}

// Elapsed is how long the run has worked, all executions together.
func (j *Job) Elapsed() time.Duration {
	before := time.Duration(0)
	if j.cfg.Resume != nil {
		before = j.cfg.Resume.Elapsed
	}
	return before + j.live.elapsed()
}

// live is what other goroutines may look at while a run goes on.
type live struct {
	inFlight atomic.Int64
	recorded atomic.Int64
	allRead  atomic.Bool
	tally    atomic.Pointer[Tally]

	mu         sync.Mutex
	statuses   StatusCounts
	counted    int64 // rows of this execution that thresholds look at
	countedBad int64
	num        int64 // how far the inputs were read
	input      int
	next       Position
	base       int64 // rows done before this execution, the waiting ones included
	began      time.Time
	ended      time.Time
}

func (l *live) restore(c *Checkpoint) {
	l.statuses = c.Tally.Statuses
	for i := range c.Waiting {
		l.statuses[c.Waiting[i].Outcome.Status]++
	}
	l.base = l.statuses.total()
	l.num, l.input, l.next = c.Rows, c.Input, c.Next
	l.recorded.Store(c.Rows)
	l.publish(c.Tally.clone())
}

func (c *StatusCounts) total() (n int64) {
	for _, count := range c {
		n += count
	}
	return n
}

// change calls f, which changes l, while nobody else looks at it.
func (l *live) change(f func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f()
}

func (l *live) publish(t Tally) { l.tally.Store(&t) }

// mapped counts rows that need no request, and says how far the inputs were read.
func (l *live) mapped(slots []*slot) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range slots {
		if s.local() {
			l.statuses[s.result.Status]++
		}
	}
	last := &slots[len(slots)-1].result.Row
	l.num, l.input, l.next = last.Num, last.Input, last.Next
}

// countForThreshold counts a row of this execution and returns the bad and all
// rows that were counted.
func (l *live) countForThreshold(s Status) (bad, done int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.counted++
	if s.Bad() {
		l.countedBad++
	}
	return l.countedBad, l.counted
}

func (l *live) position() (num int64, input int, next Position) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.num, l.input, l.next
}

func (l *live) snapshot() Progress {
	elapsed := l.elapsed()
	l.mu.Lock()
	defer l.mu.Unlock()
	return Progress{
		Read: l.num, Done: l.statuses.total(), Recorded: l.recorded.Load(), Statuses: l.statuses,
		InFlight: l.inFlight.Load(), Input: l.input, Next: l.next, AllRead: l.allRead.Load(),
		Elapsed: elapsed, DoneBefore: l.base,
	}
}

// elapsed is the time since the start, until the end.
func (l *live) elapsed() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.began.IsZero():
		return 0
	case l.ended.IsZero():
		return time.Since(l.began)
	}
	return l.ended.Sub(l.began)
}
