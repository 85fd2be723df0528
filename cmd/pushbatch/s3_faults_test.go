package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"pushbatch/apiclient/simulator"
	"pushbatch/testdata/s3test"
	"pushbatch/testdata/thorough"
)

// uploadRows puts rows of devices, made longer by padding, into the bucket and
// returns their location.
func uploadRows(t *testing.T, server *s3test.Server, n, padding int) (input string, want map[string]string) {
	t.Helper()
	rows := filepath.Join(t.TempDir(), "rows.csv")
	want = writeKillRows(t, rows, n)
	data, err := os.ReadFile(rows)
	if err != nil {
		t.Fatal(err)
	}
	wide := strings.ReplaceAll(string(data), "\n", ","+strings.Repeat("x", padding)+"\n")
	wide = strings.Replace(wide, strings.Repeat("x", padding), "_padding", 1)
	return server.Put(t, "in/rows.csv", []byte(wide)), want
}

// A whole run, its input and its folder in S3, across connections that are cut
// in the middle of bodies, that bring a few bytes at a time, and a service that
// asks to slow down again and again: it ends right.
func TestS3RunThroughFaults(t *testing.T) {
	thorough.Only(t)
	t.Parallel()
	server := s3test.Start(t)
	const n = 4000
	input, want := uploadRows(t, server, n, 200)
	sim, url := serve(t, simulator.Config{Limits: simulator.PushLimits(0, 0)})
	var requests, cuts atomic.Int64
	slow := server.Behind(t, &s3test.Faults{Refuse: func(*http.Request) *s3test.Refusal {
		switch requests.Add(1) % 7 {
		case 3:
			return &s3test.Refusal{Status: http.StatusServiceUnavailable, Code: "SlowDown"}
		case 5:
			return &s3test.Refusal{Status: http.StatusInternalServerError, Code: "InternalError", Late: true}
		}
		return nil
	}})
	cut := slow.Through(t, s3test.Wire{Piece: 4 << 10, CutAfter: func() int64 { return 10_000 + cuts.Add(1)*7919%100_000 }})
	c := start(
		t, url, t.TempDir(), "update", input, "--out", server.Location("runs/1"), "--s3-endpoint-url", cut.Endpoint, "--s3-path-style",
		"--s3-checkpoint-every", "100ms", "--rate", "4000",
	)
	demandCode(t, c, c.code(t))
	demandS3Rows(t, server, "runs/1/results.csv", n)
	demandState(t, sim, want)
	if effects := sim.Stats().Effects; effects != n {
		t.Errorf("%d effects for %d rows", effects, n)
	}
	if left := server.Keys(t, "runs/1/segments/"); len(left) != 0 {
		t.Errorf("segments were left: %q", left)
	}
	t.Logf("%d requests over %d connections", requests.Load(), cuts.Load())
	if requests.Load() < 30 || cuts.Load() < 10 {
		t.Error("too few for the faults to have happened")
	}
}

