package apiclient

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"sync"
	"sync/atomic"
	"time"
)

// ErrOutage is what calls return after the platform was out of reach for
// longer than Config.MaxOutage.
var ErrOutage = errors.New("the platform is out of reach")

// outageError is an ErrOutage with what the last attempt came to.
type outageError struct {
	text string
	last error
}

func (e *outageError) Error() string        { return e.text + ": " + e.last.Error() }
func (e *outageError) Is(target error) bool { return target == ErrOutage }
func (e *outageError) Unwrap() error        { return e.last }

// refusals bounds how long a platform is asked that answers every request with
// a 429.
type refusals struct {
	longest time.Duration // negative: no limit
	since   atomic.Int64  // time of the first since the last other answer, plus one; 0: none
	over    atomic.Pointer[outageError]
}

// err returns the ErrOutage that add returned, nil if it returned none.
func (r *refusals) err() error {
	if e := r.over.Load(); e != nil {
		return e
	}
	return nil
}

// other notes an answer that is no refusal.
func (r *refusals) other() {
	if r.since.Load() != 0 {
		r.since.Store(0)
	}
}

// add notes a refusal. It returns for how long they may still go on, and an
// ErrOutage when that is over.
func (r *refusals) add(now time.Duration, e *Error) (left time.Duration, err error) {
	r.since.CompareAndSwap(0, int64(now)+1)
	lasted := now - time.Duration(r.since.Load()-1)
	switch {
	case r.longest < 0:
		return math.MaxInt64, nil
	case lasted >= r.longest:
		r.over.Store(&outageError{fmt.Sprintf("the platform refused every request for %v (429)", lasted.Round(time.Second)), e})
		return 0, r.err()
	}
	return r.longest - lasted, nil
}

// breaker is the circuit breaker of a client: it tells an outage of the
// platform from the failure of a row. The package documentation states the
// rule.
type breaker struct {
	clock     clock
	longest   time.Duration // of an outage; negative: no limit
	threshold int           // failures in a row that make an outage
	log       *slog.Logger

	closed atomic.Bool // no failure since the last answer: nothing to look at

	mu        sync.Mutex
	streak    streak
	tripped   uint64 // id of the last streak that became an outage
	outage    bool
	probing   bool
	interval  time.Duration // to the next probe
	nextProbe time.Duration
	changed   chan struct{} // closed at every change that waiting callers care for
	lastError *Error
}

// streak is a row of failures without an answer between them.
type streak struct {
	id       uint64
	began    time.Duration
	failures int
	distant  int // failures that say the platform is out of reach
	calls    map[uint64]struct{}
	told     bool // a warning says that calls are repeated
}

const (
	outageFailures = 10              // in a row
	outageSpan     = 2 * time.Second // and lasting as long
	toldFailures   = 3               // in a row, and lasting as long, are told
	probeBase      = time.Second
	probeCap       = 30 * time.Second
)

func newBreaker(c clock, cfg *Config) *breaker {
	b := &breaker{
		clock: c, longest: cfg.MaxOutage, log: cfg.Log,
		threshold: max(3, min(outageFailures, cfg.MaxAttempts)),
		changed:   make(chan struct{}),
	}
	b.closed.Store(true)
	return b
}

// wait holds a caller back while there is an outage, and makes it the probe
// when one is due.
func (b *breaker) wait(ctx context.Context) (probe bool, err error) {
	if b.closed.Load() {
		return false, nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for b.outage {
		now := b.clock.now()
		if b.over(now) {
			lasted := (now - b.streak.began).Round(time.Second)
			return false, &outageError{fmt.Sprintf("the platform is out of reach for %v", lasted), b.lastError}
		}
		if !b.probing && now >= b.nextProbe {
			b.probing = true
			return true, nil
		}
		d, changed := b.delay(now), b.changed
		b.mu.Unlock()
		err := pause(ctx, d, changed)
		b.mu.Lock()
		if err != nil {
			return false, err
		}
	}
	return false, nil
}

func (b *breaker) over(now time.Duration) bool {
	return b.longest >= 0 && now-b.streak.began >= b.longest
}

// left returns for how long calls may still go on without an answer.
func (b *breaker) left() time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.longest < 0:
		return math.MaxInt64
	case b.streak.calls == nil:
		return b.longest
	}
	return max(b.streak.began+b.longest-b.clock.now(), 0)
}

