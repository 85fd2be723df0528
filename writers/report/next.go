package report

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"pushbatch/batch"
	"pushbatch/batch/ops"
	"pushbatch/readers/inputerror"
)

// FailedFile is the report of the rows that did not succeed.
const FailedFile = "failed.csv"

// Exit codes that decide what is next.
const (
	exitDone   = 0
	exitErrors = 3
)

// Step is a command that goes on from where a run stands, as users copy it.
type Step struct{ Say, Command string }

// Next lists what can be done next, the best first; none: nothing is to be done, or
// no command does it. The terminal and the page show the same commands.
func (s *Summary) Next(r *Run) []Step {
	run := r.Argument(s.Run)
	switch {
	case len(s.Runs) > 0: // each run says itself what is next
		return nil
	case s.Outcome == Running:
		return []Step{{"to see where it stands", "pushbatch status " + run}}
	case s.Delta != nil && s.Delta.Refused:
		return []Step{{"if they are to be depersonalized", fmt.Sprintf("pushbatch resume %s --max-vanished %d", run, s.Delta.Vanished)}}
	case s.Outcome != Completed && !s.allDone() && s.Resumable(r):
		return []Step{{"to go on where this run stands", "pushbatch resume " + run}}
	case s.Outcome != Completed && !s.allDone() || s.ExitCode == exitDone:
		return nil
	}
	retry := "pushbatch retry " + run
	rows, codes := s.temporary()
	switch {
	case s.Statuses.Bad() == 0: // warnings, with --strict
		return nil
	case rows == s.Statuses.Bad():
		return []Step{{"send them again", retry + r.tableAgain()}}
	case r.Redacted:
		return []Step{{"failed.csv is redacted; mend the rows in the inputs, or send them again as they are", retry + r.tableAgain()}}
	}
	if s.Operation == "undo" && (s.Statuses.Failed == 0 || s.DryRun) { // what cannot be put back never can
		return nil
	}
	if s.Operation == "undo" { // failed.csv has no rows of an input
		return []Step{{"send them again", retry}}
	}
	failed := strings.TrimSuffix(s.Run, "/") + "/" + FailedFile
	steps, others := s.without(r, run)
	if rows+others < s.Statuses.Bad() {
		mend := Step{"mend " + failed + " and give it back", fmt.Sprintf("pushbatch %s %s%s%s", s.Operation, ShellPath(failed), r.flags(meaningFlags)+r.flags(storeFlags), r.tableAgain())}
		steps = slices.Insert(steps, 0, mend)
	}
	if rows > 0 {
		steps = append(steps, Step{
			fmt.Sprintf("or only send again the %s %s that %s no mending", Grouped(rows), Plural(rows, "row"), Pick(rows, "needs", "need")),
			retry + " --code " + strings.Join(codes, ",") + r.tableAgain(),
		})
	}
	return steps
}

// Argument is a run as commands take it, with the flags that it is reached by.
func (r *Run) Argument(run string) string {
	if strings.HasPrefix(run, "s3:") {
		return ShellPath(run) + r.flags(storeFlags)
	}
	return ShellPath(run)
}

// allDone reports whether a run stopped because its last rows were bad rows too many:
// one that stopped later has a table or a state to write.
func (s *Summary) allDone() bool {
	return s.Outcome == Stopped && s.ExitCode == exitErrors && s.Unsent != nil && *s.Unsent == 0
}

// VanishedSource is the source of the rows of devices that the input names no more.
const VanishedSource = "vanished"

// without lists what to do about rows that no fixing helps, and how many there are.
func (s *Summary) without(r *Run, run string) (steps []Step, rows int64) {
	for _, c := range s.ErrorCodes {
		say, flags := ops.Again(c.Code)
		if c.Example.Source == VanishedSource { // they come last: so are all with this code
			say, flags = "the devices that vanished are tried again by the next run with --mirror; to try them now", ""
		}
		if say == "" || c.Status != batch.Failed || ops.Temporary(c.Code) {
			continue
		}
		rows += c.Count
		steps = append(steps, Step{say, "pushbatch retry " + run + " --code " + c.Code + flags + r.tableAgain()})
	}
	return steps, rows
}

// Resumable reports whether a run that stopped can be resumed: every input can be
// read again, and none is damaged.
func (s *Summary) Resumable(r *Run) bool {
	return !IsBrokenInput(s.ReasonCode) && !slices.ContainsFunc(r.Inputs, func(in Input) bool { return in.Once })
}

// IsBrokenInput reports whether a code is of what only another file fixes: resume would
// stop at the same place, and refuse the file once it is fixed.
func IsBrokenInput(code string) bool {
	return slices.Contains([]string{inputerror.CodeTruncated, inputerror.CodeCorrupt, inputerror.CodeQuote, inputerror.CodeBound}, code)
}

// temporary counts the rows that failed of what passes by itself, and names the
// codes.
func (s *Summary) temporary() (rows int64, codes []string) {
	for _, c := range s.ErrorCodes {
		if c.Status == batch.Failed && ops.Temporary(c.Code) {
			rows += c.Count
			codes = append(codes, c.Code)
		}
	}
	return rows, codes
}

// meaningFlags are those without which failed.csv would mean something else than the
// inputs did, go elsewhere, or go faster than the account takes it.
var meaningFlags = []string{
	"base-url", "app-code", "auth", "api-key-file", "simulate", "map", "set", "null-literal", "phone-region", "birthday-format",
	"ignore-unmapped", "on-duplicate", "delta", "force-depersonalize", "keep-as-lead", "set-device-as-primary", "return-push",
	"snapshot", "columns", "additional-data", "rate", "share-limit",
}

// storeFlags are those without which nothing in S3 is found.
var storeFlags = []string{"s3-endpoint-url", "s3-path-style", "s3-region", "s3-no-sign-request", "s3-requester-pays"}

// switches are flags of these lists that need no value.
var switches = []string{
	"simulate", "ignore-unmapped", "force-depersonalize", "keep-as-lead", "set-device-as-primary", "return-push", "snapshot",
	"s3-path-style", "s3-no-sign-request", "s3-requester-pays",
}

// flags are those of a list that the run was started with, as they are given again.
func (r *Run) flags(names []string) string {
	var flags strings.Builder
	for _, name := range names {
		if slices.Contains(r.Given, name) {
			continue
		}
		for _, value := range r.Settings[name] {
			given := " " + ShellWord(value)
			if slices.Contains(switches, name) {
				given = strings.TrimSuffix("="+value, "=true")
			}
			flags.WriteString(" --" + name + given)
		}
	}
	return flags.String()
}

// tableAgain is where an export over the rest of the rows goes: not to the table
// that is there, which it would replace by a part.
func (r *Run) tableAgain() string {
	to := r.Settings["to"]
	if len(to) != 1 {
		return ""
	}
	folder, name := path.Split(to[0])
	stem, ending, _ := strings.Cut(name, ".")
	return " --to " + ShellWord(folder+stem+"-again."+ending)
}
