package main

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pushbatch/batch/ops"
)

// effectTitles say what a group of codes does, in the order in which they are listed.
var effectTitles = []struct {
	effect ops.Effect
	title  string
}{
	{ops.Rejects, "Rejected: the row is invalid and was never sent"},
	{ops.Fails, "Failed: the platform said no, or all attempts were used"},
	{ops.Warns, "Warnings: the row went through, and there is something to know of it"},
	{ops.Skips, "Skipped: there was nothing to do"},
	{ops.Stops, "Stopped: the run ended before its inputs did and can be resumed"},
	{ops.Refuses, "Refused: the run did not begin"},
}

// The help topic of error codes is the catalogue. WRITE_ERROR_CODES=1 makes it so.
func TestErrorsTopicIsTheCatalogue(t *testing.T) {
	t.Parallel()
	const file, begin, end = "help/errors.md", "<!-- error codes: made from the catalogue -->\n", "<!-- end of the error codes -->\n"
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(data), begin)
	have, behind, ended := strings.Cut(rest, end)
	if !found || !ended {
		t.Fatalf("help/errors.md lacks %q or %q", begin, end)
	}
	want := codeTable()
	if os.Getenv("WRITE_ERROR_CODES") != "" {
		if err := os.WriteFile(file, []byte(before+begin+want+end+behind), 0o644); err != nil { //nolint:gosec // as it was
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, have); diff != "" {
		t.Errorf("help/errors.md is not the catalogue; set WRITE_ERROR_CODES=1 to write them:\n%s", diff)
	}
}

func codeTable() string {
	var b strings.Builder
	cell := strings.NewReplacer("|", `\|`, "<", "&lt;", "*", `\*`)
	for _, group := range effectTitles {
		fmt.Fprintf(&b, "\n## %s\n\n| code | meaning | what to do |\n|---|---|---|\n", group.title)
		for _, e := range ops.Catalogue() {
			if e.Effect == group.effect {
				fmt.Fprintf(&b, "| `%s` | %s | %s |\n", e.Code, cell.Replace(e.Meaning), cell.Replace(e.Remedy))
			}
		}
	}
	return b.String() + "\n"
}
