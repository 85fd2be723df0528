package apiclient

import (
	"container/list"
	"context"
	"math/rand/v2"
	"sync"
	"time"
)

// lane is where the calls of one operation wait for their grants, in the order
// of their tickets. A call that was refused keeps its ticket and so goes back
// first in line. Only the first in line runs a timer.
type lane struct {
	clock clock

	mu       sync.Mutex
	pacer    pacer
	adaptive adaptive
	waiting  list.List     // of *waiter, by ticket
	target   time.Duration // until when the first in line sleeps
	fresh    bool          // a pause came after the last grant: nothing to make up for
	paused   time.Duration // no grant before
	refusals int           // episodes in a row without Retry-After
}

type waiter struct {
	ticket uint64
	first  chan struct{} // capacity 1: look again
}

// clock tells times since the client was made.
type clock struct{ start time.Time }

func (c clock) now() time.Duration { return time.Since(c.start) }

const (
	// retryAfterMax bounds what a server can ask for.
	retryAfterMax = time.Hour
	// refusedBase and refusedCap bound the pause after a 429 that names none.
	refusedBase = 250 * time.Millisecond
	refusedCap  = 30 * time.Second
)

func newLane(c clock, rate float64) *lane {
	l := &lane{clock: c, adaptive: adaptive{configured: places(rate), rate: places(rate)}}
	l.pacer.setRate(rate)
	return l
}

// wait returns a grant when it is this ticket's turn and the limit and no
// pause stand against it. That is decided under one lock: nobody who was
// waiting slips through a pause.
func (l *lane) wait(ctx context.Context, ticket uint64) (*grant, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.waiting.Len() == 0 && l.delay() <= 0 {
		return l.take(false), nil
	}
	w := &waiter{ticket: ticket, first: make(chan struct{}, 1)}
	place := l.join(w)
	for {
		d := time.Duration(-1)
		if l.waiting.Front() == place {
			if d = l.delay(); d <= 0 {
				return l.leave(place).take(true), nil
			}
		}
		l.mu.Unlock()
		err := pause(ctx, d, w.first)
		l.mu.Lock()
		if err != nil {
			l.leave(place)
			return nil, err
		}
	}
}

// join enters w by its ticket: new calls at the end, repeated ones before.
func (l *lane) join(w *waiter) *list.Element {
	for e := l.waiting.Back(); e != nil; e = e.Prev() {
		if e.Value.(*waiter).ticket < w.ticket {
			return l.waiting.InsertAfter(w, e)
		}
	}
	return l.waiting.PushFront(w)
}

// leave takes a waiter out and lets the first in line look again.
func (l *lane) leave(place *list.Element) *lane {
	l.waiting.Remove(place)
	l.wakeFirst()
	return l
}

func (l *lane) wakeFirst() {
	if e := l.waiting.Front(); e != nil {
		select {
		case e.Value.(*waiter).first <- struct{}{}:
		default:
		}
	}
}

// delay returns how long the first in line has to wait.
func (l *lane) delay() time.Duration {
	now := l.clock.now()
	if l.adaptive.climb(now) {
		l.pacer.setRate(l.adaptive.rate)
	}
	l.target = max(l.pacer.at(now), l.paused)
	return l.target - now
}

// take grants a request to a caller who has waited for it, or has not.
func (l *lane) take(waited bool) *grant {
	now := l.clock.now()
	if l.fresh {
		l.pacer.restart(now)
		l.fresh = false
	}
	return l.pacer.take(now, waited)
}

// settle takes back a grant after its attempt. answered says that an answer
// other than a refusal came.
func (l *lane) settle(g *grant, took time.Duration, answered bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pacer.settle(g, took, answered)
	if answered {
		l.adaptive.admitted(g.sent)
		if g.sent > l.adaptive.cutAt {
			l.refusals = 0
		}
	}
	if g.index >= 0 && g.free < l.target {
		l.wakeFirst()
	}
}

// unused takes back a grant of which nothing was made.
func (l *lane) unused(g *grant) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pacer.giveBack(g)
	l.wakeFirst()
}

// refused takes back a grant whose request got a 429 and returns until when
// the lane pauses and whether the rate fell for it.
func (l *lane) refused(g *grant, took, retryAfter time.Duration) (pausedFor time.Duration, rate float64, fell bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pacer.settle(g, took, true)
	l.pacer.wary = true
	now := l.clock.now()
	if fell = l.adaptive.refused(g.sent, now); fell {
		l.pacer.setRate(l.adaptive.rate)
		if retryAfter <= 0 {
			retryAfter = l.nextPause()
		}
	}
	return l.hold(now, retryAfter), l.adaptive.rate, fell
}

// nextPause returns the pause after a 429 without Retry-After: it doubles from
// episode to episode.
func (l *lane) nextPause() time.Duration {
	d := backoff(refusedBase, refusedCap, l.refusals)
	l.refusals++
	return d
}

// holdFor pauses the lane, as Retry-After of a 503 asks.
func (l *lane) holdFor(d time.Duration) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.hold(l.clock.now(), d)
}

func (l *lane) hold(now, d time.Duration) time.Duration {
	l.paused = max(l.paused, now+min(d, retryAfterMax))
	l.fresh = true
	return l.paused - now
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
