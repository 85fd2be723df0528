package report

import (
	"sync"
	"time"

	"pushbatch/batch"
)

// Recording notes the course of a run over time, all executions together. It may
// be used by several goroutines.
type Recording struct {
	mu     sync.Mutex
	series batch.Series
}

// GoOn begins with what an earlier execution noted.
func (c *Recording) GoOn(series batch.Series) { c.series = series }

// Note makes the series reach what is counted at a moment of the run.
func (c *Recording) Note(at time.Duration, statuses batch.StatusCounts, requests, throttled int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.series.Reach(at, batch.Interval{
		Succeeded: statuses[batch.Succeeded], Failed: statuses[batch.Failed],
		Rejected: statuses[batch.Rejected], Skipped: statuses[batch.Skipped],
		Requests: requests, Throttled: throttled,
	})
}

// Series is a copy of the series as of now.
func (c *Recording) Series() batch.Series {
	c.mu.Lock()
	defer c.mu.Unlock()
	return batch.Series{Step: c.series.Step, Reached: c.series.Reached, Intervals: append([]batch.Interval(nil), c.series.Intervals...)}
}

// Timeline is a series as summary.json has it: lists of the same length, one
// number an interval; a list without any count is left out.
type Timeline struct {
	StepSeconds float64 `json:"step_seconds"`
	Intervals   int     `json:"intervals"`
	Succeeded   []int64 `json:"succeeded,omitempty"` // rows finished
	Failed      []int64 `json:"failed,omitempty"`
	Rejected    []int64 `json:"rejected,omitempty"`
	Skipped     []int64 `json:"skipped,omitempty"`
	Requests    []int64 `json:"requests,omitempty"`  // sent, repetitions included
	Throttled   []int64 `json:"throttled,omitempty"` // those refused by the rate limit
}

// TimelineOf is the timeline of a series.
func TimelineOf(s batch.Series) Timeline {
	list := func(of func(*batch.Interval) int64) []int64 {
		values := make([]int64, len(s.Intervals))
		for i := range s.Intervals {
			values[i] = of(&s.Intervals[i])
		}
		if sumOf(values) == 0 {
			return nil
		}
		return values
	}
	return Timeline{
		StepSeconds: s.Step.Seconds(), Intervals: len(s.Intervals),
		Succeeded: list(func(n *batch.Interval) int64 { return n.Succeeded }),
		Failed:    list(func(n *batch.Interval) int64 { return n.Failed }),
		Rejected:  list(func(n *batch.Interval) int64 { return n.Rejected }),
		Skipped:   list(func(n *batch.Interval) int64 { return n.Skipped }),
		Requests:  list(func(n *batch.Interval) int64 { return n.Requests }),
		Throttled: list(func(n *batch.Interval) int64 { return n.Throttled }),
	}
}
