package main

import (
	"io"
	"log/slog"
	"time"

	"github.com/lmittmann/tint"
)

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
