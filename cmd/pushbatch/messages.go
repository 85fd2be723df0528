package main

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/pflag"

	"pushbatch/apiclient"
	"pushbatch/batch"
	"pushbatch/batch/redact"
	"pushbatch/writers/console"
	"pushbatch/writers/form"
	"pushbatch/writers/report"
)

// noteEvery is how often the timeline of a run is noted: often enough to tell
// when it stood still.
const noteEvery = 250 * time.Millisecond

// startNoting notes the timeline of a run until the returned function is called.
func (x *execution) startNoting(engine *batch.Job) (end func()) {
	return every(noteEvery, engine.Stop, func() {
		state := x.traffic()
		x.timeline.Note(engine.Elapsed(), engine.Progress().Statuses, state.Requests, state.Throttled)
	})
}

// startProgress shows where a run stands until the returned function is called.
func (x *execution) startProgress(engine *batch.Job) (end func()) {
	speed := console.NewPace(engine.Progress().DoneBefore)
	stop := every(x.every, engine.Stop, func() { x.printer.Show(x.snapshot(engine, speed)) })
	return func() { stop(); x.printer.End(x.lastSnapshot(engine)) }
}

// every calls f in a goroutine of its own, which ends with the returned function.
// A fault of f is given to fault, once.
func every(interval time.Duration, fault func(error), f func()) (end func()) {
	done, ended := make(chan struct{}), make(chan struct{})
	batch.Go(func() error {
		tick := time.NewTicker(interval)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				f()
			case <-done:
				return nil
			}
		}
	}, func(err error) {
		defer close(ended)
		if err != nil {
			fault(err)
		}
	})
	return func() { close(done); <-ended }
}

func (x *execution) snapshot(engine *batch.Job, speed *console.Pace) console.Snapshot {
	p := engine.Progress()
	s := console.Snapshot{
		Operation: x.operation.Name, Done: p.Done,
		Bad: p.Statuses[batch.Failed] + p.Statuses[batch.Rejected], Rejected: p.Statuses[batch.Rejected],
	}
	s.Total, s.Exact = x.total(p)
	s.Rate = speed.Rate(p.Elapsed, p.Done)
	if x.client != nil {
		addTraffic(&s, x.client.Stats(), x.op())
	}
	return s
}

// lastSnapshot is where an execution ended: its rate is that of the whole.
func (x *execution) lastSnapshot(engine *batch.Job) console.Snapshot {
	p := engine.Progress()
	whole := console.NewPace(p.DoneBefore)
	s := x.snapshot(engine, whole)
	s.Ended, s.Waiting, s.Retrying, s.Limit = max(p.Elapsed, 1), console.Waiting{}, 0, 0
	return s
}

// addTraffic says what holds the requests of an operation back.
func addTraffic(s *console.Snapshot, c apiclient.Stats, op apiclient.Op) {
	s.Retrying = c.Retrying
	s.Limit = settledRate(c.Ops[op])
	s.Shared = shareText(c.Ops[op].Share)
	if c.Waiting == apiclient.WaitLimit {
		return
	}
	s.Waiting.Why = c.Waiting
	if !c.Until.IsZero() {
		s.Waiting.Left = max(0, time.Until(c.Until))
	}
	if !c.GivesUp.IsZero() {
		s.Waiting.GivesUp = max(0, time.Until(c.GivesUp))
	}
}

// total is how many rows the run has: known at the end of the inputs, until
// then estimated.
func (x *execution) total(p batch.Progress) (rows int64, exact bool) {
	if p.AllRead {
		return p.Read, true
	}
	if x.people != nil { // the devices of the people listed so far are taken for an average
		c := x.people.Count()
		if c.People == 0 || c.Total < c.People { // the platform has not said yet how many there are
			return 0, false
		}
		return int64(float64(p.Read) * float64(c.Total) / float64(c.People)), false
	}
	rows, _ = x.spec.estimateAt(p.Read, p.Input, p.Next)
	return rows, false
}

// estimate says how many rows a run has, as of a checkpoint.
func (s *runSpec) estimate(c *batch.Checkpoint) (rows int64, known bool) {
	if c.Ended {
		return c.Rows, true
	}
	return s.estimateAt(c.Rows, c.Input, c.Next)
}

// headerSize is about how many bytes the first line of an input has.
func (s *runSpec) headerSize(i int) (n int64) {
	if !strings.HasPrefix(s.Inputs[i].Detected, "CSV") {
		return 0
	}
	for _, c := range s.columnsOf(i) {
		n += int64(len(c.Column)) + 1
	}
	return min(n, s.Inputs[i].Size)
}

// estimateAt takes the bytes that the rows read so far took for an average.
// Streams and compressed inputs have no size to compare with.
func (s *runSpec) estimateAt(rows int64, input int, at batch.Position) (total int64, known bool) {
	var all, read int64
	for i, in := range s.Inputs {
		if in.Size < 0 || in.Compressed {
			return 0, false
		}
		header := s.headerSize(i)
		all += in.Size - header
		switch {
		case i < input:
			read += in.Size - header
		case i == input:
			read += min(at.Offset, in.Size) - header
		}
	}
	if read <= 0 {
		return 0, false
	}
	total = max(rows, int64(math.Round(float64(rows)*float64(all)/float64(read))))
	if s.Limit > 0 {
		total = min(total, s.Limit)
	}
	return total, true
}

