package main

import (
	"bufio"
	"bytes"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"pushbatch/apiclient/simulator"
	"pushbatch/testdata/thorough"
)

// memoryRows is how many rows TestMemory compares with fewRows.
var memoryRows = flag.Int("memory-rows", 500_000, "rows of TestMemory; 10000000 takes minutes and 6 GB")

const (
	// fewRows fill what a run holds: pages, rows read ahead, the ring. A file of
	// 10,000 does not, so that comparing with it measures how full they are.
	fewRows    = 100_000
	mostMemory = 150 << 10 // KiB, of any run
	slack      = 4 << 10   // KiB; twice what runs over the same file differ by
)

// nightDevices is how many devices TestNight has.
var nightDevices = flag.Int("night-devices", 1_000_000, "devices of TestNight; 10000000 takes minutes and 3 GB")

// The memory of a run does not grow with its input. The system counts what the
// parent held when it started the child, so that this test runs while no other
// does.
func TestMemory(t *testing.T) { //nolint:paralleltest // see above
	thorough.Only(t)
	dir := t.TempDir()
	_, url := serve(t, simulator.Config{})
	peak := func(input, dryRun string) int64 {
		c := start(t, url, dir, "personalize", input, "--dry-run="+dryRun, "--out", "run-"+dryRun+"-"+input)
		if code := c.code(t); code != exitDone {
			t.Fatalf("%s: exit code %d\n%s", input, code, &c.stderr)
		}
		return c.ProcessState.SysUsage().(*syscall.Rusage).Maxrss
	}
	sizes := map[string]int{"few": fewRows, "many": *memoryRows}
	for name, rows := range sizes {
		for _, format := range []string{"csv", "parquet"} {
			generate(t, filepath.Join(dir, name+"."+format), strconv.Itoa(rows), format)
		}
		pack(t, filepath.Join(dir, name+".csv"), filepath.Join(dir, name+".csv.gz"), gzipped)
	}
	for _, ending := range []string{".csv", ".csv.gz", ".parquet"} {
		few, many := peak("few"+ending, "validate"), peak("many"+ending, "validate")
		t.Logf("%s: %d KiB for %d rows, %d KiB for %d", ending, few, sizes["few"], many, sizes["many"])
		if many > few+few/10+slack || many > mostMemory {
			t.Errorf("%s: %d KiB for %d rows, %d KiB for %d", ending, few, sizes["few"], many, sizes["many"])
		}
		// A dry run that looks for devices that stand more than once sorts rows on disk: its
		// buffers fill over some hundred thousand rows, so that only the bound is comparable.
		if sorting := peak("many"+ending, "true"); sorting > mostMemory {
			t.Errorf("%s: %d KiB with the look for duplicates", ending, sorting)
		}
	}
}

// A night in which one row in a hundred has changed: what is to be sent, the memory
// of its plan and of the generation that is written, and the size of the state.
func TestNight(t *testing.T) { //nolint:paralleltest // see TestMemory
	thorough.Only(t)
	dir, n := t.TempDir(), *nightDevices
	_, url := serve(t, simulator.Config{})
	writeDevices(t, filepath.Join(dir, "first.csv"), n, 0)
	writeDevices(t, filepath.Join(dir, "night.csv"), n, 100)
	used := func(args ...string) string {
		c := prepare(t, url, dir, append(args, "--delta", "state")...)
		var said bytes.Buffer
		c.Stdout = &said
		c.begin(t)
		demandCode(t, c, c.code(t))
		usage := c.ProcessState.SysUsage().(*syscall.Rusage)
		t.Logf("%s of %d devices: %v of CPU, %d KiB", args[0], n, c.ProcessState.UserTime()+c.ProcessState.SystemTime(), usage.Maxrss)
		if usage.Maxrss > mostMemory {
			t.Errorf("%s: %d KiB, at most %d", args[0], usage.Maxrss, mostMemory)
		}
		return said.String()
	}
	used("personalize", "first.csv", "--delta-adopt", "--out", "adopt", "-q")
	if said, want := used("inspect", "night.csv", "--rows", "1", "--json"), fmt.Sprintf("\"to_send\": %d,", n/100); !strings.Contains(said, want) {
		t.Errorf("no %s in\n%s", want, said)
	}
	generations, err := filepath.Glob(filepath.Join(dir, "state", "devices-*.parquet"))
	if err != nil || len(generations) != 1 {
		t.Fatalf("generations %q, %v", generations, err)
	}
	info, err := os.Stat(generations[0])
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("the state has %d bytes", info.Size())
	if most := int64(n) * 50; info.Size() > most {
		t.Errorf("the state has %d bytes, at most %d", info.Size(), most)
	}
}

// writeDevices writes devices with ids in which nothing repeats, in no order; every
// so many-th has another name.
func writeDevices(t *testing.T, path string, n, every int) {
	t.Helper()
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	w, ids := bufio.NewWriter(file), rand.NewPCG(1, 2)
	fmt.Fprintln(w, "registrationId,externalId,firstName")
	for i := range n {
		name := "Ana"
		if every > 0 && i%every == 1 {
			name = "Eva"
		}
		fmt.Fprintf(w, "%016x%016x,person-%d,%s\n", ids.Uint64(), ids.Uint64(), i, name)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
}
