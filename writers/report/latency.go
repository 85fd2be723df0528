package report

import (
	"fmt"
	"math"
	"time"

	"pushbatch/batch"
)

// latencyChart draws how many rows took how long. Every column is twice as wide in
// time as the one before: the axis is logarithmic.
func (s *Summary) latencyChart() *chart {
	bars, n := s.Distribution, float64(len(s.Distribution))
	c := &chart{ID: "latency", Caption: "Rows by how long their last answer took"}
	rows := counted{class: "ok"}
	edges := make([]float64, len(bars)+1)
	for i, b := range bars {
		rows.values, edges[i+1] = append(rows.values, b.Rows), float64(i+1)/n
	}
	peak := c.stack(edges, []counted{rows}, func(int) float64 { return 1 }, func(_ *counted, i int) string {
		return fmt.Sprintf("%s to below %s: %s rows", millisText(bars[i].From), millisText(bars[i].To), Grouped(bars[i].Rows))
	})
	c.Ticks = latencyTicks(bars)
	c.Alternative = fmt.Sprintf("Rows by latency from %s to %s, at most %s rows in one column.",
		millisText(bars[0].From), millisText(bars[len(bars)-1].To), Grouped(int64(peak)))
	for i, millis := range []float64{s.Latency.P50, s.Latency.P90, s.Latency.P99} {
		at := math.Log2(millis/bars[0].From) / n
		if millis <= 0 || bars[0].From <= 0 || at < 0 || at > 1 {
			continue
		}
		name := []string{"p50 ", "p90 ", "p99 "}[i]
		m := mark{tick{unit(100 * at), name + millisText(millis), "start"}, unit(chartTop + 14*float64(i)), 4}
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
		ticks = append(ticks, tickAt(float64(i)/float64(len(bars)), tickText(at/1000)))
	}
	return ticks
}

// LatencyBar is the rows whose last answer took from From up to To milliseconds.
type LatencyBar struct {
	From float64 `json:"from_ms"`
	To   float64 `json:"to_ms"`
	Rows int64   `json:"rows"`
}

// latencyBars gathers a histogram into one bar for each doubling of the time.
// The edges are edges of the histogram too, so that the counts are exact.
func latencyBars(h *batch.Histogram) []LatencyBar {
	bars := []LatencyBar{}
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
			bars = append(bars, LatencyBar{From: last, To: 2 * last})
		}
		bars = append(bars, LatencyBar{From: from, To: to, Rows: count})
		return true
	})
	return bars
}
