package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pushbatch/apiclient/simulator"
	"pushbatch/writers/report"

	"github.com/google/go-cmp/cmp"
)

// A file that somebody writes to while it is read is told: rows after its old end
// are not in the run, which ends well otherwise.
func TestInputGrowsWhileItIsRead(t *testing.T) {
	t.Parallel()
	_, url := serve(t, simulator.Config{Limits: simulator.PushLimits(0, 0)})
	dir := t.TempDir()
	rows, err := os.ReadFile(updateRows(t))
	if err != nil {
		t.Fatal(err)
	}
	input := filepath.Join(dir, "grows.csv")
	if err := os.WriteFile(input, rows, 0o600); err != nil {
		t.Fatal(err)
	}
	c := start(t, url, dir, "update", "grows.csv", "--rate", "200", "--out", "run")
	eventually(t, "the run has begun", func() bool {
		_, err := os.Stat(filepath.Join(dir, "run", "checkpoint.json"))
		return err == nil
	})
	file, err := os.OpenFile(input, os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	_, err = file.WriteString("device-of-later,true,,,,\n")
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	if code := c.code(t); err != nil || code != exitDone {
		t.Fatalf("%v, exit code %d\n%s", err, code, &c.stderr)
	}
	if !strings.Contains(c.stderr.String(), "the input has changed while it was read") {
		t.Errorf("it says:\n%s", &c.stderr)
	}
}

// The columns of inputs that are alike are kept once, in memory and in job.json, and
// come back as they were.
func TestColumnsOfManyInputs(t *testing.T) {
	t.Parallel()
	wide := func(target string) (columns []report.Column) {
		for i := range 24 {
			columns = append(columns, report.Column{Column: fmt.Sprint("column ", i), Target: target, Use: "sent"})
		}
		return columns
	}
	spec := runSpec{Inputs: make([]inputSpec, 5000)}
	for i := range spec.Inputs {
		spec.noteColumns(i, wide(map[bool]string{true: "email"}[i == 2500]))
	}
	data, err := json.Marshal(spec.Columns)
	if err != nil || len(data) > 40_000 {
		t.Fatalf("%d bytes, %v", len(data), err)
	}
	if data, err = json.Marshal(spec); err != nil {
		t.Fatal(err)
	}
	var again runSpec
	if err := json.Unmarshal(data, &again); err != nil {
		t.Fatal(err)
	}
	for i := range spec.Inputs {
		if diff := cmp.Diff(wide(map[bool]string{true: "email"}[i == 2500]), again.columnsOf(i)); diff != "" {
			t.Error(diff)
		}
	}
	for _, s := range []*runSpec{&spec, &again} {
		if &s.columnsOf(1)[0] != &s.columnsOf(2499)[0] || &s.columnsOf(2501)[0] != &s.columnsOf(4999)[0] {
			t.Error("inputs that are alike have columns of their own")
		}
	}
}
