package batch

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
)

// CodeInternal is the code of an Abort that says: this program is at fault, not
// its input and not the platform.
const CodeInternal = "internal"

// Guard calls f and makes a panic of it an *Abort with CodeInternal. Of the panic
// it tells where it was and, if the runtime raised it, what: another value may
// hold a secret.
func Guard(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &Abort{Code: CodeInternal, Err: fmt.Errorf("a fault of pushbatch itself: %s, in %s", faultText(p), faultPlace())}
		}
	}()
	return f()
}

func faultText(p any) string {
	if err, ok := p.(runtime.Error); ok {
		return err.Error()
	}
	return fmt.Sprintf("panic with a %T", p)
}

// faultPlace names the function that panicked and its line.
func faultPlace() string {
	pcs := make([]uintptr, 32)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs)])
	for {
		f, more := frames.Next()
		if !strings.HasPrefix(f.Function, "runtime.") || !more {
			file := f.File[strings.LastIndexByte(f.File, '/')+1:]
			return fmt.Sprintf("%s (%s:%d)", f.Function[strings.LastIndexByte(f.Function, '/')+1:], file, f.Line)
		}
	}
}

// guardedMapper maps a row; one that it fails over becomes a request that stops
// the run.
func guardedMapper(m Mapper) Mapper {
	return func(row *Row) (r Request, out *Outcome) {
		if err := Guard(func() error { r, out = m(row); return nil }); err != nil {
			return faulty{err}, nil
		}
		return r, out
	}
}

// faulty is the request of a row that could not be mapped.
type faulty struct{ err error }

// Keys implements Request.
func (faulty) Keys() []string { return nil }

// Send implements Request.
func (f faulty) Send(context.Context) (Outcome, error) { return Outcome{}, f.err }

// guardedSink is a Sink whose faults are errors.
type guardedSink struct{ Sink }

// Write implements Sink.
func (s guardedSink) Write(r *Result) error { return Guard(func() error { return s.Sink.Write(r) }) }

// Flush implements Sink.
func (s guardedSink) Flush() (m Mark, err error) {
	err = Guard(func() (e error) { m, e = s.Sink.Flush(); return e })
	return m, err
}

// Close implements Sink.
func (s guardedSink) Close() error { return Guard(s.Sink.Close) }

// guarded makes faults of what a caller gives an engine errors of the run.
func guarded(cfg Config) Config {
	cfg.Inputs = slices.Clone(cfg.Inputs)
	for i := range cfg.Inputs {
		cfg.Inputs[i].Map = guardedMapper(cfg.Inputs[i].Map)
	}
	cfg.Sink = guardedSink{cfg.Sink}
	if save := cfg.Save; save != nil {
		cfg.Save = func(c *Checkpoint) error { return Guard(func() error { return save(c) }) }
	}
	return cfg
}

// guardedSend sends a request.
func guardedSend(ctx context.Context, r Request) (out Outcome, err error) {
	err = Guard(func() (e error) { out, e = r.Send(ctx); return e })
	return out, err
}
