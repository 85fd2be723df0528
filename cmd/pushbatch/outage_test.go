package main

import (
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"pushbatch/apiclient/simulator"
	"pushbatch/writers/report"
)

func updateRows(t *testing.T) string {
	t.Helper()
	rows, err := filepath.Abs("../../testdata/rows/update.csv")
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// The platform is away for a while: the run waits, goes on by itself, and no
// row loses an attempt to the outage beyond the one it was in.
func TestOutageIsWaitedFor(t *testing.T) {
	t.Parallel()
	out, rows := filepath.Join(t.TempDir(), "run"), updateRows(t)
	cfg := simulator.Config{Limits: simulator.PushLimits(0, 0), Faults: faults(t, "outage=1s-6s")}
	inVirtualTime(t, cfg, func(sim *simulator.Simulator, command func(...string) (int, string)) {
		if code, said := command("update", rows, "--rate", "100", "--out", out); code != exitDone {
			t.Fatalf("exit code %d\n%s", code, said)
		}
		demandEveryRowOnce(t, filepath.Join(out, "results.csv"), 400)
		for _, record := range results(t, filepath.Join(out, "results.csv")) {
			if attempts := record[9]; len(attempts) > 1 {
				t.Errorf("row %s took %s attempts", record[0], attempts)
			}
		}
		// Those until it was noticed (two seconds at 100 a second), then single probes.
		if extra := sim.Stats().Requests - 400; extra > 250 {
			t.Errorf("%d requests went into the outage", extra)
		}
	})
}

// An outage longer than --max-outage ends the run with exit 4, and the run goes
// on once the platform is back.
func TestOutageTooLong(t *testing.T) {
	t.Parallel()
	out, rows := filepath.Join(t.TempDir(), "run"), updateRows(t)
	cfg := simulator.Config{Limits: simulator.PushLimits(0, 0), Faults: faults(t, "outage=1s-9s")}
	inVirtualTime(t, cfg, func(_ *simulator.Simulator, command func(...string) (int, string)) {
		code, said := command("update", rows, "--rate", "100", "--max-outage", "3s", "--out", out)
		if code != exitStopped || !strings.Contains(said, "pushbatch resume ") || !strings.Contains(said, "out of reach") {
			t.Fatalf("exit code %d, want %d\n%s", code, exitStopped, said)
		}
		if bad := strings.Count(strings.Join(flatten(results(t, filepath.Join(out, "results.csv"))), " "), "failed"); bad > 0 {
			t.Errorf("%d rows failed through the outage", bad)
		}
		if code, said = command("resume", out, "--max-outage", "1m"); code != exitDone {
			t.Fatalf("resume: exit code %d\n%s", code, said)
		}
		demandEveryRowOnce(t, filepath.Join(out, "results.csv"), 400)
	})
}

// Whoever asks, and however little: an outage is told within seconds, also without
// -v, and ends the command with exit 4 when it has lasted --max-outage.
func TestOutageEndsEveryCommand(t *testing.T) {
	t.Parallel()
	dir, rows := t.TempDir(), updateRows(t)
	people := filepath.Join(dir, "people.csv")
	if err := os.WriteFile(people, []byte("registrationId,externalId\nr1,e1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg := simulator.Config{Limits: simulator.PushLimits(0, 0), Faults: faults(t, "outage=1h-9h")}
	inVirtualTime(t, cfg, func(sim *simulator.Simulator, command func(...string) (int, string)) {
		sim.SeedPeople(20)
		before := filepath.Join(dir, "before")
		if code, said := command("update", rows, "--limit", "3", "--snapshot", "--out", before); code != exitDone {
			t.Fatalf("exit code %d\n%s", code, said)
		}
		time.Sleep(61 * time.Minute)
		for i, args := range [][]string{
			{"update", rows, "--limit", "1"},
			{"update", rows, "--limit", "5"},
			{"personalize", people},
			{"personalize", people, "--snapshot"},
			{"update", rows, "--limit", "1", "--snapshot"},
			{"export", "--people", "--to", filepath.Join(dir, "people.out.csv")},
			{"export", people, "--to", filepath.Join(dir, "row.out.csv")},
			{"undo", before},
		} {
			start := time.Now()
			out := filepath.Join(dir, fmt.Sprint("run", i))
			code, said := command(append(args, "--max-outage", "20s", "--out", out)...)
			if code != exitStopped || !strings.Contains(said, "gives_up_in=") || !strings.Contains(said, "out of reach for 2") {
				t.Errorf("%q: exit code %d\n%s", args, code, said)
			}
			if took := time.Since(start); took > 50*time.Second {
				t.Errorf("%q took %s", args, took)
			}
		}
	})
}

// The account's limit is 20 a second, but --rate says 50.
func TestLowerLimit(t *testing.T) {
	t.Parallel()
	out, rows := filepath.Join(t.TempDir(), "run"), updateRows(t)
	cfg := simulator.Config{Limits: simulator.PushLimits(20, 20), Window: simulator.Both}
	inVirtualTime(t, cfg, func(sim *simulator.Simulator, command func(...string) (int, string)) {
		if code, said := command("update", rows, "--rate", "50", "--out", out); code != exitDone {
			t.Fatalf("exit code %d\n%s", code, said)
		}
		demandEveryRowOnce(t, filepath.Join(out, "results.csv"), 400)
		stats := sim.Stats()
		if refused := stats.Requests - 400; refused*20 > stats.Requests {
			t.Errorf("%d of %d requests were refused, more than 5 %%", refused, stats.Requests)
		}
		var sum report.Summary
		readJSON(t, filepath.Join(out, "summary.json"), &sum)
		if sum.LimitedRate < 15 || sum.LimitedRate > 22 {
			t.Errorf("the rate settled on %v", sum.LimitedRate)
		}
	})
}

// A full disk ends the run with exit 4; once there is room it goes on, and
// nothing is lost.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Fatal("this test mounts a tmpfs")
	}
	disk := t.TempDir()
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=64k"); err != nil {
		if os.Getenv("CI") == "" && errors.Is(err, syscall.EPERM) {
			t.Skip("mounting a small disk needs root")
		}
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(disk, 0); err != nil {
			t.Error(err)
		}
	})
	_, url := serve(t, simulator.Config{Limits: simulator.PushLimits(0, 0)})
	c := start(t, url, disk, "update", updateRows(t), "--rate", "150", "--out", "run")
	if code := c.code(t); code != exitStopped {
		t.Fatalf("exit code %d, want %d\n%s", code, exitStopped, &c.stderr)
	}
	said := c.stderr.String()
	if !strings.Contains(said, "no space left on device") {
		t.Errorf("it says:\n%s", said)
	}
	status := prepare(t, url, disk, "status", "run")
	var told strings.Builder
	status.Stdout = &told
	status.begin(t)
	if code := status.code(t); code != exitDone {
		t.Fatalf("status: exit code %d\n%s", code, &status.stderr)
	}
	rows, _, _ := strings.Cut(strings.TrimSpace(strings.SplitN(told.String(), "\n", 2)[1]), " rows")
	if !strings.Contains(said, "update: "+rows+" rows in ") { // 0 where a busy machine fills the disk before the first checkpoint
		t.Errorf("status tells %s rows, the run told:\n%s", rows, said)
	}
	if err := syscall.Mount("tmpfs", disk, "tmpfs", syscall.MS_REMOUNT, "size=4m"); err != nil {
		t.Fatal(err)
	}
	c = start(t, url, disk, "resume", "run")
	if code := c.code(t); code != 0 {
		t.Fatalf("resume: exit code %d\n%s", code, &c.stderr)
	}
	demandEveryRowOnce(t, filepath.Join(disk, "run", "results.csv"), 400)
}

// A run folder that is taken away ends the run loudly.
func TestFolderVanishes(t *testing.T) {
	t.Parallel()
	sim, url := serve(t, simulator.Config{Limits: simulator.PushLimits(0, 0)})
	dir := t.TempDir()
	c := start(t, url, dir, "update", updateRows(t), "--rate", "100", "--out", "run")
	eventually(t, "the 20th request", func() bool { return sim.Stats().Requests >= 20 })
	if err := os.RemoveAll(filepath.Join(dir, "run")); err != nil {
		t.Fatal(err)
	}
	if code := c.code(t); code != exitStopped {
		t.Fatalf("exit code %d, want %d\n%s", code, exitStopped, &c.stderr)
	}
	if text := c.stderr.String(); !strings.Contains(text, filepath.Join("run", "checkpoint.json")) {
		t.Errorf("it does not name the file:\n%s", text)
	}
}

func results(t *testing.T, path string) [][]string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	records, err := csv.NewReader(f).ReadAll()
	if err != nil || len(records) == 0 {
		t.Fatalf("%s: %d records, %v", path, len(records), err)
	}
	return records[1:]
}

func flatten(records [][]string) (all []string) {
	for _, r := range records {
		all = append(all, r...)
	}
	return all
}
