package main

import (
	"cmp"
	"context"
	"errors"
	"math"
	"path/filepath"
	"slices"
	"time"

	"pushbatch/apiclient"
	"pushbatch/batch"
	"pushbatch/batch/blob"
	"pushbatch/batch/ops"
	"pushbatch/batch/runstore"
	"pushbatch/writers"
	"pushbatch/writers/report"
)

func (p *process) start(ctx context.Context, c *runConfig) error {
	if err := c.load(p.getenv); err != nil {
		return err
	}
	ctx = c.flags.with(ctx, p)
	if c.flags.goOn { // before anything is open that resume opens too
		if done, err := p.goOn(ctx, c); done {
			return err
		}
	}
	x, err := p.open(c, runSpec{})
	if err != nil {
		return err
	}
	found, err := blob.Expand(ctx, c.inputs)
	if err != nil {
		return usageError("%v", err)
	}
	return x.begin(ctx, found, nil)
}

// begin works on a run over the inputs found; those of an old run must be what they
// were then. A run that is resumed has its folder.
func (x *execution) begin(ctx context.Context, found []blob.Info, old *runSpec) (err error) {
	if err := x.openInputs(ctx, found); err != nil {
		return err
	}
	defer func() { x.process.closed("an input", x.closeInputs()) }()
	if old != nil {
		if err := x.unchanged(ctx, old); err != nil {
			return err
		}
	}
	if x.folder != nil {
		x.warnUnrestored()
		if err := x.takeMapping(); err != nil {
			return err
		}
	}
	if err := cmp.Or(x.checkTarget(ctx), x.checkShares(ctx)); err != nil {
		return err
	}
	if err := x.openDelta(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, x.closeDelta()) }()
	if x.folder != nil {
		return x.run(ctx)
	}
	if err := x.describe(ctx); err != nil {
		return err
	}
	if err := x.createFolder(ctx); err != nil {
		return err
	}
	defer func() { x.process.closed("the run", x.folder.Close()) }()
	return x.run(ctx)
}

// run works on a run until it ends or is stopped, and reports. Inputs and folder
// are open; every execution of a run comes here.
func (x *execution) run(ctx context.Context) error {
	x.spec.Executions++
	if err := x.folder.WriteJSON(runstore.JobFile, x.spec); err != nil {
		return err
	}
	for _, add := range addFeatures {
		add(x)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	x.folder.WhenLost(cancel)
	if x.delta != nil && x.delta.held != nil {
		x.delta.held.WhenLost(cancel)
	}
	defer onSignals(x.stopper(cancel), cancel)()
	defer x.keepShares(ctx, cancel)()

	runErr := batch.Guard(func() error { return x.plan(ctx) })
	sink, runErr := x.openSink(runErr)
	engine := batch.New(x.engineConfig(sink))
	x.engine.Store(engine)
	endMetrics := x.startMetrics(engine)
	if runErr == nil {
		runErr = x.send(ctx, engine)
	}
	if runErr == nil {
		x.warnOfChanges(ctx)
	}
	x.allSent.Store(true)
	runErr = batch.Guard(func() error { return x.ended(ctx, engine, runErr) })
	s, err := x.finish(ctx, engine, runErr)
	endMetrics(s)
	x.notify(ctx, s)
	x.printNext(x.process.messages(), s)
	return err
}

// plan looks at the inputs before the first request, as the features of the run need
// it, and adds after them the devices that vanished.
func (x *execution) plan(ctx context.Context) error {
	if err := x.firstPass(ctx); err != nil || x.delta == nil {
		return err
	}
	return x.delta.addVanished(ctx)
}

// openSink opens what gets the results, if nothing has stopped the run yet.
func (x *execution) openSink(runErr error) (batch.Sink, error) {
	if runErr != nil {
		return nil, runErr
	}
	reports, err := x.openReports()
	if err != nil {
		return nil, err
	}
	x.reports = reports
	if x.client != nil {
		if x.journal, err = x.folder.OpenJournal(x.point); err != nil {
			return nil, err
		}
	}
	return x.sink(reports), nil
}

func (x *execution) send(ctx context.Context, engine *batch.Job) error {
	x.timeline.GoOn(stateOf(x.point).Series)
	if d := x.flags.maxDuration; d > 0 {
		defer time.AfterFunc(d, func() { engine.Stop(errMaxDuration) }).Stop()
	}
	defer x.startNoting(engine)()
	defer x.startProgress(engine)()
	err := engine.Run(ctx)
	if x.journal != nil {
		err = errors.Join(err, x.journal.Close())
	}
	if err == nil {
		_ = x.reports.CleanUp() // what stays costs room, nothing else
	}
	return err
}

// stopper stops the run gracefully: before the first request the first pass,
// then the engine, then what is made of the results.
func (x *execution) stopper(cancel context.CancelCauseFunc) func(cause *signalError) {
	return func(cause *signalError) {
		x.log.Warn("stopping: requests under way are being finished; a second signal stops at once", "signal", cause.name)
		if engine := x.engine.Load(); engine != nil && !x.allSent.Load() {
			engine.Stop(cause)
			return
		}
		cancel(cause)
	}
}

// countFor is how long a stopped run looks for the number of rows that are
// left.
const countFor = 2 * time.Second

// finish writes the summary of an execution, prints it, and returns it with what
// the program ends with.
func (x *execution) finish(ctx context.Context, engine *batch.Job, runErr error) (*report.Summary, error) {
	s := x.summarize(ctx, engine, runErr)
	s.Table, s.Delta = x.tableSummary(), x.deltaSummary()
	if err := x.folder.WriteJSON(runstore.SummaryFile, s); err != nil && exitCode(runErr) != exitStopped && x.folder.Lost() == nil {
		runErr, s.ExitCode = err, exitStopped
	}
	if err := writePage(x.folder, s, &x.spec); err != nil && x.folder.Lost() == nil {
		x.log.Warn("report.html was not written", "error", err)
	}
	s.Files = slices.DeleteFunc(s.Files, func(path string) bool { return !x.folder.Exists(filepath.Base(path)) })
	x.process.printEnd(s, runErr, x.flags.quiet)
	x.printDryRun(x.process.stderr)
	if s.ExitCode == exitDone {
		return s, nil
	}
	return s, &exitError{s.ExitCode, runErr, true}
}

func (x *execution) summarize(ctx context.Context, engine *batch.Job, runErr error) *report.Summary {
	s := &report.Summary{
		Version: x.spec.Version, Operation: x.spec.Operation, Run: x.folder.Path(""), Outcome: report.Completed,
		StartedAt: x.spec.StartedAt, EndedAt: time.Now().UTC(), Executions: x.spec.Executions, DryRun: x.client == nil, Simulated: x.flags.simulate,
	}
	s.Fill(engine.Tally(), engine.Elapsed())
	s.Traffic = x.traffic().Traffic
	x.timeline.Note(engine.Elapsed(), engine.Tally().Statuses, s.Requests, s.Throttled)
	s.Timeline = report.TimelineOf(x.timeline.Series())
	if x.client != nil {
		s.LimitedRate, s.Share = settledRate(x.client.Stats().Ops[x.op()]), x.shareOf()
	}
	s.Unsent = unsent(ctx, engine)
	if runErr != nil {
		s.Outcome, s.Reason, s.Remedy = report.Stopped, runErr.Error(), remedyOf(runErr)
		if abort, ok := errors.AsType[*batch.Abort](runErr); ok {
			s.ReasonCode = abort.Code
		}
	}
	if s.ReasonCode == codeUnwritable {
		x.onlyDurable(s)
	}
	s.ExitCode = x.exitCode(s, runErr)
	s.Files = append(filesOf(x.folder), x.folder.Path(runstore.SummaryFile), x.folder.Path(report.PageFile))
	return s
}

// codeUnwritable ends a run whose reports cannot be written.
const codeUnwritable = "results_unwritable"

// onlyDurable takes the numbers that the run folder holds, as status does: what was
// counted since stands nowhere, and a resumed run begins there.
func (x *execution) onlyDurable(s *report.Summary) {
	point, err := x.folder.LoadCheckpoint()
	if err != nil || point == nil {
		point = &batch.Checkpoint{}
	}
	counted := s.Rows
	s.Fill(point.Tally.WithWaiting(point.Waiting), x.engine.Load().Elapsed())
	if s.Unsent != nil {
		*s.Unsent += counted - s.Rows
	}
}

func unsent(ctx context.Context, engine *batch.Job) *int64 {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), countFor)
	defer cancel()
	if n, known := engine.Unsent(ctx); known {
		return &n
	}
	return nil
}

