package report

import (
	"math"
	"slices"
	"strings"
	"time"
)

// Where a chart's columns stand, in pixels: widths are shares of the page, so
// that text keeps its size on every screen.
const (
	chartTop    = 12.0
	chartBottom = 162.0
)

// chart is a drawing of columns above an axis.
type chart struct {
	ID, Caption, Alternative string
	Legend                   []legend
	Scale                    []tick // of the upright axis, At in pixels
	Ticks                    []tick // of the level axis, At in percent
	Marks                    []mark
	Layers                   []drawn
}

// drawn is the columns of one colour.
type drawn struct {
	Class string
	Bars  []column
}

// legend names a colour.
type legend struct {
	Name, Class string
}

// tick is a value at an axis.
type tick struct{ At, Text, Anchor string }

// mark is a named line across a chart.
type mark struct {
	tick
	Y     string
	Shift int // of the text, away from the line
}

// column is one rectangle: X and Width in percent, Y and Height in pixels.
type column struct {
	X, Width, Y, Height, Title string
}

// counted is one kind of what columns are stacked of.
type counted struct {
	name, class string
	values      []int64
}

// stack draws kinds above each other: column i from edges[i] to edges[i+1], which
// are shares of the width, and as high as its count divided by over(i). title is what
// a part of it is called.
func (c *chart) stack(edges []float64, kinds []counted, over func(i int) float64, title func(kind *counted, i int) string) (peak float64) {
	heights := make([]float64, len(edges)-1)
	for _, k := range kinds {
		for i := range heights {
			heights[i] += float64(k.values[i]) / over(i)
		}
	}
	peak = slices.Max(heights)
	step := niceStep(peak / 4)
	top := math.Ceil(peak/step-1e-9) * step
	for v := 0.0; v <= top+step/2; v += step {
		c.Scale = append(c.Scale, tick{At: unit(chartY(v, top)), Text: short(v)})
	}
	clear(heights)
	for _, k := range kinds {
		d := drawn{Class: k.class}
		for i, n := range k.values {
			if n <= 0 {
				continue
			}
			v, width := float64(n)/over(i), edges[i+1]-edges[i]
			low, high := chartY(heights[i], top), chartY(heights[i]+v, top)
			d.Bars = append(d.Bars, column{
				X: unit(100 * edges[i]), Width: unit(100*width - min(6*width, 0.25)), Y: unit(high), Height: unit(max(low-high, 0.5)),
				Title: title(&k, i),
			})
			heights[i] += v
		}
		c.Layers = append(c.Layers, d)
	}
	return peak
}

func chartY(v, top float64) float64 { return chartBottom - v/top*(chartBottom-chartTop) }

// niceStep is the least of 1, 2 and 5 times a power of ten that is not below v.
func niceStep(v float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(v)))
	for _, m := range []float64{1, 2, 5} {
		if m*power >= v*(1-1e-9) {
			return m * power
		}
	}
	return 10 * power
}

// part is one rectangle of a meter.
type part struct {
	X, Width, Class string
}

// meter shows the parts of a whole in one line.
type meter struct {
	Alternative string
	Bars        []part
}

// meter draws the counts that have a class; nil when there is nothing to draw.
func (s *Summary) meter() *meter {
	var m meter
	facts := slices.DeleteFunc(s.countFacts(), func(f fact) bool { return f.Class == "" })
	var texts []string
	var sum, at float64
	for _, f := range facts {
		sum += float64(f.count)
	}
	for _, f := range facts {
		if v := float64(f.count); v > 0 {
			m.Bars = append(m.Bars, part{unit(100 * at / sum), unit(100 * v / sum), f.Class})
			texts = append(texts, f.Name+" "+f.Value)
			at += v
		}
	}
	m.Alternative = "Rows by status: " + strings.Join(texts, ", ")
	if len(m.Bars) == 0 {
		return nil
	}
	return &m
}

// tickAt is a tick of the level axis at a share of its length. Its text stays within the
// chart, of which it takes up to a sixth on a small phone.
func tickAt(share float64, text string) tick {
	t := tick{At: unit(100 * share), Text: text, Anchor: "middle"}
	switch {
	case share == 0:
		t.Anchor = "start"
	case share > 0.9:
		t.Anchor = "end"
	}
	return t
}

// timeSteps are the distances of ticks on an axis of time.
var timeSteps = []time.Duration{
	time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 15 * time.Second, 30 * time.Second,
	time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute,
	time.Hour, 2 * time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour,
}

// timeTicks are at most six ticks of an axis that ends at a number of seconds.
func timeTicks(seconds float64) (ticks []tick) {
	const most = 5
	step := niceStep(seconds / most)
	if step >= 1 {
		step = max(1, niceStep(seconds/most/86400)) * 86400
		for _, s := range slices.Backward(timeSteps) {
			if s.Seconds() >= seconds/most {
				step = s.Seconds()
			}
		}
	}
	for at := 0.0; at <= seconds*(1+1e-9); at += step {
		ticks = append(ticks, tickAt(at/seconds, tickText(at)))
	}
	return ticks
}

func tickText(s float64) string {
	switch {
	case s == 0:
		return "0"
	case s < 0.001:
		return trimmed(1e6*s, 0) + " µs"
	case s < 1:
		return trimmed(1000*s, 0) + " ms"
	case s < 120:
		return trimmed(s, 1) + " s"
	case s < 7200:
		return trimmed(s/60, 1) + " min"
	case s < 172800:
		return trimmed(s/3600, 1) + " h"
	}
	return trimmed(s/86400, 1) + " d"
}
