package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"pushbatch/apiclient/simulator"
	"pushbatch/testdata/thorough"
)

// sharedRecord is what stands in the file that processes share a limit by.
type sharedRecord struct {
	Holders []struct {
		PID     int
		Permits int
		Until   time.Time
		Given   []struct {
			Permits int
			At      time.Time
		}
	}
}

func readShared(path string) (r sharedRecord) {
	data, _ := os.ReadFile(path) // where it is away nobody has a share
	_ = json.Unmarshal(data, &r)
	return r
}

// sum is what processes may use at this moment; none named: all of them. What one
// gave up less than three seconds ago counts as well: nobody may have taken it yet.
func (r *sharedRecord) sum(pids ...int) (permits int) {
	now := time.Now()
	for _, h := range r.Holders {
		if len(pids) > 0 && !slices.Contains(pids, h.PID) {
			continue
		}
		if now.Before(h.Until) {
			permits += h.Permits
		}
		for _, g := range h.Given {
			if now.Sub(g.At) < 3*time.Second {
				permits += g.Permits
			}
		}
	}
	return permits
}

// watchShares looks at the record until the test ends: the shares never add up to
// more than the rate.
func watchShares(t *testing.T, path string, rate int) {
	t.Helper()
	stop, ended := make(chan struct{}), make(chan int)
	go func() { // ends with the test
		looks := 0
		defer func() { ended <- looks }()
		for {
			select {
			case <-stop:
				return
			case <-time.After(20 * time.Millisecond):
			}
			r := readShared(path)
			if n := r.sum(); n > rate {
				t.Errorf("the shares add up to %d: %+v", n, r)
				return
			} else if n > 0 {
				looks++
			}
		}
	}()
	t.Cleanup(func() {
		close(stop)
		if looks := <-ended; looks < 100 {
			t.Errorf("the record was seen %d times", looks)
		}
	})
}

// Three processes share a limit of 50: their shares never add up to more, a killed
// process's share goes to the others, and where the location is out of reach nothing is
// sent once the shares have run out. How many requests are answered, and whether the
// strict server refuses one, depends on how late a busy machine sends them: it is logged.
// (Measured from the 20th second on: 49.4 a second, none refused.)
func TestProcessesShareALimit(t *testing.T) {
	thorough.Only(t)
	t.Parallel()
	const rate = 50
	sim, url := serve(t, simulator.Config{Limits: simulator.PushLimits(rate, 5), Window: simulator.Both})
	dir := t.TempDir()
	input := devices(t, 100_000)
	shares := filepath.Join(dir, "shares")
	record := filepath.Join(shares, "limit.json")
	var all []*child
	var pids []int
	for i := range 3 {
		c := start(t, url, dir, "depersonalize", input, "--rate", strconv.Itoa(rate), "--share-limit", record, "--out", "run"+strconv.Itoa(i))
		all, pids = append(all, c), append(pids, c.Process.Pid)
	}
	watchShares(t, record, rate)
	sent := func(what string, length time.Duration) int64 {
		before := sim.Stats().Requests
		time.Sleep(length)
		n := sim.Stats().Requests - before
		t.Logf("%s: %.1f a second, %d refused so far", what, float64(n)/length.Seconds(), sim.Stats().ByCode["TOO_MANY_REQUESTS"])
		return n
	}
	shared := func(what string, pids []int) {
		begun := time.Now()
		eventually(t, what, func() bool {
			r := readShared(record)
			return r.sum(pids...) >= rate-4 && !slices.ContainsFunc(pids, func(pid int) bool { return r.sum(pid) < rate/len(pids)/2 })
		})
		t.Logf("%s after %s", what, time.Since(begun).Round(time.Second/10))
	}
	shared("three processes have the whole limit", pids)
	if n := sent("three processes", time.Minute); n > rate*62 { // what a minute allows, and what was under way before
		t.Errorf("%d requests in a minute", n)
	}

	if err := all[0].Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = all[0].Wait()
	shared("the others have the killed one's share", pids[1:])
	sent("two processes", 10*time.Second)

	if err := os.Rename(shares, shares+".away"); err != nil {
		t.Fatal(err)
	}
	for _, h := range readShared(filepath.Join(shares+".away", "limit.json")).Holders {
		time.Sleep(time.Until(h.Until))
	}
	time.Sleep(5 * time.Second) // what was under way
	if n := sent("after the shares have run out", 5*time.Second); n > 0 {
		t.Errorf("%d requests after the shares had run out", n)
	}
	if _, err := os.Stat(shares); err == nil {
		t.Error("the processes began a record of their own while the folder was gone")
	}
	if err := os.Rename(shares+".away", shares); err != nil {
		t.Fatal(err)
	}
	shared("the location is back and the limit in use", pids[1:])
	before := sim.Stats().Requests
	eventually(t, "requests after the location came back", func() bool { return sim.Stats().Requests > before+rate })
	sent("the location is back", 10*time.Second)
	for _, c := range all[1:] {
		_ = c.Process.Signal(syscall.SIGINT)
		if code := c.code(t); code != exitInterrupted {
			t.Errorf("exit code %d\n%s", code, &c.stderr)
		}
	}
}
