package main

import (
	"context"
	"errors"
	"fmt"

	"pushbatch/batch"
	"pushbatch/batch/runstore"
)

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
	code int
	err  error
}

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }

// usageError is an error that keeps a run from starting.
func usageError(format string, args ...any) error {
	return &exitError{exitUsage, fmt.Errorf(format, args...)}
}

// errMaxDuration stops a run whose --max-duration is used up.
var errMaxDuration = errors.New("--max-duration is used up")

// signalError stops a run on a signal.
type signalError struct {
	name string
	code int
}

func (e *signalError) Error() string { return "stopped by " + e.name }

// exitCode is the code a program ends with for the error a command returned.
// Whatever is not known is not a success.
func exitCode(err error) int {
	var (
		coded  *exitError
		signal *signalError
		locked *runstore.LockedError
		abort  *batch.Abort
	)
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &coded):
		return coded.code
	case errors.As(err, &locked):
		return exitLocked
	case errors.As(err, &signal):
		return signal.code
	case errors.As(err, &abort) && abort.Code == batch.CodeInternal:
		return exitInternal
	case errors.As(err, &abort):
		return exitStopped
	case errors.Is(err, batch.ErrTooManyErrors), errors.Is(err, batch.ErrCanary):
		return exitErrors
	case errors.Is(err, errMaxDuration):
		return exitDuration
	case errors.Is(err, context.Canceled):
		return exitInterrupted
	}
	return exitUsage
}

// errReported is an error that was already reported to the user.
type errReported struct{ exitError }

// report tells the user about an error that ended the program, unless the
// command has done so, and returns the exit code.
func (p *process) report(err error) int {
	var reported *errReported
	if err != nil && !errors.As(err, &reported) {
		p.printError(err, "")
	}
	if reported != nil {
		return reported.code
	}
	return exitCode(err)
}
