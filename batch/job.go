package batch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
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
	ToSend      int64                   // rows that are not left out, where that is known: a share of MaxErrors counts at the last of fewer than 100, too
	Canary      int64                   // the first Canary rows must all succeed (or be skipped) before the next is sent
	Resume      *Checkpoint             // go on from here; nil: from the start
	Save        func(*Checkpoint) error // makes a checkpoint durable, called from one goroutine, and keeps nothing of it; nil: none are made
	SaveEvery   time.Duration           // time between checkpoints; default 1 s
	Journal     Journal                 // keeps finished rows between checkpoints; nil: none does
	CallerState func() json.RawMessage  // what a checkpoint keeps for the caller; may be nil
}

// Job runs rows through an operation. It is used once.
//
// One group owns its goroutines: a reader, a mapper, MaxInFlight senders and a
// recorder. The first error of any of them stops the others and is the run's.
type Job struct {
	cfg    Config
	window *window
	ready  chan *slot // rows whose predecessors are finished; capacity Window: putting one in never blocks

	// stopping is done when the run was asked to stop; running, which is derived
	// from it, also when a member of the group has ended with an error.
	stopping context.Context
	stop     context.CancelCauseFunc // only the first cause counts
	running  context.Context

	changed  chan struct{} // wakes the recorder; capacity 1
	space    chan struct{} // wakes the mapper; capacity 1
	open     atomic.Int64  // rows with a request that are not finished, and 1 for the mapper
	drained  chan struct{} // closed when open is 0
	members  atomic.Int64  // mapper and senders at work
	finished chan struct{} // closed when members is 0

	start  time.Time
	mapper mapper
	rec    recorder
	live   live
}

// WindowOf is how many unfinished rows a job has at the same time, unless its Config
// says otherwise: no row further after the first unfinished one was sent.
func WindowOf(maxInFlight int) int { return max(minWindow, 16*maxInFlight) }

// New prepares a job.
func New(cfg Config) *Job {
	if cfg.MaxInFlight <= 0 {
		cfg.MaxInFlight = DefaultMaxInFlight
	}
	if cfg.Window <= 0 {
		cfg.Window = WindowOf(cfg.MaxInFlight)
	}
	if cfg.SaveEvery <= 0 {
		cfg.SaveEvery = DefaultSaveEvery
	}
	j := &Job{
		cfg: cfg, window: newWindow(cfg.Window), ready: make(chan *slot, cfg.Window),
		changed: make(chan struct{}, 1), space: make(chan struct{}, 1),
		drained: make(chan struct{}), finished: make(chan struct{}),
	}
	j.stopping, j.stop = context.WithCancelCause(context.Background())
	j.mapper, j.rec = mapper{job: j}, recorder{job: j}
	if cfg.Resume != nil {
		j.restore(cfg.Resume)
	}
	return j
}

func (j *Job) restore(c *Checkpoint) {
	j.rec.restore(c)
	j.window.head, j.window.tail = c.Rows, c.Rows
	j.mapper.earlier = j.rec.earlier
	j.live.restore(c)
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
	j.live.change(func() { j.live.began = j.start })
	if ctx.Err() != nil {
		j.Stop(context.Cause(ctx)) // before the first request, not some time after it
	}
	defer context.AfterFunc(ctx, func() { j.Stop(context.Cause(ctx)) })()

	group, running := errgroup.WithContext(j.stopping)
	j.running = running
	sending := context.WithValue(ctx, stoppingKey{}, running.Done())
	j.open.Store(1)
	j.members.Store(int64(1 + j.cfg.MaxInFlight))
	member := func(run func() error) { group.Go(Guarded(run)) } // a panic of one is an error like others
	read := newReader(j)
	member(read.run)                                        // ends with the inputs or when the run stops
	member(func() error { return j.mapper.run(ctx, read) }) // ends after the reader
	for range j.cfg.MaxInFlight {
		member(func() error { return j.send(sending) }) // ends when the last row is finished or the run stops
	}
	member(j.rec.run) // ends after mapper and senders
	err := group.Wait()
	j.live.change(func() { j.live.ended = time.Now() })
	return j.verdict(err)
}

// verdict adds to the error of the group what it cannot know. A stop that left
// no row over stopped nothing; results that cannot be written are told beside
// what stopped the run before.
func (j *Job) verdict(err error) error {
	stop := context.Cause(j.stopping)
	if j.rec.err != nil {
		for _, before := range []error{err, stop} {
			if before != nil && !errors.Is(before, j.rec.err) {
				return errors.Join(before, j.rec.err)
			}
		}
		return j.rec.err
	}
	if err == nil && !j.rec.complete() {
		return stop
	}
	return err
}

// Stop ends the run gracefully: no further request begins, those under way are
// finished and recorded, all other rows stay unsent. Only the first cause
// counts. Stop may be called from any goroutine, also before Run.
func (j *Job) Stop(cause error) { j.stop(cause) }

