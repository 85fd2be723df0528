package main

import (
	"sync"
	"time"

	"pushbatch/batch"
)

// timelineRecorder notes what is counted over time, all executions together.
type timelineRecorder struct {
	mu     sync.Mutex
	series batch.Series
}

// note makes the series reach what is counted now.
func (t *timelineRecorder) note(at time.Duration, statuses batch.StatusCounts, traffic *callerState) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.series.Reach(at, batch.Interval{
		Succeeded: statuses[batch.Succeeded], Failed: statuses[batch.Failed],
		Rejected: statuses[batch.Rejected], Skipped: statuses[batch.Skipped],
		Requests: traffic.Requests, Throttled: traffic.Throttled,
	})
}

// noteEvery is how often the timeline of a run is noted: often enough to tell
// when it stood still.
const noteEvery = 250 * time.Millisecond

// startNoting notes the timeline of a run until the returned function is called.
func (x *execution) startNoting(engine *batch.Job) (end func()) {
	done, ended := make(chan struct{}), make(chan struct{})
	go func() { // ends with end
		defer close(ended)
		tick := time.NewTicker(noteEvery)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				state := x.traffic()
				x.timeline.note(engine.Elapsed(), engine.Progress().Statuses, &state)
			case <-done:
				return
			}
		}
	}()
	return func() { close(done); <-ended }
}

// copied is the series as of now; it shares nothing with the recorder.
func (t *timelineRecorder) copied() *batch.Series {
	t.mu.Lock()
	defer t.mu.Unlock()
	return &batch.Series{Step: t.series.Step, Reached: t.series.Reached, Intervals: append([]batch.Interval(nil), t.series.Intervals...)}
}

// timeline is a series as summary.json has it: lists of the same length, one
// number an interval; a list without any count is left out.
type timeline struct {
	StepSeconds float64 `json:"step_seconds"`
	Intervals   int     `json:"intervals"`
	Succeeded   []int64 `json:"succeeded,omitempty"`
	Failed      []int64 `json:"failed,omitempty"`
	Rejected    []int64 `json:"rejected,omitempty"`
	Skipped     []int64 `json:"skipped,omitempty"`
	Requests    []int64 `json:"requests,omitempty"`
	Throttled   []int64 `json:"throttled,omitempty"`
}

func timelineOf(s *batch.Series) timeline {
	list := func(of func(*batch.Interval) int64) []int64 {
		values, found := make([]int64, len(s.Intervals)), false
		for i := range s.Intervals {
			values[i] = of(&s.Intervals[i])
			found = found || values[i] != 0
		}
		if !found {
			return nil
		}
		return values
	}
	return timeline{
		StepSeconds: s.Step.Seconds(), Intervals: len(s.Intervals),
		Succeeded: list(func(n *batch.Interval) int64 { return n.Succeeded }),
		Failed:    list(func(n *batch.Interval) int64 { return n.Failed }),
		Rejected:  list(func(n *batch.Interval) int64 { return n.Rejected }),
		Skipped:   list(func(n *batch.Interval) int64 { return n.Skipped }),
		Requests:  list(func(n *batch.Interval) int64 { return n.Requests }),
		Throttled: list(func(n *batch.Interval) int64 { return n.Throttled }),
	}
}

// latencyBar is the rows whose last answer took from From up to To.
type latencyBar struct {
	From float64 `json:"from_ms"`
	To   float64 `json:"to_ms"`
	Rows int64   `json:"rows"`
}

// latencyBars gathers a histogram into one bar for each doubling of the time.
// The edges are edges of the histogram too, so that the counts are exact.
func latencyBars(h *batch.Histogram) []latencyBar {
	bars := []latencyBar{}
	h.Buckets(func(upTo time.Duration, count int64) bool {
		edge := time.Microsecond
		for edge <= upTo {
			edge *= 2
		}
		from, to := millis(edge/2), millis(edge)
		if n := len(bars); n > 0 && bars[n-1].To == to {
			bars[n-1].Rows += count
			return true
		}
		for len(bars) > 0 && bars[len(bars)-1].To < from {
			last := bars[len(bars)-1].To
			bars = append(bars, latencyBar{From: last, To: 2 * last})
		}
		bars = append(bars, latencyBar{From: from, To: to, Rows: count})
		return true
	})
	return bars
}
