package main

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pushbatch/apiclient/simulator"
	"pushbatch/batch"
	"pushbatch/batch/blob"
	"pushbatch/readers"
	"pushbatch/testdata/thorough"
)

// kills is how many kill -9 TestKills deals out: few by default.
var kills = flag.Int("kills", 2, "kill -9 that TestKills deals out; at least 30 with FULL_TESTS=1")

const killInFlight = 16

// killRate leaves a run of a few rows under way when it is killed.
var killRate = thorough.Of(700, 2000)

// A run is killed at random moments, again and again, and resumed each time:
// every row stands in the results once, the platform's state is that of the
// rows applied in order, and no more is sent twice than what was under way at
// each kill.
func TestKills(t *testing.T) {
	t.Parallel()
	kills := max(*kills, thorough.Of(0, 30))
	for format, kills := range thorough.Of(map[string]int{"csv": kills}, map[string]int{"csv": kills, "parquet": kills / 5}) {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			killAgainAndAgain(t, format, kills)
		})
	}
}

func killAgainAndAgain(t *testing.T, format string, kills int) {
	dir := t.TempDir()
	rows := filepath.Join(dir, "rows.csv")
	n := max(600, killRate*kills) // enough to do between the kills
	want := writeKillRows(t, rows, n)
	sim := simulator.New(simulator.Config{
		Limits: simulator.PushLimits(0, 0),
		Faults: faults(t, "500=2%,cut-before=1%,cut-after=1%,latency=0-8ms"),
	})
	counter := &repeatCounter{next: sim, last: make([]arrival, n+1), perKill: make([]int, kills+1)}
	url := serveHandler(t, counter)
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	dice := rand.New(rand.NewPCG(seed, 2))
	dealt, code, args := 0, -1, []string{"update", rows, "--out", "run", "--results", format}
	for dealt < kills {
		c := start(t, url, dir, append(args, "--rate", strconv.Itoa(killRate), "--max-in-flight", strconv.Itoa(killInFlight))...)
		died := make(chan struct{})
		go func() { // ends with the child
			moment := time.Duration(dice.Int64N(int64(1500 * time.Millisecond)))
			select {
			case <-time.After(moment):
				_ = c.Process.Kill() // it may have ended by itself
			case <-died:
			}
		}()
		code = c.code(t)
		close(died)
		if code != -1 {
			demandCode(t, c, code)
			break
		}
		dealt++
		counter.execution.Add(1)
		if _, err := os.Stat(filepath.Join(dir, "run", "job.json")); err == nil {
			args = []string{"resume", "run"}
		}
	}
	if code == -1 {
		c := start(t, url, dir, append(args, "--rate", "5000")...)
		demandCode(t, c, c.code(t))
	}
	t.Logf("%d kills", dealt)
	demandEveryRowOnce(t, filepath.Join(dir, "run", "results."+format), n)
	demandState(t, sim, want)
	demandFewRepeats(t, sim, n, dealt, killInFlight)
	counter.demand(t, killInFlight)
}

// repeatCounter counts, for each kill, the rows whose request was under way then, or
// answered 2xx before, and came again: at most what was under way.
type repeatCounter struct {
	next      http.Handler
	execution atomic.Int64

	mu      sync.Mutex
	last    []arrival // by row
	perKill []int     // by execution, which ended with that kill
}

// arrival is the last request of a row.
type arrival struct {
	execution int64
	counts    bool // it was not refused, nor cut on purpose: those are rightly sent again
}

func (c *repeatCounter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	_, score, _ := strings.Cut(string(body), `"score":`)
	row, err := strconv.Atoi(strings.TrimRight(score, "}"))
	if err != nil { // no row's request
		c.next.ServeHTTP(w, r)
		return
	}
	c.arrive(row)
	s := &statusWriter{ResponseWriter: w}
	defer func() {
		if s.status >= 300 || s.status == 0 && r.Context().Err() == nil {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.last[row].counts = false
		}
	}()
	c.next.ServeHTTP(s, r)
}

