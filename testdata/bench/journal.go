package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// journal measures what the journal costs a whole job: the program against itself,
// built from the same sources but for the line that opens the journal.
func journal(b *bench) error {
	without, err := b.buildWithout("cmd/pushbatch/run.go", "x.journal, err = x.folder.OpenJournal(x.point); ")
	if err != nil {
		return err
	}
	const rows = 50_000
	file, err := b.rows("csv", rows)
	if err != nil {
		return err
	}
	s, err := b.startServer(0)
	if err != nil {
		return err
	}
	defer s.stop()
	once := func(program string) func() (usage, error) {
		return func() (usage, error) {
			return b.runProgram(program, "personalize", file, "--base-url", s.base, "--rate", unlimited, "--max-in-flight", fmt.Sprint(inFlight))
		}
	}
	ours, bare, ratio, err := b.inTurn(once(b.ours), once(without))
	if err != nil {
		return err
	}
	c, err := s.counts()
	if err == nil && c.Requests != 2*b.turns*(rows+1) { // each looks at the applications first
		err = fmt.Errorf("the server got %d requests", c.Requests)
	}
	perRow := func(u usage) string { return fmt.Sprintf("%.1f µs", u.cpu/rows*1e6) }
	line("whole job with the journal and without: client CPU a row", perRow(ours), perRow(bare), fmt.Sprintf("%.3f", ratio.cpu), "")
	line("the same: time", fmt.Sprintf("%.0f rows/s", rows/ours.wall), fmt.Sprintf("%.0f rows/s", rows/bare.wall), fmt.Sprintf("%.3f", ratio.wall), "at most 1.02")
	return err
}

// buildWithout builds the program without a text of one file.
func (b *bench) buildWithout(file, text string) (program string, err error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	if strings.Count(string(data), text) != 1 {
		return "", fmt.Errorf("%s does not hold %q once: mend this measure", file, text)
	}
	changed, overlay := filepath.Join(b.dir, "changed.go"), filepath.Join(b.dir, "overlay.json")
	program = filepath.Join(b.dir, "without")
	full, err := filepath.Abs(file)
	if err != nil {
		return "", err
	}
	list, err := json.Marshal(map[string]map[string]string{"Replace": {full: changed}})
	err = errors.Join(err, os.WriteFile(changed, []byte(strings.ReplaceAll(string(data), text, "")), 0o600), os.WriteFile(overlay, list, 0o600))
	if err != nil {
		return "", err
	}
	return program, build(program, "./cmd/pushbatch", "-overlay", overlay)
}
