package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pushbatch/apiclient/simulator"
	"pushbatch/testdata/thorough"
)

// Half of the devices come twice and people come with any of their identity
// values; 64 requests are in flight and answers take their time. No two
// requests for one device or one identity value meet at the platform, and it
// ends in the state of the rows applied one after the other.
func TestOrder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	rows := filepath.Join(dir, "rows.csv")
	n := thorough.Of(600, 6000)
	writeOrderRows(t, rows, n)
	states := make([]string, 2)
	for i, args := range [][]string{
		{"--max-in-flight", "64", "--out", "many"},
		{"--max-in-flight", "1", "--out", "one"},
	} {
		latency := []string{"latency=0-30ms", ""}[i]
		sim, url := serve(t, simulator.Config{Limits: simulator.PushLimits(0, 0), Faults: faults(t, latency)})
		c := start(t, url, dir, append([]string{"personalize", rows, "--force-depersonalize", "--rate", "20000"}, args...)...)
		if code := c.code(t); code != 0 {
			t.Fatalf("exit code %d\n%s", code, &c.stderr)
		}
		stats := sim.Stats()
		if stats.Requests != int64(n) || stats.Overlaps != 0 {
			t.Errorf("%d requests for %d rows, %d of them met another of the same device or identity value", stats.Requests, n, stats.Overlaps)
		}
		if i == 0 && stats.Most < 16 {
			t.Errorf("only %d requests were ever in flight: nothing was tried", stats.Most)
		}
		demandEveryRowOnce(t, filepath.Join(dir, args[3], "results.csv"), n)
		states[i] = finalState(t, sim)
	}
	if states[0] != states[1] {
		t.Error("the platform's state depends on how many requests are in flight")
	}
}

// writeOrderRows writes n rows about n*3/4 devices of which every third comes
// twice; a person is named by one identity value or several.
func writeOrderRows(t *testing.T, path string, n int) {
	t.Helper()
	dice := rand.New(rand.NewPCG(5, 6))
	devices := make([]int, 0, n)
	for d := range n * 2 / 3 {
		devices = append(devices, d)
		if d%2 == 0 {
			devices = append(devices, d)
		}
	}
	dice.Shuffle(n, func(i, j int) { devices[i], devices[j] = devices[j], devices[i] })
	var b strings.Builder
	b.WriteString("registrationId,externalId,email,firstName\n")
	for i, d := range devices[:n] {
		person := dice.IntN(n / 4)
		external, email := fmt.Sprintf("person-%d", person), ""
		if dice.IntN(3) == 0 {
			email = fmt.Sprintf("person%d@example.com", person)
		}
		fmt.Fprintf(&b, "device-%d,%s,%s,Name%d\n", d, external, email, i)
	}
	if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
}

func finalState(t *testing.T, sim *simulator.Simulator) string {
	t.Helper()
	var state strings.Builder
	if err := sim.WriteState(&state); err != nil {
		t.Fatal(err)
	}
	return state.String()
}
