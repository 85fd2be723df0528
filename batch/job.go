package batch

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
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
	Save        func(*Checkpoint) error // makes a checkpoint durable, called from one goroutine; nil: none are kept
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

	fed     atomic.Bool // the feeder has put its last row into the ring
	waiting map[int64]Outcome
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
		cfg:     cfg,
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
	for _, w := range c.Waiting {
		j.waiting[w.Row] = w.Outcome
	}
	j.live.restore(c)
}

// Run feeds every row to its request and every result to the sink, and closes
// the sink. It returns nil when the end of the input was reached and every row
// has its result; otherwise the reason why the run stopped: ErrTooManyErrors,
// ErrCanary, an *Abort, what was given to Stop, or the cause of ctx. In all of
// these cases the sink holds the results of the rows that were done, and the
// last checkpoint is good to go on from.
//
// Cancelling ctx ends requests under way; Stop lets them finish. When Run
// returns, none of its goroutines is left.
func (j *Job) Run(ctx context.Context) error {
	j.start = time.Now()
	j.live.start(j.start)
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
// what followed from stopping it.
func (j *Job) verdict(readErr, recErr error) error {
	cause := context.Cause(j.running)
	switch {
	case cause == nil:
		return cmp.Or(readErr, recErr)
	case recErr != nil && !errors.Is(recErr, cause):
		return errors.Join(cause, recErr)
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
			j.giveUp(s)
			continue
		}
		j.live.inFlight.Add(1)
		out, err := s.request.Send(ctx)
		j.live.inFlight.Add(-1)
		if err == nil {
			j.settle(s, &out)
			j.release(s)
			continue
		}
		if !errors.Is(err, ErrUnsent) {
			// The stop must be known before a row that waits for this one is freed.
			j.Stop(abortOf(err, "internal"))
		}
		j.giveUp(s)
	}
}

// abortOf is err as an Abort, with a code if it has none.
func abortOf(err error, code string) error {
	if a, ok := errors.AsType[*Abort](err); ok {
		return a
	}
	return &Abort{Code: code, Err: err}
}

// settle gives a row its outcome.
func (j *Job) settle(s *slot, out *Outcome) {
	s.result.Outcome = *out
	if s.result.Finished.IsZero() {
		s.result.Finished = time.Now()
	}
	j.live.count(out.Status)
	if out.Status.Bad() && s.result.Row.Num <= j.cfg.Canary {
		j.Stop(fmt.Errorf("%w: row %d was %s", ErrCanary, s.result.Row.Num, out.Status))
	}
	if bad, done := j.live.errors(); out.Status.Bad() && j.cfg.MaxErrors.Exceeded(bad, done) {
		j.Stop(ErrTooManyErrors)
	}
}

// release publishes a settled row to the recorder and frees those behind it.
func (j *Job) release(s *slot) { j.end(s, slotSettled) }

// giveUp leaves a row unsent because the run stops.
func (j *Job) giveUp(s *slot) { j.end(s, slotUnsent) }

func (j *Job) end(s *slot, state int32) {
	free := j.chains.leave(s)
	j.ring.finish(s, state) // s belongs to the recorder from here on
	for _, f := range free {
		j.ready <- f
	}
	j.open.Done()
}
