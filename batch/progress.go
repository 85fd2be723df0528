package batch

import (
	"sync"
	"sync/atomic"
	"time"
)

// Progress is where a run stands at one moment.
type Progress struct {
	Read       int64         // rows pulled from the inputs, over all sittings
	Done       int64         // rows with a result
	Recorded   int64         // rows written in input order
	Statuses   StatusCounts  // of the Done rows
	InFlight   int64         // requests under way
	Input      int           // the input that is being read
	Next       Position      // how far it was read
	AllRead    bool          // the end of the inputs (or the limit) was reached
	Elapsed    time.Duration // of this sitting
	DoneBefore int64         // Done when this sitting began
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

// Elapsed is how long the run has worked, all sittings together.
func (j *Job) Elapsed() time.Duration {
	before := time.Duration(0)
	if j.cfg.Resume != nil {
		before = j.cfg.Resume.Elapsed
	}
	return before + j.live.elapsed()
}

// live is what other goroutines may look at while a run goes on.
type live struct {
	statuses [len(statusNames)]atomic.Int64
	inFlight atomic.Int64
	_        apart
	recorded atomic.Int64
	_        apart
	allRead  atomic.Bool
	base     int64        // rows done before this sitting, the waiting ones included
	begun    atomic.Int64 // Unix nanoseconds; 0: not yet
	ended    atomic.Int64

	judged, judgedBad atomic.Int64 // rows of this sitting, see Job.judge

	tally atomic.Pointer[Tally]

	mu   sync.Mutex
	last reading
}

// reading is how far the inputs were read.
type reading struct {
	num   int64
	input int
	next  Position
}

func (l *live) restore(c *Checkpoint) {
	for status, n := range c.Tally.Statuses {
		l.statuses[status].Store(n)
	}
	for i := range c.Waiting {
		l.count(c.Waiting[i].Outcome.Status)
	}
	l.base = l.done()
	l.recorded.Store(c.Rows)
	l.publish(c.Tally.clone())
}

func (l *live) start(t time.Time) { l.begun.Store(t.UnixNano()) }
func (l *live) count(s Status)    { l.statuses[s].Add(1) }
func (l *live) publish(t Tally)   { l.tally.Store(&t) }
func (l *live) done() (total int64) {
	for i := range l.statuses {
		total += l.statuses[i].Load()
	}
	return total
}

// judge counts a row of this sitting and returns the bad and all rows that were
// counted: whoever resumes a run that had too many errors has accepted those.
func (l *live) judge(s Status) (bad, done int64) {
	if s.Bad() {
		l.judgedBad.Add(1)
	}
	return l.judgedBad.Load(), l.judged.Add(1)
}

// read shows how far the inputs were read.
func (l *live) read(at reading) {
	l.mu.Lock()
	l.last = at
	l.mu.Unlock()
}

func (l *live) position() (num int64, input int, next Position) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.last.num, l.last.input, l.last.next
}

func (l *live) snapshot() Progress {
	p := Progress{
		Done: l.done(), Recorded: l.recorded.Load(), InFlight: l.inFlight.Load(),
		AllRead: l.allRead.Load(), DoneBefore: l.base,
	}
	p.Read, p.Input, p.Next = l.position()
	for _, s := range Statuses {
		p.Statuses[s] = l.statuses[s].Load()
	}
	p.Elapsed = l.elapsed()
	return p
}

// elapsed is the time since the start, until the end.
func (l *live) elapsed() time.Duration {
	begun, ended := l.begun.Load(), l.ended.Load()
	if begun == 0 {
		return 0
	}
	if ended == 0 {
		ended = time.Now().UnixNano()
	}
	return time.Duration(ended - begun)
}
