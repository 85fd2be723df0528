package main

import (
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"time"

	"pushbatch/batch"
)

// Kinds of metrics.
const (
	counter   = "counter"
	gauge     = "gauge"
	histogram = "histogram"
)

// metricText writes metrics in the text format of Prometheus, version 0.0.4.
type metricText struct {
	w      strings.Builder
	labels string // of every sample, each with a comma behind it
}

// family begins a metric: its samples follow.
func (m *metricText) family(name, kind, help string) {
	fmt.Fprintf(&m.w, "# HELP pushbatch_%s %s\n# TYPE pushbatch_%s %s\n", name, help, name, kind)
}

// sample writes one value; labels is empty or name="value" pairs.
func (m *metricText) sample(name, labels string, value float64) {
	m.w.WriteString("pushbatch_" + name)
	if all := strings.TrimSuffix(m.labels+labels, ","); all != "" {
		m.w.WriteString("{" + all + "}")
	}
	m.w.WriteString(" " + strconv.FormatFloat(value, 'g', -1, 64) + "\n")
}

func (m *metricText) one(name, kind, help string, value float64) {
	m.family(name, kind, help)
	m.sample(name, "", value)
}

// latencyBounds are the upper bounds of the histogram, in seconds.
var latencyBounds = []float64{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30}

// durations writes a histogram. What it was counted in are buckets of about 3 %
// width: so much may stand one bucket too high.
func (m *metricText) durations(name, help string, h *batch.Histogram) {
	m.family(name, histogram, help)
	counts := make([]int64, len(latencyBounds))
	h.Buckets(func(upTo time.Duration, count int64) bool {
		for i, bound := range latencyBounds {
			if upTo.Seconds() <= bound {
				counts[i] += count
			}
		}
		return true
	})
	for i, bound := range latencyBounds {
		m.sample(name+"_bucket", label("le", strconv.FormatFloat(bound, 'g', -1, 64)), float64(counts[i]))
	}
	m.sample(name+"_bucket", label("le", "+Inf"), float64(h.Count()))
	m.sample(name+"_sum", "", h.Sum().Seconds())
	m.sample(name+"_count", "", float64(h.Count()))
}

func (m *metricText) writeTo(w io.Writer) error {
	_, err := io.WriteString(w, m.w.String())
	return err
}

// label is a pair as it stands between braces, with a comma behind it.
func label(name, value string) string {
	return name + `="` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(value) + `",`
}

var labelName = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`)

// ownLabels are the names of labels that metrics have of their own.
var ownLabels = []string{"operation", "status", "reason", "le", "version"}

// parseLabels reads the pairs of --metrics-label.
func parseLabels(pairs []string) (string, error) {
	var all strings.Builder
	seen := make(map[string]bool)
	for _, name := range ownLabels {
		seen[name] = true
	}
	for _, pair := range pairs {
		name, value, found := strings.Cut(pair, "=")
		if !found || !labelName.MatchString(name) || strings.HasPrefix(name, "__") {
			return "", usageError("--metrics-label %q: NAME=VALUE was expected, the name of letters, digits and _", pair)
		}
		if seen[name] {
			return "", usageError("--metrics-label %s: the metrics have that label already", name)
		}
		seen[name] = true
		all.WriteString(label(name, value))
	}
	return all.String(), nil
}
