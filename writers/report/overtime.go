package report

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"pushbatch/batch"
)

// history is what happened over time: two charts and their table.
type history struct {
	Rows, Requests *chart // nil: nothing to draw
	Refused        int64  // requests, by the rate limit
	Columns        []string
	Table          []historyLine
}

// historyLine is one interval.
type historyLine struct {
	From   string
	Counts []string
}

// history is that of a run; nil: of several, which have no time in common.
func (s *Summary) history() *history {
	if len(s.Runs) > 0 {
		return nil
	}
	c, t := new(history), s.Timeline
	rows := present([]counted{
		{"succeeded", "ok", t.Succeeded},
		{"skipped", "skipped", t.Skipped},
		{"rejected", "rejected", t.Rejected},
		{"failed", "failed", t.Failed},
	})
	requests := present([]counted{{"not refused", "ok", without(t.Requests, t.Throttled)}, {"refused (429)", "refused", t.Throttled}})
	c.Rows = timeChart("rows", "Rows finished a second", rows, t, s.Elapsed)
	if len(present([]counted{{"", "", t.Requests}})) > 0 {
		c.Requests = timeChart("requests", "Requests sent a second", requests, t, s.Elapsed)
		c.Refused = sumOf(t.Throttled)
	}
	c.fillTable(t, append(rows, present([]counted{{"requests", "", t.Requests}, {"refused (429)", "", t.Throttled}})...))
	return c
}

func (c *history) fillTable(t Timeline, lists []counted) {
	if len(lists) == 0 {
		return
	}
	for _, l := range lists {
		c.Columns = append(c.Columns, Capital(l.name))
	}
	for i := range lists[0].values {
		line := historyLine{From: Seconds(float64(i) * t.StepSeconds)}
		for _, l := range lists {
			line.Counts = append(line.Counts, Grouped(l.values[i]))
		}
		c.Table = append(c.Table, line)
	}
}

// timeChart draws lists above each other, as counts a second. The last interval
// is as wide as the part of it that the run worked.
func timeChart(id, caption string, lists []counted, t Timeline, seconds float64) *chart {
	if len(lists) == 0 || t.StepSeconds <= 0 {
		return nil
	}
	edges := t.edges(len(lists[0].values), seconds)
	end := edges[len(edges)-1]
	c := &chart{ID: id, Caption: caption, Ticks: timeTicks(end)}
	shares := make([]float64, len(edges))
	for i, e := range edges {
		shares[i] = e / end
	}
	for _, l := range lists {
		c.Legend = append(c.Legend, legend{l.name, l.class})
	}
	peak := c.stack(shares, lists, func(i int) float64 { return edges[i+1] - edges[i] }, func(l *counted, i int) string {
		return fmt.Sprintf("from %s: %s %s", Seconds(edges[i]), Grouped(l.values[i]), l.name)
	})
	c.Alternative = fmt.Sprintf("%s over %s: at most %s. The table below has the numbers.", caption, Seconds(end), short(peak))
	return c
}

// edges are where n intervals begin and the last ends, in seconds. A last one
// of little time is drawn wider, or a single row would make a peak of it.
func (t Timeline) edges(n int, seconds float64) []float64 {
	edges := make([]float64, n+1)
	for i := range edges {
		edges[i] = float64(i) * t.StepSeconds
	}
	last := seconds - edges[n-1]
	if n == 1 {
		edges[n] = math.Min(t.StepSeconds, math.Max(last, 0.001))
		return edges
	}
	edges[n] = edges[n-1] + math.Min(t.StepSeconds, math.Max(last, 0.25*t.StepSeconds))
	return edges
}

// present leaves out the lists without any count.
func present(lists []counted) []counted {
	return slices.DeleteFunc(lists, func(l counted) bool { return sumOf(l.values) == 0 })
}

func without(all, part []int64) []int64 {
	rest := slices.Clone(all)
	for i := range min(len(rest), len(part)) {
		rest[i] -= part[i]
	}
	return rest
}

func sumOf(values []int64) (sum int64) {
	for _, v := range values {
		sum += v
	}
	return sum
}

// Capital is a text with a capital letter at its start.
func Capital(s string) string {
	first := min(1, len(s))
	return strings.ToUpper(s[:first]) + s[first:]
}

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
	t := Timeline{StepSeconds: s.Step.Seconds(), Intervals: len(s.Intervals)}
	for _, n := range s.Intervals {
		t.Succeeded, t.Failed = append(t.Succeeded, n.Succeeded), append(t.Failed, n.Failed)
		t.Rejected, t.Skipped = append(t.Rejected, n.Rejected), append(t.Skipped, n.Skipped)
		t.Requests, t.Throttled = append(t.Requests, n.Requests), append(t.Throttled, n.Throttled)
	}
	for _, list := range []*[]int64{&t.Succeeded, &t.Failed, &t.Rejected, &t.Skipped, &t.Requests, &t.Throttled} {
		if sumOf(*list) == 0 {
			*list = nil
		}
	}
	return t
}
