package batch

import "time"

// maxIntervals bounds a Series: 4 minutes by the second, 4 hours by the minute.
const maxIntervals = 240

// Interval is what happened in one step of a Series.
type Interval struct {
	Succeeded int64 `json:"succeeded,omitempty"`
	Failed    int64 `json:"failed,omitempty"`
	Rejected  int64 `json:"rejected,omitempty"`
	Skipped   int64 `json:"skipped,omitempty"`
	Requests  int64 `json:"requests,omitempty"`  // sent, repetitions included
	Throttled int64 `json:"throttled,omitempty"` // refused by the platform's rate limit
}

// Series counts over time, in at most 240 intervals: when a run outlasts them,
// two become one and the step doubles. Its size does not grow with the run, and
// it can be saved in a checkpoint. Time is time worked: the pauses between the
// executions of a resumed run do not count. The zero Series is empty and ready.
type Series struct {
	Step      time.Duration `json:"step_ns"`
	Intervals []Interval    `json:"intervals"`
	Reached   time.Duration `json:"reached_ns"` // the moment of the last call of Reach
}

// Reach makes the series sum up to total as of a moment. What has come since
// the last call is spread evenly over the time since then: who wants to see
// when something happened calls it often. Where total is below the sum, because
// a crash undid what was counted, it is taken off the newest intervals.
func (s *Series) Reach(at time.Duration, total Interval) {
	if s.Step <= 0 || len(s.Intervals) > maxIntervals { // of a checkpoint that others wrote
		*s = Series{Step: time.Second}
	}
	at = max(at, s.Reached)
	for at/s.Step >= maxIntervals {
		s.halve()
	}
	for int64(len(s.Intervals)) <= int64(at/s.Step) {
		s.Intervals = append(s.Intervals, Interval{})
	}
	sum := s.Total()
	for field, want := range total.fields() {
		if diff := *want - *sum.fields()[field]; diff > 0 {
			s.spread(field, diff, at)
		} else {
			s.takeOff(field, -diff)
		}
	}
	s.Reached = at
}

// spread adds n to a field of the intervals between the last call and now, to
// each the share of the time that it covers.
func (s *Series) spread(field int, n int64, at time.Duration) {
	first, last := int(s.Reached/s.Step), int(at/s.Step)
	var given int64
	for i := first; i < last; i++ {
		covered := float64(time.Duration(i+1)*s.Step-s.Reached) / float64(at-s.Reached)
		due := int64(float64(n) * covered)
		*s.Intervals[i].fields()[field] += due - given
		given = due
	}
	*s.Intervals[last].fields()[field] += n - given
}

// Total is the sum of all intervals.
func (s *Series) Total() (sum Interval) {
	for i := range s.Intervals {
		sum.add(&s.Intervals[i])
	}
	return sum
}

// takeOff takes n off a field, the newest intervals first.
func (s *Series) takeOff(field int, n int64) {
	for i := len(s.Intervals) - 1; i >= 0 && n > 0; i-- {
		have := s.Intervals[i].fields()[field]
		step := min(n, *have)
		*have -= step
		n -= step
	}
}

func (s *Series) halve() {
	half := s.Intervals[:0]
	for i := 0; i < len(s.Intervals); i += 2 {
		sum := s.Intervals[i]
		if i+1 < len(s.Intervals) {
			sum.add(&s.Intervals[i+1])
		}
		half = append(half, sum)
	}
	s.Intervals, s.Step = half, 2*s.Step
}

func (n *Interval) add(m *Interval) {
	for field, value := range m.fields() {
		*n.fields()[field] += *value
	}
}

func (n *Interval) fields() [6]*int64 {
	return [...]*int64{&n.Succeeded, &n.Failed, &n.Rejected, &n.Skipped, &n.Requests, &n.Throttled}
}