func (c *repeatCounter) arrive(row int) {
	now := c.execution.Load()
	c.mu.Lock()
	defer c.mu.Unlock()
	if last := c.last[row]; last.counts && last.execution < now {
		c.perKill[last.execution]++
	} else if last.counts {
		c.perKill[now] += killInFlight + 1 // sent twice by one process: never
	}
	c.last[row] = arrival{now, true}
}

// statusWriter notes the status of an answer; 0 where the connection was cut.
type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

func (c *repeatCounter) demand(t *testing.T, most int) {
	t.Helper()
	counts := make(map[int]int)
	for kill, n := range c.perKill {
		counts[n]++
		if n > most {
			t.Errorf("%d requests were repeated after kill %d", n, kill+1)
		}
	}
	t.Logf("repeats of one kill, and how often: %v", counts)
}

func demandCode(t *testing.T, c *child, code int) {
	t.Helper()
	if code != 0 {
		t.Fatalf("exit code %d\n%s", code, &c.stderr)
	}
}

// writeKillRows writes rows in which devices repeat, and returns the last score
// of each device.
func writeKillRows(t *testing.T, path string, rows int) map[string]string {
	t.Helper()
	dice := rand.New(rand.NewPCG(3, 4))
	last := make(map[string]string)
	var b strings.Builder
	b.WriteString("registrationId,additionalData.score:number\n")
	for n := range rows {
		id, score := fmt.Sprintf("device-%d", dice.IntN(rows/2)), strconv.Itoa(n+1)
		last[id] = score
		fmt.Fprintf(&b, "%s,%s\n", id, score)
	}
	if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return last
}

// demandEveryRowOnce reads a results file: rows 1 to n, each once, in order,
// each succeeded.
func demandEveryRowOnce(t *testing.T, path string, n int) {
	t.Helper()
	records := resultRecords(t, path)
	if len(records) != n {
		t.Fatalf("%d results for %d rows", len(records), n)
	}
	for i, r := range records {
		if r[0] != strconv.Itoa(i+1) || r[5] != "succeeded" {
			t.Fatalf("result %d is of row %s: %s %s %s", i+1, r[0], r[5], r[7], r[8])
		}
	}
}

// resultRecords reads a results file of any format.
func resultRecords(t *testing.T, path string) (records [][]string) {
	t.Helper()
	info, err := blob.Stat(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	source, err := readers.Open(t.Context(), info, readers.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	for row, err := range source.Rows(t.Context(), batch.Position{}) {
		if err != nil {
			t.Fatal(err)
		}
		record := make([]string, len(row.Values))
		for i, v := range row.Values {
			record[i] = v.String()
		}
		records = append(records, record)
	}
	return records
}

// demandState checks the simulator's registrations against the rows applied in
// order.
func demandState(t *testing.T, sim *simulator.Simulator, want map[string]string) {
	t.Helper()
	var state strings.Builder
	if err := sim.WriteState(&state); err != nil {
		t.Fatal(err)
	}
	entries := make(map[string]string, len(want))
	for line := range strings.Lines(state.String()) {
		_, after, _ := strings.Cut(line, `"registrationId":"`)
		id, _, _ := strings.Cut(after, `"`)
		entries[id] = line
	}
	for id, score := range want {
		entry := entries[id]
		if !strings.Contains(entry, `"score":`+score+"}") {
			t.Errorf("device %s: want score %s, have %.200s", id, score, entry)
		}
	}
}

// demandFewRepeats counts the requests that took effect more than once for one
// row and checks them against what guarantee 3 allows a kill.
func demandFewRepeats(t *testing.T, sim *simulator.Simulator, rows, kills, perKill int) {
	t.Helper()
	stats := sim.Stats()
	effects := stats.Effects - stats.ByFault["cut-after"] // those are rightly sent again
	repeats := effects - int64(rows)
	t.Logf("%d effects for %d rows: %d repeats, %.1f a kill", effects, rows, repeats, float64(repeats)/float64(max(kills, 1)))
	if repeats > int64(kills*perKill) {
		t.Errorf("%d repeats after %d kills", repeats, kills)
	}
}
