package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"

	"pushbatch/apiclient/simulator"
	"pushbatch/testdata/s3test"
	"pushbatch/testdata/thorough"
)

// A process stands still for longer than its lease and another one resumes its
// run. When the first wakes, while the other is at work, it stops and sends not
// one request more, not even those that were about to go out, and although
// S3 does not answer it: it has its own clock only.
func TestS3StalledHolder(t *testing.T) {
	thorough.Only(t)
	t.Parallel()
	server := s3test.Start(t)
	sim, second := serve(t, simulator.Config{Limits: simulator.PushLimits(0, 0), Faults: faults(t, "latency=20ms")})
	var ofFirst atomic.Int64
	first := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ofFirst.Add(1)
		sim.ServeHTTP(w, r)
	}))
	defer first.Close()
	var deaf atomic.Bool
	released := make(chan struct{})
	defer close(released)
	behind := server.Behind(t, &s3test.Faults{Refuse: func(*http.Request) *s3test.Refusal {
		if deaf.Load() {
			<-released
		}
		return nil
	}})
	rows := filepath.Join(t.TempDir(), "rows.csv")
	const n = s3Rows / 2
	want := writeKillRows(t, rows, n)
	run := server.Location("runs/1")
	how := []string{"--s3-path-style", "--rate", strconv.Itoa(killRate), "--max-in-flight", strconv.Itoa(killInFlight)}
	stalled := start(t, first.URL, t.TempDir(), append([]string{
		"update", rows, "--out", run, "--s3-endpoint-url", behind.Endpoint,
		"--s3-lease", "3s", "--s3-checkpoint-every", "1h", // or that it is due shows the stall
	}, how...)...)
	defer func() { _ = stalled.Process.Kill() }() // it has ended unless the test failed
	eventually(t, "rows to be sent", func() bool { return sim.Stats().Effects >= n/5 })
	if err := stalled.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	deaf.Store(true)
	successor := start(t, second, t.TempDir(), append([]string{
		"resume", run, "--base-url", second, "--s3-endpoint-url", server.Endpoint, "--s3-checkpoint-every", "1s",
	}, how...)...)
	before := sim.Stats().Effects
	eventually(t, "the successor to be at work", func() bool { return sim.Stats().Effects >= before+n/5 })
	sent := ofFirst.Load()
	if err := stalled.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	if code := stalled.code(t); code != exitStopped {
		t.Errorf("the stalled process ended with %d\n%s", code, &stalled.stderr)
	}
	if more := ofFirst.Load() - sent; more != 0 {
		t.Errorf("the stalled process sent %d requests beside its successor", more)
	}
	t.Log(&stalled.stderr)
	demandCode(t, successor, successor.code(t))
	demandS3Rows(t, server, "runs/1/results.csv", n)
	demandState(t, sim, want)
}

// demandS3Rows is demandEveryRowOnce for a results file in S3.
func demandS3Rows(t *testing.T, server *s3test.Server, key string, n int) {
	t.Helper()
	results, _ := server.Get(t, key)
	path := filepath.Join(t.TempDir(), "results.csv")
	if err := os.WriteFile(path, results, 0o600); err != nil {
		t.Fatal(err)
	}
	demandEveryRowOnce(t, path, n)
}
