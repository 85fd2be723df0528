package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// nights measures a run with --delta over rows of which one in a hundred has changed,
// after one that took all of them as acknowledged.
func nights(b *bench) error {
	n := b.scale * million
	file, err := b.rows("csv", n)
	if err != nil {
		return err
	}
	changed := filepath.Join(b.dir, "changed.csv")
	if err := changeSome(file, changed); err != nil {
		return err
	}
	s, err := b.startServer(0)
	if err != nil {
		return err
	}
	defer s.stop()
	state := filepath.Join(b.dir, "state")
	defer os.RemoveAll(state)
	args := func(file string, more ...string) []string {
		return append([]string{"personalize", file, "--base-url", s.base, "--delta", state, "--rate", unlimited, "--max-in-flight", fmt.Sprint(inFlight)}, more...)
	}
	adopted, err := b.runOnce(args(file, "--delta-adopt")...)
	if err != nil {
		return err
	}
	size, err := sizeBelow(state)
	if err != nil {
		return err
	}
	began := time.Now()
	night, err := b.runOnce(args(changed, "--mirror")...)
	ended := time.Now()
	if err != nil {
		return err
	}
	c, err := s.counts()
	if err == nil && c.Requests != n/100 {
		err = fmt.Errorf("the server got %d requests", c.Requests)
	}
	show := func(what, got, wanted string) {
		line(fmt.Sprintf("delta, %d million devices: %s", b.scale, what), got, "", "", wanted)
	}
	show("adopting all", fmt.Sprintf("%.0f s, %.0f s of CPU, %.0f MB", adopted.wall, adopted.cpu, adopted.memory), "")
	show("the state", fmt.Sprintf("%.0f MB", float64(size)/million), "at most 50 a million")
	show("1 % changed: plan, to the first request", fmt.Sprintf("%.1f s", c.First.Sub(began).Seconds()), "at most 9 a million")
	show("the same: from the last request to the end", fmt.Sprintf("%.1f s", ended.Sub(c.Last).Seconds()), "at most 6 a million")
	show("the same: whole run", fmt.Sprintf("%.0f s, %.0f s of CPU, %.0f MB", night.wall, night.cpu, night.memory), "at most 150 MB")
	last, err2 := b.runOnce("personalize", changed, "--dry-run=validate", "--on-duplicate", "last")
	if err == nil {
		err = err2
	}
	show("--on-duplicate last, validation", fmt.Sprintf("%.0f s, %.0f s of CPU, %.0f MB", last.wall, last.cpu, last.memory), "at most 150 MB")
	return err
}

// changeSome copies rows; in every hundredth the person has another address.
func changeSome(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	defer out.Close()
	lines, w := bufio.NewScanner(in), bufio.NewWriterSize(out, million)
	for n := 0; lines.Scan(); n++ { // the header is line 0
		text := lines.Bytes()
		if n%100 == 1 {
			text = bytes.Replace(text, []byte("@example.com"), []byte("@example.org"), 1)
		}
		_, _ = w.Write(append(text, '\n')) // the error stays, and Flush returns it
	}
	if err := lines.Err(); err != nil {
		return err
	}
	return w.Flush()
}

func sizeBelow(folder string) (size int64, err error) {
	entries, err := os.ReadDir(folder)
	for _, e := range entries {
		info, statErr := e.Info()
		if statErr != nil {
			return 0, statErr
		}
		size += info.Size()
	}
	return size, err
}
