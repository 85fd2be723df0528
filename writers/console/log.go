package console

import (
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"github.com/lmittmann/tint"
)

// Formats of the log.
const (
	Text = "text"
	JSON = "json" // one record a line
)

// JSONLog writes records of JSON.
func JSONLog(w io.Writer) *slog.Logger {
	return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{ReplaceAttr: cleanAttr}))
}

// JSONLines makes a record of every line that is written to it.
type JSONLines struct{ Log *slog.Logger }

// Write implements io.Writer.
func (j JSONLines) Write(text []byte) (int, error) {
	for line := range strings.Lines(string(text)) {
		j.Log.Info(strings.TrimSpace(line))
	}
	return len(text), nil
}

// NewLogger makes the log of a command, in a format. What attributes hold from
// outside is cleaned, after replace (nil: nothing is replaced) has seen it.
func NewLogger(w io.Writer, format string, level slog.Level, color bool, replace func(slog.Attr) slog.Attr) (*slog.Logger, error) {
	attr := cleanAttr
	if replace != nil {
		attr = func(groups []string, a slog.Attr) slog.Attr { return cleanAttr(groups, replace(a)) }
	}
	switch format {
	case Text:
		return slog.New(tint.NewTextHandler(w, &tint.Options{Level: level, ReplaceAttr: attr, TimeFormat: time.TimeOnly, NoColor: !color})), nil
	case JSON:
		return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level, ReplaceAttr: attr})), nil
	}
	return nil, fmt.Errorf("--log-format %q: take text or json", format)
}

// cleanAttr keeps control characters and line ends of a text from outside out of
// a log line.
func cleanAttr(_ []string, a slog.Attr) slog.Attr {
	switch value := a.Value.Any().(type) {
	case string:
		a.Value = slog.StringValue(OneLine(value))
	case error:
		a.Value = slog.StringValue(OneLine(value.Error()))
	}
	return a
}

// HostURL is an address without all that may be secret in the address of a web
// hook: only the scheme and the host are left.
func HostURL(text string) string {
	u, err := url.Parse(text)
	switch {
	case text == "":
		return ""
	case err != nil || u.Host == "":
		return "…"
	}
	return u.Scheme + "://" + u.Host + "/…"
}

// MaskedURL is an address without what may be secret in it: the password and
// the query.
func MaskedURL(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		if text == "" {
			return ""
		}
		return "…"
	}
	masked := u.Scheme + "://" + u.Host + u.EscapedPath()
	if u.User != nil {
		masked = u.Scheme + "://…@" + u.Host + u.EscapedPath()
	}
	if u.RawQuery != "" {
		masked += "?…"
	}
	return masked
}
