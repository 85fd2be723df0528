package writers

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Size of a chart's drawing in its own units; the page scales it.
const (
	chartWidth  = 640.0
	chartHeight = 170.0
)

// chart is a drawing of columns, one a value, all of the same width.
type chart struct {
	Columns []column
	Top     string // the value at the upper edge
	Left    string // what stands at the lower left
	Right   string
	Empty   bool
	Peak    int // index of the highest column
}

// column is one rectangle of a chart.
type column struct{ X, Y, Width, Height string }

// lineChart draws values over time: one column an interval.
func lineChart(values []int64, step float64, perSecond bool) chart {
	heights := make([]float64, len(values))
	for i, v := range values {
		heights[i] = float64(v)
		if perSecond && step > 0 {
			heights[i] /= step
		}
	}
	c := columnsOf(heights)
	c.Left, c.Right = "0 s", clock(step*float64(len(values)))
	return c
}

// latencyChart draws how many rows took how long.
func latencyChart(bars []LatencyBar) chart {
	heights := make([]float64, len(bars))
	for i, b := range bars {
		heights[i] = float64(b.Rows)
	}
	c := columnsOf(heights)
	if len(bars) > 0 {
		c.Left, c.Right = millisText(bars[0].From)+" ms", millisText(bars[len(bars)-1].To)+" ms"
	}
	return c
}

func columnsOf(heights []float64) chart {
	if len(heights) == 0 || slices.Max(heights) <= 0 {
		return chart{Empty: true}
	}
	highest := slices.Max(heights)
	c := chart{Top: short(highest), Peak: slices.Index(heights, highest)}
	width := chartWidth / float64(len(heights))
	for i, h := range heights {
		if h > 0 {
			size := max(1, h/highest*chartHeight)
			c.Columns = append(c.Columns, column{unit(float64(i) * width), unit(chartHeight - size), unit(max(0.5, width*0.9)), unit(size)})
		}
	}
	return c
}

func unit(v float64) string { return strconv.FormatFloat(math.Round(v*100)/100, 'f', -1, 64) }

// short writes a number with at most one decimal.
func short(v float64) string {
	if v >= 100 || v == math.Trunc(v) {
		return strconv.FormatFloat(math.Round(v), 'f', 0, 64)
	}
	return strconv.FormatFloat(v, 'f', 1, 64)
}

func millisText(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

// clock writes seconds as 1h02m03s.
func clock(s float64) string {
	n := int64(math.Round(s))
	var parts []string
	for _, u := range []struct {
		size int64
		name string
	}{{3600, "h"}, {60, "m"}, {1, "s"}} {
		if v := n / u.size; v > 0 || u.size == 1 && len(parts) == 0 {
			parts = append(parts, fmt.Sprintf("%d %s", v, u.name))
		}
		n %= u.size
	}
	return strings.Join(parts, " ")
}

// share is the width of a bar, in percent of the largest.
func share(bars []Bar, count int64) string {
	var most int64 = 1
	for _, b := range bars {
		most = max(most, b.Count)
	}
	return unit(100 * float64(count) / float64(most))
}
