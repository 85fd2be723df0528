package main

import (
	"fmt"
	"io"
	"log/slog"
	"strings"

	"pushbatch/writers/console"
	"pushbatch/writers/report"
)

// asksForJSON looks for --log-format json where it most likely stands.
func (p *process) asksForJSON() bool {
	format, _ := p.getenv(envName("log-format"))
	for i, arg := range p.args {
		if value, ok := strings.CutPrefix(arg, "--log-format="); ok {
			format = value
		} else if arg == "--log-format" && i+1 < len(p.args) {
			format = p.args[i+1]
		}
	}
	return format == console.JSON
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
	text := console.OneLine(fmt.Sprintf(format, args...))
	if !p.warned[text] {
		fmt.Fprintf(p.messages(), "pushbatch: warning: %s\n", text)
	}
	if p.warned == nil {
		p.warned = make(map[string]bool)
	}
	p.warned[text] = true
}

// printEnd says how an execution ended.
func (p *process) printEnd(s *report.Summary, runErr error, quiet bool) {
	if p.json {
		p.printEndJSON(s, runErr, quiet)
		return
	}
	if runErr != nil {
		p.printError(runErr, s.Remedy)
	}
	if !quiet {
		s.Print(p.stderr)
	}
}

// printEndJSON says the same in two records. What does not fit a line is in
// summary.json.
func (p *process) printEndJSON(s *report.Summary, runErr error, quiet bool) {
	if runErr != nil {
		p.printError(runErr, s.Remedy)
	}
	if quiet {
		return
	}
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
func (p *process) newLogger(f *messageFlags, redact bool, w io.Writer) (*slog.Logger, error) {
	level := slog.LevelInfo
	switch {
	case f.quiet:
		level = slog.LevelError
	case f.verbose:
		level = slog.LevelDebug
	}
	var replace func(slog.Attr) slog.Attr
	if redact {
		replace = quietErrors
	}
	return console.NewLogger(w, f.logFormat, level, p.terminal.Color, replace)
}
