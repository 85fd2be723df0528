package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"pushbatch/batch"
	"pushbatch/batch/ops"
	"pushbatch/batch/runstore"
	"pushbatch/readers"
)

// printNext says what to do next. For a stopped run that is the last line.
func (x *execution) printNext(w io.Writer, s *summary) {
	switch s.ExitCode {
	case exitDone:
	case exitUsage:
		if s.Reason != "" {
			return // which says what to do
		}
		fmt.Fprintf(w, "pushbatch: %s (give --allow-empty if that is fine)\n", x.noRow())
	case exitBadRows:
		if !x.flags.quiet {
			fmt.Fprintf(w, "next: %s\n", x.nextForBadRows(s))
		}
	default:
		if x.exporting() {
			fmt.Fprintf(w, "nothing was published at %s: that happens when the run has ended\n", x.flags.export.to)
		}
		x.printResume(w, s)
	}
}

// nextForBadRows says what to do about rows that did not succeed: to mend them,
// or to send them again when nothing is wrong with them.
func (x *execution) nextForBadRows(s *summary) string {
	retry := "pushbatch retry " + shellWord(x.folder.Path(""))
	rows, codes := s.failedForNow()
	switch {
	case s.allFailedForNow():
		return "send them again: " + retry + x.toAgain()
	case x.redactor != nil:
		return "failed.csv is redacted; mend the rows in the inputs, or send them again as they are: " + retry
	}
	failed := x.folder.Path(runstore.FailedFile)
	next := fmt.Sprintf("mend %s and give it back: pushbatch %s %s%s%s", failed, x.operation.Name, shellWord(failed), x.meaning(), x.toAgain())
	if rows > 0 {
		next += fmt.Sprintf("; or only send again the %s %s that %s no mending: %s --code %s%s",
			grouped(rows), plural(rows, "row"), pick(rows, "needs", "need"), retry, strings.Join(codes, ","), x.toAgain())
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

// meaning are the flags without which failed.csv would mean something else than
// the inputs did, or go elsewhere.
func (x *execution) meaning() string {
	var flags strings.Builder
	for _, name := range meaningFlags {
		for _, value := range x.spec.Settings[name] {
			flags.WriteString(" --" + name)
			if x.set.Lookup(name).Value.Type() != "bool" {
				flags.WriteString(" " + shellWord(value))
			}
		}
	}
	return flags.String()
}

// toAgain is what an export's command needs to be given again.
func (x *execution) toAgain() string {
	if x.exporting() {
		return " --to URL"
	}
	return ""
}

// noRow says why a run had nothing to do.
func (x *execution) noRow() string {
	if r := x.spec.Retry; r != nil && len(r.Codes) > 0 {
		return fmt.Sprintf("no row of %s is %s with code %s", r.Run, strings.Join(r.Statuses, " or "), strings.Join(r.Codes, " or "))
	} else if r != nil {
		return fmt.Sprintf("no row of %s is %s: --status takes failed, rejected or skipped", r.Run, strings.Join(r.Statuses, " or "))
	}
	if x.people != nil {
		return "the people listing has no push device that is asked for; nothing was published"
	}
	return "the inputs hold no row"
}

// printResume says how a stopped run goes on.
func (x *execution) printResume(w io.Writer, s *summary) {
	if s.inputBroken() {
		done := "no row of this run is done"
		if s.Rows > 0 {
			done = fmt.Sprintf("%s of this run %s done (results.%s lists %s)", rowsUpTo(s.Rows), pick(s.Rows, "is", "are"), x.flags.results, pick(s.Rows, "it", "them"))
		}
		fmt.Fprintf(w, "the file must be mended, which makes it another input: start a new run over it; %s\n", done)
		return
	}
	for _, in := range x.spec.Inputs {
		if in.Size < 0 {
			fmt.Fprintf(w, "this run cannot be resumed, for %s cannot be read again: start a new one over the rows that its results do not list\n", in.Name)
			return
		}
	}
	fmt.Fprintf(w, "to go on where this run stands: pushbatch resume %s\n", shellWord(x.folder.Path("")))
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