// exitCode is what an execution ends with: why it stopped, else what became of
// the rows.
func (x *execution) exitCode(s *report.Summary, runErr error) int {
	var coded *exitError
	switch {
	case runErr != nil && exitCode(runErr) == exitUsage && !errors.As(runErr, &coded):
		return exitStopped // the run had begun: whatever ended it is no usage error
	case runErr != nil:
		return exitCode(runErr)
	case s.Rows == 0 && !x.flags.allowEmpty && x.spec.Since.IsZero(): // nobody may have changed
		return exitUsage
	case s.Statuses.Bad() > 0, x.flags.strict && len(s.Warnings) > 0:
		return exitBadRows
	}
	return exitDone
}

// filesOf are the reports of a run that are there; one that could not be ended has the
// name that it has until then.
func filesOf(folder *runstore.Folder) (paths []string) {
	var names []string
	for _, f := range writers.ResultFormats() {
		names = append(names, f.File())
	}
	for _, name := range append(names, runstore.FailedFile, runstore.RequestsFile, vanishedFile, beforeFile) {
		if folder.Exists(name) {
			paths = append(paths, folder.Path(name))
		} else if part := name + runstore.PartSuffix; folder.Exists(part) {
			paths = append(paths, folder.Path(part))
		}
	}
	return paths
}

// remedyOf is what the catalogue advises about an error that ended a run.
func remedyOf(err error) string {
	var store *blob.S3Error
	var locked *runstore.LockedError
	if errors.As(err, &store) || errors.As(err, &locked) {
		return "" // the error says it itself, and better
	}
	abort, ok := errors.AsType[*batch.Abort](err)
	if !ok {
		return ""
	}
	entry, known := ops.Explain(abort.Code)
	if known && entry.Effect == ops.Fails && ops.Temporary(abort.Code) && abort.Code != apiclient.CodeAnswerInvalid { // which explains a row that failed
		return "Nothing has to be changed here: resume the run when the platform answers again."
	}
	return entry.Remedy
}

// settledRate is the rate in force for an operation at the end; 0: unlimited.
func settledRate(s apiclient.OpStats) float64 {
	if !math.IsInf(s.Rate, 0) {
		return s.Rate
	}
	return 0
}
