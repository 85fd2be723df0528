package simulator

import (
	"context"
	"net/http"
	"time"
)

// handling is one request on its way to an answer.
type handling struct {
	sim   *Simulator
	r     *http.Request
	log   *ledger
	call  *Call
	body  string
	root  value // of a JSON body
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
	now := time.Now()
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
	a := s.tooMany(now, wait)
	return &a
}
