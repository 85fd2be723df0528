package main

import (
	"context"
	"errors"
	"math"
	"slices"
	"time"

	"pushbatch/apiclient"
	"pushbatch/batch"
	"pushbatch/batch/blob"
	"pushbatch/batch/ops"
	"pushbatch/writers"
)

// countFor is how long a stopped run looks for the number of rows that are
// left.
const countFor = 2 * time.Second

// finish writes the summary of a sitting, tells it, and returns it with what the
// program ends with.
func (p *process) finish(ctx context.Context, j *job, engine *batch.Job, inventory *writers.Manifest, runErr error) (*summary, error) {
	s := j.summarize(ctx, engine, runErr)
	s.addInventory(j, inventory)
	if err := j.folder.WriteJSON(writers.SummaryFile, s); err != nil && exitCode(runErr) != exitStopped && j.folder.Lost() == nil {
		runErr, s.ExitCode = err, exitStopped
	}
	if err := writePage(j.folder, s, &j.spec); err != nil && j.folder.Lost() == nil {
		j.log.Warn("report.html was not written", "error", err)
	}
	p.tell(s, runErr, j.flags.quiet)
	if s.ExitCode == exitDone {
		return s, nil
	}
	return s, &errReported{exitError{s.ExitCode, runErr}}
}

func (j *job) summarize(ctx context.Context, engine *batch.Job, runErr error) *summary {
	s := &summary{
		Version: j.spec.Version, Operation: j.spec.Operation, Run: j.folder.Path(""), Outcome: outcomeCompleted,
		StartedAt: j.spec.StartedAt, EndedAt: time.Now().UTC(), Sittings: j.spec.Sittings, DryRun: j.client == nil,
	}
	s.fill(engine.Tally(), engine.Elapsed())
	t := j.traffic()
	s.Requests, s.Retries, s.Throttled = t.Requests, t.Retries, t.Throttled
	j.course.note(engine.Elapsed(), engine.Tally().Statuses, &t)
	s.Timeline = timelineOf(j.course.copied())
	if j.client != nil {
		s.SettledRate = settledRate(j.client.Stats(), j.requestName())
	}
	s.Unsent = unsent(ctx, engine)
	if runErr != nil {
		s.Outcome, s.Reason, s.Remedy = outcomeStopped, runErr.Error(), remedyOf(runErr)
		if abort, ok := errors.AsType[*batch.Abort](runErr); ok {
			s.ReasonCode = abort.Code
		}
	}
	s.ExitCode = j.exitCode(s, runErr)
	s.Files = j.files()
	return s
}

func unsent(ctx context.Context, engine *batch.Job) *int64 {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), countFor)
	defer cancel()
	if n, known := engine.Unsent(ctx); known {
		return &n
	}
	return nil
}

// exitCode is what a sitting ends with: why it stopped, else what became of
// the rows.
func (j *job) exitCode(s *summary, runErr error) int {
	switch {
	case runErr != nil && exitCode(runErr) == exitUsage:
		return exitStopped // the run had begun: whatever ended it is no usage error
	case runErr != nil:
		return exitCode(runErr)
	case s.Rows == 0 && !j.flags.allowEmpty:
		return exitUsage
	case s.Statuses.bad() > 0:
		return exitBadRows
	}
	return exitDone
}

func (j *job) files() []string {
	names := []string{"results." + j.flags.results, writers.FailedFile, writers.RequestsFile}
	names = slices.DeleteFunc(names, func(name string) bool { return !j.folder.Exists(name) })
	for i, name := range names {
		names[i] = j.folder.Path(name)
	}
	return append(names, j.folder.Path(writers.SummaryFile), j.folder.Path(writers.ReportFile))
}

// remedyOf is what the catalogue advises about an error that ended a run.
func remedyOf(err error) string {
	var store *blob.S3Error
	var locked *writers.LockedError
	if errors.As(err, &store) || errors.As(err, &locked) {
		return "" // the error says it itself, and better
	}
	if abort, ok := errors.AsType[*batch.Abort](err); ok {
		if entry, known := ops.Explain(abort.Code); known {
			return entry.Remedy
		}
	}
	return ""
}

// settledRate is the rate in force for an operation at the end; 0: unlimited.
func settledRate(s apiclient.Stats, operation string) float64 {
	for op, stats := range s.Ops {
		if apiclient.Op(op).String() == operation && !math.IsInf(stats.Rate, 0) {
			return stats.Rate
		}
	}
	return 0
}
