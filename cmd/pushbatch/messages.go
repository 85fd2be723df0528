package main

import (
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/lmittmann/tint"

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
	return format == logJSON
}

// jsonLog writes records of JSON to standard error.
func (p *process) jsonLog() *slog.Logger {
	return slog.New(slog.NewJSONHandler(p.stderr, &slog.HandlerOptions{ReplaceAttr: cleanAttr}))
}

// messages is where a job's last lines go: as they are, or with --log-format json
// as lines of JSON like all others.
func (p *process) messages() io.Writer {
	if p.json {
		return jsonLines{p.jsonLog()}
	}
	return p.stderr
}

// jsonLines makes a record of every line.
type jsonLines struct{ log *slog.Logger }

func (j jsonLines) Write(text []byte) (int, error) {
	for line := range strings.Lines(string(text)) {
		j.log.Info(strings.TrimSpace(line))
	}
	return len(text), nil
}

// warn says something that also those who asked for errors only should know, once.
func (p *process) warn(format string, args ...any) {
	text := cleanLine(fmt.Sprintf(format, args...))
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
		"elapsed_seconds", hundredths(s.Elapsed), "rows_per_second", hundredths(s.RowsPerSec), "files", s.Files,
	}
	codes := make(map[string]int64, len(s.ErrorCodes))
	for _, c := range s.ErrorCodes {
		codes[c.Code] = c.Count
	}
	p.jsonLog().Info("summary", append(attrs, "error_codes", codes)...)
}

// printError says what ended the program, and what to do about it.
func (p *process) printError(err error, remedy string) {
	if p.json {
		attrs := []any{"error", err.Error()}
		if remedy != "" {
			attrs = append(attrs, "remedy", remedy)
		}
		p.jsonLog().Error("stopped", attrs...)
		return
	}
	_, _ = io.WriteString(p.stderr, "pushbatch: "+err.Error()+"\n")
	if remedy != "" {
		_, _ = io.WriteString(p.stderr, "what to do: "+remedy+"\n")
	}
}

// logJSON is the format of --log-format for machines.
const logJSON = "json"

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
	replace := cleanAttr
	if redact {
		replace = func(groups []string, a slog.Attr) slog.Attr { return cleanAttr(groups, quietErrors(groups, a)) }
	}
	switch f.logFormat {
	case "text":
		return slog.New(tint.NewTextHandler(w, &tint.Options{
			Level: level, ReplaceAttr: replace, TimeFormat: time.TimeOnly, NoColor: !p.terminal.color,
		})), nil
	case logJSON:
		return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level, ReplaceAttr: replace})), nil
	}
	return nil, usageError("--log-format %q: take text or json", f.logFormat)
}

// cleanAttr keeps control characters and line ends of a text from outside out of
// a log line.
func cleanAttr(_ []string, a slog.Attr) slog.Attr {
	switch value := a.Value.Any().(type) {
	case string:
		a.Value = slog.StringValue(cleanLine(value))
	case error:
		a.Value = slog.StringValue(cleanLine(value.Error()))
	}
	return a
}
