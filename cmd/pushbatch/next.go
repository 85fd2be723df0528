package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"pushbatch/batch/ops"
	"pushbatch/readers"
	"pushbatch/writers/report"
)

// brokenInput are the codes of what only another file mends: resume would stop
// at the same place, and refuse the file once it is mended.
var brokenInput = []string{readers.CodeTruncated, readers.CodeCorrupt, readers.CodeQuote, readers.CodeBound}

// explain says what an error code means.
func explain(code string) (report.Explanation, bool) {
	e, known := ops.Explain(code)
	return report.Explanation{
		Meaning: e.Meaning, Remedy: e.Remedy, Temporary: ops.Temporary(code), BrokenInput: slices.Contains(brokenInput, code),
	}, known
}

// forReport is what the page and the next step need of a run. Settings that came
// from variables are in force without being given again.
func (s *runSpec) forReport() *report.Run {
	r := &report.Run{Settings: make(map[string][]string), Redacted: s.Redaction != nil, Explain: explain, Given: s.Variables}
	for name, values := range s.Settings {
		r.Settings[name] = slices.Clone(values)
		if strings.HasSuffix(name, "-url") {
			r.Settings[name] = []string{maskedURL(strings.Join(values, ", "))}
		}
	}
	for i, in := range s.Inputs {
		input := report.Input{Name: in.Name, Detected: in.Detected, Once: in.Size < 0}
		if i < len(s.Columns) {
			for _, c := range s.Columns[i] {
				input.Columns = append(input.Columns, report.Column(c))
			}
		}
		r.Inputs = append(r.Inputs, input)
	}
	return r
}

// noteVariables notes which settings of a new run were given by variables.
func (s *runSpec) noteVariables(getenv func(string) (string, bool)) {
	for name, values := range s.Settings {
		for _, variable := range []string{envName(name), envAliases[name]} {
			if value, ok := getenv(variable); ok && value == strings.Join(values, "\n") {
				s.Variables = append(s.Variables, name)
				break
			}
		}
	}
	slices.Sort(s.Variables)
}

// tellNext says what to do next. For a stopped run that is the last line.
func (x *execution) printNext(w io.Writer, s *report.Summary) {
	run := x.spec.forReport()
	var steps []string
	for _, step := range s.Next(run) {
		steps = append(steps, step.Say+": "+step.Command)
	}
	switch {
	case s.ExitCode == exitDone:
	case s.ExitCode == exitUsage && s.Reason != "": // which says what to do
	case s.ExitCode == exitUsage:
		fmt.Fprintf(w, "pushbatch: %s (give --allow-empty if that is fine)\n", x.noRow())
	case s.ExitCode != exitBadRows:
		if x.exporting() {
			fmt.Fprintf(w, "nothing was published at %s: that happens when the run has ended\n", x.flags.export.to)
		}
		if !s.Resumable(run) {
			steps = []string{x.whyNotResumed(s)}
		}
		fmt.Fprintln(w, steps[0])
	case !x.flags.quiet && len(steps) > 0:
		fmt.Fprintf(w, "next: %s\n", strings.Join(steps, "; "))
	}
}

// noRow says why a run had nothing to do.
func (x *execution) noRow() string {
	if x.spec.Retry != nil {
		return x.spec.Retry.noRow()
	}
	if x.people != nil {
		return "the people listing has no push device that is asked for; nothing was published"
	}
	return "the inputs hold no row"
}

// whyNotResumed says how a run goes on that stopped and cannot be resumed.
func (x *execution) whyNotResumed(s *report.Summary) string {
	if slices.Contains(brokenInput, s.ReasonCode) {
		done := "no row of this run is done"
		if s.Rows > 0 {
			rows := "row 1"
			if s.Rows > 1 {
				rows = "rows 1 to " + report.Grouped(s.Rows)
			}
			done = fmt.Sprintf("%s of this run %s done (results.%s lists %s)", rows, report.Pick(s.Rows, "is", "are"), x.flags.results, report.Pick(s.Rows, "it", "them"))
		}
		return "the file must be mended, which makes it another input: start a new run over it; " + done
	}
	at := slices.IndexFunc(x.spec.Inputs, func(in inputSpec) bool { return in.Size < 0 })
	return fmt.Sprintf("this run cannot be resumed, for %s cannot be read again: start a new one over the rows that its results do not list", x.spec.Inputs[at].Name)
}
