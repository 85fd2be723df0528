package simulator

import (
	"net/http"
	"strconv"
	"time"
)

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
func (s *Simulator) tooMany(now time.Time, wait time.Duration) answer {
	envelope := s.cfg.TooManyRequests
	if envelope == EnvelopeAlternate {
		envelope = EnvelopeOlder
		if s.refused.Add(1)%2 == 0 {
			envelope = EnvelopeNewer
		}
	}
	a := errorAnswer(http.StatusTooManyRequests, envelope)
	switch s.cfg.RetryAfter {
	case RetryAfterSeconds:
		a.retryAfter = strconv.Itoa(int((wait + time.Second - 1) / time.Second))
	case RetryAfterDate:
		at := now.Add(wait + time.Second - 1).Truncate(time.Second)
		a.retryAfter = at.UTC().Format(http.TimeFormat)
	}
	return a
}
