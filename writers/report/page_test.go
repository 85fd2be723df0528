package report

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pushbatch/batch"
	"pushbatch/writers/inventory"
)

// The page of a run that has the most of everything, all of it text that grows
// when it is made safe, stays below half a megabyte and has nothing of it as
// markup.
func TestPageSizeIsBounded(t *testing.T) {
	t.Parallel()
	evil := strings.Repeat(`"><script>'&`, 500)
	s := &Summary{
		Operation: "personalize", Run: evil, Outcome: Stopped, Reason: evil, ExitCode: 4, Rows: 1e6,
		Statuses: Counts{1e6, 1, 1, 1}, Elapsed: 20_000, Traffic: Traffic{Requests: 1e6}, Table: &Table{To: "s3://" + evil, Inventory: inventory.Counts{}},
	}
	for i := range 201 {
		e := batch.Example{Row: int64(i), Source: evil, SourceRow: 1, Message: evil}
		s.ErrorCodes = append(s.ErrorCodes, Code{Code: fmt.Sprint(i, evil), Count: 1e6, Example: e, More: []batch.Example{e, e}})
	}
	var series batch.Series
	for i := range 240 {
		n := int64(i) * 1e6
		series.Reach(time.Duration(i)*time.Second, batch.Interval{Succeeded: n, Failed: n, Rejected: n, Skipped: n, Requests: 2 * n, Throttled: n})
	}
	s.Timeline = TimelineOf(series)
	var h batch.Histogram
	for d := time.Microsecond; d < time.Hour; d *= 2 {
		h.Add(d)
	}
	s.Distribution = latencyBars(&h)
	r := &Run{Settings: map[string][]string{}}
	for i := range 500 {
		in := Input{Name: evil, Detected: "CSV", Columns: []Column{{fmt.Sprint(i), evil, evil}}}
		for range 400 {
			in.Columns = append(in.Columns, Column{evil, evil, "passed over"})
		}
		r.Inputs = append(r.Inputs, in)
	}
	for i := range 60 {
		r.Settings[fmt.Sprintf("flag-%d", i)] = []string{evil}
	}
	for _, v := range inventory.Views {
		for range 1000 {
			s.Inventory[v.Name] = append(s.Inventory[v.Name], inventory.ValueCount{Value: evil, Count: 1e6})
		}
	}
	page := Page(s, r)
	if len(page) > 500_000 {
		t.Errorf("the page has %d bytes", len(page))
	}
	if strings.Contains(string(page), "<script") {
		t.Error("a value became markup")
	}
}

func TestPageSaysHowARunStands(t *testing.T) {
	t.Parallel()
	file := Run{Inputs: []Input{{Name: "a.csv"}}, Settings: map[string][]string{"map": {"m.yaml"}, "ignore-unmapped": {"true"}, "rate": {"7"}}}
	stream := Run{Inputs: []Input{{Name: "-", Once: true}}}
	table := Run{Settings: map[string][]string{"to": {"/data/devices.csv.gz"}, "base-url": {"https://example.com"}}, Given: []string{"base-url"}}
	bad := Counts{Failed: 1, Rejected: 1}
	for _, test := range []struct {
		name              string
		s                 Summary
		run               Run
		verdict           string
		headline, command string
	}{
		{"done", Summary{Outcome: Completed, Rows: 1}, file, "good", "Done", ""},
		{"failed", Summary{Outcome: Completed, ExitCode: 1, Rows: 1, Statuses: bad}, file, "bad", "Ended, with errors", "pushbatch update 'my run/failed.csv' --map m.yaml --ignore-unmapped --rate 7"},
		{"failed for now", Summary{
			Outcome: Completed, ExitCode: 1, Rows: 1, Statuses: Counts{Failed: 2}, ErrorCodes: []Code{{Code: "timeout", Status: batch.Failed, Count: 2}},
		}, file, "bad", "Ended, with errors", "pushbatch retry 'my run'"},
		{"failed export", Summary{Outcome: Completed, ExitCode: 1, Rows: 1, Statuses: bad}, table, "bad", "Ended, with errors", "pushbatch update 'my run/failed.csv' --to /data/devices-again.csv.gz"},
		{"only warnings", Summary{Outcome: Completed, ExitCode: 1, Rows: 1}, file, "bad", "Ended, with errors", ""},
		{"stopped", Summary{Outcome: Stopped, ExitCode: 3}, file, "stopped", "Stopped", "pushbatch resume 'my run'"},
		{"stopped stream", Summary{Outcome: Stopped, ExitCode: 3}, stream, "stopped", "Stopped", ""},
		{"running", Summary{Outcome: Running}, file, "running", "Going on", "pushbatch status 'my run'"},
		{"killed", Summary{Outcome: Interrupted}, file, "stopped", "Interrupted", "pushbatch resume 'my run'"},
		{"empty", Summary{Outcome: Completed, ExitCode: 2}, file, "bad", "Ended without a row", ""},
		{"dry", Summary{Outcome: Completed, DryRun: true, Rows: 1}, file, "good", "Checked, all rows are valid", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.s.Operation, test.s.Run = "update", "my run"
			if v := test.s.verdict(); v.Class != test.verdict || v.Headline != test.headline {
				t.Errorf("%v; want %s, %q", v, test.verdict, test.headline)
			}
			command := ""
			if steps := test.s.Next(&test.run); len(steps) > 0 {
				command = steps[0].Command
			}
			if command != test.command {
				t.Errorf("next: %q, want %q", command, test.command)
			}
		})
	}
}

func TestShortSource(t *testing.T) {
	t.Parallel()
	r := &Run{Inputs: []Input{{Name: "a/x.csv"}, {Name: "b/x.csv"}, {Name: "s3://bucket/c/y.csv"}}}
	for name, want := range map[string]string{"a/x.csv": "a/x.csv", "s3://bucket/c/y.csv": "y.csv", "": ""} {
		if have := r.shortSource(name); have != want {
			t.Errorf("%q: %q, want %q", name, have, want)
		}
	}
}
