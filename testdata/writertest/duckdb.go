// Package writertest lets tests ask DuckDB about the files that were written.
package writertest

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"pushbatch/testdata/thorough"
)

// DuckDBTold is what a script in testdata/duckdb says of the files it read.
type DuckDBTold struct {
	Rows  int
	Types map[string]string // of the columns, in DuckDB's words
}

// AskDuckDB has a script read the files in a folder; it must find that many
// rows.
func AskDuckDB(t *testing.T, script, dir string, rows int) (told DuckDBTold) {
	t.Helper()
	out := RunDuckDB(t, script, dir)
	if err := json.Unmarshal(out, &told); err != nil || told.Rows != rows {
		t.Fatalf("%v, want %d rows\n%s", err, rows, out)
	}
	return told
}

// RunDuckDB runs a script in testdata/duckdb and returns what it prints.
func RunDuckDB(t *testing.T, args ...string) []byte {
	t.Helper()
	command := exec.CommandContext(t.Context(), "node", args...)
	command.Dir = DuckDB(t)
	var talk strings.Builder
	command.Stderr = &talk
	out, err := command.Output()
	if err != nil {
		t.Fatalf("%v\n%s\n%s", err, out, talk.String())
	}
	return out
}

// DuckDB is the folder of the scripts. Tests that need it run with FULL_TESTS=1,
// and fail then where it is not installed.
func DuckDB(t *testing.T) (tools string) {
	t.Helper()
	thorough.Only(t)
	for _, above := range []string{".", ".."} { // of the package under test
		tools = filepath.Join(above, "testdata", "duckdb")
		if _, err := os.Stat(filepath.Join(tools, "node_modules")); err == nil {
			return tools
		}
	}
	t.Fatal("run npm ci in writers/testdata/duckdb")
	return ""
}
