package main

import (
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"

	"github.com/rogpeppe/go-internal/testscript"
)

// halve OUT IN writes the first half of a file as gzip.
func halve(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: halve OUT IN")
	}
	var whole bytes.Buffer
	w := gzip.NewWriter(&whole)
	_, err := w.Write([]byte(ts.ReadFile(args[1])))
	ts.Check(err)
	ts.Check(w.Close())
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), whole.Bytes()[:whole.Len()/2], 0o600))
}

// changeGenerations STATE does something to every file with devices of a state.
func changeGenerations(change func(path string) error) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		if neg || len(args) != 1 {
			ts.Fatalf("usage: cutgenerations STATE")
		}
		files, err := filepath.Glob(filepath.Join(ts.MkAbs(args[0]), "devices-*.parquet"))
		ts.Check(err)
		if len(files) == 0 {
			ts.Fatalf("%s has no generation", args[0])
		}
		for _, file := range files {
			ts.Check(change(file))
		}
	}
}