// asksForJSON looks for --log-format json before the flags are read: what is wrong with
// any of them is said later. A config file that is a pipe can be read only once.
func (p *process) asksForJSON() bool {
	all, f := pflag.NewFlagSet("", pflag.ContinueOnError), &jobFlags{}
	f.addAll(all)
	all.Usage, all.ParseErrorsAllowlist.UnknownFlags = func() {}, true
	_ = all.ParseAll(p.args, func(flag *pflag.Flag, value string) error { _ = all.Set(flag.Name, value); return nil })
	_, _ = resolveFlag(all, all.Lookup("config"), p.getenv, nil)
	var entries map[string]*configEntry
	if info, err := os.Stat(f.config); err == nil && info.Mode().IsRegular() {
		entries, _ = readConfig(f.config, all)
	}
	_, _ = resolveFlag(all, all.Lookup("log-format"), p.getenv, entries["log-format"])
	return f.logFormat == console.JSON
}

// messages is where a job's last lines go: as they are, or with --log-format json
// as lines of JSON like all others.
func (p *process) messages() io.Writer {
	if p.json {
		return console.JSONLines{Log: console.JSONLog(p.stderr)}
	}
	return p.stderr
}

// warn says something that also those who asked for errors only should know, once.
func (p *process) warn(format string, args ...any) {
	if text := console.OneLine(fmt.Sprintf(format, args...)); !slices.Contains(p.warned, text) {
		fmt.Fprintf(p.messages(), "pushbatch: warning: %s\n", text)
		p.warned = append(p.warned, text)
	}
}

func (p *process) printEnd(s *report.Summary, runErr error, quiet bool) {
	if runErr != nil {
		p.printError(runErr, s.Remedy)
	}
	switch {
	case quiet:
	case p.json:
		p.printSummaryJSON(s)
	default:
		s.Print(p.stderr)
	}
}

// printSummaryJSON says the same in a record. What does not fit a line is in summary.json.
func (p *process) printSummaryJSON(s *report.Summary) {
	attrs := []any{
		"operation", s.Operation, "run", s.Run, "outcome", s.Outcome, "exit_code", s.ExitCode, "rows", s.Rows, "unsent", s.Unsent,
		"statuses", s.Statuses, "requests", s.Requests, "retries", s.Retries, "throttled", s.Throttled,
		"elapsed_seconds", console.Hundredths(s.Elapsed), "rows_per_second", console.Hundredths(s.RowsPerSec), "files", s.Files,
	}
	codes := make(map[string]int64, len(s.ErrorCodes))
	for _, c := range s.ErrorCodes {
		codes[c.Code] = c.Count
	}
	console.JSONLog(p.stderr).Info("summary", append(attrs, "error_codes", codes)...)
}

// printError says what ended the program, and what to do about it.
func (p *process) printError(err error, remedy string) {
	if p.json {
		attrs := []any{"error", err.Error()}
		if remedy != "" {
			attrs = append(attrs, "remedy", remedy)
		}
		console.JSONLog(p.stderr).Error("stopped", attrs...)
		return
	}
	_, _ = io.WriteString(p.stderr, "pushbatch: "+err.Error()+"\n")
	if remedy != "" {
		_, _ = io.WriteString(p.stderr, "what to do: "+remedy+"\n")
	}
}

// newLogger makes the log of a command. Log lines hold no secret and nothing
// of a person: rows are named by file and number.
func (p *process) newLogger(f *messageFlags, redacted bool, w io.Writer) (*slog.Logger, error) {
	level := slog.LevelInfo
	switch {
	case f.quiet:
		level = slog.LevelError
	case f.verbose:
		level = slog.LevelDebug
	}
	var replace func(slog.Attr) slog.Attr
	if redacted {
		replace = redact.Attr
	}
	return console.NewLogger(w, f.logFormat, level, p.terminal.Color, replace)
}

// screens are what commands print beside the summary of a run.
//
//go:embed screens.txt
var screens string

// show prints a value as the screen with a name, or as JSON.
func show(w io.Writer, name string, value any, asJSON bool) error {
	if asJSON {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		e.SetEscapeHTML(false)
		return e.Encode(value)
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	_, _ = t.Write(report.Terminal(screens, console.OneLine, screenWords).Fill(name, value)) // Flush has its error
	return t.Flush()
}

// screenWords are what screens can call.
var screenWords = form.Functions{
	"instant": func(t time.Time) string { return t.Format(time.RFC3339) },
	"same":    func(a, b string) bool { return a == b },
	"text":    func(data []byte) string { return string(data) },
	"percent": func(share float64) string { return strings.ReplaceAll(report.Percent(share, 1), " %", "%") },
	"samples": func(list []string) string { return strings.Join(list, " | ") },
	"alike":   (*inspection).alike,
	"title": func(in *inputInspection) string {
		if in.Others == 0 {
			return in.Name
		}
		return fmt.Sprintf("%s … %s: %s inputs that look alike", in.Name, in.Last, report.Grouped(in.Others+1))
	},
	"faultless": func(in *inputInspection) bool {
		return len(in.Problems) == 0 && len(in.Mapping) == 0 && in.Error == nil && in.found.rows > 0
	},
	"hasFindings": func(in *inputInspection) bool { return len(in.found.groups) > 0 || len(in.found.tally.Warnings) > 0 },
	"warnings": func(in *inputInspection) []report.Warning {
		var all report.Summary
		all.Fill(in.found.tally, 0)
		return all.Warnings
	},
	"topFindings":   func(all []*columnProblem) []*columnProblem { return all[:min(len(all), shownFindings)] },
	"otherFindings": func(all []*columnProblem) int { return max(0, len(all)-shownFindings) },
	"firstRows": func(rows []int64) string {
		return report.Plural(int64(len(rows)), "row") + " " + strings.Trim(strings.Join(strings.Fields(fmt.Sprint(rows)), ", "), "[]")
	},
	"hasRepeats": func(i *inspection) bool { return i.Devices.Values+i.Persons.Values > 0 },
	"sumsUp":     func(i *inspection) bool { return len(i.Inputs) > 1 && i.Forecast.Requests > 0 },
}
