package main

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pushbatch/batch/ops"
)

// The README's table of error codes is the catalogue's.
// PUSHBATCH_WRITE_README=1 makes it so.
func TestREADMEHasTheCatalogue(t *testing.T) {
	t.Parallel()
	const file, begin, end = "../../README.md", "<!-- error codes: made from the catalogue -->\n", "<!-- end of the error codes -->\n"
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(data), begin)
	have, behind, ended := strings.Cut(rest, end)
	if !found || !ended {
		t.Fatalf("the README lacks %q or %q", begin, end)
	}
	want := codeTable()
	if os.Getenv("PUSHBATCH_WRITE_README") != "" {
		if err := os.WriteFile(file, []byte(before+begin+want+end+behind), 0o644); err != nil { //nolint:gosec // as it was
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, have); diff != "" {
		t.Errorf("the README's error codes are not the catalogue's; set PUSHBATCH_WRITE_README=1 to write them:\n%s", diff)
	}
}

func codeTable() string {
	var b strings.Builder
	cell := strings.NewReplacer("|", `\|`, "<", "&lt;", "*", `\*`)
	for _, group := range effectTitles {
		fmt.Fprintf(&b, "\n**%s**\n\n| code | meaning | what to do |\n|---|---|---|\n", group.title)
		for _, e := range ops.Catalogue() {
			if e.Effect == group.effect {
				fmt.Fprintf(&b, "| `%s` | %s | %s |\n", e.Code, cell.Replace(e.Meaning), cell.Replace(e.Remedy))
			}
		}
	}
	return b.String() + "\n"
}
