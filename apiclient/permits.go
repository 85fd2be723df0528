package apiclient

import (
	"math"
	"slices"
	"sort"
	"time"
)

// permits says when the next request of an operation may be sent. It is a pure
// function of the times it is told: no clock, no lock, no timer. Times are
// durations since the client was made.
//
// There are n permits. A request takes one and gives it back a window (a
// second) after it must have arrived at the platform, so that no window of the
// platform's, sliding or by the clock, can see n+1 requests. Giving it back a
// second after sending would not do: of two requests a second apart the first
// may be held up by the network and the second not. Even pacing alone does not
// help either: under 0 to 40 ms of delay 49 evenly spaced requests a second are
// refused 48 times a minute by a sliding limit of 50.
//
// How late a request was written is known. How late it arrived then is bounded by
// its answer: it cannot have been held up longer than the answer took beyond the
// fastest one seen. Measured at a
// limit of 50 under 0 to 40 ms of delay: 49.0 answered a second and no refusal;
// a fixed guard of 50 ms, which is as safe, allows 47.6.
type permits struct {
	n        int           // 0: unlimited
	window   time.Duration // for which a permit stays taken
	interval time.Duration // between two permits
	due      time.Duration // the schedule's next permit
	last     time.Duration // the last one taken
	held     []*permit     // by the time they come back
	trips    roundTrips
}

const (
	guardBase = 2 * time.Millisecond  // kept always: lateness of timers, drift of clocks
	guardCap  = 50 * time.Millisecond // the longest delay that is allowed for where answers vary: 4.8 % of the limit
	guardMost = 5 * guardCap          // the same where they mostly take the same time
	// slackBase is how far permits may fall behind the schedule and still catch
	// up: timers are this late.
	slackBase = 4 * time.Millisecond
	// slackTrips is the same in mean delays: permits that come back irregularly
	// must be used when they come, or the limit is not.
	slackTrips = 8
	// closest is the part of the interval that always lies between two permits.
	closest = 8

	maxPaced = 100_000 // above it a rate counts as unlimited
)

// permit is the permission to send one request, given at a time.
type permit struct {
	sent time.Duration // when it was given; once the request has ended, when it was written
	free time.Duration // when it may be taken again
}

// setRate changes the number of permits. Those that are held stay held; where
// the rate becomes unlimited they are let go.
func (p *permits) setRate(rate float64) {
	switch {
	case rate > maxPaced:
		p.n, p.interval, p.window, p.held = 0, 0, 0, nil
		return
	case rate >= 1:
		p.n, p.window = int(rate), time.Second
	default:
		p.n, p.window = 1, time.Duration(min(float64(time.Second)/rate, float64(math.MaxInt64/4)))
	}
	p.interval = p.window / time.Duration(p.n)
}

// at returns when the next request may be sent: now or later.
func (p *permits) at(now time.Duration) time.Duration {
	if p.n == 0 {
		return now
	}
	for len(p.held) > 0 && p.held[0].free <= now {
		p.held = p.held[1:]
	}
	t := max(now, p.due)
	if p.last != 0 {
		t = max(t, p.last+p.interval/closest)
	}
	if len(p.held) >= p.n {
		t = max(t, p.held[0].free)
	}
	return t
}

// restart makes the schedule begin at now.
func (p *permits) restart(now time.Duration) { p.due = max(p.due, now) }

// take gives a permit at now, which at has allowed. late says that the caller
// was there when it was due: only then may more lateness be made up for than
// that of a timer.
func (p *permits) take(now time.Duration, late bool) *permit {
	g := &permit{sent: now}
	if p.n == 0 {
		return g
	}
	slack := slackBase
	if late {
		slack = max(slack, slackTrips*min(p.trips.mean, guardCap/2))
	}
	p.due = max(p.due, now-slack) + p.interval
	p.last = now
	g.free = now + p.window + guardCap
	if r := &p.trips; r.count >= tripsFew && r.fastest()+2*r.mean < p.window { // without an answer by then it is late
		g.free = now + p.window + p.trips.longest()
	}
	p.hold(g)
	return g
}

// ended says when a permit comes back, after its request ended. answered says
// that an answer came, so that took is a round trip.
func (p *permits) ended(g *permit, took time.Duration, answered bool) {
	if answered {
		p.trips.add(g.sent, took)
	}
	if p.giveBack(g) {
		g.free = g.sent + p.window + min(max(p.trips.excess(took), guardBase), p.trips.longest())
		p.hold(g)
	}
}

// giveBack frees a permit at once, and reports whether it was still held.
func (p *permits) giveBack(g *permit) bool {
	for i := p.after(g.free - 1); i < len(p.held) && p.held[i].free == g.free; i++ {
		if p.held[i] == g {
			p.held = slices.Delete(p.held, i, i+1)
			return true
		}
	}
	return false
}

func (p *permits) hold(g *permit) { p.held = slices.Insert(p.held, p.after(g.free), g) }

// after is the index of the first permit that comes back later than at a time.
func (p *permits) after(at time.Duration) int {
	return sort.Search(len(p.held), func(i int) bool { return p.held[i].free > at })
}

// roundTrips knows the fastest round trip of the last minute and by how much
// others exceed it on the average.
type roundTrips struct {
	current, before time.Duration // the fastest of this half minute and the one before; 0: none
	turn            time.Duration // when the next half minute begins
	mean            time.Duration // excess over the fastest, mean of about the last tripMemory
	count           int
}

const (
	tripMemory = 1000
	tripTurn   = 30 * time.Second
	tripsFew   = 20 // fewer say nothing
)

func (r *roundTrips) add(sent, took time.Duration) {
	if sent >= r.turn {
		r.before, r.current = r.current, took
		r.turn = sent + tripTurn
	}
	r.current = min(r.current, took)
	r.count = min(r.count+1, tripMemory)
	r.mean += (took - r.fastest() - r.mean) / time.Duration(r.count)
}

// excess returns by how much a request was held up at most. The fastest trip
// seen is not the fastest there is: with k trips seen that differ by up to 2
// means, it is 2/k means above it on the average. Three times that are added.
func (r *roundTrips) excess(took time.Duration) time.Duration {
	if r.count < tripsFew {
		return guardCap
	}
	return took - r.fastest() + 6*r.mean/time.Duration(r.count)
}

// longest is the most delay that is allowed for. Where answers take the same time, one
// that is late was held up, and allowing for all of it costs nothing: on a busy machine
// the platform's stand-in counted 1 request of 500 more than 50 ms late, and refused 6 of
// 3,400 for it. Where answers vary they say little of that.
func (r *roundTrips) longest() time.Duration { return max(guardCap, guardMost-4*r.mean) }

func (r *roundTrips) fastest() time.Duration {
	if r.before == 0 {
		return r.current
	}
	return min(r.current, r.before)
}

// wholeRate returns how many requests a second rate lets through: above 1 only
// whole requests fit into a second, above maxPaced nothing is counted.
func wholeRate(rate float64) float64 {
	switch {
	case rate > maxPaced:
		return Unlimited
	case rate >= 1:
		return math.Floor(rate)
	}
	return rate
}
