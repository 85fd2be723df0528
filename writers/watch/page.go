package watch

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"pushbatch/apiclient"
	"pushbatch/batch"
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

// page is the metrics as of now.
func (m *Metrics) page() *page {
	f := m.figures()
	t := &page{labels: label("operation", f.Operation) + m.labels}
	t.family("info", gauge, "The program.")
	t.sample("info", label("version", strings.TrimSpace(f.Version)), 1)
	t.family("rows_total", counter, "Rows with a result, all executions together.")
	for _, status := range batch.Statuses {
		t.sample("rows_total", label("status", status.String()), float64(f.Progress.Statuses[status]))
	}
	t.delta(f.Delta)
	t.traffic(&f)
	t.one("requests_in_flight", gauge, "Requests under way.", float64(f.Progress.InFlight))
	t.durations("row_latency_seconds", "Time of the last attempt of each row, as of the last checkpoint.", &f.Tally.Latency)
	t.one("start_timestamp_seconds", gauge, "When the run began.", seconds64(f.StartedAt))
	t.one("executions", gauge, "1, and one more for each resume.", float64(f.Executions))
	if !f.SavedAt.IsZero() {
		t.one("last_checkpoint_timestamp_seconds", gauge, "When the last checkpoint was saved.", seconds64(f.SavedAt))
	}
	t.one("running", gauge, "1 while the run goes on, 0 when it has ended or stopped.", oneIf(f.Ended == nil))
	if f.Ended != nil {
		t.one("end_timestamp_seconds", gauge, "When the run ended or stopped.", seconds64(f.Ended.EndedAt))
		t.one("exit_code", gauge, "What the program ended with; 0: every row is fine.", float64(f.Ended.ExitCode))
	}
	switch {
	case f.Ended != nil && f.Ended.Unsent != nil:
		t.one("rows_unsent", gauge, unsentHelp, float64(*f.Ended.Unsent))
	case f.Ended == nil && f.Progress.AllRead:
		t.one("rows_unsent", gauge, unsentHelp, float64(f.Progress.Read-f.Progress.Done))
	}
	return t
}

const unsentHelp = "Rows without a result; not there while the length of the inputs is not known."

// delta writes what the plan of a run with a delta state says.
func (m *page) delta(d *report.Delta) {
	if d == nil {
		return
	}
	m.family("delta_rows", gauge, "Rows of the input, and devices that vanished from it, by what they are to the delta state.")
	for kind, n := range map[string]int64{"new": d.New, "changed": d.Changed, "unchanged": d.Unchanged, "too_old": d.TooOld, "vanished": d.Vanished} {
		m.sample("delta_rows", label("kind", kind), float64(n))
	}
	m.one("delta_rows_to_send", gauge, "Rows that are to be sent.", float64(d.ToSend))
}

// traffic writes what is known of requests.
func (m *page) traffic(f *Figures) {
	m.one("requests_total", counter, "Requests sent, every attempt counted.", float64(f.Requests))
	m.one("request_retries_total", counter, "Requests that were repetitions.", float64(f.Retries))
	m.one("requests_refused_total", counter, "Requests that were refused by the limit (429).", float64(f.Throttled))
	if !f.Sends {
		return
	}
	m.family("waiting", gauge, "1 for the reason why requests wait now.")
	for why := apiclient.WaitBackoff; why <= apiclient.WaitOutage; why++ {
		m.sample("waiting", label("reason", strings.ReplaceAll(why.String(), "-", "_")), oneIf(f.Waiting == why))
	}
	if !math.IsInf(f.Limit.Rate, 0) {
		m.one("rate_limit", gauge, "Requests a second that are allowed now.", f.Limit.Rate)
		m.one("rate_limit_configured", gauge, "Requests a second that --rate allows.", f.Limit.Configured)
	}
	if share := f.Limit.Share; f.Shared {
		m.one("share_permits", gauge, "Permits that this process has of the limit it shares by --share-limit.", float64(share.Permits))
		m.one("share_total", gauge, "Requests a second that all processes share.", share.Total)
		m.one("share_processes", gauge, "Processes that share the limit, this one included.", float64(share.Processes))
	}
}

func oneIf(is bool) float64 {
	if is {
		return 1
	}
	return 0
}

func seconds64(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

// Kinds of metrics.
const (
	counter   = "counter"
	gauge     = "gauge"
	histogram = "histogram"
)

// page writes metrics in the text format of Prometheus, version 0.0.4.
type page struct {
	w      strings.Builder
	labels string // of every sample, each with a comma after it
}

// family begins a metric: its samples follow.
func (m *page) family(name, kind, help string) {
	fmt.Fprintf(&m.w, "# HELP pushbatch_%s %s\n# TYPE pushbatch_%s %s\n", name, help, name, kind)
}

// sample writes one value; labels is empty or name="value" pairs.
func (m *page) sample(name, labels string, value float64) {
	m.w.WriteString("pushbatch_" + name)
	if all := strings.TrimSuffix(m.labels+labels, ","); all != "" {
		m.w.WriteString("{" + all + "}")
	}
	m.w.WriteString(" " + strconv.FormatFloat(value, 'g', -1, 64) + "\n")
}

func (m *page) one(name, kind, help string, value float64) {
	m.family(name, kind, help)
	m.sample(name, "", value)
}

// latencyBounds are the upper bounds of the histogram, in seconds.
var latencyBounds = []float64{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30}

// durations writes a histogram. What it was counted in are buckets of about 3 %
// width: so much may stand one bucket too high.
func (m *page) durations(name, help string, h *batch.Histogram) {
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
	m.sample(name+"_sum", "", h.Sum.Seconds())
	m.sample(name+"_count", "", float64(h.Count()))
}

// label is a pair as it stands between braces, with a comma after it.
func label(name, value string) string {
	return name + `="` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(value) + `",`
}
