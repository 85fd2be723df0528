package watch

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"pushbatch/apiclient"
	"pushbatch/batch"
	"pushbatch/writers/form"
	"pushbatch/writers/report"
)

// MetricsEvery is how often Write is to be called.
const MetricsEvery = 5 * time.Second

// Metrics shows a run to Prometheus: in a file, over HTTP, or both.
type Metrics struct {
	file     string
	listener net.Listener // nil: none
	server   *http.Server // nil: none
	labels   string
	figures  func() Figures
	form     *form.Form
	log      *slog.Logger
	warned   bool // that the file cannot be written
}

// OpenMetrics prepares what --metrics-file, --metrics-listen and --metrics-label
// ask for, so that what cannot work is known before the run begins; nil: nothing.
func OpenMetrics(ctx context.Context, file, address string, labels []string, log *slog.Logger) (_ *Metrics, err error) {
	m := &Metrics{file: file, log: log}
	if m.labels, err = parseLabels(labels); err != nil {
		return nil, err
	}
	if m.file != "" {
		if info, err := os.Stat(filepath.Dir(m.file)); err != nil || !info.IsDir() {
			return nil, fmt.Errorf("--metrics-file %s: its folder is not there", m.file)
		}
	}
	if address != "" {
		if m.listener, err = listenMetrics(ctx, address); err != nil {
			return nil, err
		}
	}
	if m.file == "" && m.listener == nil {
		return nil, nil //nolint:nilnil // nil: nobody asked for them
	}
	return m, nil
}

// listenMetrics takes an address; one without a host is on loopback.
func listenMetrics(ctx context.Context, address string) (net.Listener, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("--metrics-listen %q: an address such as :9464 was expected", address)
	}
	if host == "" {
		host = "127.0.0.1"
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", net.JoinHostPort(host, port))
	if err != nil {
		return nil, fmt.Errorf("--metrics-listen: %w", err)
	}
	return l, nil
}

// Start shows figures, which may be asked for by any goroutine until End.
func (m *Metrics) Start(figures func() Figures) {
	m.figures, m.form = figures, m.formOf(figures().Operation)
	m.Write()
	m.server = m.serve()
}

// End shows the last figures and ends.
func (m *Metrics) End() {
	m.Write()
	if m.server != nil {
		_ = m.server.Close() // nothing is lost by it
	}
}

// serve answers GET /metrics until the server is closed.
func (m *Metrics) serve() *http.Server {
	if m.listener == nil {
		return nil
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		_, _ = w.Write(m.page()) // the other side has gone
	})
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second, MaxHeaderBytes: 16 << 10}
	m.log.Info("metrics", "url", "http://"+m.listener.Addr().String()+"/metrics")
	batch.Go(func() error { return server.Serve(m.listener) }, func(err error) { // when the server is closed
		if !errors.Is(err, http.ErrServerClosed) {
			m.log.Warn("metrics are not served any more", "error", err)
		}
	})
	return server
}

// Write puts the file in place as a whole. Everybody may read it: the collector is
// another user.
func (m *Metrics) Write() {
	if m.file == "" {
		return
	}
	if err := replaceFile(m.file, m.page()); err != nil && !m.warned {
		m.warned = true
		m.log.Warn("metrics are not written", "file", m.file, "error", err)
	}
}

func replaceFile(path string, data []byte) error {
	temp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*.tmp")
	if err != nil {
		return err
	}
	_, err = temp.Write(data)
	err = errors.Join(err, temp.Chmod(0o644), temp.Close())
	if err == nil {
		err = os.Rename(temp.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(temp.Name()))
	}
	return nil
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
			return "", fmt.Errorf("--metrics-label %q: NAME=VALUE was expected, the name of letters, digits and _", pair)
		}
		if seen[name] {
			return "", fmt.Errorf("--metrics-label %s: the metrics have that label already", name)
		}
		seen[name] = true
		all.WriteString(label(name, value))
	}
	return all.String(), nil
}

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
	return m.form.Fill("main", &f)
}

// formOf is the form of all pages of a run.
func (m *Metrics) formOf(operation string) *form.Form {
	labels := func(own ...string) string {
		text := label("operation", operation) + m.labels
		if len(own) > 0 {
			text += label(own[0], own[1])
		}
		return "{" + strings.TrimSuffix(text, ",") + "}"
	}
	asIs := func(text string) string { return text } // labels are safe
	return form.New(metricsText, asIs, metricsWords, form.Functions{"labels": labels})
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
