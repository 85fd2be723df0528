package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"pushbatch/batch"
	"pushbatch/writers/report"
)

// What the platform does not find at an address has no cell that could be fixed.
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
	if diff := cmp.Diff(want, s.Next(&report.Run{})); diff != "" {
		t.Error(diff)
	}
}

// What is in S3 is found again only by those who say where S3 is.
func TestNextStepInS3(t *testing.T) {
	t.Parallel()
	r := &report.Run{Settings: map[string][]string{
		"s3-endpoint-url": {"http://127.0.0.1:9"}, "s3-path-style": {"true"}, "null-literal": {"true"}, "force-depersonalize": {"false"},
	}}
	s := report.Summary{Operation: "update", Run: "s3://bucket/run", Outcome: report.Stopped, ExitCode: 6}
	if got := s.Next(r)[0].Command; got != "pushbatch resume s3://bucket/run --s3-endpoint-url http://127.0.0.1:9 --s3-path-style" {
		t.Error(got)
	}
	s.Outcome, s.ExitCode, s.Statuses = report.Completed, 1, report.Counts{Rejected: 1}
	if got := s.Next(r)[0].Command; got != "pushbatch update s3://bucket/run/failed.csv --null-literal true --force-depersonalize=false --s3-endpoint-url http://127.0.0.1:9 --s3-path-style" {
		t.Error(got)
	}
}
