package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

const million = 1_000_000

// units runs the benchmarks that stand beside the code and shows their ratios.
func units(*bench) error {
	out, err := exec.Command("go", "test", "-run", "^$", "-bench", ".", "-benchtime", "1s", "./batch", "./readers", "./writers", "./apiclient").CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	for text := range strings.Lines(string(out)) {
		fields := strings.Fields(text)
		for i := 3; i+1 < len(fields); i += 2 {
			if strings.Contains(fields[i], "floor") || strings.Contains(fields[i], "bare") {
				line(strings.TrimPrefix(fields[0], "Benchmark"), "", "", fields[i-1]+" "+fields[i], "")
			}
		}
	}
	return nil
}

// dryRuns compares reading, checking and reporting rows with reading them bare.
func dryRuns(b *bench) error {
	n := b.scale * million
	floorFile, err := b.rows("csv", n)
	if err != nil {
		return err
	}
	floor := func() (usage, error) { return run([]int{0}, b.self, "part", "read", floorFile) }
	for _, m := range []struct{ format, dry, wanted string }{
		{"csv", "validate", "0.35"},
		{"csv", "true", "0.14"},
		{"parquet", "validate", "as csv"},
		{"parquet", "true", "as csv"},
		{"ndjson", "validate", "half of csv"},
		{"ndjson", "true", "half of csv"},
	} {
		file, err := b.rows(m.format, n)
		if err != nil {
			return err
		}
		ours, bare, ratio, err := b.inTurn(func() (usage, error) { return b.runOnce("personalize", file, "--dry-run="+m.dry) }, floor)
		if err != nil {
			return err
		}
		what := "with requests.ndjson"
		if m.dry == "validate" {
			what = "validation alone"
		}
		line(fmt.Sprintf("dry run of %d million rows, %s, %s", b.scale, m.format, what),
			fmt.Sprintf("%.0f rows/s, %.0f MB", float64(n)/ours.wall, ours.memory),
			fmt.Sprintf("encoding/csv %.0f rows/s", float64(n)/bare.wall), fmt.Sprintf("%.2f", 1/ratio.wall), m.wanted)
	}
	return nil
}

// memory compares the peak of many rows with that of a tenth of them.
func memory(b *bench) error {
	for _, format := range []string{"csv", "parquet"} {
		var peaks [2]float64
		for i, n := range []int{b.scale * 2 * million / 10, b.scale * 2 * million} {
			file, err := b.rows(format, n)
			if err != nil {
				return err
			}
			var all []float64
			for range b.turns {
				u, err := b.runOnce("personalize", file, "--dry-run=validate")
				if err != nil {
					return err
				}
				all = append(all, u.memory)
			}
			peaks[i] = median(all)
		}
		line(fmt.Sprintf("peak memory, %s, %d million rows against a tenth", format, 2*b.scale),
			fmt.Sprintf("%.1f MB", peaks[1]), fmt.Sprintf("%.1f MB", peaks[0]), fmt.Sprintf("%.2f", peaks[1]/peaks[0]), "at most 1.10")
	}
	return nil
}

// unlimited is a rate that nothing here reaches.
const unlimited = "1000000"

// wholeJob compares a run that nothing holds back with the floor of sending.
func wholeJob(b *bench) error {
	file, err := b.rows("csv", 200_000)
	if err != nil {
		return err
	}
	s, err := b.startServer(0)
	if err != nil {
		return err
	}
	defer s.stop()
	lines := filepath.Join(b.dir, "floor.csv")
	ours, floor, ratio, err := b.inTurn(
		func() (usage, error) {
			return b.runOnce("personalize", file, "--base-url", s.base, "--rate", unlimited, "--max-in-flight", fmt.Sprint(inFlight))
		},
		func() (usage, error) { return run([]int{0}, b.self, "part", "send", file, s.base, lines) })
	if err != nil {
		return err
	}
	c, err := s.counts()
	if err == nil && c.Requests != 2*b.turns*200_000+b.turns { // ours looks at the applications first
		err = fmt.Errorf("the server got %d requests", c.Requests)
	}
	perRow := func(u usage) string { return fmt.Sprintf("%.1f µs", u.cpu/200_000*1e6) }
	line("whole job, 200,000 rows, 64 in flight: client CPU a row", perRow(ours), perRow(floor), fmt.Sprintf("%.2f", ratio.cpu), "at most 1.25")
	line("the same: time", fmt.Sprintf("%.0f rows/s", 200_000/ours.wall), fmt.Sprintf("%.0f rows/s", 200_000/floor.wall), fmt.Sprintf("%.2f", ratio.wall), "at most 1.25")
	line("the same: peak memory", fmt.Sprintf("%.0f MB", ours.memory), fmt.Sprintf("%.0f MB", floor.memory), "", "at most 80 MB")
	return err
}

