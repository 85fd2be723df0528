package apiclient

import (
	"math"
	"time"
)

// adaptive is the effective rate of an operation. It falls when the platform
// refuses (its limit is lower than was configured, or others use the account)
// and climbs back.
//
// A refusal itself tells the limit: what was let through in the second before
// it. The rate falls to that, by half at most, and once for all requests that
// were under way. It climbs by steps, rarely at first, and faster while no
// refusal follows; a refusal at the level known before doubles the wait.
//
// Some refusals do not come of the rate (a gateway that drops one request in
// fifty): falling does not end them. They are known by going on, few among many
// answers, however often the rate fell for them; then it falls no more.
type adaptive struct {
	configured float64
	rate       float64       // effective
	knee       float64       // where the last refusal left it; 0: never refused
	cutAt      time.Duration // refusals of requests sent before it belong to the same episode
	step       float64
	next       time.Duration // when the rate may climb
	probeWait  time.Duration
	passed     []time.Duration // when requests were sent that were let through, of about the last second

	admissions int64             // requests that were let through, in all
	refusals   [stubborn]refusal // the latest ones, in a ring
	episodes   int
}

// refusal is when the platform refused, and how many requests it had let through
// before.
type refusal struct {
	at         time.Duration
	admissions int64
}

const (
	// stubborn is how many refusals within stubbornTime, at most one among
	// stubbornShare requests, show that they do not come of the rate: a limit that
	// is lower is found with two or three.
	stubborn      = 6
	stubbornTime  = time.Minute
	stubbornShare = 10
)

const (
	probeWaitMin = 30 * time.Second
	probeWaitMax = 5 * time.Minute
	climbWait    = 5 * time.Second // between the steps of a climb that goes well
)

// admitted notes that the request sent at that time was not refused.
func (a *adaptive) admitted(sent time.Duration) {
	a.admissions++
	if len(a.passed) == cap(a.passed) {
		a.forget(sent)
	}
	a.passed = append(a.passed, sent)
}

// forget drops what was sent more than two seconds before sent.
func (a *adaptive) forget(sent time.Duration) {
	kept := a.passed[:0]
	for _, t := range a.passed {
		if t > sent-2*time.Second {
			kept = append(kept, t)
		}
	}
	a.passed = kept
}

// passedBefore counts what was let through in the second before sent.
func (a *adaptive) passedBefore(sent time.Duration) float64 {
	n := 0
	for _, t := range a.passed {
		if t > sent-time.Second && t <= sent {
			n++
		}
	}
	return float64(n)
}

// refused notes that the request sent at that time got a 429 and reports
// whether the rate falls for it.
func (a *adaptive) refused(sent, now time.Duration) bool {
	if a.cutAt != 0 && sent <= a.cutAt {
		return false
	}
	a.cutAt = now
	if a.regardless(now) {
		a.knee, a.probeWait = 0, probeWaitMin
		a.next = min(a.next, now+climbWait)
		return false
	}
	level := a.lowered(a.passedBefore(sent))
	if a.knee > 0 && level > 0.85*a.knee && level < 1.15*a.knee {
		a.probeWait = min(2*a.probeWait, probeWaitMax)
	} else {
		a.probeWait = probeWaitMin
	}
	a.settle(level, now)
	return true
}

// regardless notes a refusal and reports whether it and those before it come
// whatever the rate is.
func (a *adaptive) regardless(now time.Duration) bool {
	oldest := &a.refusals[a.episodes%stubborn]
	since := *oldest
	*oldest = refusal{now, a.admissions}
	a.episodes++
	return a.episodes > stubborn && now-since.at <= stubbornTime && a.admissions-since.admissions >= stubborn*stubbornShare
}

// lowered returns the rate after a refusal. A level that held until the rate
// climbed above it is trusted again, unless clearly less was let through: the
// count is a little short when requests arrive out of step.
func (a *adaptive) lowered(passed float64) float64 {
	switch {
	case a.knee > 0 && a.rate > a.knee && passed < a.knee && passed >= 0.9*a.knee:
		return a.knee
	case math.IsInf(a.rate, 1):
		if passed == 0 {
			return PublishedPushRate
		}
		return passed
	case a.rate < 2:
		return max(a.rate*0.7, a.floor())
	}
	return max(a.rate/2, min(passed, a.rate*0.98), a.floor())
}

// floor is how low the rate can fall: refusals that do not come of the rate
// must not bring a run to a stand. Where the limit is lower still, Retry-After
// holds the run back.
func (a *adaptive) floor() float64 {
	if math.IsInf(a.configured, 1) {
		return 1
	}
	return a.configured / 10
}

func (a *adaptive) settle(level float64, now time.Duration) {
	a.rate, a.knee = level, level
	a.step = max(level/50, min(1, level/4))
	a.next = now + a.probeWait
}

// climb raises the rate when it is time to, and reports whether it did.
func (a *adaptive) climb(now time.Duration) bool {
	if a.rate >= a.configured || now < a.next {
		return false
	}
	a.rate = min(a.rate+a.step, a.configured)
	if a.rate > maxPaced {
		a.rate = a.configured
	}
	a.step *= 2
	a.next = now + climbWait
	return true
}
