package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pushbatch/apiclient/simulator"
)

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
