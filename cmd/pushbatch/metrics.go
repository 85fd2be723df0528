package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"pushbatch/apiclient"
	"pushbatch/batch"
	"pushbatch/writers/report"
)

// metricsEvery is how often the file of --metrics-file is written.
const metricsEvery = 5 * time.Second

// metrics shows a run to Prometheus: in a file, over HTTP, or both.
type metrics struct {
	file     string
	listener net.Listener // nil: none
	labels   string
	now      func() *metricText // where the run stands
	log      *slog.Logger
	warned   bool // that the file cannot be written
	ended    atomic.Pointer[report.Summary]
}

// watch prepares what others follow the run by, so that what cannot work is known
// before the run begins.
func (p *process) watch(x *execution) (err error) {
	if x.notifier, err = p.newNotifier(x); err != nil {
		return err
	}
	f := &x.flags.watchFlags
	m := &metrics{file: f.metricsFile, log: x.log}
	if m.labels, err = parseLabels(f.metricsLabels); err != nil {
		return err
	}
	if m.file != "" {
		if info, err := os.Stat(filepath.Dir(m.file)); err != nil || !info.IsDir() {
			return usageError("--metrics-file %s: its folder is not there", m.file)
		}
	}
	if f.metricsListen != "" {
		if m.listener, err = listenMetrics(context.Background(), f.metricsListen); err != nil {
			return err
		}
	}
	if m.file != "" || m.listener != nil {
		x.metrics = m
	}
	return nil
}

// listenMetrics takes an address; one without a host is on loopback.
func listenMetrics(ctx context.Context, address string) (net.Listener, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, usageError("--metrics-listen %q: an address such as :9464 was expected", address)
	}
	if host == "" {
		host = "127.0.0.1"
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", net.JoinHostPort(host, port))
	if err != nil {
		return nil, usageError("--metrics-listen: %v", err)
	}
	return l, nil
}

// startMetrics shows metrics until the returned function is called with the
// summary, which shows the last ones.
func (x *execution) startMetrics(engine *batch.Job) (end func(*report.Summary)) {
	m := x.metrics
	if m == nil {
		return func(*report.Summary) {}
	}
	if x.point != nil && !x.point.SavedAt.IsZero() {
		x.savedAt.Store(x.point.SavedAt.UnixMilli())
	}
	m.now = func() *metricText { return x.measure(engine, m.ended.Load()) }
	m.write()
	stop := every(metricsEvery, engine.Stop, m.write)
	server := m.serve()
	return func(s *report.Summary) {
		stop()
		m.ended.Store(s)
		m.write()
		if server != nil {
			_ = server.Close() // nothing is lost by it
		}
	}
}

// serve answers GET /metrics until the server is closed.
func (m *metrics) serve() *http.Server {
	if m.listener == nil {
		return nil
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		_ = m.now().writeTo(w) // the other side has gone
	})
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second, MaxHeaderBytes: 16 << 10}
	m.log.Info("metrics", "url", "http://"+m.listener.Addr().String()+"/metrics")
	go func() { // ends when the server is closed
		if err := server.Serve(m.listener); !errors.Is(err, http.ErrServerClosed) {
			m.log.Warn("metrics are not served any more", "error", err)
		}
	}()
	return server
}

// write puts the file in place as a whole. Everybody may read it: the collector is
// another user.
func (m *metrics) write() {
	if m.file == "" {
		return
	}
	if err := replaceFile(m.file, m.now()); err != nil && !m.warned {
		m.warned = true
		m.log.Warn("metrics are not written", "file", m.file, "error", err)
	}
}

func replaceFile(path string, text *metricText) error {
	temp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*.tmp")
	if err != nil {
		return err
	}
	err = errors.Join(text.writeTo(temp), temp.Chmod(0o644), temp.Close())
	if err == nil {
		err = os.Rename(temp.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(temp.Name()))
	}
	return nil
}

// measure is the metrics as of now; ended is the summary of a run that has ended
// or stopped, else nil.
func (x *execution) measure(engine *batch.Job, ended *report.Summary) *metricText {
	m := &metricText{labels: label("operation", x.operation.Name) + x.metrics.labels}
	p := engine.Progress()
	m.family("info", gauge, "The program.")
	m.sample("info", label("version", strings.TrimSpace(version())), 1)
	m.family("rows_total", counter, "Rows with a result, all executions together.")
	for _, status := range batch.Statuses {
		m.sample("rows_total", label("status", status.String()), float64(p.Statuses[status]))
	}
	m.delta(x.deltaSummary())
	m.traffic(x)
	m.one("requests_in_flight", gauge, "Requests under way.", float64(p.InFlight))
	tally := engine.Tally()
	m.durations("row_latency_seconds", "Time of the last attempt of each row, as of the last checkpoint.", &tally.Latency)
	m.one("start_timestamp_seconds", gauge, "When the run began.", seconds64(x.spec.StartedAt))
	m.one("executions", gauge, "1, and one more for each resume.", float64(x.spec.Executions))
	if at := x.savedAt.Load(); at > 0 {
		m.one("last_checkpoint_timestamp_seconds", gauge, "When the last checkpoint was saved.", float64(at)/1000)
	}
	m.one("running", gauge, "1 while the run goes on, 0 when it has ended or stopped.", oneIf(ended == nil))
	if ended != nil {
		m.one("end_timestamp_seconds", gauge, "When the run ended or stopped.", seconds64(ended.EndedAt))
		m.one("exit_code", gauge, "What the program ended with; 0: every row is fine.", float64(ended.ExitCode))
	}
	switch {
	case ended != nil && ended.Unsent != nil:
		m.one("rows_unsent", gauge, unsentHelp, float64(*ended.Unsent))
	case ended == nil && p.AllRead:
		m.one("rows_unsent", gauge, unsentHelp, float64(p.Read-p.Done))
	}
	return m
}

const unsentHelp = "Rows without a result; not there while the length of the inputs is not known."

// delta writes what the plan of a run with a delta state says.
func (m *metricText) delta(d *report.Delta) {
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
func (m *metricText) traffic(x *execution) {
	t := x.traffic()
	m.one("requests_total", counter, "Requests sent, every attempt counted.", float64(t.Requests))
	m.one("request_retries_total", counter, "Requests that were repetitions.", float64(t.Retries))
	m.one("requests_refused_total", counter, "Requests that were refused by the limit (429).", float64(t.Throttled))
	if x.client == nil {
		return
	}
	s := x.client.Stats()
	m.family("waiting", gauge, "1 for the reason why requests wait now.")
	for why := apiclient.WaitBackoff; why <= apiclient.WaitOutage; why++ {
		m.sample("waiting", label("reason", strings.ReplaceAll(why.String(), "-", "_")), oneIf(s.Waiting == why))
	}
	stats := opStats(s, x.requestName())
	if !math.IsInf(stats.Rate, 0) {
		m.one("rate_limit", gauge, "Requests a second that are allowed now.", stats.Rate)
		m.one("rate_limit_configured", gauge, "Requests a second that --rate allows.", stats.Configured)
	}
	if share := stats.Share; x.flags.shareLimit != "" {
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