// S3 begins to refuse in the middle of a run: it stops loudly, says bucket, key,
// call and remedy, and goes on where it stood when S3 does.
func TestS3RefusesInTheMiddle(t *testing.T) {
	thorough.Only(t)
	t.Parallel()
	for _, tt := range []struct {
		name   string
		only   string // a part of the path of what is refused; empty: everything
		answer s3test.Refusal
		says   []string
	}{
		{
			name: "expired token", answer: s3test.Refusal{Status: http.StatusBadRequest, Code: "ExpiredToken"},
			says: []string{"s3://bucket/runs/1/", "the security token has expired", "aws sso login"},
		},
		{
			name: "the input is denied", only: "/in/", answer: s3test.Refusal{Status: http.StatusForbidden, Code: "AccessDenied"},
			says: []string{"s3://bucket/in/rows.csv", "access denied", "GetObject", "s3:GetObject"},
		},
		{
			name: "SlowDown without end", only: "/runs/", answer: s3test.Refusal{Status: http.StatusServiceUnavailable, Code: "SlowDown"},
			says: []string{"s3://bucket/runs/1/lock.json", "was not renewed for", "another process may take the run over"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := s3test.Start(t)
			const n = 4000 // 12 MB: the reader is far from done with them when the refusals begin
			input, want := uploadRows(t, server, n, 3000)
			sim, url := serve(t, simulator.Config{Limits: simulator.PushLimits(0, 0)})
			var refuse atomic.Bool
			refusing := server.Behind(t, &s3test.Faults{Refuse: func(r *http.Request) *s3test.Refusal {
				if refuse.Load() && strings.Contains(r.URL.Path, tt.only) {
					return &tt.answer
				}
				return nil
			}})
			run := server.Location("runs/1")
			args := []string{"--s3-endpoint-url", refusing.Endpoint, "--s3-path-style", "--s3-lease", "3s"}
			c := start(t, url, t.TempDir(), append([]string{"update", input, "--out", run, "--rate", "500"}, args...)...)
			eventually(t, "rows to be sent", func() bool { return sim.Stats().Effects >= n/100 })
			refuse.Store(true)
			code, said := c.code(t), c.stderr.String()
			t.Log(said)
			if code != exitStopped {
				t.Fatalf("exit code %d, want %d", code, exitStopped)
			}
			for _, want := range append(tt.says, "pushbatch resume "+run) {
				if !strings.Contains(said, want) {
					t.Errorf("it does not say %q", want)
				}
			}
			refuse.Store(false)
			c = start(t, url, t.TempDir(), append([]string{"resume", run, "--rate", "1e6"}, args...)...)
			demandCode(t, c, c.code(t))
			demandS3Rows(t, server, "runs/1/results.csv", n)
			demandState(t, sim, want)
			if repeats := sim.Stats().Effects - n; repeats > 5*500 { // within the lease and a little more
				t.Errorf("%d rows were sent again", repeats)
			}
		})
	}
}

// What people and scripts ask of a run in S3: status, while it goes on and
// after; report, which makes the page there; retry, which reads results and
// inputs there.
func TestS3RunIsLookedAt(t *testing.T) {
	thorough.Only(t)
	t.Parallel()
	server := s3test.Start(t)
	var b strings.Builder
	b.WriteString("registrationId,additionalData.score:number\n")
	for n := range 40 {
		fmt.Fprintf(&b, "%s-%d,%d\n", map[bool]string{true: "known", false: "unknown"}[n%4 != 0], n, n)
	}
	input := server.Put(t, "in/rows.csv", []byte(b.String()))
	var missing atomic.Bool
	missing.Store(true)
	sim := simulator.New(simulator.Config{Limits: simulator.PushLimits(0, 0)})
	url := serveHandler(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if missing.Load() && strings.Contains(r.URL.Path, "unknown") {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(w, `{"errorCode":48013,"errorMessage":"Push registration not found"}`)
			return
		}
		sim.ServeHTTP(w, r)
	}))
	reach := []string{"--s3-endpoint-url", server.Endpoint, "--s3-path-style"}
	do := func(code int, args ...string) *child {
		t.Helper()
		c := start(t, url, t.TempDir(), append(args, reach...)...)
		if got := c.code(t); got != code {
			t.Fatalf("%q: exit code %d, want %d\n%s", args, got, code, &c.stderr)
		}
		return c
	}
	run, again := server.Location("runs/1"), server.Location("runs/2")
	do(exitBadRows, "update", input, "--out", run)

	page, _ := server.Get(t, "runs/1/report.html")
	server.Delete(t, "runs/1/report.html")
	do(exitDone, "report", run)
	if made, there := server.Get(t, "runs/1/report.html"); !there || len(made) == 0 || len(page) == 0 {
		t.Errorf("report made a page of %d bytes, the run one of %d", len(made), len(page))
	}
	do(exitDone, "status", run, "--json")

	missing.Store(false)
	do(exitDone, "retry", run, "--out", again)
	results, _ := server.Get(t, "runs/2/results.csv")
	if lines := strings.Count(string(results), "\n"); lines != 11 {
		t.Errorf("retry took %d rows, want 10:\n%s", lines-1, results)
	}
	if effects := sim.Stats().Effects; effects != 40 {
		t.Errorf("%d effects, want 40", effects)
	}
	do(exitUsage, "retry", run, "--out", again)
	do(exitUsage, "report", server.Location("runs/3"))
	do(exitUsage, "status", server.Location("runs/3"))
}
