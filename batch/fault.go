package batch

import (
	"fmt"
	"runtime"
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
