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
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/spf13/cobra"

	"pushbatch/batch"
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
	warned   map[string]bool   // what warn has said
	json     bool              // messages are JSON, see --log-format
}

// run executes one command line and returns the exit code.
func run(ctx context.Context, p process) int {
	messages := console.NewStream(p.stderr)
	p.stdout, p.stderr, p.terminal = console.NewStream(p.stdout), messages, console.TerminalOf(messages, p.getenv)
	root := newRoot(&p)
	p.root = root
	p.json = p.asksForJSON() // for what is wrong before the flags are read
	root.SetArgs(p.args)
	root.SetIn(p.stdin)
	root.SetOut(p.stdout)
	root.SetErr(p.stderr)
	return p.report(batch.Guard(func() error { return root.ExecuteContext(ctx) }))
}

// stopper stops a run gracefully.
type stopper func(cause error)

// onSignals stops a run gracefully on the first SIGINT, SIGTERM or SIGHUP (unless
// that is ignored, as nohup does) and at once, through cancel, on the second. The returned function ends the watch.
func onSignals(stop stopper, cancel context.CancelCauseFunc, log *slog.Logger) (end func()) {
	got := make(chan os.Signal, 2)
	signal.Notify(got, os.Interrupt, syscall.SIGTERM)
	if !signal.Ignored(syscall.SIGHUP) {
		signal.Notify(got, syscall.SIGHUP)
	}
	done := make(chan struct{})
	go func() { // ends with the watch
		first := true
		for {
			select {
			case sig := <-got:
				cause := signalCause(sig)
				if !first {
					cancel(cause)
					return
				}
				first = false
				log.Warn("stopping: requests under way are being finished; a second signal stops at once", "signal", cause.name)
				stop(cause)
			case <-done:
				return
			}
		}
	}()
	return func() { signal.Stop(got); close(done) }
}

func signalCause(sig os.Signal) *signalError {
	switch sig {
	case syscall.SIGTERM:
		return &signalError{"SIGTERM", exitTerminated}
	case syscall.SIGHUP:
		return &signalError{"SIGHUP", exitHangup}
	}
	return &signalError{"SIGINT", exitInterrupted}
}
