package apiclient

import (
	"sync/atomic"
	"time"
)

// counters count over all operations.
type counters struct {
	calls, backoff               atomic.Int64 // now
	requests, retries, throttled atomic.Int64 // ever
}

// Waiting is what keeps calls from being sent.
type Waiting uint8

// The reasons for waiting, the one that holds back most last.
const (
	NotWaiting     Waiting = iota
	WaitBackoff            // calls wait to be repeated, nothing else is there to send
	WaitLimit              // calls wait for their turn under the limit
	WaitShare              // another process has the limit, or the shares cannot be reached
	WaitRefused            // the platform answered 429 and did not say how long to wait
	WaitRetryAfter         // the platform asked to wait
	WaitOutage             // the platform is out of reach
)

// String returns the reason as people read it.
func (w Waiting) String() string {
	return [...]string{"", "backoff", "limit", "share", "refused", "retry-after", "outage"}[w]
}

// Stats is a snapshot of a client.
type Stats struct {
	Requests  int64 // sent
	Retries   int64 // those among them that were repetitions
	Throttled int64 // those answered 429
	Calls     int64 // under way now
	Retrying  int64 // those among them that wait to be repeated
	Waiting   Waiting
	Until     time.Time // when the wait ends, or is looked at again; zero: not known
	GivesUp   time.Time // when an outage has lasted too long; zero: there is none, or it is never given up
	Ops       [opCount]OpStats
}

// OpStats is one operation's part of Stats, indexed by Op.
type OpStats struct {
	Rate       float64 // in force, requests a second; +Inf: unlimited
	Configured float64
	Queued     int // calls that wait for their turn
	Share      ShareStats
}

// Stats returns where the client stands. It is cheap enough to be called
// several times a second.
func (c *Client) Stats() Stats {
	s := Stats{
		Requests: c.counters.requests.Load(), Retries: c.counters.retries.Load(),
		Throttled: c.counters.throttled.Load(), Calls: c.counters.calls.Load(),
	}
	now := c.clock.now()
	s.Retrying = c.counters.backoff.Load()
	if s.Retrying > 0 && s.Retrying == s.Calls {
		s.Waiting = WaitBackoff
	}
	for op, l := range c.limiters {
		var why Waiting
		var until time.Duration
		s.Ops[op], why, until = l.stats(now)
		if why > s.Waiting {
			s.Waiting, s.Until = why, c.clock.start.Add(until)
		}
	}
	if until, end, outage := c.breaker.stats(); outage {
		s.Waiting, s.Until = WaitOutage, c.clock.start.Add(until)
		if end >= 0 {
			s.GivesUp = c.clock.start.Add(end)
		}
	}
	return s
}

func (l *limiter) stats(now time.Duration) (s OpStats, why Waiting, until time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s = OpStats{Rate: l.adaptive.rate, Configured: l.adaptive.configured, Queued: len(l.waiting)}
	if l.share != nil {
		s.Share = l.share.stats
	}
	switch {
	case s.Queued == 0:
	case l.share.isOver(now):
		why = WaitShare
	case l.paused > now && l.asked:
		why, until = WaitRetryAfter, l.paused
	case l.paused > now:
		why, until = WaitRefused, l.paused
	default:
		why, until = WaitLimit, l.target
	}
	return s, why, until
}

// stats returns when an outage is probed next and when it is given up;
// givesUp is negative where it never is.
func (b *breaker) stats() (nextProbe, givesUp time.Duration, outage bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	givesUp = -1
	if b.longest >= 0 {
		givesUp = b.streak.began + b.longest
	}
	return b.nextProbe, givesUp, b.outage
}
