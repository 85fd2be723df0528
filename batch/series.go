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
// sittings of a resumed run do not count. The zero Series is empty and ready.
type Series struct {
	Step      time.Duration `json:"step_ns"`
	Intervals []Interval    `json:"intervals"`
}

// Reach makes the series sum up to total as of a moment: what has come since
// the last call counts for the interval of that moment. Where total is below
// the sum, because a crash undid what was counted, it is taken off the newest
// intervals.
func (s *Series) Reach(at time.Duration, total Interval) {
	if s.Step <= 0 {
		s.Step = time.Second
	}
	for at/s.Step >= maxIntervals {
		s.halve()
	}
	for int64(len(s.Intervals)) <= int64(max(0, at)/s.Step) {
		s.Intervals = append(s.Intervals, Interval{})
	}
	sum := s.Total()
	for field, want := range total.fields() {
		s.change(field, *want-*sum.fields()[field])
	}
}

// Total is the sum of all intervals.
func (s *Series) Total() (sum Interval) {
	for i := range s.Intervals {
		sum.add(&s.Intervals[i])
	}
	return sum
}

// change adds diff to a field of the newest interval, going back while it
// would make one negative.
func (s *Series) change(field int, diff int64) {
	for i := len(s.Intervals) - 1; i >= 0 && diff != 0; i-- {
		n := s.Intervals[i].fields()[field]
		step := max(diff, -*n)
		*n += step
		diff -= step
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
