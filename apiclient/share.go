package apiclient

import "time"

// share is a limiter's part of a limit that several processes share. It is
// guarded by the limiter's lock; a nil share is the whole limit.
type share struct {
	kick  chan<- struct{}
	stats ShareStats
	until time.Duration // when it runs out
	taken int64         // permits, ever

	factor float64       // by which 429 lowered the rate since it was last written; 0: there was none
	pause  time.Duration // what the platform asked for then
}

// ShareStats is what a process has of a limit that it shares.
type ShareStats struct {
	Permits   int     // of this process, requests a second; where Total is below 1 one request in 1/Total seconds
	Total     float64 // the rate that all share: the smallest that one of them names
	Processes int     // that share it, this one included; 0: the limit is not shared
}

// isOver reports whether nothing may be sent at a time.
func (s *share) isOver(at time.Duration) bool {
	return s != nil && (s.stats.Permits == 0 || at >= s.until)
}

// look has the shares looked at soon.
func (s *share) look() {
	select {
	case s.kick <- struct{}{}:
	default:
	}
}

// slowed notes a 429, for the other processes.
func (s *share) slowed(fell bool, factor float64, pause time.Duration) {
	if s == nil || !fell && pause <= 0 {
		return
	}
	if s.factor == 0 {
		s.factor = 1
	}
	s.factor *= factor
	s.pause = max(s.pause, pause)
	s.look()
}

// setShare gives the limiter its share until a time; negative: the time stays.
func (l *limiter) setShare(stats ShareStats, until time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.share.stats = stats
	if until >= 0 {
		l.share.until = until
	}
	if stats.Permits > 0 {
		l.adaptive.reconfigure(wholeRate(float64(stats.Permits) * min(stats.Total, 1)))
		l.permits.setRate(l.adaptive.rate)
	}
	l.wakeFirst()
}

func (l *limiter) shareNow() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.share.stats.Permits
}

// demand says what the operation needs: calls that wait, permits taken ever, and
// the last 429 since demand was last called, nil if there was none.
func (l *limiter) demand(now time.Time) (waiting int, taken int64, slowed *slowdown) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s := l.share; s.factor > 0 {
		slowed = &slowdown{At: now, Factor: s.factor, Pause: now.Add(s.pause)}
		s.factor, s.pause = 0, 0
	}
	return len(l.waiting), l.share.taken, slowed
}

// slow lowers the rate for a 429 that another process met, and pauses as the
// platform asked it to.
func (l *limiter) slow(factor float64, pause time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.clock.now()
	if factor > 0 && factor < 1 {
		l.adaptive.lower(max(l.adaptive.rate*factor, l.adaptive.floor()), now)
		l.permits.setRate(l.adaptive.rate)
	}
	if pause > 0 {
		l.hold(now, pause)
	}
	l.wakeFirst()
}

// reconfigure changes the rate that is allowed; a rate that had fallen keeps its
// part of it.
func (a *adaptiveRate) reconfigure(rate float64) {
	part := 1.0
	if a.rate < a.configured {
		part = a.rate / a.configured
	}
	a.rate, a.learned = rate*part, a.learned*rate/a.configured
	a.configured = rate
}
