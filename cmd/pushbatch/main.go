// Pushbatch imports and exports mobile push device registrations of the Infobip
// platform in bulk.
//
//	pushbatch personalize devices.csv --simulate
//
// This package turns a command line into a job and its outcome into an exit
// code. It holds one file a command; what a row means is decided in batch/ops.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"pushbatch/batch"
	"pushbatch/batch/delta"
	"pushbatch/batch/runstore"
	"pushbatch/writers/console"
)

func main() {
	signal.Ignore(syscall.SIGPIPE) // a write to a pipe that nobody reads is an error, which stream passes over
	if os.Getenv("GOGC") == "" && os.Getenv("GOMEMLIMIT") == "" {
		debug.SetGCPercent(200) // so little is in use that collecting often costs more than it saves
	}
	os.Exit(run(context.Background(), process{
		args: os.Args[1:], stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, getenv: os.LookupEnv, environ: os.Environ(),
	}))
}

// process is what a run of the program gets from outside, so that tests can
// give it something else.
type process struct {
	args   []string
	stdin  io.Reader
	stdout io.Writer // data only
	stderr io.Writer // all messages
	getenv func(string) (string, bool)

	environ  []string          // every NAME=VALUE; nil: none is looked for
	root     *cobra.Command    // knows every flag, and so every variable
	platform http.RoundTripper // what answers requests; nil: the network
	terminal *console.Terminal // what standard error is connected to
	warned   []string          // what warn has said
	json     bool              // messages are JSON, see --log-format

	waitAtMost func(time.Duration) // for standard error to take a message
}

// run executes one command line and returns the exit code.
func run(ctx context.Context, p process) int {
	messages, data := console.NewStream(p.stderr), console.NewStream(p.stdout)
	p.stdout, p.stderr, p.terminal = data, messages, console.TerminalOf(messages, p.getenv)
	p.waitAtMost = messages.WaitAtMost
	root := newRoot(&p)
	p.root = root
	p.json = p.asksForJSON() // for what is wrong before the flags are read
	root.SetArgs(p.args)
	root.SetIn(p.stdin)
	root.SetErr(p.stderr)
	err := batch.Guard(func() error { return root.ExecuteContext(ctx) })
	if lost := data.Lost(); lost != nil && (err == nil || errors.Is(err, lost)) {
		err = fmt.Errorf("write to standard output: %w", lost)
	}
	return p.report(err)
}

// onSignals calls stop on the first SIGINT, SIGTERM or SIGHUP (unless that is ignored,
// as nohup does) and cancel on the second. The returned function ends the watch.
func onSignals(stop func(*signalError), cancel context.CancelCauseFunc) (end func()) {
	got := make(chan os.Signal, 2)
	signal.Notify(got, os.Interrupt, syscall.SIGTERM)
	if !signal.Ignored(syscall.SIGHUP) {
		signal.Notify(got, syscall.SIGHUP)
	}
	done := make(chan struct{})
	batch.Go(func() error {
		for first := true; ; first = false {
			select {
			case sig := <-got:
				cause := signals[sig]
				if !first {
					cancel(cause)
					return nil
				}
				stop(cause)
			case <-done:
				return nil
			}
		}
	}, func(err error) { // with the watch
		if err != nil {
			cancel(err)
		}
	})
	return func() { signal.Stop(got); close(done) }
}

// untilSignal is a context that a signal ends, for what comes before or beside a run.
func untilSignal(ctx context.Context) (_ context.Context, end func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	unwatch := onSignals(func(s *signalError) { cancel(s) }, cancel)
	return ctx, func() { unwatch(); cancel(nil) }
}

// signals are those that stop a run.
var signals = map[os.Signal]*signalError{
	os.Interrupt: {"SIGINT", exitInterrupted}, syscall.SIGTERM: {"SIGTERM", exitTerminated}, syscall.SIGHUP: {"SIGHUP", exitHangup},
}

// Exit codes. They are part of the contract with scripts.
const (
	exitDone        = 0   // every row succeeded or was skipped
	exitBadRows     = 1   // the run ended, some rows failed or were rejected
	exitUsage       = 2   // usage, configuration or mapping; nothing was sent
	exitErrors      = 3   // --max-errors or --canary
	exitStopped     = 4   // refused credentials, unreadable input, unwritable results, outage
	exitLocked      = 5   // another process holds the run
	exitDuration    = 6   // --max-duration is used up
	exitInternal    = 70  // a fault of pushbatch itself; the run can be resumed
	exitHangup      = 129 // SIGHUP
	exitInterrupted = 130 // SIGINT
	exitTerminated  = 143 // SIGTERM
)

// exitError is an error with the exit code it ends the program with.
type exitError struct {
	code     int
	err      error
	reported bool // to the user, by the command
}

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }

// usageError is an error that keeps a run from starting.
func usageError(format string, args ...any) error {
	return &exitError{code: exitUsage, err: fmt.Errorf(format, args...)}
}

// refuse is a usageError when something is so, else nil.
func refuse(when bool, format string, args ...any) error {
	if !when {
		return nil
	}
	return usageError(format, args...)
}

var errMaxDuration = errors.New("--max-duration is used up")

type signalError struct {
	name string
	code int
}

func (e *signalError) Error() string { return "stopped by " + e.name }

// exitCode is the code a program ends with for the error a command returned. One that
// says no other has stopped it: a file that cannot be read, a disk that is full.
func exitCode(err error) int {
	var (
		coded  *exitError
		signal *signalError
	)
	switch {
	case err == nil:
		return exitDone
	case batch.IsFault(err):
		return exitInternal
	case errors.As(err, &signal): // whatever it has cut short
		return signal.code
	case errors.As(err, &coded):
		return coded.code
	case errors.As(err, new(*runstore.LockedError)):
		return exitLocked
	case errors.As(err, new(*batch.Abort)):
		return exitStopped
	case errors.Is(err, batch.ErrTooManyErrors), errors.Is(err, batch.ErrCanary):
		return exitErrors
	case errors.Is(err, errMaxDuration):
		return exitDuration
	case errors.Is(err, context.Canceled):
		return exitInterrupted
	case errors.As(err, new(*runstore.TrustError)), errors.As(err, new(*delta.OtherError)), errors.Is(err, errNoState), errors.Is(err, runstore.ErrNoRun):
		return exitUsage
	}
	return exitStopped
}

// report tells the user about an error that ended the program, unless the
// command has done so, and returns the exit code.
func (p *process) report(err error) int {
	coded, ok := errors.AsType[*exitError](err)
	if ok && coded.reported {
		return coded.code
	}
	if err != nil {
		p.printError(err, "")
	}
	return exitCode(err)
}
