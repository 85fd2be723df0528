package main

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
)

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
