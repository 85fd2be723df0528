package main

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"pushbatch/apiclient/simulator"
	"pushbatch/testdata/thorough"
	"pushbatch/writers/report"
)

// parsed reads metrics as Prometheus does and holds their names against its rules.
func parsed(t *testing.T, text string) map[string]*dto.MetricFamily {
	t.Helper()
	problems, err := promlint.New(strings.NewReader(text)).Lint()
	if err != nil || len(problems) > 0 {
		t.Errorf("%v %v\n%s", problems, err, text)
	}
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return families
}

// value is the value of a metric, of the sample with a label's value.
func value(t *testing.T, families map[string]*dto.MetricFamily, name, labelValue string) float64 {
	t.Helper()
	for _, m := range families["pushbatch_"+name].GetMetric() {
		for _, l := range m.GetLabel() {
			if l.GetValue() == labelValue {
				return m.GetGauge().GetValue() + m.GetCounter().GetValue()
			}
		}
	}
	t.Errorf("there is no %s of %q", name, labelValue)
	return 0
}

var servedAt = regexp.MustCompile(`http://127\.0\.0\.1:\d+/metrics`)

// A run shows its metrics while it goes on and leaves the last ones in the file.
func TestMetrics(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	rows := filepath.Join(dir, "rows.csv")
	writeKillRows(t, rows, thorough.Of(200, 400))
	_, url := serve(t, simulator.Config{Limits: simulator.PushLimits(0, 0), Faults: faults(t, "500=10%,latency=1-20ms")})
	file := filepath.Join(dir, "pushbatch.prom")
	c := start(t, url, dir, "update", rows, "--out", "run", "--rate", "100", "--max-attempts", "1",
		"--metrics-file", file, "--metrics-listen", ":0", "--metrics-label", `team=a"b\c`)
	eventually(t, "metrics to be served", func() bool { return servedAt.MatchString(c.stderr.String()) })
	families := map[string]*dto.MetricFamily{}
	eventually(t, "rows to be counted", func() bool {
		families = parsed(t, fetched(t, servedAt.FindString(c.stderr.String())))
		return value(t, families, "rows_total", "succeeded") > 0
	})
	if value(t, families, "running", "update") != 1 || value(t, families, "rate_limit_configured", "update") != 100 {
		t.Errorf("%v", families)
	}
	eventually(t, "the file", func() bool { _, err := os.Stat(file); return err == nil })
	code := c.code(t)
	if code != 1 {
		t.Fatalf("exit code %d\n%s", code, &c.stderr)
	}
	demandLastMetrics(t, file, filepath.Join(dir, "run"))
	if left, err := filepath.Glob(filepath.Join(dir, ".*.tmp")); err != nil || len(left) > 0 {
		t.Errorf("%q is left, %v", left, err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o644 {
		t.Errorf("the collector cannot read it: %v %v", info.Mode(), err)
	}
}

func fetched(t *testing.T, url string) string {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK || !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/plain; version=0.0.4") {
		t.Fatalf("%s %v %v", resp.Status, resp.Header, err)
	}
	return string(body)
}

// demandLastMetrics holds the file against the run's summary.
func demandLastMetrics(t *testing.T, file, run string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var s report.Summary
	readJSON(t, filepath.Join(run, "summary.json"), &s)
	families := parsed(t, string(text))
	for name, want := range map[string]float64{
		"requests_total": float64(s.Requests), "request_retries_total": float64(s.Retries), "requests_refused_total": float64(s.Throttled),
		"exit_code": float64(s.ExitCode), "running": 0, "rows_unsent": 0, "requests_in_flight": 0, "executions": 1,
		"end_timestamp_seconds": float64(s.EndedAt.UnixMilli()) / 1000, "start_timestamp_seconds": float64(s.StartedAt.UnixMilli()) / 1000,
	} {
		if got := value(t, families, name, `a"b\c`); got != want {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
	if got := value(t, families, "rows_total", "failed"); got != float64(s.Statuses.Failed) || got == 0 {
		t.Errorf("%v rows failed, want %d", got, s.Statuses.Failed)
	}
	if saved := value(t, families, "last_checkpoint_timestamp_seconds", "update"); saved < float64(s.StartedAt.Unix()) || saved > float64(time.Now().Unix()+1) {
		t.Errorf("the last checkpoint was at %v", saved)
	}
	h := families["pushbatch_row_latency_seconds"].GetMetric()[0].GetHistogram()
	if h.GetSampleCount() != uint64(s.Rows) || h.GetSampleSum() <= 0 || h.GetSampleSum() > float64(s.Rows)*s.Latency.Max/1000 {
		t.Errorf("%d latencies of %v s for %d rows", h.GetSampleCount(), h.GetSampleSum(), s.Rows)
	}
	for i, b := range h.GetBucket() {
		if i > 0 && b.GetCumulativeCount() < h.GetBucket()[i-1].GetCumulativeCount() {
			t.Errorf("the buckets do not rise: %v", h)
		}
	}
}

// A stopped run says so, and a resumed one counts on.
func TestMetricsStoppedAndResumed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	rows := filepath.Join(dir, "rows.csv")
	writeKillRows(t, rows, 300)
	_, url := serve(t, simulator.Config{Limits: simulator.PushLimits(0, 0)})
	file := filepath.Join(dir, "m.prom")
	c := start(t, url, dir, "update", rows, "--out", "run", "--rate", "50", "--max-duration", "1s", "--metrics-file", file)
	if code := c.code(t); code != 6 {
		t.Fatalf("exit code %d\n%s", code, &c.stderr)
	}
	text, _ := os.ReadFile(file)
	families := parsed(t, string(text))
	done := value(t, families, "rows_total", "succeeded")
	if value(t, families, "exit_code", "update") != 6 || done == 0 || value(t, families, "rows_unsent", "update") != 300-done {
		t.Errorf("%s", text)
	}
	c = start(t, url, dir, "resume", "run", "--rate", "5000", "--metrics-file", file)
	if code := c.code(t); code != 0 {
		t.Fatalf("exit code %d\n%s", code, &c.stderr)
	}
	text, _ = os.ReadFile(file)
	families = parsed(t, string(text))
	if value(t, families, "rows_total", "succeeded") != 300 || value(t, families, "executions", "update") != 2 || value(t, families, "requests_total", "update") != 300 {
		t.Errorf("%s", text)
	}
}

func TestMetricsRefused(t *testing.T) {
	t.Parallel()
	for _, c := range thorough.Sample([]struct{ flag, value, says string }{
		{"--metrics-file", "nowhere/m.prom", "its folder is not there"},
		{"--metrics-listen", "9464", "such as :9464"},
		{"--metrics-listen", ":99999", "--metrics-listen"},
		{"--metrics-label", "1x=y", "NAME=VALUE"},
		{"--metrics-label", "status=y", "already"},
	}, 3) {
		child := start(t, "http://127.0.0.1:1", t.TempDir(), "update", "rows.csv", c.flag, c.value)
		if code := child.code(t); code != 2 || !strings.Contains(child.stderr.String(), c.says) {
			t.Errorf("%s %s: exit code %d\n%s", c.flag, c.value, code, &child.stderr)
		}
	}
}
