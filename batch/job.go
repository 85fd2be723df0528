package batch

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// Why a run stopped before the end of its input.
var (
	// ErrTooManyErrors: more rows were bad than Config.MaxErrors tolerates.
	ErrTooManyErrors = errors.New("too many errors")
	// ErrCanary: one of the first Config.Canary rows did not succeed.
	ErrCanary = errors.New("a canary row did not succeed")
)

// Defaults of Config.
const (
	DefaultMaxInFlight = 64
	DefaultSaveEvery   = time.Second
	minWindow          = 1024
)

// Input is one opened source and what maps its rows.
type Input struct {
	Source Source
	Map    Mapper
}

// Config says what a Job does. Inputs and Sink are required.
type Config struct {
	Inputs      []Input
	Sink        Sink
	MaxInFlight int // requests under way at the same time; default 64
	Window      int // unfinished rows at the same time; default the larger of 1024 and 16 x MaxInFlight
	Limit       int64
	MaxErrors   Threshold
	Canary      int64                   // the first Canary rows must all succeed (or be skipped) before the next is sent
	Resume      *Checkpoint             // go on from here; nil: from the start
	Save        func(*Checkpoint) error // makes a checkpoint durable, called from one goroutine, and keeps nothing of it; nil: none are made
	SaveEvery   time.Duration           // time between checkpoints; default 1 s
	Carry       func() json.RawMessage  // state of the caller that a checkpoint carries; may be nil
}

// Job runs rows through an operation. It is used once.
type Job struct {
	cfg    Config
	ring   *ring
	chains chains
	ready  chan *slot // capacity Window: putting a row in never blocks
	open   sync.WaitGroup

	running context.Context         // done when the run stops; its cause says why
	stop    context.CancelCauseFunc // only the first cause counts

	fed     atomic.Bool       // every row that entered the ring is settled or given up
	waiting map[int64]Outcome // rows an earlier sitting finished, until they are fed; the feeder's
	read    reading           // how far the inputs were read; the feeder's
	clock   stopwatch         // the feeder's
	start   time.Time
	live    live
	rec     recorder
}

// New prepares a job.
func New(cfg Config) *Job {
	if cfg.MaxInFlight <= 0 {
		cfg.MaxInFlight = DefaultMaxInFlight
	}
	if cfg.Window <= 0 {
		cfg.Window = max(minWindow, 16*cfg.MaxInFlight)
	}
	if cfg.SaveEvery <= 0 {
		cfg.SaveEvery = DefaultSaveEvery
	}
	j := &Job{
		cfg:     guarded(cfg),
		ring:    newRing(cfg.Window),
		chains:  chains{last: make(map[string]*slot)},
		ready:   make(chan *slot, cfg.Window),
		waiting: make(map[int64]Outcome),
	}
	j.running, j.stop = context.WithCancelCause(context.Background())
	j.rec = recorder{job: j}
	if cfg.Resume != nil {
		j.restore(cfg.Resume)
	}
	return j
}

func (j *Job) restore(c *Checkpoint) {
	j.rec.point = *c
	j.rec.point.Tally = c.Tally.clone()
	j.rec.point.Waiting = nil
	j.rec.earlier = slices.SortedFunc(slices.Values(c.Waiting), func(a, b Waiting) int { return cmp.Compare(a.Row, b.Row) })
	for _, w := range c.Waiting {
		j.waiting[w.Row] = w.Outcome
	}
	j.live.restore(c)
	j.read = reading{c.Rows, c.Input, c.Next}
	j.live.read(j.read)
}

// Run feeds every row to its request and every result to the sink, and closes
// the sink. It returns nil when the end of the input was reached and every row
// has its result, even if it was asked to stop meanwhile; otherwise the reason
// why the run stopped: an *Abort, what was given to Stop, or the cause of ctx.
// ErrTooManyErrors and ErrCanary are returned whether rows are left or not. In
// all of these cases the sink holds the results of the rows that were done, and
// the last checkpoint is good to go on from.
//
// Cancelling ctx ends requests under way; Stop lets them finish. When Run
// returns, none of its goroutines is left.
func (j *Job) Run(ctx context.Context) error {
	j.start = time.Now()
	j.live.start(j.start)
	if ctx.Err() != nil {
		j.Stop(context.Cause(ctx)) // before the first request, not some time after it
	}
	sending := context.WithValue(ctx, stoppingKey{}, j.running.Done())
	defer context.AfterFunc(ctx, func() { j.Stop(context.Cause(ctx)) })()

	var recorder, senders errgroup.Group
	// Senders belong to Run and end when ready is closed, below.
	for range j.cfg.MaxInFlight {
		senders.Go(func() error { j.send(sending); return nil })
	}
	// The recorder belongs to Run and ends when the last row is in.
	recorder.Go(j.rec.run)

	readErr := j.feed()
	j.feedFinished(ctx)
	j.show()
	j.open.Wait()
	close(j.ready)
	_ = senders.Wait() // senders report through their rows
	j.fed.Store(true)
	wake(j.ring.settled)
	recErr := recorder.Wait()
	j.live.ended.Store(time.Now().UnixNano())
	return j.verdict(readErr, recErr)
}

