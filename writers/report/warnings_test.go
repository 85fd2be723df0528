package report

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"pushbatch/batch"
)

// Warnings are counted the same in the rows, the summary, the page and the
// terminal, whatever rows there are.
func TestWarningsAreCountedTheSame(t *testing.T) {
	t.Parallel()
	for seed := range uint64(100) {
		dice := rand.New(rand.NewPCG(seed, 1))
		var tally batch.Tally
		want := map[string]int64{}
		for row := range int64(dice.IntN(60)) {
			out := batch.Outcome{Status: batch.Succeeded}
			for range dice.IntN(4) {
				code := []string{"cell_omitted", "cell_nulled", "answer_differs", "duplicate_device"}[dice.IntN(4)]
				column := ""
				if code != "duplicate_device" {
					column = fmt.Sprintf("Spalte %d: %s", dice.IntN(300), []string{"x", "x;y", `"x"`, "x\ny", ";"}[dice.IntN(5)])
				}
				out.Warn(code, column)
			}
			if out.Warnings != "" { // as a reader of the results would count
				list := csv.NewReader(strings.NewReader(out.Warnings))
				list.Comma, list.FieldsPerRecord = ';', -1
				warnings, err := list.Read()
				if err != nil {
					t.Fatal(err)
				}
				for _, warning := range warnings {
					code, _, _ := strings.Cut(warning, ":")
					want[code]++
				}
			}
			tally.Add(&batch.Result{Row: batch.Row{Num: row + 1, Source: "in.csv"}, Outcome: out})
		}
		s := new(Summary)
		s.Fill(tally, 0)
		var terminal bytes.Buffer
		s.Print(&terminal)
		page := string(Page(s, &Run{}))
		if len(s.Warnings) != len(want) {
			t.Fatalf("seed %d: %d codes, want %d", seed, len(s.Warnings), len(want))
		}
		for i, w := range s.Warnings {
			if w.Count != want[w.Code] || w.Example.Row == 0 {
				t.Errorf("seed %d: the summary counts %d of %s, want %d", seed, w.Count, w.Code, want[w.Code])
			}
			if line := fmt.Sprintf("  %s (warning): %d, first row %d ", w.Code, want[w.Code], w.Example.Row); !strings.Contains(terminal.String(), line) {
				t.Errorf("seed %d: the terminal lacks %q", seed, line)
			}
			if cell := fmt.Sprintf(`data-key="warnings.%d.count" data-value="%d"`, i, want[w.Code]); !strings.Contains(page, cell) {
				t.Errorf("seed %d: the page lacks %s", seed, cell)
			}
		}
	}
}
