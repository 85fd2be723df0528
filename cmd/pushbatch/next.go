package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"pushbatch/batch"
	"pushbatch/batch/ops"
	"pushbatch/readers"
	"pushbatch/writers"
)

// tellNext says what to do next. For a stopped run that is the last line.
func (j *job) tellNext(w io.Writer, s *summary) {
	switch s.ExitCode {
	case exitDone:
	case exitUsage:
		fmt.Fprintf(w, "pushbatch: %s (give --allow-empty if that is fine)\n", j.noRow())
	case exitBadRows:
		if !j.flags.quiet {
			fmt.Fprintf(w, "next: %s\n", j.nextForBadRows(s))
		}
	default:
		if j.exporting() {
			fmt.Fprintf(w, "nothing was published at %s: that happens when the run has ended\n", j.flags.export.to)
		}
		j.tellResume(w, s)
	}
}

// nextForBadRows says what to do about rows that did not succeed: to mend them,
// or to send them again when nothing is wrong with them.
func (j *job) nextForBadRows(s *summary) string {
	retry := "pushbatch retry " + shellWord(j.folder.Path(""))
	rows, codes := s.failedForNow()
	switch {
	case s.allFailedForNow():
		return "send them again: " + retry + j.toAgain()
	case j.redactor != nil:
		return "failed.csv is redacted; mend the rows in the inputs, or send them again as they are: " + retry
	}
	failed := j.folder.Path(writers.FailedFile)
	next := fmt.Sprintf("mend %s and give it back: pushbatch %s %s%s%s", failed, j.operation.Name, shellWord(failed), j.meaning(), j.toAgain())
	if rows > 0 {
		next += fmt.Sprintf("; or only send again the %s %s that %s no mending: %s --code %s%s",
			grouped(rows), plural(rows, "row"), pick(rows, "needs", "need"), retry, strings.Join(codes, ","), j.toAgain())
	}
	return next
}

// failedForNow counts the rows that failed of what passes by itself, and names
// the codes.
func (s *summary) failedForNow() (rows int64, codes []string) {
	for _, c := range s.ErrorCodes {
		if c.Status == batch.Failed && ops.Temporary(c.Code) {
			rows += c.Count
			codes = append(codes, c.Code)
		}
	}
	return rows, codes
}

// allFailedForNow reports whether no bad row needs mending.
func (s *summary) allFailedForNow() bool {
	rows, _ := s.failedForNow()
	return rows > 0 && rows == s.Statuses.bad()
}

// meaningFlags decide what the cells of a row mean, and so what is sent of them.
var meaningFlags = []string{
	"map", "set", "null-literal", "phone-region", "ignore-unmapped",
	"force-depersonalize", "keep-as-lead", "set-device-as-primary", "return-push", "simulate",
}

// meaning are the flags without which failed.csv would mean something else than
// the inputs did, or go elsewhere.
func (j *job) meaning() string {
	var flags strings.Builder
	for _, name := range meaningFlags {
		for _, value := range j.spec.Settings[name] {
			flags.WriteString(" --" + name)
			if j.set.Lookup(name).Value.Type() != "bool" {
				flags.WriteString(" " + shellWord(value))
			}
		}
	}
	return flags.String()
}

// toAgain is what an export's command needs to be given again.
func (j *job) toAgain() string {
	if j.exporting() {
		return " --to URL"
	}
	return ""
}

// noRow says why a run had nothing to do.
func (j *job) noRow() string {
	if r := j.spec.Retry; r != nil && len(r.Codes) > 0 {
		return fmt.Sprintf("no row of %s is %s with code %s", r.Run, strings.Join(r.Statuses, " or "), strings.Join(r.Codes, " or "))
	} else if r != nil {
		return fmt.Sprintf("no row of %s is %s: --status takes failed, rejected or skipped", r.Run, strings.Join(r.Statuses, " or "))
	}
	if j.people != nil {
		return "the people listing has no push device that is asked for; nothing was published"
	}
	return "the inputs hold no row"
}

// tellResume says how a stopped run goes on.
func (j *job) tellResume(w io.Writer, s *summary) {
	if s.inputBroken() {
		done := "no row of this run is done"
		if s.Rows > 0 {
			done = fmt.Sprintf("%s of this run %s done (results.%s lists %s)", rowsUpTo(s.Rows), pick(s.Rows, "is", "are"), j.flags.results, pick(s.Rows, "it", "them"))
		}
		fmt.Fprintf(w, "the file must be mended, which makes it another input: start a new run over it; %s\n", done)
		return
	}
	for _, in := range j.spec.Inputs {
		if in.Size < 0 {
			fmt.Fprintf(w, "this run cannot be resumed, for %s cannot be read again: start a new one over the rows that its results do not list\n", in.Name)
			return
		}
	}
	fmt.Fprintf(w, "to go on where this run stands: pushbatch resume %s\n", shellWord(j.folder.Path("")))
}

// rowsUpTo names the first n rows.
func rowsUpTo(n int64) string {
	if n == 1 {
		return "row 1"
	}
	return "rows 1 to " + grouped(n)
}

// pick is one of two words, by number.
func pick(n int64, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// brokenInput are the codes of what only another file mends: resume would stop
// at the same place, and refuse the file once it is mended.
var brokenInput = []string{readers.CodeTruncated, readers.CodeCorrupt, readers.CodeQuote}

// inputBroken reports whether the run stopped at damage of an input.
func (s *summary) inputBroken() bool { return slices.Contains(brokenInput, s.ReasonCode) }
