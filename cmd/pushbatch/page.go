package main

import (
	"fmt"
	"html"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"pushbatch/batch"
	"pushbatch/batch/ops"
	"pushbatch/batch/runstore"
	"pushbatch/writers"
)

// Bounds of what the page lists, so that no run makes it large. Texts that are
// not ours are bounded by the bytes they take in the page.
const (
	pageInputs  = 20
	pageColumns = 120 // of all inputs together
	pageCodes   = 25  // explained and with examples
	pageValues  = 20  // of a property of an inventory
	pageText    = 300
	pageName    = 100 // of a column, an input
)

// pageOf is report.html of a run: what summary.json and job.json say, for
// people.
func pageOf(s *summary, spec *runSpec) *writers.Page {
	p := &writers.Page{
		Title: "pushbatch " + s.Operation + ": " + cutTo(runName(s.Run), pageName), Subtitle: cut(s.Run),
		Outcome: outcomeLine(s), Remedy: s.Remedy,
		Counts: pageCounts(s), Facts: append(pageFacts(s), s.pageTable()...), Charts: s.pageCharts(),
		Series: pageTimeline(s), Quantiles: []writers.Quantile{
			{Name: "p50", Millis: s.Latency.P50}, {Name: "p90", Millis: s.Latency.P90}, {Name: "p99", Millis: s.Latency.P99},
		},
		Inputs: pageInputsOf(spec),
		Made:   fmt.Sprintf("Made by pushbatch %s at %s.", s.Version, s.EndedAt.Format(pageTime)),
	}
	p.Verdict, p.Headline = verdictOf(s)
	p.Next = pageNext(s, spec)
	for _, b := range s.Distribution {
		p.Latency = append(p.Latency, writers.LatencyBar(b))
	}
	p.Errors, p.MoreErrors = pageErrors(s, spec)
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

// pageTime is how the page writes moments.
const pageTime = "2006-01-02 15:04:05 UTC"

// runName is the last part of a run's path.
func runName(run string) string { return path.Base(filepath.ToSlash(filepath.Clean(run))) }

func pageTimeline(s *summary) writers.Timeline {
	t := &s.Timeline
	return writers.Timeline{
		StepSeconds: t.StepSeconds, Seconds: s.Elapsed,
		Succeeded: t.Succeeded, Skipped: t.Skipped, Failed: t.Failed, Rejected: t.Rejected,
		Requests: t.Requests, Throttled: t.Throttled,
	}
}

// pageErrors explains the most frequent codes; the others are only counted.
func pageErrors(s *summary, spec *runSpec) (explained, counted []writers.ErrorGroup) {
	for i, c := range s.ErrorCodes {
		g := errorGroup(fmt.Sprintf("error_codes.%d.count", i), &c)
		for n := range g.Examples {
			g.Examples[n].Source = cutTo(shortSource(g.Examples[n].Source, spec), pageName)
		}
		if i < pageCodes {
			explained = append(explained, g)
			continue
		}
		g.Count, g.Examples = grouped(c.Count), nil
		counted = append(counted, g)
	}
	return explained, counted
}

// shortSource names an input by the last part of its name, if no other input
// ends like that: a whole path in every line makes a page that nobody reads on
// a phone.
func shortSource(name string, spec *runSpec) string {
	if name == "" {
		return "" // not known
	}
	short, same := runName(name), 0
	for _, in := range spec.Inputs {
		if in.Name != name && runName(in.Name) == short {
			same++
		}
	}
	if same > 0 || len(spec.Inputs) > 100 {
		return name
	}
	return short
}

// verdictOf says how a run ended in two or three words.
func verdictOf(s *summary) (v writers.Verdict, headline string) {
	switch {
	case s.Outcome == outcomeRunning:
		return writers.Running, "Going on"
	case s.Outcome == outcomeInterrupted:
		return writers.Stopped, "Interrupted"
	case s.Outcome != outcomeCompleted:
		return writers.Stopped, "Stopped"
	case s.ExitCode != exitDone && s.Rows == 0:
		return writers.Bad, "Ended without a row"
	case s.ExitCode != exitDone && s.DryRun:
		return writers.Bad, "Checked, with errors"
	case s.ExitCode != exitDone:
		return writers.Bad, "Ended, with errors"
	case s.DryRun:
		return writers.Good, "Checked, all rows are valid"
	}
	return writers.Good, "Done"
}

// outcomeLine says in one line how a run ended, or where it stands.
func outcomeLine(s *summary) string {
	line := fmt.Sprintf("%s of %s rows succeeded", grouped(s.Statuses.Succeeded), grouped(s.Rows))
	if s.DryRun {
		line = fmt.Sprintf("Dry run: %s of %s rows are valid; nothing was sent", grouped(s.Rows-s.Statuses.bad()), grouped(s.Rows))
	}
	if bad := s.Statuses.bad(); bad > 0 {
		line += fmt.Sprintf(", %s did not", grouped(bad))
		if s.DryRun {
			line = strings.TrimSuffix(line, " did not") + " are not"
		}
	}
	switch s.Outcome {
	case outcomeRunning:
		return line + ", as of " + s.EndedAt.Format(pageTime) + "."
	case outcomeInterrupted:
		return line + " until the run was cut off, by a crash or a kill."
	case outcomeStopped:
		line = "Stopped: " + cut(s.Reason) + ". " + line
	}
	return fmt.Sprintf("%s (exit code %d).", line, s.ExitCode)
}

// pageNext is the command that goes on from here; nil: none does.
func pageNext(s *summary, spec *runSpec) *writers.NextStep {
	run := shellWord(s.Run)
	switch {
	case s.Outcome == outcomeRunning:
		return &writers.NextStep{Say: "To see where it stands", Command: "pushbatch status " + run}
	case s.inputBroken():
		return nil // the reason says what to mend; a new run has no command to copy
	case s.Outcome != outcomeCompleted && spec.resumable():
		return &writers.NextStep{Say: "To go on where this run stands", Command: "pushbatch resume " + run}
	case s.Outcome == outcomeCompleted && s.ExitCode == exitBadRows && (spec.Redaction != nil || s.allFailedForNow() && s.Operation != exportOperation):
		return &writers.NextStep{Say: "To send the failed rows again as they are", Command: "pushbatch retry " + run}
	case s.Outcome == outcomeCompleted && s.ExitCode == exitBadRows && s.Operation != exportOperation:
		failed := shellWord(strings.TrimSuffix(s.Run, "/") + "/" + runstore.FailedFile)
		return &writers.NextStep{Say: "Mend the rows and give them back", Command: "pushbatch " + s.Operation + " " + failed}
	}
	return nil
}

// resumable reports whether every input can be read again.
func (s *runSpec) resumable() bool {
	return !slices.ContainsFunc(s.Inputs, func(in inputSpec) bool { return in.Size < 0 })
}

func pageCounts(s *summary) []writers.Fact {
	left := max(0, s.Total-s.Rows)
	if s.Unsent != nil {
		left = *s.Unsent
	}
	whole := s.Rows + left
	fact := func(name, key, class string, n int64) writers.Fact {
		return writers.Fact{Name: name, Value: grouped(n), Key: key, Raw: fmt.Sprint(n), Class: class, Note: writers.Percent(n, whole)}
	}
	all := writers.Fact{Name: "Rows done", Value: grouped(s.Rows), Key: "rows", Raw: fmt.Sprint(s.Rows)}
	facts := []writers.Fact{
		all, fact("Succeeded", "statuses.succeeded", "ok", s.Statuses.Succeeded),
		fact("Failed", "statuses.failed", "failed", s.Statuses.Failed), fact("Rejected", "statuses.rejected", "rejected", s.Statuses.Rejected),
		fact("Skipped", "statuses.skipped", "skipped", s.Statuses.Skipped),
	}
	switch {
	case s.Unsent != nil:
		return append(facts, fact("Unsent", "unsent", "left", *s.Unsent))
	case s.Total > 0:
		about := fact("Left", "", "left", left)
		about.Value, about.Note = "about "+about.Value, "about "+about.Note
		return append(facts, about)
	}
	return append(facts, writers.Fact{Name: "Unsent", Value: "not known"})
}

func pageFacts(s *summary) []writers.Fact {
	fact := func(name, key, shown string, value any) writers.Fact {
		return writers.Fact{Name: name, Value: shown, Key: key, Raw: fmt.Sprint(value)}
	}
	ended := "Ended"
	if s.Outcome == outcomeRunning || s.Outcome == outcomeInterrupted {
		ended = "As of"
	}
	facts := []writers.Fact{
		{Name: "Started", Value: s.StartedAt.Format(pageTime)},
		{Name: ended, Value: s.EndedAt.Format(pageTime)},
		{Name: "Worked", Value: seconds(s.Elapsed)},
		fact("Executions", "executions", fmt.Sprint(s.Executions), s.Executions),
		fact("Rows a second", "rows_per_second", rateText(s.RowsPerSec), s.RowsPerSec),
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
		Code: cutTo(c.Code, pageName), Status: c.Status.String(), Key: key, Raw: fmt.Sprint(c.Count),
		Count:   grouped(c.Count) + " " + plural(c.Count, "row"),
		Meaning: "This version does not know the code.", Remedy: "See the message, and the platform's documentation.",
	}
	if e, ok := ops.Explain(c.Code); ok {
		g.Meaning, g.Remedy = e.Meaning, e.Remedy
	}
	for _, e := range append([]batch.Example{c.Example}, c.More...) {
		g.Examples = append(g.Examples, writers.ErrorExample{Row: e.Row, Source: e.Source, SourceRow: e.SourceRow, Message: cut(e.Message)})
	}
	return g
}

func pageInputsOf(spec *runSpec) []writers.PageInput {
	var inputs []writers.PageInput
	room := pageColumns
	for i, in := range spec.Inputs {
		if i == pageInputs {
			return append(inputs, writers.PageInput{Name: fmt.Sprintf("%d more inputs", len(spec.Inputs)-i), Detected: "See job.json."})
		}
		input := writers.PageInput{Name: cutTo(in.Name, pageText), Detected: in.Detected}
		if i < len(spec.Columns) {
			columns := spec.Columns[i]
			if i > 0 && slices.Equal(columns, spec.Columns[i-1]) {
				input.Detected += ", the same columns as the input before"
				columns = nil
			}
			input.More = max(0, len(columns)-room)
			room -= len(columns) - input.More
			for _, c := range columns[:len(columns)-input.More] {
				input.Columns = append(input.Columns, writers.PageColumn{
					Column: cutTo(c.Column, pageName), Target: cutTo(c.Target, pageName), Use: c.Use,
				})
			}
		}
		inputs = append(inputs, input)
	}
	return inputs
}

// cut bounds a text that is not ours.
func cut(text string) string { return cutTo(text, pageText) }

// cutTo bounds a text to what it takes in the page, in bytes.
func cutTo(text string, most int) string {
	if len(text) <= most/len("&#34;") {
		return text
	}
	size := 0
	for i, r := range text {
		if size += len(html.EscapeString(string(r))); size > most {
			return text[:i] + "…"
		}
	}
	return text
}

func fileMeaning(name string) string {
	switch strings.TrimSuffix(name, runstore.PartSuffix) {
	case runstore.FailedFile:
		return "the rows that did not succeed, as they were read: mend them and give the file back as input"
	case runstore.RequestsFile:
		return "the requests that would be sent"
	case runstore.SummaryFile:
		return "the numbers of this page for machines"
	case writers.ReportFile:
		return "this page"
	}
	return "one line for every row, in input order"
}
