package main

import (
	"encoding/csv"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"pushbatch/apiclient/simulator"
	"pushbatch/testdata/s3test"
	"pushbatch/testdata/thorough"
)

const (
	s3Rows = 3000 // of the runs in S3
	s3Rate = 300  // requests a second where checkpoints of each second count
)

// A run whose folder is in S3 (versitygw) is killed with kill -9 again and
// again, and each time resumed by a process with an empty disk. There is no
// journal in S3: what was finished since the last checkpoint is sent again, a
// second's worth and what comes while the checkpoint is on its way.
func TestS3Kills(t *testing.T) {
	thorough.Only(t)
	t.Parallel()
	for format, rounds := range map[string]int{"csv": 3, "parquet": 2} {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			killInS3(t, format, rounds)
		})
	}
}

func killInS3(t *testing.T, format string, rounds int) {
	traffic := &s3test.Faults{}
	server := s3test.Start(t)
	watched := server.Behind(t, traffic)
	rows := filepath.Join(t.TempDir(), "rows.csv")
	want := writeKillRows(t, rows, s3Rows)
	data, err := os.ReadFile(rows)
	if err != nil {
		t.Fatal(err)
	}
	input, run := server.Put(t, "in/rows.csv", data), server.Location("runs/1")
	sim, url := serve(t, simulator.Config{Limits: simulator.PushLimits(0, 0), Faults: faults(t, "500=1%,latency=0-30ms")})
	reach := []string{"--s3-endpoint-url", watched.Endpoint, "--s3-path-style", "--s3-lease", "4s", "--max-in-flight", strconv.Itoa(killInFlight)}
	args := append([]string{"update", input, "--out", run, "--results", format}, reach...)
	for range rounds {
		c := start(t, url, t.TempDir(), append(args, "--rate", strconv.Itoa(s3Rate))...)
		sent := sim.Stats().Effects
		eventually(t, "rows to be sent", func() bool { return sim.Stats().Effects >= sent+3*s3Rate })
		_ = c.Process.Kill()
		if code := c.code(t); code != -1 {
			t.Fatalf("exit code %d before it was killed\n%s", code, &c.stderr)
		}
		if _, there := server.Get(t, "runs/1/results."+format); there {
			t.Error("a report is to be seen before the run has ended")
		}
		args = append([]string{"resume", run}, reach...)
	}
	c := start(t, url, t.TempDir(), append(args, "--rate", "5000")...)
	demandCode(t, c, c.code(t))
	results, _ := server.Get(t, "runs/1/results."+format)
	path := filepath.Join(t.TempDir(), "results."+format)
	if err := os.WriteFile(path, results, 0o600); err != nil {
		t.Fatal(err)
	}
	demandEveryRowOnce(t, path, s3Rows)
	demandState(t, sim, want)
	demandFewRepeats(t, sim, s3Rows, rounds, killInFlight+2*s3Rate)
	if left := server.Keys(t, "runs/1/segments/"); len(left) != 0 {
		t.Errorf("segments were left: %q", left)
	}
	t.Logf("%d PUTs", traffic.Count(http.MethodPut))
}

// Two processes start the same run: one works, the other ends with 5 and says
// who works.
func TestS3OneOfTwo(t *testing.T) {
	thorough.Only(t)
	t.Parallel()
	server := s3test.Start(t)
	sim, url := serve(t, simulator.Config{Limits: simulator.PushLimits(0, 0), Faults: faults(t, "latency=5ms")})
	rows := filepath.Join(t.TempDir(), "rows.csv")
	writeKillRows(t, rows, s3Rows)
	args := []string{"update", rows, "--out", server.Location("runs/1"), "--s3-endpoint-url", server.Endpoint, "--s3-path-style", "--s3-lease", "6s", "--rate", "400"}
	first, second := start(t, url, t.TempDir(), args...), start(t, url, t.TempDir(), args...)
	one, two := first.code(t), second.code(t)
	loser := second
	if one == 5 {
		one, two, loser = two, one, first
	}
	if one != 0 || two != 5 {
		t.Fatalf("exit codes %d and %d\n%s\n%s", one, two, &first.stderr, &second.stderr)
	}
	if !strings.Contains(loser.stderr.String(), "is held by process") {
		t.Errorf("it does not say who works:\n%s", &loser.stderr)
	}
	if n := sim.Stats().Effects; n != s3Rows {
		t.Errorf("%d effects for %d rows", n, s3Rows)
	}
	results, _ := server.Get(t, "runs/1/results.csv")
	if records, err := csv.NewReader(strings.NewReader(string(results))).ReadAll(); err != nil || len(records) != s3Rows+1 {
		t.Errorf("%d records, %v", len(records), err)
	}
}

// A run in S3 is stopped, looked at, resumed and retried; another process that
// takes its lock makes it stop.
func TestS3RunTakenOver(t *testing.T) {
	thorough.Only(t)
	t.Parallel()
	server := s3test.Start(t)
	_, url := serve(t, simulator.Config{Limits: simulator.PushLimits(0, 0), Faults: faults(t, "latency=5ms")})
	rows := filepath.Join(t.TempDir(), "rows.csv")
	writeKillRows(t, rows, s3Rows)
	run, temp := server.Location("runs/1"), t.TempDir()
	reach := []string{"--s3-endpoint-url", server.Endpoint, "--s3-path-style"}
	do := func(code int, says string, args ...string) {
		t.Helper()
		c := prepare(t, url, t.TempDir(), append(args, reach...)...)
		c.Env = append(c.Env, "TMPDIR="+temp)
		c.begin(t)
		if got := c.code(t); got != code || !strings.Contains(c.stderr.String(), says) {
			t.Fatalf("%q: exit code %d, want %d and %q\n%s", args, got, code, says, &c.stderr)
		}
		if left, err := os.ReadDir(temp); err != nil || len(left) > 0 {
			t.Errorf("%q leaves %v in the folder for temporary files, %v", args, left, err)
		}
	}
	do(6, "pushbatch resume "+run, "update", rows, "--out", run, "--rate", "200", "--max-duration", "1500ms")
	do(2, "holds a run already", "update", rows, "--out", run)
	do(0, "", "status", run)
	do(4, "no such bucket", "status", "s3://nowhere/run")
	do(2, "holds no run", "resume", server.Location("nowhere"))

	c := start(t, url, t.TempDir(), append([]string{"resume", run, "--rate", "20", "--max-duration", "0s", "--s3-lease", "6s"}, reach...)...)
	eventually(t, "the lock to be taken", func() bool {
		lock, _ := server.Get(t, "runs/1/lock.json")
		return !strings.Contains(string(lock), `"token":""`)
	})
	server.Put(t, "runs/1/lock.json", []byte(`{"host":"other","pid":77,"since":"2026-01-01T00:00:00Z","token":"theirs","lease_seconds":1}`))
	if code := c.code(t); code != 5 || !strings.Contains(c.stderr.String(), "held by process 77 on other") {
		t.Errorf("exit code %d\n%s", code, &c.stderr)
	}
	do(0, "succeeded", "resume", run, "--rate", "5000", "--max-duration", "0s")
	do(0, "nothing to do", "update", rows, "--out", run, "--continue")
	do(0, "", "status", run)
}
