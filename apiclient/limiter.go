package apiclient

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"sort"
	"sync"
	"time"
)

// limiter is the queue in which the calls of one operation wait for their
// permits, in the order of their sequence numbers. A call that was refused
// keeps its number and so goes back first in line. Only the first in line runs
// a timer.
type limiter struct {
	clock clock

	mu       sync.Mutex
	permits  permits
	adaptive adaptiveRate
	waiting  []*waiter     // by sequence
	target   time.Duration // until when the first in line sleeps
	fresh    bool          // a pause came after the last permit: nothing to make up for
	paused   time.Duration // no permit before
	asked    bool          // the pause is one that the platform asked for
	refusals int           // episodes in a row without Retry-After
	share    *share        // nil: the whole rate is this process's
}

type waiter struct {
	sequence uint64
	first    chan struct{} // capacity 1: look again
}

// clock tells times since the client was made.
type clock struct{ start time.Time }

func (c clock) now() time.Duration { return time.Since(c.start) }

const (
	// retryAfterMax bounds what a server can ask for.
	retryAfterMax = time.Hour
	// toldPause is what a pause that the platform asked for must last to be told
	// although the rate stays as it is.
	toldPause = 5 * time.Second
	// refusedBase and refusedCap bound the pause after a 429 that names none.
	refusedBase = 250 * time.Millisecond
	refusedCap  = 30 * time.Second
)

func newLimiter(c clock, rate float64) *limiter {
	rate = wholeRate(rate)
	l := &limiter{clock: c, adaptive: adaptiveRate{configured: rate, rate: rate}}
	l.permits.setRate(rate)
	return l
}

// wait returns a permit when it is this call's turn and the limit and no pause
// stand against it. That is decided under one lock: nobody who was waiting
// slips through a pause.
func (l *limiter) wait(ctx context.Context, sequence uint64) (*permit, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.waiting) == 0 && l.delay() <= 0 {
		return l.take(false), nil
	}
	w := &waiter{sequence: sequence, first: make(chan struct{}, 1)}
	l.waiting = slices.Insert(l.waiting, l.place(w), w) // new calls at the end, repeated ones before
	for {
		d := time.Duration(-1)
		if l.waiting[0] == w {
			if d = l.delay(); d <= 0 {
				return l.leave(w).take(true), nil
			}
		}
		l.mu.Unlock()
		err := pause(ctx, d, w.first)
		l.mu.Lock()
		if err != nil {
			l.leave(w)
			return nil, err
		}
	}
}

// place is where a waiter stands, or is to stand.
func (l *limiter) place(w *waiter) int {
	return sort.Search(len(l.waiting), func(i int) bool { return l.waiting[i].sequence >= w.sequence })
}

// leave takes a waiter out and lets the first in line look again.
func (l *limiter) leave(w *waiter) *limiter {
	at := l.place(w)
	l.waiting = slices.Delete(l.waiting, at, at+1)
	l.wakeFirst()
	return l
}

func (l *limiter) wakeFirst() {
	if len(l.waiting) > 0 {
		select {
		case l.waiting[0].first <- struct{}{}:
		default:
		}
	}
}

// delay returns how long the first in line has to wait.
func (l *limiter) delay() time.Duration {
	now := l.clock.now()
	if l.adaptive.climb(now) {
		l.permits.setRate(l.adaptive.rate)
	}
	l.target = max(l.permits.at(now), l.paused)
	if l.share.isOver(l.target) {
		l.share.look()
		l.target = math.MaxInt64
	}
	return l.target - now
}

// take gives a permit to a caller who has waited for it, or has not.
func (l *limiter) take(waited bool) *permit {
	now := l.clock.now()
	if l.fresh {
		l.permits.restart(now)
		l.fresh = false
	}
	if l.share != nil {
		l.share.taken++
	}
	return l.permits.take(now, waited)
}

// ended takes back a permit after its attempt. answered says that an answer
// other than a refusal came.
func (l *limiter) ended(g *permit, took time.Duration, answered bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.permits.ended(g, took, answered)
	if answered {
		l.adaptive.admitted(g.sent)
		if g.sent > l.adaptive.cutAt {
			l.refusals = 0
		}
	}
	if g.free < l.target {
		l.wakeFirst()
	}
}

// unused takes back a permit of which nothing was made.
func (l *limiter) unused(g *permit) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.permits.giveBack(g)
	l.wakeFirst()
}

// refused takes back a permit whose request got a 429 and pauses: for as long
// as the platform asked, else longer from episode to episode, at most longest.
// It returns for how long, and whether that is to be told: the rate fell, or the
// pause is a long one.
func (l *limiter) refused(g *permit, took, retryAfter, longest time.Duration) (pausedFor time.Duration, rate float64, shouldLog bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.permits.ended(g, took, true)
	now := l.clock.now()
	before := l.adaptive.rate
	fell := l.adaptive.refused(g.sent, now)
	if fell {
		l.permits.setRate(l.adaptive.rate)
	}
	shouldLog = fell
	defer func() { l.share.slowed(fell, l.adaptive.rate/before, l.paused-now) }()
	switch {
	case retryAfter > 0:
		shouldLog = l.hold(now, retryAfter) || fell
	case fell:
		l.pauseFor(now, min(backoff(refusedBase, refusedCap, l.refusals), max(longest, refusedBase)), false)
		l.refusals++
	}
	return max(l.paused-now, 0), l.adaptive.rate, shouldLog
}

// release ends a pause: nothing will be sent any more, and everybody is to hear
// of it.
func (l *limiter) release() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.paused = 0
	l.wakeFirst()
}

// holdFor pauses the operation, as Retry-After of a 503 asks. It returns for how
// long, and whether that is to be told.
func (l *limiter) holdFor(d time.Duration) (pausedFor time.Duration, shouldLog bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.clock.now()
	shouldLog = l.hold(now, d)
	return l.paused - now, shouldLog
}

// hold pauses for as long as the platform asked, and reports whether that is much
// longer than what was known of.
func (l *limiter) hold(now, d time.Duration) bool {
	before := max(l.paused, now)
	l.pauseFor(now, min(d, retryAfterMax), true)
	return l.paused-before >= toldPause
}

func (l *limiter) pauseFor(now, d time.Duration, asked bool) {
	if now+d > l.paused {
		l.paused, l.asked = now+d, asked
	}
	l.fresh = true
}

// backoff returns base doubled n times, at most longest, less a random part of
// up to a half, so that callers who failed together do not return together.
func backoff(base, longest time.Duration, n int) time.Duration {
	d := longest
	if n < 30 && base<<n > 0 {
		d = min(base<<n, longest)
	}
	return d/2 + rand.N(d/2+1)
}
