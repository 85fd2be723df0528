package report

import (
	"strings"
	"testing"
)

func TestNiceStep(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ v, want float64 }{{0.03, 0.05}, {1, 1}, {1.1, 2}, {12.5, 20}, {5, 5}, {700, 1000}} {
		if have := niceStep(test.v); have != test.want {
			t.Errorf("niceStep(%v) = %v, want %v", test.v, have, test.want)
		}
	}
}

func TestTimeTicks(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		seconds float64
		want    string
	}{
		{0.25, "0, 50 ms, 100 ms, 150 ms, 200 ms, 250 ms"},
		{7.5, "0, 2 s, 4 s, 6 s"},
		{34, "0, 10 s, 20 s, 30 s"},
		{541, "0, 2 min, 4 min, 6 min, 8 min"},
		{20_000, "0, 2 h, 4 h"},
		{300_000, "0, 24 h, 2 d, 3 d"},
	} {
		var texts []string
		for _, tick := range timeTicks(test.seconds) {
			texts = append(texts, tick.Text)
		}
		if have := strings.Join(texts, ", "); have != test.want {
			t.Errorf("%v s: %s, want %s", test.seconds, have, test.want)
		}
	}
}

// A text near the end of an axis is written towards its middle: it stays in the chart.
func TestTickNearTheEnd(t *testing.T) {
	t.Parallel()
	last := func(ticks []tick) string { return ticks[len(ticks)-1].Anchor }
	if have := last(timeTicks(0.1087)); have != "end" { // 100 ms, at 92 %
		t.Errorf("time: anchored at its %s", have)
	}
	if have := last(latencyTicks(make([]LatencyBar, 13))); have != "end" { // the last is the twelfth edge
		t.Errorf("latency: anchored at its %s", have)
	}
}

func TestPercent(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		part, whole int64
		want        string
	}{{0, 0, "0 %"}, {0, 5, "0 %"}, {1, 1e6, "< 0.1 %"}, {999_999, 1e6, "> 99.9 %"}, {5, 5, "100 %"}, {1, 3, "33.3 %"}} {
		if have := Percent(test.part, test.whole); have != test.want {
			t.Errorf("Percent(%d, %d) = %s, want %s", test.part, test.whole, have, test.want)
		}
	}
}

// A last interval of which little has passed is drawn as narrow as that, and as
// high as its rate.
func TestLastIntervalIsAPart(t *testing.T) {
	t.Parallel()
	c := (&Summary{Timeline: Timeline{StepSeconds: 2, Succeeded: []int64{20, 20, 10}}, Elapsed: 5}).history()
	bars := c.Rows.Layers[0].Bars
	if len(bars) != 3 || bars[0].Height != bars[2].Height || bars[0].Y != bars[2].Y || bars[0].Width <= bars[2].Width {
		t.Errorf("%+v", bars)
	}
	if bars[2].X != "80" || len(c.Table) != 3 || c.Table[2].Counts[0] != "10" || c.Requests != nil {
		t.Errorf("%+v, %+v, %v", bars[2], c.Table, c.Requests)
	}
}
