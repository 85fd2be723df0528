package batch

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
)

// CodeInternal is the code of an Abort that says: this program is at fault, not
// its input and not the platform.
const CodeInternal = "internal"

// fault is what a panic was.
type fault struct{ text string }

func (f *fault) Error() string { return "a fault of pushbatch itself: " + f.text }

// IsFault reports whether this program is at fault, whatever was made of the error
// since.
func IsFault(err error) bool {
	_, panicked := errors.AsType[*fault](err)
	abort, aborted := errors.AsType[*Abort](err)
	return panicked || aborted && abort.Code == CodeInternal
}

// Go calls f in a goroutine of its own, with Guard, and then ended with its error:
// the way to begin a goroutine in this program. One that panics without it ends the
// process with 2, which means that nothing was sent.
func Go(f func() error, ended func(error)) {
	go func() { ended(Guard(f)) }()
}

// Guarded is f with Guard, for groups that begin goroutines themselves.
func Guarded(f func() error) func() error { return func() error { return Guard(f) } }

// Guard calls f and makes a panic of it an *Abort with CodeInternal. Of the panic
// it tells where it was and, if the runtime raised it, what: another value may
// hold a secret.
func Guard(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &Abort{Code: CodeInternal, Err: &fault{faultText(p) + ", in " + faultPlace()}}
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
