package main

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"pushbatch/batch"
	"pushbatch/batch/ops"
	"pushbatch/writers"
)

// Bounds of what the page lists, so that no run makes it large.
const (
	pageInputs  = 20
	pageColumns = 60
	pageText    = 400 // characters of a text that is not ours
)

// pageOf is report.html of a run: what summary.json and job.json say, for
// people.
func pageOf(s *summary, spec *runSpec) *writers.Page {
	p := &writers.Page{
		Title: "pushbatch " + s.Operation + ": " + filepath.Base(s.Run), Outcome: outcomeLine(s),
		Good: s.ExitCode == exitDone, Stopped: s.Outcome == "stopped",
		Counts: pageCounts(s), Facts: append(pageFacts(s), s.pageTable()...), Charts: s.pageCharts(),
		Series: writers.Timeline{StepSeconds: s.Timeline.StepSeconds, Rows: s.Timeline.done(), Throttled: s.Timeline.Throttled},
		Made:   fmt.Sprintf("Made by pushbatch %s at %s.", s.Version, s.EndedAt.Format("2006-01-02 15:04:05 UTC")),
	}
	for _, b := range s.Distribution {
		p.Latency = append(p.Latency, writers.LatencyBar(b))
	}
	for i, c := range s.ErrorCodes {
		p.Errors = append(p.Errors, errorGroup(fmt.Sprintf("error_codes.%d.count", i), &c))
	}
	p.Inputs = pageInputsOf(spec)
	for _, name := range slices.Sorted(maps.Keys(spec.Settings)) {
		value := strings.Join(spec.Settings[name], ", ")
		if strings.HasSuffix(name, "-url") {
			value = maskedURL(value)
		}
		p.Setting = append(p.Setting, writers.Fact{Name: name, Value: cut(value)})
	}
	for _, f := range s.Files {
		p.Files = append(p.Files, writers.Fact{Name: filepath.Base(f), Value: fileMeaning(filepath.Base(f))})
	}
	if spec.Redaction != nil {
		p.Made += " Values of rows are replaced by a keyed hash."
	}
	return p
}

// outcomeLine says in one line how a run ended.
func outcomeLine(s *summary) string {
	line := fmt.Sprintf("%s of %s rows succeeded", grouped(s.Statuses.Succeeded), grouped(s.Rows))
	if s.DryRun {
		line = fmt.Sprintf("Dry run: %s of %s rows are valid; nothing was sent", grouped(s.Rows-s.Statuses.bad()), grouped(s.Rows))
	}
	if bad := s.Statuses.bad(); bad > 0 {
		line += fmt.Sprintf(", %s did not", grouped(bad))
	}
	if s.Outcome == "stopped" {
		line = "Stopped: " + cut(s.Reason) + ". " + line
	}
	return fmt.Sprintf("%s (exit code %d).", line, s.ExitCode)
}

func pageCounts(s *summary) []writers.Fact {
	fact := func(name, key string, n int64) writers.Fact {
		return writers.Fact{Name: name, Value: grouped(n), Key: key, Raw: fmt.Sprint(n)}
	}
	facts := []writers.Fact{
		fact("Rows", "rows", s.Rows), fact("Succeeded", "statuses.succeeded", s.Statuses.Succeeded),
		fact("Failed", "statuses.failed", s.Statuses.Failed), fact("Rejected", "statuses.rejected", s.Statuses.Rejected),
		fact("Skipped", "statuses.skipped", s.Statuses.Skipped),
	}
	if s.Unsent == nil {
		return append(facts, writers.Fact{Name: "Unsent", Value: "not known"})
	}
	return append(facts, fact("Unsent", "unsent", *s.Unsent))
}

func pageFacts(s *summary) []writers.Fact {
	fact := func(name, key, shown string, value any) writers.Fact {
		return writers.Fact{Name: name, Value: shown, Key: key, Raw: fmt.Sprint(value)}
	}
	facts := []writers.Fact{
		{Name: "Started", Value: s.StartedAt.Format("2006-01-02 15:04:05 UTC")},
		{Name: "Ended", Value: s.EndedAt.Format("2006-01-02 15:04:05 UTC")},
		{Name: "Worked", Value: seconds(s.Elapsed)},
		fact("Sittings", "sittings", fmt.Sprint(s.Sittings), s.Sittings),
		{Name: "Rows a second", Value: fmt.Sprintf("%.1f", s.RowsPerSec)},
	}
	if s.Requests == 0 {
		return facts
	}
	facts = append(
		facts, fact("Requests", "requests", grouped(s.Requests), s.Requests), fact("Repetitions", "retries", grouped(s.Retries), s.Retries),
		fact("Refused (429)", "throttled", grouped(s.Throttled), s.Throttled),
	)
	if s.Latency.Max == 0 {
		return facts // no row had a request of its own
	}
	return append(
		facts, fact("Latency p50", "latency_ms.p50", ms(s.Latency.P50), s.Latency.P50), fact("Latency p90", "latency_ms.p90", ms(s.Latency.P90), s.Latency.P90),
		fact("Latency p99", "latency_ms.p99", ms(s.Latency.P99), s.Latency.P99), fact("Latency, longest", "latency_ms.max", ms(s.Latency.Max), s.Latency.Max),
	)
}

func errorGroup(key string, c *code) writers.ErrorGroup {
	g := writers.ErrorGroup{
		Code: c.Code, Status: c.Status.String(), Key: key, Raw: fmt.Sprint(c.Count),
		Count:   grouped(c.Count) + " " + plural(c.Count, "row"),
		Meaning: "This version does not know the code.", Remedy: "See the message, and the platform's documentation.",
	}
	if e, ok := ops.Explain(c.Code); ok {
		g.Meaning, g.Remedy = e.Meaning, e.Remedy
	}
	for _, e := range append([]batch.Example{c.Example}, c.More...) {
		g.Examples = append(g.Examples, writers.ErrorExample{Row: e.Row, Source: cut(e.Source), SourceRow: e.SourceRow, Message: cut(e.Message)})
	}
	return g
}

func pageInputsOf(spec *runSpec) []writers.PageInput {
	var inputs []writers.PageInput
	for i, in := range spec.Inputs {
		if i == pageInputs {
			return append(inputs, writers.PageInput{Name: fmt.Sprintf("%d more inputs", len(spec.Inputs)-i), Detected: "See job.json."})
		}
		input := writers.PageInput{Name: cut(in.Name), Detected: in.Detected}
		if i < len(spec.Columns) {
			columns := spec.Columns[i]
			input.More = max(0, len(columns)-pageColumns)
			for _, c := range columns[:len(columns)-input.More] {
				input.Columns = append(input.Columns, writers.PageColumn{Column: cut(c.Column), Target: c.Target, Use: c.Use})
			}
		}
		inputs = append(inputs, input)
	}
	return inputs
}

// cut bounds a text that is not ours.
func cut(text string) string {
	if r := []rune(text); len(r) > pageText {
		return string(r[:pageText]) + "…"
	}
	return text
}

func fileMeaning(name string) string {
	switch name {
	case writers.FailedFile:
		return "the rows that did not succeed, as they were read: mend them and give the file back as input"
	case writers.RequestsFile:
		return "the requests that would be sent"
	case writers.SummaryFile:
		return "the numbers of this page for machines"
	case writers.ReportFile:
		return "this page"
	}
	return "one line for every row, in input order"
}
