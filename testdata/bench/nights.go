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
	planned, err := run([]int{0}, b.ours, "inspect", changed, "--rows", "1", "--base-url", s.base, "--delta", state)
	if err != nil {
		return err
	}
	night, err := b.runOnce(args(changed, "--mirror")...)
	ended := time.Now()
	if err != nil {
		return err
	}
	c, err := s.counts()
	if err == nil && c.Requests < n/100 { // the look at the application comes on top
		err = fmt.Errorf("the server got %d requests", c.Requests)
	}
	show := func(what, got, wanted string) {
		line(fmt.Sprintf("delta, %d million devices: %s", b.scale, what), got, "", "", wanted)
	}
	shown := func(u usage) string { return fmt.Sprintf("%.0f s, %.0f s of CPU, %.0f MB", u.wall, u.cpu, u.memory) }
	show("adopting all", shown(adopted), "")
	show("the state", fmt.Sprintf("%.0f MB", float64(size)/million), "at most 50 MB a million")
	show("1 % changed: the plan alone", shown(planned), "at most 9 s a million")
	show("the same: from the last request to the end", fmt.Sprintf("%.1f s", ended.Sub(c.Last).Seconds()), "at most 6 s a million")
	show("the same: whole run", shown(night), "at most 150 MB")
	last, err2 := b.runOnce("personalize", changed, "--dry-run=validate", "--on-duplicate", "last")
	if err == nil {
		err = err2
	}
	show("--on-duplicate last, validation", shown(last), "at most 150 MB")
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