func (j *Job) stopped() bool { return j.running.Err() != nil }

// send is one sender: it takes rows whose predecessors are finished.
func (j *Job) send(ctx context.Context) error {
	defer j.leave()
	for {
		select {
		case <-j.running.Done():
			return nil
		case s, more := <-j.ready:
			if !more || j.stopped() {
				return nil
			}
			if j.window.hold(s) {
				continue
			}
			if err := j.sendRow(ctx, s); err != nil {
				return err
			}
		}
	}
}

// sendRow sends one row. A row that ends without an outcome stays unsent, and
// keeps its key locks: nothing that waits for it may be sent.
func (j *Job) sendRow(ctx context.Context, s *slot) error {
	j.live.inFlight.Add(1)
	out, err := s.request.Send(ctx)
	j.live.inFlight.Add(-1)
	if err == nil && out.Status == 0 {
		err = errors.New("a request ended without a status")
	}
	if err != nil {
		return j.unsent(ctx, err)
	}
	j.finish(s, &out)
	over := j.checkThreshold(&s.result)
	if err := j.keep(Waiting{s.result.Row.Num, out}); err != nil {
		return err
	}
	j.release(s)
	return over
}

func (j *Job) keep(row Waiting) error {
	if j.cfg.Journal == nil {
		return nil
	}
	if err := j.cfg.Journal.Append(row); err != nil {
		return abortOf(err, "results_unwritable")
	}
	return nil
}

// unsent is why the run stops when a row has no outcome: nobody would send it any
// more. A row has none mostly because the run stops already.
func (j *Job) unsent(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		j.Stop(context.Cause(ctx)) // j may not have heard of it yet
		return nil                 //nolint:nilerr // why the run stops is known already
	case !errors.Is(err, ErrUnsent):
		return abortOf(err, CodeInternal)
	case j.stopped():
		return nil
	}
	return &Abort{Code: CodeInternal, Err: errors.New("a request was given up although the run was not stopping")}
}

// abortOf is err as an Abort, with a code if it has none.
func abortOf(err error, code string) error {
	if a, ok := errors.AsType[*Abort](err); ok {
		return a
	}
	return &Abort{Code: code, Err: err}
}

// finish gives a row that was sent its outcome.
func (j *Job) finish(s *slot, out *Outcome) {
	if out.Finished.IsZero() {
		out.Finished = time.Now()
	}
	j.live.change(func() { j.live.statuses[out.Status]++ })
	j.window.finish(s, out)
}

// release lets the rows go that waited for a finished one.
func (j *Job) release(s *slot) {
	if !j.stopped() {
		for _, next := range j.window.release(s) {
			j.ready <- next
		}
	}
	wake(j.changed)
	j.closeRow()
}

// closeRow counts a row, or the mapper, that will send nothing any more.
func (j *Job) closeRow() {
	if j.open.Add(-1) == 0 {
		close(j.ready)
		close(j.drained)
	}
}

// leave says that the mapper or a sender has ended.
func (j *Job) leave() {
	if j.members.Add(-1) == 0 {
		close(j.finished)
	}
}

// checkThreshold returns an error if a row is one bad row too many. A row that
// was sent is counted when it is answered, any other when it is recorded: rows
// are mapped far ahead of those that are sent, and the bad ones among them say
// nothing about the rows before. Resuming accepts the errors counted so far:
// thresholds start at zero.
func (j *Job) checkThreshold(res *Result) error {
	if !j.cfg.MaxErrors.set && j.cfg.Canary == 0 || res.LeftOut {
		return nil
	}
	bad, done := j.live.countForThreshold(res.Status)
	if res.Status.Bad() && res.Row.Num <= j.cfg.Canary {
		return fmt.Errorf("%w: row %d was %s", ErrCanary, res.Row.Num, res.Status)
	}
	// Good rows count too: the hundredth makes a share of the bad ones before it.
	if j.cfg.MaxErrors.Exceeded(bad, done) || done == j.cfg.ToSend && j.cfg.MaxErrors.ExceededBy(bad, done) {
		return fmt.Errorf("%w: %d of %d rows were bad, more than %s, when row %d (%s, row %d) was done%s", ErrTooManyErrors, bad, done, j.cfg.MaxErrors,
			res.Row.Num, res.Row.Source, res.Row.SourceNum(), j.uncounted())
	}
	return nil
}

// uncounted says which rows of the reports thresholds do not count.
func (j *Job) uncounted() string {
	switch {
	case j.cfg.Resume != nil:
		return "; rows done before the run was resumed are not counted"
	case j.cfg.ToSend > 0:
		return "; rows that were skipped are not counted"
	}
	return ""
}

func wake(ch chan struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}
