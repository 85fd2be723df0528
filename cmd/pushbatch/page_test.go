package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pushbatch/apiclient/simulator"
	"pushbatch/batch"
	"pushbatch/writers"
)

// The page of a run that has the most of everything, all of it text that grows
// when it is made safe, stays below half a megabyte and has nothing of it as
// markup.
func TestPageSizeIsBounded(t *testing.T) {
	t.Parallel()
	evil := strings.Repeat(`"><script>'&`, 500)
	s := &summary{
		Operation: "personalize", Run: evil, Outcome: outcomeStopped, Reason: evil, ExitCode: exitStopped, Rows: 1e6,
		Statuses: counts{1e6, 1, 1, 1}, Elapsed: 20_000, Requests: 1e6, To: "s3://" + evil,
		Inventory: writers.InventoryCounts{},
	}
	for i := range 201 {
		e := batch.Example{Row: int64(i), Source: evil, SourceRow: 1, Message: evil}
		s.ErrorCodes = append(s.ErrorCodes, code{Code: fmt.Sprint(i, evil), Count: 1e6, Example: e, More: []batch.Example{e, e}})
	}
	var series batch.Series
	for i := range 240 {
		n := int64(i) * 1e6
		series.Reach(time.Duration(i)*time.Second, batch.Interval{Succeeded: n, Failed: n, Rejected: n, Skipped: n, Requests: 2 * n, Throttled: n})
	}
	s.Timeline = timelineOf(&series)
	var h batch.Histogram
	for d := time.Microsecond; d < time.Hour; d *= 2 {
		h.Add(d)
	}
	s.Distribution = latencyBars(&h)
	spec := &runSpec{Settings: map[string][]string{}}
	for i := range 500 {
		in := inputSpec{Name: evil, Detected: "CSV"}
		columns := []columnSpec{{fmt.Sprint(i), evil, evil}}
		for range 400 {
			columns = append(columns, columnSpec{evil, evil, "passed over"})
		}
		spec.Inputs, spec.Columns = append(spec.Inputs, in), append(spec.Columns, columns)
	}
	for i := range 60 {
		spec.Settings[fmt.Sprintf("flag-%d", i)] = []string{evil}
	}
	for _, v := range shownViews {
		for range 1000 {
			s.Inventory[v.view] = append(s.Inventory[v.view], writers.ValueCount{Value: evil, Count: 1e6})
		}
	}
	page := pageOf(s, spec).Render()
	if len(page) > 500_000 {
		t.Errorf("the page has %d bytes", len(page))
	}
	if strings.Contains(string(page), "<script") {
		t.Error("a value became markup")
	}
}

func TestPageSaysHowARunStands(t *testing.T) {
	t.Parallel()
	seekable := &runSpec{Inputs: []inputSpec{{Name: "a.csv", Identity: batch.Identity{Size: 9}}}}
	stream := &runSpec{Inputs: []inputSpec{{Name: "-", Identity: batch.Identity{Size: -1}}}}
	for _, test := range []struct {
		name              string
		s                 summary
		spec              *runSpec
		verdict           writers.Verdict
		headline, command string
	}{
		{"done", summary{Outcome: outcomeCompleted, Rows: 1}, seekable, writers.Good, "Done", ""},
		{"failed", summary{Outcome: outcomeCompleted, ExitCode: exitBadRows, Rows: 1}, seekable, writers.Bad, "Ended, with errors", "pushbatch update 'my run/failed.csv'"},
		{"stopped", summary{Outcome: outcomeStopped, ExitCode: exitErrors}, seekable, writers.Stopped, "Stopped", "pushbatch resume 'my run'"},
		{"stopped stream", summary{Outcome: outcomeStopped, ExitCode: exitErrors}, stream, writers.Stopped, "Stopped", ""},
		{"running", summary{Outcome: outcomeRunning}, seekable, writers.Running, "Going on", "pushbatch status 'my run'"},
		{"killed", summary{Outcome: outcomeInterrupted}, seekable, writers.Stopped, "Interrupted", "pushbatch resume 'my run'"},
		{"empty", summary{Outcome: outcomeCompleted, ExitCode: exitUsage}, seekable, writers.Bad, "Ended without a row", ""},
		{"dry", summary{Outcome: outcomeCompleted, DryRun: true, Rows: 1}, seekable, writers.Good, "Checked, all rows are valid", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.s.Operation, test.s.Run = "update", "my run"
			p := pageOf(&test.s, test.spec)
			if p.Verdict != test.verdict || p.Headline != test.headline {
				t.Errorf("%s, %q; want %s, %q", p.Verdict, p.Headline, test.verdict, test.headline)
			}
			if command := nextCommand(p); command != test.command {
				t.Errorf("next: %q, want %q", command, test.command)
			}
		})
	}
}

func nextCommand(p *writers.Page) string {
	if p.Next == nil {
		return ""
	}
	return p.Next.Command
}

// A run that goes on has a page too, and so has one that was killed.
func TestPageOfARunThatHasNotEnded(t *testing.T) {
	t.Parallel()
	sim, url := serve(t, simulator.Config{Limits: simulator.PushLimits(0, 0), Faults: faults(t, "hang=#60-9999")})
	dir := t.TempDir()
	c := start(t, url, dir, "update", updateRows(t), "--rate", "100", "--out", "run")
	page := func() string {
		report := start(t, url, dir, "report", "run")
		if code := report.code(t); code != 0 {
			t.Logf("report: exit code %d\n%s", code, &report.stderr)
			return ""
		}
		data, err := os.ReadFile(filepath.Join(dir, "run", "report.html"))
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	eventually(t, "the 60th request", func() bool { return sim.Stats().Requests >= 60 })
	eventually(t, "a page with a row", func() bool { return strings.Contains(page(), `data-key="statuses.succeeded" data-value="59"`) })
	if text := page(); !strings.Contains(text, "Going on") || !strings.Contains(text, "results.csv.part") {
		t.Errorf("the page of a run that goes on:\n%s", text)
	}
	if err := c.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	c.code(t)
	if text := page(); !strings.Contains(text, "Interrupted") || !strings.Contains(text, "pushbatch resume run") {
		t.Errorf("the page of a run that was killed:\n%s", text)
	}
}

func TestShortSource(t *testing.T) {
	t.Parallel()
	spec := &runSpec{Inputs: []inputSpec{{Name: "a/x.csv"}, {Name: "b/x.csv"}, {Name: "s3://bucket/c/y.csv"}}}
	for name, want := range map[string]string{"a/x.csv": "a/x.csv", "s3://bucket/c/y.csv": "y.csv", "": ""} {
		if have := shortSource(name, spec); have != want {
			t.Errorf("%q: %q, want %q", name, have, want)
		}
	}
}