// slowServer measures how well requests under way are kept up.
func slowServer(b *bench) error {
	const delay, rows = 50 * time.Millisecond, 20_000
	file, err := b.rows("csv", rows)
	if err != nil {
		return err
	}
	s, err := b.startServer(delay)
	if err != nil {
		return err
	}
	defer s.stop()
	if _, err := b.runOnce("personalize", file, "--base-url", s.base, "--rate", unlimited, "--max-in-flight", fmt.Sprint(inFlight)); err != nil {
		return err
	}
	c, err := s.counts()
	ideal := float64(inFlight) / delay.Seconds()
	got := float64(c.Requests-inFlight) / c.Since.Seconds() // the first ones come at once
	line("server of 50 ms, 64 in flight", fmt.Sprintf("%.0f rows/s", got), fmt.Sprintf("ideal %.0f", ideal), fmt.Sprintf("%.3f", got/ideal), "at least 0.96")
	return err
}

// rates measures how the limit is used, and kept.
func rates(b *bench) error {
	for _, m := range []struct {
		rate, rows int
		wanted     string
	}{{50, 3000, "at least 0.99"}, {2000, 40_000, "at least 0.98"}} {
		file, err := b.rows("csv", m.rows)
		if err != nil {
			return err
		}
		s, err := b.startServer(0)
		if err != nil {
			return err
		}
		u, err := b.runOnce("personalize", file, "--base-url", s.base, "--rate", fmt.Sprint(m.rate))
		if err != nil {
			return errors.Join(err, fmt.Errorf("rate %d", m.rate))
		}
		c, err := s.counts()
		s.stop()
		if err != nil {
			return err
		}
		got := float64(c.Requests-1) / c.Since.Seconds()
		line(fmt.Sprintf("--rate %d: requests a second", m.rate),
			fmt.Sprintf("%.2f, %d in the busiest second, %.2f %% of a core", got, c.Busiest, 100*u.cpu/u.wall), fmt.Sprint(m.rate),
			fmt.Sprintf("%.3f", got/float64(m.rate)), m.wanted)
	}
	return nil
}

// starts measures the time to the first request, and the program's size.
func starts(b *bench) error {
	for _, n := range []int{1000, b.scale * million} {
		file, err := b.rows("csv", n)
		if err != nil {
			return err
		}
		var all []float64
		for range b.turns {
			s, err := b.startServer(0)
			if err != nil {
				return err
			}
			began := time.Now()
			if _, err := b.runOnce("personalize", file, "--base-url", s.base, "--limit", "1"); err != nil {
				return err
			}
			c, err := s.counts()
			s.stop()
			if err != nil {
				return err
			}
			all = append(all, c.First.Sub(began).Seconds()*1000)
		}
		line(fmt.Sprintf("start to first request, CSV of %d rows", n), fmt.Sprintf("%.0f ms", median(all)), "", "", "under 100 ms")
	}
	info, err := os.Stat(b.ours)
	if err != nil {
		return err
	}
	line("the stripped program", fmt.Sprintf("%.1f MB", float64(info.Size())/million), "", "", "under 30 MB")
	return nil
}

// checkpoints measures what one a second costs, and a resume near the end.
func checkpoints(b *bench) error {
	n := b.scale * million
	file, err := b.rows("csv", n)
	if err != nil {
		return err
	}
	out := filepath.Join(b.dir, "resumed")
	defer os.RemoveAll(out)
	if _, err := run([]int{0}, b.ours, "personalize", file, "--dry-run=validate", "--limit", fmt.Sprint(n/10*9), "--out", out, "--quiet"); err != nil {
		return err
	}
	s, err := b.startServer(0)
	if err != nil {
		return err
	}
	defer s.stop()
	if err := reopen(out, s.base); err != nil {
		return err
	}
	began := time.Now()
	if _, err := run([]int{6}, b.ours, "resume", out, "--rate", "50", "--max-duration", "1s", "--quiet"); err != nil {
		return err
	}
	c, err := s.counts()
	line(fmt.Sprintf("resume at row %d of %d: first request", n/10*9, n), fmt.Sprintf("%.0f ms", c.First.Sub(began).Seconds()*1000), "", "", "under 2000 ms")
	return err
}

// reopen makes of a dry run over the first rows a run that was interrupted
// after them: sending so many would take too long.
func reopen(out, base string) error {
	for _, name := range []string{"results.csv", "failed.csv"} {
		if err := os.Rename(filepath.Join(out, name), filepath.Join(out, name+".part")); err != nil {
			return err
		}
	}
	err := edit(filepath.Join(out, "checkpoint.json"), func(c map[string]json.RawMessage) { c["ended"] = json.RawMessage("false") })
	return errors.Join(err, edit(filepath.Join(out, "job.json"), func(spec map[string]json.RawMessage) {
		delete(spec, "limit")
		spec["settings"], _ = json.Marshal(map[string][]string{"base-url": {base}})
	}))
}

// edit changes a JSON file; numbers keep their digits.
func edit(path string, change func(map[string]json.RawMessage)) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var object map[string]json.RawMessage
	if err := json.NewDecoder(bytes.NewReader(data)).Decode(&object); err != nil {
		return err
	}
	change(object)
	if data, err = json.Marshal(object); err != nil {
		return err
	}
	return os.WriteFile(path, data, 0o600)
}
