package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"pushbatch/apiclient/simulator"
	"pushbatch/batch"
	"pushbatch/writers/report"
)

// inVirtualTime lets a test run command lines one after the other, in virtual time
// and against one simulated platform. On standard output they say nothing.
func inVirtualTime(t *testing.T, cfg simulator.Config, test func(sim *simulator.Simulator, command func(args ...string) (code int, said string))) {
	t.Helper()
	// The runtime's watch over signals begins with the first use and must not
	// belong to the bubble.
	c := make(chan os.Signal, 1)
	signal.Notify(c, os.Interrupt)
	signal.Stop(c)
	env := map[string]string{"INFOBIP_API_KEY": scriptKey, "INFOBIP_APP_CODE": "test-app", "INFOBIP_BASE_URL": "http://127.0.0.1"}
	synctest.Test(t, func(t *testing.T) {
		sim := simulator.New(cfg)
		test(sim, func(args ...string) (int, string) {
			var stdout, stderr bytes.Buffer
			code := run(t.Context(), process{
				args: args, stdin: strings.NewReader(""), stdout: &stdout, stderr: &stderr,
				getenv:   func(name string) (string, bool) { v, ok := env[name]; return v, ok },
				platform: sim.RoundTripper(),
			})
			if stdout.Len() > 0 {
				t.Errorf("standard output has %q", &stdout)
			}
			return code, stderr.String()
		})
	})
}

// talkOf is what a job says on standard error.
func talkOf(t *testing.T, cfg simulator.Config, args ...string) (said string) {
	t.Helper()
	out := filepath.Join(t.TempDir(), "run")
	inVirtualTime(t, cfg, func(_ *simulator.Simulator, command func(...string) (int, string)) {
		var code int
		if code, said = command(append(args, "--out", out)...); code != exitDone {
			t.Errorf("exit code %d", code)
		}
	})
	return said
}

// The plain lines of a run with an outage, word for word: a line every ten
// seconds, with why nothing is sent.
func TestPlainLines(t *testing.T) {
	t.Parallel()
	rows := updateRows(t)
	said := talkOf(t, simulator.Config{Limits: simulator.PushLimits(0, 0), Faults: faults(t, "outage=12s-33s")},
		"update", rows, "--rate", "10", "--max-outage", "5m")
	// After the outage many wait for a permit at one moment: one may be used or given back then.
	said = strings.NewReplacer("167 of 400 rows (41%)", "168 of 400 rows (42%)", "1m35s left", "1m33s left",
		"267 of 400 rows (66%)", "268 of 400 rows (67%)", "367 of 400 rows (91%)", "368 of 400 rows (92%)").Replace(said)
	var have []string
	for line := range strings.Lines(said) {
		if strings.HasPrefix(line, "update: ") {
			have = append(have, strings.TrimSpace(line))
		}
	}
	want := []string{ // the look at the applications took the first of ten permits a second
		"update: 98 of 400 rows (24%), 9.8 rows/s (limit 10), 0 failed, 31s left",
		"update: 118 of 400 rows (29%), 5.9 rows/s (limit 10), 0 failed, waiting: the platform is out of reach, next try in 2s, gives up in 4m53s",
		"update: 118 of 400 rows (29%), 1.0 rows/s (limit 10), 0 failed, waiting: the platform is out of reach, next try in 16s, gives up in 4m43s",
		"update: 118 of 400 rows (29%), 0.0 rows/s (limit 10), 0 failed, waiting: the platform is out of reach, next try in 6s, gives up in 4m33s",
		"update: 168 of 400 rows (42%), 2.5 rows/s (limit 10), 0 failed, 1m33s left",
		"update: 268 of 400 rows (67%), 7.5 rows/s (limit 10), 0 failed, 18s left",
		"update: 368 of 400 rows (92%), 10.0 rows/s (limit 10), 0 failed, 3s left",
		"update: 400 rows in 1m13s (5.5 rows/s)",
	}
	if diff := cmp.Diff(want, have); diff != "" {
		t.Errorf("the lines differ:\n%s", diff)
	}
}

// With --log-format json every line on standard error is a record.
func TestTalkInJSON(t *testing.T) {
	t.Parallel()
	said := talkOf(t, simulator.Config{Limits: simulator.PushLimits(0, 0), Faults: faults(t, "outage=12s-33s")},
		"update", updateRows(t), "--rate", "10", "--log-format", "json")
	messages := make(map[string]int)
	waits := make(map[string]bool)
	for line := range strings.Lines(said) {
		var record struct {
			Msg     string
			Rows    *int64
			Waiting string
		}
		if err := json.Unmarshal([]byte(line), &record); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		messages[record.Msg]++
		waits[record.Waiting] = true
		if (record.Msg == "progress" || record.Msg == "summary") && record.Rows == nil {
			t.Errorf("no rows: %s", line)
		}
	}
	if messages["progress"] < 4 || messages["summary"] != 1 || !waits["outage"] {
		t.Errorf("%v, waits %v", messages, waits)
	}
}

// Where nobody looks at a terminal there are no escape sequences.
func TestNoEscapesInAFile(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{nil, {"--progress", "plain"}, {"--progress", "none"}, {"-v"}} {
		said := talkOf(t, simulator.Config{Limits: simulator.PushLimits(20, 20)},
			slices.Concat([]string{"update", updateRows(t), "--rate", "40"}, args)...)
		if regexp.MustCompile("[\x1b\r]").MatchString(said) {
			t.Errorf("%v: %q", args, said)
		}
	}
}

// The header of a small input is not taken for rows.
func TestEstimateKnowsTheHeader(t *testing.T) {
	t.Parallel()
	header, row := "registrationId,externalId,customAttributes.favouriteColour\n", "r1,e1,red\n"
	spec := &runSpec{
		Inputs:  []inputSpec{{Detected: "CSV, comma, UTF-8", Identity: batch.Identity{Size: int64(len(header) + 5*len(row))}}},
		Columns: [][]report.Column{{{Column: "registrationId"}, {Column: "externalId"}, {Column: "customAttributes.favouriteColour"}}},
	}
	for rows := range int64(5) {
		at := batch.Position{Offset: int64(len(header)) + rows*int64(len(row))}
		if total, known := spec.estimateAt(rows, 0, at); known != (rows > 0) || known && total != 5 {
			t.Errorf("after %d rows: %d, %v; want 5", rows, total, known)
		}
	}
}
