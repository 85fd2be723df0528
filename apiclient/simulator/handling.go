package simulator

import (
	"cmp"
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

// run takes the request through jitter, authorization, limit, faults and rules.
func (x *handling) run() answer {
	v := x.sim.throw(x.call)
	if !x.pause(v.jitter) {
		return x.gone(answer{})
	}
	now := time.Now().UTC()
	x.log.counted(x.call, now)
	if a := x.sim.admit(x.call.Op, x.r.Header.Get("Authorization"), now); a != nil {
		return *a
	}
	var does Action
	if v.fault != nil {
		x.call.Fault, does = v.fault.Name, v.fault.Action
		switch does {
		case ActStatus:
			return v.fault.envelope(v.fault.Status)
		case ActCutBefore:
			return answer{ending: cutConnection}
		case ActHang:
			<-x.r.Context().Done()
			return answer{ending: clientGone}
		}
	}
	if !x.pause(v.latency / 2) {
		return x.gone(answer{})
	}
	a := x.apply()
	if !x.pause(v.latency - v.latency/2) {
		return x.gone(a)
	}
	switch {
	case does == ActCutBody && len(a.body) > 0:
		a.ending = cutBody
	case does == ActCutBody, does == ActCutAfter: // where there is no body, the answer itself is lost
		a.ending = cutConnection
	}
	return a
}

func (x *handling) gone(a answer) answer {
	x.call.Fault = cmp.Or(x.call.Fault, "client-gone")
	a.ending = clientGone
	return a
}

// pause reports false when the client left meanwhile.
func (x *handling) pause(d time.Duration) bool {
	if d <= 0 {
		return true
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-x.r.Context().Done():
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
}

// advance forgets what is a second old or older.
func (s *second) advance(now time.Time) {
	if w := now.Unix(); w != s.wall {
		s.wall, s.count = w, 0
	}
	for len(s.last) > 0 && now.Sub(s.last[0]) >= time.Second {
		s.last = s.last[1:]
	}
}

func (s *second) note(now time.Time) {
	s.count++
	s.last = append(s.last, now)
}

// admit counts a request at the limit, or returns how long to wait.
func (s *second) admit(now time.Time, limit int, window Window) (time.Duration, bool) {
	s.advance(now)
	var wait time.Duration
	if window != Sliding && s.count >= limit {
		wait = now.Truncate(time.Second).Add(time.Second).Sub(now)
	}
	if window != Fixed && len(s.last) >= limit {
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
	a := envelopes["older"](http.StatusTooManyRequests)
	a.retryAfter = strconv.Itoa(int((wait + time.Second - 1) / time.Second))
	return a
}
