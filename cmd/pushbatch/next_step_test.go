package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"pushbatch/batch"
	"pushbatch/writers/report"
)

// What the platform does not find at an address has no cell that could be mended.
func TestNextStepOfWhatIsNotFound(t *testing.T) {
	t.Parallel()
	s := report.Summary{
		Operation: "personalize", Run: "run", Outcome: report.Completed, ExitCode: exitBadRows, Statuses: report.Counts{Failed: 2},
		ErrorCodes: []report.Code{{Code: "NOT_FOUND", Status: batch.Failed, Count: 2}},
	}
	want := []report.Step{{
		Say:     "check the base URL and the ids; where the URL was wrong, give the right one and send the rows again",
		Command: "pushbatch retry run --code NOT_FOUND",
	}}
	if diff := cmp.Diff(want, s.Next(&report.Run{Explain: explain})); diff != "" {
		t.Error(diff)
	}
}
