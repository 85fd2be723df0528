package main

import (
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"pushbatch/apiclient/simulator"
)

// Three processes share a limit of 50: nothing is refused by a server that counts
// sliding and clock seconds, little is wasted, a killed process's share is used
// within 35 seconds, and where the location is out of reach nothing is sent once
// the shares have run out.
func TestProcessesShareALimit(t *testing.T) {
	if os.Getenv("FULL_TESTS") == "" {
		t.Skip("it takes three minutes: set FULL_TESTS=1")
	}
	t.Parallel()
	sim, url := serve(t, simulator.Config{Limits: simulator.PushLimits(50, 5), Window: simulator.Both, CountersOnly: true})
	dir := t.TempDir()
	input := devices(t, 100_000)
	shares := filepath.Join(dir, "shares")
	var all []*child
	for i := range 3 {
		all = append(all, start(t, url, dir, "depersonalize", input, "--rate", "50",
			"--share-limit", filepath.Join(shares, "limit.json"), "--out", "run"+strconv.Itoa(i)))
	}
	sent := func(length time.Duration) int64 {
		before := sim.Stats().Requests
		time.Sleep(length)
		return sim.Stats().Requests - before
	}
	eventually(t, "the first request", func() bool { return sim.Stats().Requests > 0 })
	time.Sleep(20 * time.Second)
	if n := sent(time.Minute); n < 46*60 {
		t.Errorf("%.1f a second together, want 46", float64(n)/60)
	}

	if err := all[0].Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = all[0].Wait()
	time.Sleep(35 * time.Second)
	if n := sent(10 * time.Second); n < 46*10 {
		t.Errorf("%.1f a second 35 s after one was killed", float64(n)/10)
	}

	if err := os.Rename(shares, shares+".away"); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(shares, nil, 0o600); err != nil { // no folder can be made there
		t.Fatal(err)
	}
	time.Sleep(32 * time.Second)
	if n := sent(5 * time.Second); n > 0 {
		t.Errorf("%d requests after the shares had run out", n)
	}
	if err := os.Remove(shares); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(shares+".away", shares); err != nil {
		t.Fatal(err)
	}
	time.Sleep(15 * time.Second)
	if n := sent(10 * time.Second); n < 46*10 {
		t.Errorf("%.1f a second after the location came back", float64(n)/10)
	}
	for _, c := range all[1:] {
		_ = c.Process.Signal(syscall.SIGINT)
		if code := c.code(t); code != exitInterrupted {
			t.Errorf("exit code %d\n%s", code, &c.stderr)
		}
	}
	if n := sim.Stats().ByCode["TOO_MANY_REQUESTS"]; n > 0 {
		t.Errorf("%d refused", n)
	}
}
