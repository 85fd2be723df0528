package watch

import (
	_ "embed"
	"math"
	"strconv"
	"strings"
	"time"

	"pushbatch/apiclient"
	"pushbatch/batch"
	"pushbatch/writers/form"
	"pushbatch/writers/report"
)

// Figures is where a run stands, as metrics tell it.
type Figures struct {
	Version, Operation           string
	Progress                     batch.Progress
	Tally                        batch.Tally
	Delta                        *report.Delta // nil: the run has no delta state
	Requests, Retries, Throttled int64         // of all executions together
	Sends                        bool          // what follows of the client is there
	Waiting                      apiclient.Waiting
	Limit                        apiclient.OpStats // of the operation's requests
	Shared                       bool              // the limit is shared with other processes
	StartedAt                    time.Time
	Executions                   int
	SavedAt                      time.Time       // of the last checkpoint; zero: none yet
	Ended                        *report.Summary // nil: the run goes on
}

//go:embed metrics.txt
var metricsText string

// page is the metrics as of now.
func (m *Metrics) page() []byte {
	f := m.figures()
	labels := func(own ...string) string {
		text := label("operation", f.Operation) + m.labels
		if len(own) > 0 {
			text += label(own[0], own[1])
		}
		return "{" + strings.TrimSuffix(text, ",") + "}"
	}
	asIs := func(text string) string { return text } // labels are safe
	return form.New(metricsText, asIs, metricsWords, form.Functions{"labels": labels}).Fill("main", &f)
}

// sample is one value of a metric that has several.
type sample struct {
	Of string
	N  float64
}

var metricsWords = form.Functions{
	"value":     number,
	"moment":    func(t time.Time) string { return number(float64(t.UnixMilli()) / 1000) },
	"isLimited": func(limit apiclient.OpStats) bool { return !math.IsInf(limit.Rate, 0) },
	"worked":    func(t batch.Tally) float64 { return t.Latency.Sum.Seconds() },
	"rows":      func(t batch.Tally) int64 { return t.Latency.Count() },
	"unsent":    (*Figures).unsent,
	"buckets":   buckets,
	"statuses": func(p batch.Progress) (all []sample) {
		for _, status := range batch.Statuses {
			all = append(all, sample{status.String(), float64(p.Statuses[status])})
		}
		return all
	},
	"waits": func(now apiclient.Waiting) (all []sample) {
		for why := apiclient.WaitBackoff; why <= apiclient.WaitOutage; why++ {
			one := sample{Of: strings.ReplaceAll(why.String(), "-", "_")}
			if why == now {
				one.N = 1
			}
			all = append(all, one)
		}
		return all
	},
}

func number(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

// unsent is the number of rows that have no result; nil: it is not known.
func (f *Figures) unsent() *int64 {
	if f.Ended != nil {
		return f.Ended.Unsent
	}
	if left := f.Progress.Read - f.Progress.Done; f.Progress.AllRead {
		return &left
	}
	return nil
}

// latencyBounds are the upper bounds of the histogram, in seconds.
var latencyBounds = []float64{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, math.Inf(1)}

// buckets are those of the latencies. What they were counted in are buckets of about 3 %
// width: so much may stand one bucket too high.
func buckets(t batch.Tally) []sample {
	all := make([]sample, len(latencyBounds))
	for i, bound := range latencyBounds {
		all[i].Of = number(bound)
	}
	t.Latency.Buckets(func(upTo time.Duration, count int64) bool {
		for i, bound := range latencyBounds {
			if upTo.Seconds() <= bound {
				all[i].N += float64(count)
			}
		}
		return true
	})
	return all
}

// label is a pair as it stands between braces, with a comma after it.
func label(name, value string) string {
	return name + `="` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(value) + `",`
}
