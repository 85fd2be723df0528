package main

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"pushbatch/apiclient/simulator"
	"pushbatch/testdata/s3test"
	"pushbatch/testdata/thorough"
)

// writeNight writes an input of devices with a score each, in an order of its own;
// about a fifth of the scores are new every night. A device may stand twice.
func writeNight(t *testing.T, dice *rand.Rand, path string, scores map[string]string, night, devices int) {
	t.Helper()
	var b strings.Builder
	b.WriteString("registrationId,additionalData.score:number\n")
	for _, n := range dice.Perm(devices) {
		id := fmt.Sprint("device-", n)
		if night == 0 || dice.IntN(5) == 0 {
			scores[id] = strconv.Itoa(night*devices + n)
		}
		if dice.IntN(20) == 0 {
			fmt.Fprintf(&b, "%s,%d\n", id, -n)
		}
		fmt.Fprintf(&b, "%s,%s\n", id, scores[id])
	}
	if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
}

// Nights that are killed, resumed or left dead: after the last one the platform has
// what the newest input says, and the same input again sends nothing.
func TestDeltaKills(t *testing.T) {
	t.Parallel()
	nights, devices := thorough.Of(2, 20), 300
	dir, dice, scores := t.TempDir(), rand.New(rand.NewPCG(5, 6)), make(map[string]string)
	sim, url := serve(t, simulator.Config{Limits: simulator.PushLimits(0, 0), Faults: faults(t, "500=2%,cut-after=1%,latency=0-8ms")})
	rows := filepath.Join(dir, "rows.csv")
	for night := range nights {
		writeNight(t, dice, rows, scores, night, devices)
		args := []string{"update", rows, "--delta", "state", "--out", fmt.Sprint("run", night)}
		for range dice.IntN(3) {
			c := start(t, url, dir, append(args, "--rate", "1000", "--max-in-flight", "8")...)
			killed := time.AfterFunc(time.Duration(dice.IntN(600))*time.Millisecond, func() { _ = c.Process.Kill() })
			code := c.code(t)
			killed.Stop()
			if _, err := os.Stat(filepath.Join(dir, fmt.Sprint("run", night), "job.json")); err == nil {
				args = []string{"resume", fmt.Sprint("run", night)}
			}
			if code != -1 {
				demandCode(t, c, code)
				break
			}
		}
	}
	last := []string{"update", rows, "--delta", "state", "--rate", "5000", "--out"}
	c := start(t, url, dir, append(last, "last")...)
	demandCode(t, c, c.code(t))
	demandState(t, sim, scores)
	sent := sim.Stats().Requests
	c = start(t, url, dir, append(last, "again")...)
	demandCode(t, c, c.code(t))
	if n := sim.Stats().Requests - sent; n != 0 {
		t.Errorf("%d requests for rows that were acknowledged", n)
	}
}

// The state lies in S3: of two processes one ends with 5; one that is killed between
// the end of its run and the new state is made up for by the next, from its folder.
func TestDeltaInS3(t *testing.T) {
	thorough.Only(t)
	t.Parallel()
	server, kill := s3test.Start(t), atomic.Pointer[child]{}
	watched := server.Behind(t, &s3test.Faults{Refuse: func(r *http.Request) *s3test.Refusal {
		c := kill.Load()
		if c == nil || r.Method != http.MethodPut || !strings.Contains(r.URL.Path, "/state/devices-") {
			return nil
		}
		_ = c.Process.Kill()
		return &s3test.Refusal{Status: http.StatusServiceUnavailable, Code: "SlowDown"}
	}})
	dir, scores := t.TempDir(), make(map[string]string)
	sim := simulator.New(simulator.Config{Limits: simulator.PushLimits(0, 0)})
	refused := make(chan struct{}) // the platform answers once one of the two was refused
	url := serveHandler(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet {
			<-refused
		}
		sim.ServeHTTP(w, r)
	}))
	rows, state := filepath.Join(dir, "rows.csv"), server.Location("state")
	writeNight(t, rand.New(rand.NewPCG(7, 8)), rows, scores, 0, 600)
	args := func(run string, more ...string) []string {
		return append([]string{
			"update", rows, "--delta", state, "--out", run, "--s3-endpoint-url", watched.Endpoint, "--s3-path-style", "--s3-lease", "8s",
		}, more...)
	}
	first, second := start(t, url, dir, args("one", "--rate", "300")...), start(t, url, dir, args("two", "--rate", "300")...)
	codes := make(chan int, 2)
	for _, c := range []*child{first, second} {
		go func() { codes <- c.code(t) }()
	}
	one := <-codes
	close(refused)
	if two := <-codes; one != exitLocked || two != exitDone {
		t.Fatalf("exit codes %d and %d\n%s\n%s", one, two, &first.stderr, &second.stderr)
	}

	writeNight(t, rand.New(rand.NewPCG(9, 10)), rows, scores, 1, 600)
	dying := prepare(t, url, dir, args(server.Location("dying"), "--rate", "5000")...)
	kill.Store(dying)
	dying.begin(t)
	if code := dying.code(t); code != -1 {
		t.Fatalf("exit code %d: it was not killed\n%s", code, &dying.stderr)
	}
	kill.Store(nil)
	demandState(t, sim, scores)
	sent := sim.Stats().Requests
	next := start(t, url, dir, args("next", "--rate", "5000")...)
	demandCode(t, next, next.code(t))
	if n := sim.Stats().Requests - sent; n != 0 {
		t.Errorf("%d requests although the folder of the run that died says what it has done\n%s", n, &next.stderr)
	}
	if keys := server.Keys(t, "state/"); len(keys) > 4 {
		t.Errorf("the state keeps %q", keys)
	}
}