// verdict picks the error that says most: why a run was stopped comes before
// what followed from stopping it. A stop that left no row over stopped nothing,
// unless it was the rows themselves that called for it.
func (j *Job) verdict(readErr, recErr error) error {
	cause := context.Cause(j.running)
	switch {
	case cause == nil:
		return cmp.Or(readErr, recErr)
	case recErr != nil && !errors.Is(recErr, cause):
		return errors.Join(cause, recErr)
	case recErr == nil && j.rec.complete() && !j.condemned():
		return nil
	}
	return cause
}

// Stop ends the run gracefully: no further request begins, those under way are
// finished and recorded, all other rows stay unsent. Only the first cause
// counts. Stop may be called from any goroutine, also before Run.
func (j *Job) Stop(cause error) { j.stop(cause) }

func (j *Job) stopped() bool { return j.running.Err() != nil }

// send is one sender: it takes rows whose predecessors are finished.
func (j *Job) send(ctx context.Context) {
	for s := range j.ready {
		if j.stopped() {
			j.end(s, slotUnsent)
			continue
		}
		j.live.inFlight.Add(1)
		out, err := guardedSend(ctx, s.request)
		j.live.inFlight.Add(-1)
		if err == nil && out.Status == 0 {
			err = errors.New("a request ended without a status")
		}
		if err != nil {
			j.stopFor(ctx, err)
			j.end(s, slotUnsent)
			continue
		}
		s.result.Outcome = out
		j.settle(s)
		j.judge(&s.result)
		j.end(s, slotSettled)
	}
}

// stopFor stops the run because a row has no outcome: nobody would send it any
// more. A row has none mostly because the run stops already; then this changes
// nothing. The stop must be known before a row that waits for this one is freed.
func (j *Job) stopFor(ctx context.Context, err error) {
	switch {
	case ctx.Err() != nil: // j may not have heard of it yet
		j.Stop(context.Cause(ctx))
	case errors.Is(err, ErrUnsent):
		j.Stop(&Abort{Code: CodeInternal, Err: errors.New("a request was given up although the run was not stopping")})
	default:
		j.Stop(abortOf(err, CodeInternal))
	}
}

// abortOf is err as an Abort, with a code if it has none.
func abortOf(err error, code string) error {
	if a, ok := errors.AsType[*Abort](err); ok {
		return a
	}
	return &Abort{Code: code, Err: err}
}

// settle counts a row that has its outcome.
func (j *Job) settle(s *slot) {
	if s.result.Finished.IsZero() {
		s.result.Finished = time.Now()
	}
	j.live.count(s.result.Status)
}

// judge stops the run if a row is one bad row too many. A row that was sent is
// judged when it is answered, any other when it is recorded: rows are mapped far
// ahead of those that are sent, and the bad ones among them say nothing about the
// rows before.
func (j *Job) judge(res *Result) {
	if !j.cfg.MaxErrors.set && j.cfg.Canary == 0 {
		return
	}
	bad, done := j.live.judge(res.Status)
	if res.Status.Bad() && res.Row.Num <= j.cfg.Canary {
		j.Stop(fmt.Errorf("%w: row %d was %s", ErrCanary, res.Row.Num, res.Status))
	}
	// Good rows count too: the hundredth makes a share of the bad ones before it.
	if j.cfg.MaxErrors.Exceeded(bad, done) && !j.stopped() {
		j.Stop(fmt.Errorf("%w: %d of %d rows were bad, more than %s", ErrTooManyErrors, bad, done, j.cfg.MaxErrors))
	}
}

// condemned reports whether the rows themselves have stopped the run.
func (j *Job) condemned() bool {
	cause := context.Cause(j.running)
	return errors.Is(cause, ErrTooManyErrors) || errors.Is(cause, ErrCanary)
}

// end hands a row that is settled or given up to the recorder and frees those
// behind it.
func (j *Job) end(s *slot, state int32) {
	free := j.chains.leave(s, state)
	wake(j.ring.settled)
	for _, f := range free {
		j.ready <- f
	}
	j.open.Done()
}
