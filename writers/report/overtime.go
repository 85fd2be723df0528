package report

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// history is what happened over time: two charts and their table.
type history struct {
	Rows, Requests *chart // nil: nothing to draw
	Refusals       string // what stands instead of refused requests
	Columns        []string
	Table          []historyLine
}

// historyLine is one interval.
type historyLine struct {
	From   string
	Counts []string
}

// counted is one list of a Timeline under its name.
type counted struct {
	name, class string
	values      []int64
}

func overTime(t Timeline, seconds float64) (c history) {
	rows := present([]counted{
		{"succeeded", "ok", t.Succeeded},
		{"skipped", "skipped", t.Skipped},
		{"rejected", "rejected", t.Rejected},
		{"failed", "failed", t.Failed},
	})
	requests := present([]counted{{"not refused", "ok", without(t.Requests, t.Throttled)}, {"refused (429)", "refused", t.Throttled}})
	c.Rows = timeChart("rows", "Rows finished a second", rows, t, seconds)
	if len(present([]counted{{"", "", t.Requests}})) > 0 {
		c.Requests = timeChart("requests", "Requests sent a second", requests, t, seconds)
		c.Refusals = refusals(t.Throttled)
	}
	c.fillTable(t, append(rows, present([]counted{{"requests", "", t.Requests}, {"refused (429)", "", t.Throttled}})...))
	return c
}

func refusals(throttled []int64) string {
	if sum := sumOf(throttled); sum > 0 {
		return fmt.Sprintf("%s requests were refused by the platform's rate limit (429). They cost no row an attempt.", Grouped(sum))
	}
	return "No request was refused by the platform's rate limit (429)."
}

func (c *history) fillTable(t Timeline, lists []counted) {
	if len(lists) == 0 {
		return
	}
	for _, l := range lists {
		c.Columns = append(c.Columns, capital(l.name))
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
	var layers []layer
	for _, l := range lists {
		lay := layer{name: l.name, class: l.class, values: make([]float64, len(l.values))}
		for i, n := range l.values {
			lay.values[i] = float64(n) / (edges[i+1] - edges[i])
		}
		lay.title = func(i int) string {
			return fmt.Sprintf("from %s: %s %s", Seconds(edges[i]), Grouped(l.values[i]), l.name)
		}
		layers = append(layers, lay)
		c.Legend = append(c.Legend, legend{l.name, l.class})
	}
	peak := c.stack(shares, layers)
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

func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// latencyChart draws how many rows took how long; nil when none was sent. Every
// column is twice as wide in time as the one before: the axis is logarithmic.
func latencyChart(bars []LatencyBar, marks []quantile) *chart {
	if len(bars) == 0 {
		return nil
	}
	n := float64(len(bars))
	c := &chart{ID: "latency", Caption: "Rows by how long their last answer took"}
	l := layer{class: "ok", values: make([]float64, len(bars)), title: func(i int) string {
		return fmt.Sprintf("%s to below %s: %s rows", millisText(bars[i].From), millisText(bars[i].To), Grouped(bars[i].Rows))
	}}
	edges := make([]float64, len(bars)+1)
	for i, b := range bars {
		l.values[i], edges[i+1] = float64(b.Rows), float64(i+1)/n
	}
	peak := c.stack(edges, []layer{l})
	c.Ticks = latencyTicks(bars)
	c.Alternative = fmt.Sprintf("Rows by latency from %s to %s, at most %s rows in one column.",
		millisText(bars[0].From), millisText(bars[len(bars)-1].To), Grouped(int64(peak)))
	for i, q := range marks {
		at := math.Log2(q.Millis/bars[0].From) / n
		if q.Millis <= 0 || bars[0].From <= 0 || at < 0 || at > 1 {
			continue
		}
		m := mark{tick{unit(100 * at), q.Name + " " + millisText(q.Millis), "start"}, unit(chartTop + 14*float64(i)), 4}
		if at > 0.6 {
			m.Anchor, m.Shift = "end", -4
		}
		c.Marks = append(c.Marks, m)
		c.Alternative += " " + m.Text + "."
	}
	c.Alternative += " The table below has the numbers."
	return c
}

// latencyTicks name the edges of the columns, at most five of them, in round
// numbers: the table has the exact ones.
func latencyTicks(bars []LatencyBar) (ticks []tick) {
	every := (len(bars) + 3) / 4
	for i := 0; i <= len(bars); i += every {
		at := bars[max(i-1, 0)].To
		if i == 0 {
			at = bars[0].From
		}
		t := tick{unit(100 * float64(i) / float64(len(bars))), tickText(at / 1000), "middle"}
		switch i {
		case 0:
			t.Anchor = "start"
		case len(bars):
			t.Anchor = "end"
		}
		ticks = append(ticks, t)
	}
	return ticks
}