// delay returns how long to wait before looking again; negative: until a
// change.
func (b *breaker) delay(now time.Duration) time.Duration {
	d := time.Duration(-1)
	if !b.probing {
		d = b.nextProbe - now
	}
	if left := b.streak.began + b.longest - now; b.longest >= 0 && (d < 0 || left < d) {
		d = left
	}
	return d
}

// clear reports whether a caller that is no probe may send.
func (b *breaker) clear() bool {
	if b.closed.Load() {
		return true
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return !b.outage
}

// answered notes that the platform is there.
func (b *breaker) answered() {
	if b.closed.Load() {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.outage {
		b.log.Warn("the platform answers again", "outage", (b.clock.now() - b.streak.began).Round(time.Second))
		b.outage, b.probing = false, false
		b.announce()
	}
	b.streak.calls = nil
	b.closed.Store(true)
}

// doubtful reports whether the next failure may make an outage although so few
// calls failed that it may be their own fault.
func (b *breaker) doubtful(probe bool) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := &b.streak
	return s.calls != nil && len(s.calls) < outageFailures && (probe || s.distant+1 >= b.threshold || b.over(b.clock.now()))
}

// failure is one attempt that was not answered as it should be.
type failure struct {
	sequence uint64        // of the call
	distant  bool          // the platform is out of reach, not unwilling
	last     bool          // the call would give up now
	since    time.Duration // when the call failed first; before the streak it may be its own fault
	probe    bool
	err      *Error
}

// failed notes a failure and returns the streak it belongs to, and whether
// that is an outage, so that the failure uses up no attempt. A streak that lasts
// too long is one as well, however few calls are made.
func (b *breaker) failed(f failure) (id uint64, outage bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.clock.now()
	b.extend(f, now)
	lasted := now - b.streak.began
	tooLong := b.over(now) && f.since >= b.streak.began
	switch {
	case b.outage && f.probe:
		b.interval = min(2*b.interval, probeCap)
		b.probing, b.nextProbe = false, now+b.interval
		b.announce()
	case b.outage:
	case tooLong, b.proven() && (f.last || lasted >= outageSpan):
		b.outage, b.tripped = true, b.streak.id
		b.interval, b.nextProbe = probeBase, now+probeBase
		if !tooLong {
			b.warn("the platform is out of reach: all calls wait, one probes", f.err)
		}
		b.announce()
	case !b.streak.told && b.streak.failures >= toldFailures && lasted >= outageSpan:
		b.streak.told = true
		b.warn("no answer as it should be: trying again", f.err)
	}
	return b.streak.id, b.outage
}

// tell warns of failures, without the platform's message: it may repeat what a row
// holds.
func (b *breaker) warn(message string, e *Error) {
	attrs := []any{"error", e.brief()}
	if b.longest >= 0 {
		attrs = append(attrs, "gives_up_in", max(b.streak.began+b.longest-b.clock.now(), 0).Round(time.Second))
	}
	b.log.Warn(message, attrs...)
}

func (b *breaker) extend(f failure, now time.Duration) {
	s := &b.streak
	if s.calls == nil {
		*s = streak{id: s.id + 1, began: now, calls: make(map[uint64]struct{}, outageFailures)}
		b.closed.Store(false)
	}
	s.failures++
	if f.distant {
		s.distant++
	}
	if len(s.calls) < outageFailures {
		s.calls[f.sequence] = struct{}{}
	}
	b.lastError = f.err
}

func (b *breaker) proven() bool {
	return b.streak.distant >= b.threshold || len(b.streak.calls) >= outageFailures
}

// abandon notes that a probe ended without having been sent.
func (b *breaker) abandon() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.probing = false
	b.announce()
}

// wasOutage reports whether the streak became an outage.
func (b *breaker) wasOutage(id uint64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return id == b.tripped
}

func (b *breaker) announce() {
	close(b.changed)
	b.changed = make(chan struct{})
}
