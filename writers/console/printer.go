package console

import (
	"fmt"
	"io"
	"math"
	"time"

	"pushbatch/apiclient"
)

// How often progress is shown.
const (
	barEvery   = 200 * time.Millisecond
	plainEvery = 10 * time.Second
)

// Printer shows where a run stands. Show is called now and then, End once, both
// by one goroutine; lines of the log may be written meanwhile.
type Printer interface {
	Show(Snapshot)
	End(Snapshot)
	// Above is where log lines go so that they do not tear what is shown.
	Above() io.Writer
}

// NewPrinter picks the printer for --progress, and says how often it is to show
// where the run stands. Auto is a bar where one can be drawn and people look at it,
// else a line now and then. Quiet prints nothing.
func NewPrinter(t *Terminal, kind string, quiet bool, format string) (Printer, time.Duration, error) {
	if kind == "auto" {
		kind = "plain"
		if t.shown && t.moves && format != JSON {
			kind = "bar"
		}
	}
	if quiet && (kind == "bar" || kind == "plain") {
		kind = "none"
	}
	switch kind {
	case "bar":
		return &bar{t: t}, barEvery, nil
	case "plain":
		return plain{silent{t.W}, format == JSON}, plainEvery, nil
	case "none":
		return silent{t.W}, plainEvery, nil
	}
	return nil, 0, fmt.Errorf("--progress %q: take auto, bar, plain or none", kind)
}

// silent shows nothing but lets log lines through.
type silent struct{ w io.Writer }

func (silent) Show(Snapshot)      {}
func (silent) End(Snapshot)       {}
func (p silent) Above() io.Writer { return p.w }

// plain writes one line each time, or what it says as JSON, among the lines of the
// log.
type plain struct {
	silent
	json bool
}

// Show implements Printer.
func (p plain) Show(s Snapshot) {
	if !p.json {
		_, _ = p.w.Write(s.line())
		return
	}
	attrs := []any{
		"operation", s.Operation, "rows", s.Done, "failed", s.Bad, "rows_per_second", Hundredths(s.Rate), "retrying", s.Retrying,
	}
	if s.Total > 0 {
		attrs = append(attrs, "total_rows", s.Total, "total_exact", s.Exact)
	}
	if left := s.left(); left > 0 {
		attrs = append(attrs, "left_seconds", left.Seconds())
	}
	if s.Limit > 0 {
		attrs = append(attrs, "limit_per_second", Hundredths(s.Limit))
	}
	if w := s.Waiting; w.Why != apiclient.NotWaiting {
		attrs = append(attrs, "waiting", w.Why.String(), "waiting_seconds", Hundredths(w.Left.Seconds()))
		if w.GivesUp > 0 {
			attrs = append(attrs, "gives_up_seconds", Hundredths(w.GivesUp.Seconds()))
		}
	}
	JSONLog(p.w).Info("progress", attrs...)
}

// Hundredths rounds what people and machines need no more digits of.
func Hundredths(v float64) float64 { return math.Round(v*100) / 100 }
