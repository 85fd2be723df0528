package simulator

import (
	"math/rand/v2"
	"regexp"
	"time"
)

// Action is what a fault does to a request.
type Action uint8

// The actions.
const (
	ActStatus    Action = iota // answer Status in Envelope, without an effect
	ActLatency                 // take longer: half before the effect, half after it
	ActJitter                  // arrive later: before the limit counts the request
	ActCutBefore               // break the connection, without an effect
	ActCutAfter                // break the connection once the request took effect
	ActCutBody                 // after the effect, announce the whole answer and send half
	ActHang                    // no effect and no answer until the client goes
)

// Fault is one declared fault. A request meets every latency and jitter that
// matches it, and the first of the other faults. Zero fields match everything;
// without Share, Nth, Every and a span the fault always happens.
type Fault struct {
	Name string // in the call log

	Op   string         // name of an operation; empty: all but the token's
	Path *regexp.Regexp // of the escaped path

	Share      float64       // probability, 0 to 1
	Nth, Until int           // the Nth matching request, up to the Until-th
	Every      int           // every n-th matching request
	From, To   time.Duration // since the first request

	Action   Action
	Status   int
	Envelope Envelope
	Min, Max time.Duration // of ActLatency and ActJitter, uniform
	Mean     time.Duration // exponential instead, if not 0
}

// verdict is what the faults do to one request.
type verdict struct {
	fault   *Fault // other than latency and jitter; nil: none
	latency time.Duration
	jitter  time.Duration
}

// dice decides about faults; the caller locks.
type dice struct {
	rules []Fault
	seen  []int // matching requests by rule
	rng   *rand.Rand
}

func newDice(cfg *Config) *dice {
	return &dice{rules: cfg.Faults, seen: make([]int, len(cfg.Faults)), rng: rand.New(rand.NewPCG(cfg.Seed, 1))}
}

func (d *dice) throw(op Op, path string, since time.Duration) verdict {
	var v verdict
	for i := range d.rules {
		f := &d.rules[i]
		if !f.matches(op, path) || !d.happens(i, since) {
			continue
		}
		switch f.Action {
		case ActLatency:
			v.latency += d.span(f)
		case ActJitter:
			v.jitter += d.span(f)
		default:
			if v.fault == nil {
				v.fault = f
			}
		}
	}
	return v
}

func (f *Fault) matches(op Op, path string) bool {
	if f.Op == "" && op >= OpToken || f.Op != "" && f.Op != op.String() {
		return false
	}
	return f.Path == nil || f.Path.MatchString(path)
}

func (d *dice) happens(i int, since time.Duration) bool {
	f := &d.rules[i]
	if f.To > 0 && (since < f.From || since >= f.To) {
		return false
	}
	d.seen[i]++
	n := d.seen[i]
	switch {
	case f.Nth > 0:
		return n >= f.Nth && n <= max(f.Nth, f.Until)
	case f.Every > 0:
		return n%f.Every == 0
	case f.Share > 0:
		return d.rng.Float64() < f.Share
	default:
		return true
	}
}

func (d *dice) span(f *Fault) time.Duration {
	if f.Mean > 0 {
		return time.Duration(d.rng.ExpFloat64() * float64(f.Mean))
	}
	if f.Max <= f.Min {
		return f.Min
	}
	return f.Min + time.Duration(d.rng.Int64N(int64(f.Max-f.Min)+1))
}
