package apiclient

import (
	"container/heap"
	"math"
	"time"
)

// pacer says when the next request of an operation may be sent. It is a pure
// function of the times it is told: no clock, no lock, no timer. Times are
// durations since the client was made.
//
// It keeps n places. A request takes one and gives it back a window (a second)
// after it arrived at the platform at the latest, so that no window of the
// platform's, sliding or by the clock, can see n+1 requests. A place that were
// given back a second after SENDING would not do: of two requests a second
// apart the first may be held up by the network and the second not. Pacing
// alone does not help either: under 0 to 40 ms of delay 49 evenly spaced
// requests a second are refused 48 times a minute by a sliding limit of 50.
//
// How late a request arrived is bounded by its answer: it cannot have been
// held up longer than the answer took beyond the fastest one seen.
type pacer struct {
	n        int           // places; 0: unlimited
	window   time.Duration // for which a place stays taken
	interval time.Duration // between two grants
	due      time.Duration // the schedule's next grant
	last     time.Duration // the last grant
	held     grantHeap
	trips    roundTrips
	wary     bool // a 429 came: never pass over what the answers say
}

const (
	guardBase = 2 * time.Millisecond // kept always: lateness of timers, drift of clocks
	// guardCap is the longest delay that a place is held back for.
	guardCap = 50 * time.Millisecond
	// guardBudget is the mean delay that is paid for: 2.3 % of the limit, what
	// delays of 0 to 40 ms cost and a little more. When answers vary more than that it is the platform's work that varies, not
	// the way to it, and the delays say nothing.
	guardBudget = 23 * time.Millisecond
	// slackBase is how far grants may fall behind the schedule and still
	// catch up: timers are this late.
	slackBase = 4 * time.Millisecond
	// slackTrips is the same in mean delays: places that come back irregularly
	// must be used when they come, or the limit is not.
	slackTrips = 8
	// closest is the part of the interval that always lies between two grants.
	closest = 8

	maxPaced = 100_000 // above it a rate counts as unlimited
)

// grant is the permission to send one request, given at a time.
type grant struct {
	sent  time.Duration
	free  time.Duration // when its place may be taken again
	index int           // in the heap; -1: not held
}

func (p *pacer) setRate(rate float64) {
	switch {
	case rate > maxPaced:
		p.n, p.interval, p.window = 0, 0, 0
		p.held = nil
		return
	case rate >= 1:
		p.n, p.window = int(rate), time.Second
	default:
		p.n, p.window = 1, time.Duration(float64(time.Second)/rate)
	}
	p.interval = p.window / time.Duration(p.n)
}

// at returns when the next request may be sent: now or later.
func (p *pacer) at(now time.Duration) time.Duration {
	if p.n == 0 {
		return now
	}
	for len(p.held) > 0 && p.held[0].free <= now {
		heap.Pop(&p.held)
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
func (p *pacer) restart(now time.Duration) { p.due = max(p.due, now) }

// take grants a request at now, which at has allowed. late says that the caller
// was there when the grant was due: only then may more lateness be made up for
// than that of a timer.
func (p *pacer) take(now time.Duration, late bool) *grant {
	g := &grant{sent: now, index: -1}
	if p.n == 0 {
		return g
	}
	slack := slackBase
	if late {
		slack = max(slack, slackTrips*min(p.trips.mean, guardBudget))
	}
	p.due = max(p.due, now-slack) + p.interval
	p.last = now
	g.free = now + p.window + p.guard(guardCap)
	heap.Push(&p.held, g)
	return g
}

// settle gives a place its time to come back, after its request ended. answered
// says that an answer came, so that took is a round trip.
func (p *pacer) settle(g *grant, took time.Duration, answered bool) {
	if answered {
		p.trips.add(g.sent, took)
	}
	if g.index < 0 {
		return
	}
	g.free = g.sent + p.window + p.guard(p.trips.excess(took))
	heap.Fix(&p.held, g.index)
}

// giveBack frees a place at once: nothing was sent.
func (p *pacer) giveBack(g *grant) {
	if g.index >= 0 {
		heap.Remove(&p.held, g.index)
	}
}

// guard returns how much longer than the window a place stays taken when its
// request was held up by excess.
func (p *pacer) guard(excess time.Duration) time.Duration {
	if p.trips.count >= tripsMany && p.trips.mean > guardBudget {
		if !p.wary {
			return guardBase
		}
		excess = time.Duration(float64(excess) * float64(guardBudget) / float64(p.trips.mean))
	}
	return min(max(excess, guardBase), guardCap)
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
	// tripsMany tell the mean well enough to call answers too varied: of a
	// hundred trips that differ by 0 to 40 ms the mean passes 22 ms often
	// enough to be refused in the first seconds.
	tripsMany = 500
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

func (r *roundTrips) fastest() time.Duration {
	if r.before == 0 {
		return r.current
	}
	return min(r.current, r.before)
}

// grantHeap orders held places by the time they come back.
type grantHeap []*grant

func (h grantHeap) Len() int           { return len(h) }
func (h grantHeap) Less(i, j int) bool { return h[i].free < h[j].free }

func (h grantHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

// Push implements heap.Interface.
func (h *grantHeap) Push(x any) {
	g := x.(*grant)
	g.index = len(*h)
	*h = append(*h, g)
}

// Pop implements heap.Interface.
func (h *grantHeap) Pop() any {
	old := *h
	g := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	g.index = -1
	return g
}

// places returns how many requests a second rate lets through.
func places(rate float64) float64 {
	if rate >= 1 && rate <= maxPaced {
		return math.Floor(rate)
	}
	return rate
}
