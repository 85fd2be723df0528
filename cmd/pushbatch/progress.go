package main

import (
	"fmt"
	"io"
	"log/slog"
	"time"

	"pushbatch/batch"
)

// How often progress is shown.
const (
	barEvery   = 200 * time.Millisecond
	plainEvery = 10 * time.Second
)

// printer shows where a run stands. show is called now and then, end once.
type printer interface {
	show(progressSnapshot)
	end(progressSnapshot)
	// above is where log lines go so that they do not tear what is shown.
	above() io.Writer
}

// newPrinter picks the printer for --progress. Auto is a bar where one can be
// drawn and people look at it, else a line now and then.
func (p *process) newPrinter(f *messageFlags) (printer, time.Duration, error) {
	t := p.terminal
	kind := f.progress
	if kind == "auto" {
		kind = "plain"
		if t.shown && t.moves && f.logFormat != logJSON {
			kind = "bar"
		}
	}
	if f.quiet && (kind == "bar" || kind == "plain") {
		kind = "none"
	}
	switch kind {
	case "bar":
		return newBar(t), barEvery, nil
	case "plain":
		if f.logFormat == logJSON {
			return jsonPrinter{t.w, p.jsonLog()}, plainEvery, nil
		}
		return plainPrinter{t.w}, plainEvery, nil
	case "none":
		return silentPrinter{t.w}, plainEvery, nil
	}
	return nil, 0, usageError("--progress %q: take auto, bar, plain or none", kind)
}

// plainPrinter writes one line each time.
type plainPrinter struct{ w io.Writer }

func (p plainPrinter) show(s progressSnapshot) { fmt.Fprintln(p.w, s.line()) }
func (p plainPrinter) end(progressSnapshot)    {}
func (p plainPrinter) above() io.Writer        { return p.w }

// silentPrinter shows nothing but lets log lines through.
type silentPrinter struct{ w io.Writer }

func (silentPrinter) show(progressSnapshot) {}
func (silentPrinter) end(progressSnapshot)  {}
func (p silentPrinter) above() io.Writer    { return p.w }

// jsonPrinter writes what a line says as JSON, among the lines of the log.
type jsonPrinter struct {
	w   io.Writer
	log *slog.Logger
}

func (p jsonPrinter) show(s progressSnapshot) {
	attrs := []any{
		"operation", s.operation, "rows", s.done, "failed", s.bad, "rows_per_second", hundredths(s.rate), "retrying", s.retrying,
	}
	if s.total > 0 {
		attrs = append(attrs, "total_rows", s.total, "total_exact", s.exact)
	}
	if left := s.left(); left > 0 {
		attrs = append(attrs, "left_seconds", left.Seconds())
	}
	if s.limit > 0 {
		attrs = append(attrs, "limit_per_second", hundredths(s.limit))
	}
	if w := s.waiting; w.why != 0 {
		attrs = append(attrs, "waiting", w.why.String(), "waiting_seconds", hundredths(w.left.Seconds()))
		if w.givesUp > 0 {
			attrs = append(attrs, "gives_up_seconds", hundredths(w.givesUp.Seconds()))
		}
	}
	p.log.Info("progress", attrs...)
}

func (p jsonPrinter) end(progressSnapshot) {}
func (p jsonPrinter) above() io.Writer     { return p.w }

// hundredths rounds what people and machines need no more digits of.
func hundredths(v float64) float64 { return float64(int64(v*100+0.5)) / 100 }

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
