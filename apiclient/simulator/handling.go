package simulator

import (
	"context"
	"net/http"
	"strconv"
	"time"
)

// handling is one request on its way to an answer.
type handling struct {
	sim   *Simulator
	r     *http.Request
	log   *ledger
	call  *Call
	body  string
	root  any // of a JSON body
	wrong *answer
}

// ending is how an answer reaches the client.
type ending uint8

const (
	whole ending = iota
	cutConnection
	cutBody
	clientGone
)

type outcome struct {
	answer
	ending ending
}

// run takes the request through jitter, authorization, limit, faults and rules.
func (x *handling) run() outcome {
	v := x.sim.throw(x.call)
	if !x.pause(v.jitter) {
		return x.gone(answer{})
	}
	now := time.Now().UTC()
	x.log.counted(x.call, now)
	if a := x.sim.admit(x.call.Op, x.r.Header.Get("Authorization"), now); a != nil {
		return outcome{answer: *a}
	}
	if v.fault != nil {
		x.call.Fault = v.fault.Name
		if o, done := x.faultBefore(v.fault); done {
			return o
		}
	}
	if !x.pause(v.latency / 2) {
		return x.gone(answer{})
	}
	a := x.apply()
	if !x.pause(v.latency - v.latency/2) {
		return x.gone(a)
	}
	return x.faultAfter(v.fault, a)
}

// faultBefore does what a fault does without an effect.
func (x *handling) faultBefore(f *Fault) (outcome, bool) {
	switch f.Action {
	case ActStatus:
		return outcome{answer: errorAnswer(f.Status, f.Envelope)}, true
	case ActCutBefore:
		return outcome{ending: cutConnection}, true
	case ActHang:
		<-x.r.Context().Done()
		return outcome{ending: clientGone}, true
	default:
		return outcome{}, false
	}
}

func (x *handling) faultAfter(f *Fault, a answer) outcome {
	o := outcome{answer: a}
	switch {
	case f == nil:
	case f.Action == ActCutAfter:
		o.ending = cutConnection
	case f.Action == ActCutBody && len(a.body) > 0:
		o.ending = cutBody
	case f.Action == ActCutBody: // nothing to cut: the answer itself is lost
		o.ending = cutConnection
	}
	return o
}

func (x *handling) gone(a answer) outcome {
	if x.call.Fault == "" {
		x.call.Fault = "client-gone"
	}
	return outcome{answer: a, ending: clientGone}
}

// pause reports false when the client left meanwhile.
func (x *handling) pause(d time.Duration) bool { return pause(x.r.Context(), d) }

func pause(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func (s *Simulator) throw(c *Call) verdict {
	if len(s.cfg.Faults) == 0 {
		return verdict{}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.started.IsZero() {
		s.started = c.Arrived
	}
	return s.dice.throw(c.Op, c.Path, c.Arrived.Sub(s.started))
}

// admit checks authorization, then the limit.
func (s *Simulator) admit(op Op, authorization string, now time.Time) *answer {
	if op != OpToken && !s.authorized(authorization, now) {
		a := unauthorized()
		return &a
	}
	limit := s.limits.of(op)
	if limit == 0 || op == OpPersonalize && s.cfg.Choices.PersonalizeFree {
		return nil
	}
	s.mu.Lock()
	wait, admitted := s.counts[op].admit(now, limit, s.cfg.Window)
	s.mu.Unlock()
	if admitted {
		return nil
	}
	a := tooMany(wait)
	return &a
}

// second counts events in the current wall-clock second and in the last second.
type second struct {
	wall  int64
	count int         // in the wall-clock second
	last  []time.Time // of the last second, oldest first
	from  int         // last[from:] are in use
}

// advance forgets what is a second old or older.
func (s *second) advance(now time.Time) {
	if w := now.Unix(); w != s.wall {
		s.wall, s.count = w, 0
	}
	for s.from < len(s.last) && now.Sub(s.last[s.from]) >= time.Second {
		s.from++
	}
	if s.from > 64 && s.from*2 > len(s.last) {
		n := copy(s.last, s.last[s.from:])
		s.last, s.from = s.last[:n], 0
	}
}

func (s *second) note(now time.Time) {
	s.count++
	s.last = append(s.last, now)
}

func (s *second) sliding() int { return len(s.last) - s.from }

// admit counts a request at the limit, or returns how long to wait.
func (s *second) admit(now time.Time, limit int, window Window) (time.Duration, bool) {
	s.advance(now)
	var wait time.Duration
	if window != Sliding && s.count >= limit {
		wait = now.Truncate(time.Second).Add(time.Second).Sub(now)
	}
	if window != Fixed && s.sliding() >= limit {
		wait = max(wait, s.last[len(s.last)-limit].Add(time.Second).Sub(now))
	}
	if wait > 0 {
		return wait, false
	}
	s.note(now)
	return 0, true
}

// tooMany is the 429 of a request that may come again after wait.
func tooMany(wait time.Duration) answer {
	a := errorAnswer(http.StatusTooManyRequests, EnvelopeOlder)
	a.retryAfter = strconv.Itoa(int((wait + time.Second - 1) / time.Second))
	return a
}
