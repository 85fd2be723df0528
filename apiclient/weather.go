package apiclient

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// ErrOutage is what calls return after the platform was out of reach for
// longer than Config.MaxOutage.
var ErrOutage = errors.New("the platform is out of reach")

// weather is the circuit breaker of a client: it tells an outage of the
// platform from the failure of a row. The package documentation states the
// rule.
type weather struct {
	clock     clock
	longest   time.Duration // of an outage; negative: no limit
	threshold int           // failures in a row that make an outage
	log       *slog.Logger

	calm atomic.Bool // no failure since the last answer: nothing to look at

	mu        sync.Mutex
	streak    streak
	tripped   uint64 // id of the last streak that became an outage
	outage    bool
	probing   bool
	interval  time.Duration // to the next probe
	nextProbe time.Duration
	changed   chan struct{} // closed at every change that waiting callers care for
	lastError error
}

// streak is a row of failures without an answer between them.
type streak struct {
	id      uint64
	began   time.Duration
	distant int // failures that say the platform is out of reach
	calls   map[uint64]struct{}
}

const (
	outageFailures = 10              // in a row
	outageSpan     = 2 * time.Second // and lasting as long
	probeBase      = time.Second
	probeCap       = 30 * time.Second
)

func newWeather(c clock, cfg *Config) *weather {
	w := &weather{
		clock: c, longest: cfg.MaxOutage, log: cfg.Log,
		threshold: max(3, min(outageFailures, cfg.MaxAttempts)),
		changed:   make(chan struct{}),
	}
	w.calm.Store(true)
	return w
}

// wait holds a caller back while there is an outage, and makes it the probe
// when one is due.
func (w *weather) wait(ctx context.Context) (probe bool, err error) {
	if w.calm.Load() {
		return false, nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for w.outage {
		now := w.clock.now()
		if w.over(now) {
			return false, fmt.Errorf("%w for %v: %w", ErrOutage, (now - w.streak.began).Round(time.Second), w.lastError)
		}
		if !w.probing && now >= w.nextProbe {
			w.probing = true
			return true, nil
		}
		d, changed := w.delay(now), w.changed
		w.mu.Unlock()
		err := pause(ctx, d, changed)
		w.mu.Lock()
		if err != nil {
			return false, err
		}
	}
	return false, nil
}

func (w *weather) over(now time.Duration) bool {
	return w.longest >= 0 && now-w.streak.began >= w.longest
}

// delay returns how long to wait before looking again; negative: until a
// change.
func (w *weather) delay(now time.Duration) time.Duration {
	d := time.Duration(-1)
	if !w.probing {
		d = w.nextProbe - now
	}
	if left := w.streak.began + w.longest - now; w.longest >= 0 && (d < 0 || left < d) {
		d = left
	}
	return d
}

// clear reports whether a caller that is no probe may send.
func (w *weather) clear() bool {
	if w.calm.Load() {
		return true
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return !w.outage
}

// answered notes that the platform is there.
func (w *weather) answered() {
	if w.calm.Load() {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.outage {
		w.log.Warn("the platform answers again", "outage", (w.clock.now() - w.streak.began).Round(time.Second))
		w.outage, w.probing = false, false
		w.announce()
	}
	w.streak.calls, w.streak.distant = nil, 0
	w.calm.Store(true)
}

// failure is one attempt that was not answered as it should be.
type failure struct {
	ticket  uint64 // of the call
	distant bool   // the platform is out of reach, not unwilling
	last    bool   // the call would give up now
	probe   bool
	err     error
}

// failed notes a failure and returns the streak it belongs to, and whether
// that is an outage, so that the failure uses up no attempt.
func (w *weather) failed(f failure) (id uint64, outage bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := w.clock.now()
	w.extend(f, now)
	switch {
	case w.outage && f.probe:
		w.interval = min(2*w.interval, probeCap)
		w.probing, w.nextProbe = false, now+w.interval
		w.announce()
	case !w.outage && w.proven() && (f.last || now-w.streak.began >= outageSpan):
		w.outage, w.tripped = true, w.streak.id
		w.interval, w.nextProbe = probeBase, now+probeBase
		w.log.Warn("the platform is out of reach: all calls wait, one probes", "error", f.err)
		w.announce()
	}
	return w.streak.id, w.outage
}

func (w *weather) extend(f failure, now time.Duration) {
	s := &w.streak
	if s.calls == nil {
		*s = streak{id: s.id + 1, began: now, calls: make(map[uint64]struct{}, outageFailures)}
		w.calm.Store(false)
	}
	if f.distant {
		s.distant++
	}
	if len(s.calls) < outageFailures {
		s.calls[f.ticket] = struct{}{}
	}
	w.lastError = f.err
}

func (w *weather) proven() bool {
	return w.streak.distant >= w.threshold || len(w.streak.calls) >= outageFailures
}

// abandon notes that a probe ended without having been sent.
func (w *weather) abandon() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.probing = false
	w.announce()
}

// wasOutage reports whether the streak became an outage.
func (w *weather) wasOutage(id uint64) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return id == w.tripped
}

func (w *weather) announce() {
	close(w.changed)
	w.changed = make(chan struct{})
}
