package main

import (
	"fmt"
	"io"
	"log/slog"
	"math"
	"strings"
	"time"

	"pushbatch/apiclient"
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

// startProgress shows where a run stands until the returned function is called.
func (x *execution) startProgress(engine *batch.Job) (end func()) {
	speed := &pace{points: []pacePoint{{0, engine.Progress().DoneBefore}}}
	stop := every(x.every, engine.Stop, func() { x.printer.show(x.snapshot(engine, speed)) })
	return func() { stop(); x.printer.end(x.lastSnapshot(engine)) }
}

// every calls f in a goroutine of its own, which ends with the returned function.
// A fault of f is given to fault, once.
func every(interval time.Duration, fault func(error), f func()) (end func()) {
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(interval)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
			case <-done:
				return
			}
			if err := batch.Guard(func() error { f(); return nil }); err != nil {
				fault(err)
				return
			}
		}
	}()
	return func() { close(done); <-ended }
}

func (x *execution) snapshot(engine *batch.Job, speed *pace) progressSnapshot {
	p := engine.Progress()
	s := progressSnapshot{
		operation: x.operation.Name, done: p.Done,
		bad: p.Statuses[batch.Failed] + p.Statuses[batch.Rejected], rejected: p.Statuses[batch.Rejected],
	}
	s.total, s.exact = x.total(p)
	s.rate = speed.rate(p.Elapsed, p.Done)
	if x.client != nil {
		s.setTraffic(x.client.Stats(), x.requestName())
	}
	return s
}

// lastSnapshot is where an execution ended: its rate is that of the whole.
func (x *execution) lastSnapshot(engine *batch.Job) progressSnapshot {
	p := engine.Progress()
	whole := &pace{points: []pacePoint{{0, p.DoneBefore}}}
	s := x.snapshot(engine, whole)
	s.ended, s.waiting, s.retrying, s.limit = max(p.Elapsed, 1), waiting{}, 0, 0
	return s
}

// setTraffic says what holds the requests of an operation back.
func (s *progressSnapshot) setTraffic(c apiclient.Stats, operation string) {
	s.retrying = c.Retrying
	s.limit = settledRate(c, operation)
	s.shared = shareText(opStats(c, operation).Share)
	if c.Waiting == apiclient.WaitLimit {
		return
	}
	s.waiting.why = c.Waiting
	if !c.Until.IsZero() {
		s.waiting.left = max(0, time.Until(c.Until))
	}
	if !c.GivesUp.IsZero() {
		s.waiting.givesUp = max(0, time.Until(c.GivesUp))
	}
}

// total is how many rows the run has: known at the end of the inputs, until
// then estimated.
func (x *execution) total(p batch.Progress) (rows int64, exact bool) {
	if p.AllRead {
		return p.Read, true
	}
	if x.people != nil {
		return x.estimateDevices(p.Read), false
	}
	rows, _ = x.spec.estimateAt(p.Read, p.Input, p.Next)
	return rows, false
}

// estimateDevices takes the devices of the people listed so far for an average;
// 0: the platform has not said yet how many people there are.
func (x *execution) estimateDevices(rows int64) int64 {
	c := x.people.Count()
	if c.People == 0 || c.Total < c.People {
		return 0
	}
	return int64(float64(rows) * float64(c.Total) / float64(c.People))
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
	if i >= len(s.Columns) || !strings.HasPrefix(s.Inputs[i].Detected, "CSV") {
		return 0
	}
	for _, c := range s.Columns[i] {
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
