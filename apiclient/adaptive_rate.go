package apiclient

import (
	"math"
	"time"
)

// adaptiveRate is the effective rate of an operation: it falls when the platform
// answers 429 (its limit is lower than was configured, or others use the
// account) and climbs back.
//
// A refusal itself shows the limit: what was let through in the second before
// it. The rate falls to that, by half at most, and once for all requests that
// were under way. It climbs by steps that double, after a wait that grows each
// time the climb met a refusal.
//
// Some refusals do not depend on the rate (a gateway that drops one request in
// fifty). They are few among the last answers, and they contradict what the
// refusals before have shown: they come below the rate that was let through, or
// each after another number of requests. Then the rate falls no more and climbs
// back at once.
type adaptiveRate struct {
	configured float64
	rate       float64       // effective
	learned    float64       // what the last refusal left of it; 0: never refused
	cutAt      time.Duration // refusals of requests sent before it belong to the same episode
	step       float64
	next       time.Duration // when the rate may climb
	probeWait  time.Duration
	passed     []time.Duration // when requests were sent that were let through, of about the last second

	answers       int     // at most answersMany
	refusedShare  float64 // of about the last of them
	passedLast    float64 // what was let through in the second before the last refusal
	agreeing      int     // refusals in a row before which as much was let through
	contradicting int     // refusals in a row that a limit does not explain
	independent   bool    // refusals do not depend on the rate
	episodes      [independentMany]time.Duration
	count         int // of episodes
}

const (
	probeWaitMin  = 5 * time.Second
	probeWaitMax  = 5 * time.Minute
	probeWaitGrow = 3
	climbEvery    = time.Second

	// independentAfter is how many refusals in a row must contradict a limit: a
	// limit that is lower is found with two or three, which agree.
	independentAfter = 3
	// independentMany episodes within a minute are more than finding a limit and
	// trying a higher rate takes.
	independentMany = 12
	answersMany     = 200
	// independentShare is the largest share of the last answers that can be
	// refused whatever the rate is: beyond it the platform means it.
	independentShare = 0.25
	// limitAfter refusals in a row that agree are a limit, and limitAgain are one
	// again where they did not depend on the rate before.
	limitAfter = 2
	limitAgain = 6
)

// answered counts the share of refusals among about the last answersMany answers.
func (a *adaptiveRate) answered(refused float64) {
	a.answers = min(a.answers+1, answersMany)
	a.refusedShare += (refused - a.refusedShare) / float64(a.answers)
}

// admitted notes that the request sent at that time was not refused, and forgets those
// of two seconds before.
func (a *adaptiveRate) admitted(sent time.Duration) {
	a.answered(0)
	for len(a.passed) > 0 && a.passed[0] <= sent-2*time.Second {
		a.passed = a.passed[1:]
	}
	a.passed = append(a.passed, sent)
}

// passedBefore counts what was let through in the second before sent.
func (a *adaptiveRate) passedBefore(sent time.Duration) float64 {
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
func (a *adaptiveRate) refused(sent, now time.Duration) (fell bool) {
	a.answered(1)
	if a.cutAt != 0 && sent <= a.cutAt {
		return false
	}
	passed := a.passedBefore(sent)
	if math.Abs(passed-a.passedLast) <= max(1, a.passedLast/4) {
		a.agreeing++
	} else {
		a.agreeing = 0
	}
	a.weigh(passed, now)
	level := a.lowered(passed)
	a.cutAt, a.passedLast = now, passed
	if a.independent {
		a.learned, a.probeWait = 0, probeWaitMin
		return false
	}
	if a.rate > a.learned {
		a.probeWait = min(probeWaitGrow*a.probeWait, probeWaitMax)
		if level < 0.85*a.learned || level > 1.15*a.learned {
			a.probeWait = probeWaitMin
		}
	}
	a.lower(level, now)
	return true
}

// weigh decides whether a refusal shows a limit, or comes whatever the rate is.
func (a *adaptiveRate) weigh(passed float64, now time.Duration) {
	oldest := &a.episodes[a.count%independentMany]
	many := a.count >= independentMany && now-*oldest <= time.Minute
	*oldest = now
	a.count++
	switch {
	case a.refusedShare > independentShare:
		a.independent, a.contradicting = false, 0
	case a.independent:
		if passed > 0.7*a.rate || a.rate < a.configured || now-a.cutAt < time.Second {
			a.agreeing = 0
		}
		a.independent = a.agreeing < limitAgain
	case a.learned == 0 || a.agreeing > 0 && a.rate > a.learned:
		a.contradicting = 0
	case a.agreeing == 0 || a.rate <= 1.1*a.passedLast:
		a.contradicting++
	}
	if !a.independent && a.refusedShare <= independentShare && (a.contradicting >= independentAfter || many) {
		a.independent, a.contradicting, a.agreeing = true, 0, 0
		a.step, a.next = min(a.configured/4, max(a.rate, 50)), 0
	}
}

// lowered returns the rate after a refusal. One refusal among many answers says
// little. Several at the same level are a limit, and so are many at once. A level
// that held until the rate climbed above it is trusted again, unless clearly
// less was let through: the count is a little short when requests arrive out of
// step.
func (a *adaptiveRate) lowered(passed float64) float64 {
	part := 0.85
	if a.agreeing >= limitAfter || a.refusedShare > independentShare {
		part = 0.5
	}
	switch {
	case a.learned > 0 && a.rate > a.learned && passed < a.learned && passed >= 0.9*a.learned:
		return a.learned
	case math.IsInf(a.rate, 1):
		return max(passed, PublishedPushRate)
	case a.rate < 2:
		return max(a.rate*0.7, a.floor())
	}
	return max(a.rate*part, min(passed, a.rate*0.98), a.floor())
}

// floor is how low the rate can fall: refusals that do not depend on the rate
// must not bring a run to a stand. Where the limit is lower still, Retry-After
// holds the run back.
func (a *adaptiveRate) floor() float64 {
	if math.IsInf(a.configured, 1) {
		return 1
	}
	return a.configured / 10
}

func (a *adaptiveRate) lower(level float64, now time.Duration) {
	a.rate, a.learned = level, level
	a.step = max(level/50, min(1, level/4))
	a.next = now + max(a.probeWait, probeWaitMin)
}

// climb raises the rate when it is time to, and reports whether it did.
func (a *adaptiveRate) climb(now time.Duration) bool {
	if a.rate >= a.configured || now < a.next {
		return false
	}
	a.rate = min(a.rate+a.step, a.configured)
	if a.rate > maxPaced {
		a.rate = a.configured
	}
	a.step *= 2
	a.next = now + climbEvery
	return true
}
