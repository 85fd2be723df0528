package writers

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
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
	command := exec.Command("node", script, dir)
	command.Dir = DuckDB(t)
	var talk strings.Builder
	command.Stderr = &talk
	out, err := command.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, talk.String())
	}
	if err := json.Unmarshal(out, &told); err != nil || told.Rows != rows {
		t.Fatalf("%v\n%s", err, out)
	}
	return told
}

// DuckDB is the folder of the scripts. Outside CI a test is skipped where it is
// not installed.
func DuckDB(t *testing.T) (tools string) {
	t.Helper()
	tools = filepath.Join("testdata", "duckdb")
	if _, err := os.Stat(filepath.Join(tools, "node_modules")); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("run npm install in writers/testdata/duckdb")
		}
		t.Skip("DuckDB is not installed: run npm install in writers/testdata/duckdb")
	}
	return tools
}
