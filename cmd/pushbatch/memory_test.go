package main

import (
	"flag"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"pushbatch/apiclient/simulator"
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

// The memory of a run does not grow with its input. The system counts what the
// parent held when it started the child, so that this test runs while no other
// does.
func TestMemory(t *testing.T) { //nolint:paralleltest // see above
	full(t)
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
