package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/spf13/cobra"

	"pushbatch/batch"
	"pushbatch/batch/delta"
	"pushbatch/batch/runstore"
	"pushbatch/writers/console"
	"pushbatch/writers/report"
	"pushbatch/writers/watch"
)

// runStatus is where a run stands: what status --json prints.
type runStatus struct {
	Run        string           `json:"run"`
	Operation  string           `json:"operation"`
	State      report.Outcome   `json:"state"` // running, ended, stopped or interrupted
	Holder     *runstore.Holder `json:"holder,omitempty"`
	StartedAt  time.Time        `json:"started_at"`
	SavedAt    *time.Time       `json:"saved_at,omitempty"` // of the last checkpoint
	Rows       int64            `json:"rows"`               // with a result, as of then
	Total      *int64           `json:"total_rows"`         // while it runs estimated from the bytes read; null: unknown
	Statuses   report.Counts    `json:"statuses"`
	ErrorCodes []report.Code    `json:"error_codes"`
	Warnings   []report.Warning `json:"warnings"`
	RowsPerSec float64          `json:"rows_per_second"`
	LeftSecs   *float64         `json:"left_seconds"` // null: not known
	ExitCode   *int             `json:"exit_code"`    // of an ended or stopped execution
	Reason     string           `json:"reason,omitempty"`
	Resumable  bool             `json:"resumable"`
	Obstacle   string           `json:"obstacle,omitempty"` // why it cannot be resumed, beside what stopped it

	GoOn string `json:"-"` // the command that goes on
}

func newStatusCommand(p *process) *cobra.Command {
	asJSON, s3 := false, &s3Flags{}
	cmd := &cobra.Command{
		Use:   "status RUN",
		Short: "Show where a run stands, while it goes on or after it stopped",
		Args:  needs("one RUN: the folder of a run", 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.readRun(cmd, s3, args[0], func(run *viewedRun) error {
				s, err := run.status()
				if err != nil {
					return err
				}
				if s.Resumable && run.usedSince(s3.with(cmd.Context(), p)) {
					s.Resumable, s.Obstacle = false, delta.ErrUsedSince.Error()
				}
				return show(cmd.OutOrStdout(), "status", s, asJSON)
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	s3.addReach(cmd.Flags())
	return cmd
}

// viewedRun is a run that is looked at, maybe while another process works on it: what
// was asked of it and where it stands.
type viewedRun struct {
	folder *runstore.Folder
	path   string // as it was named
	spec   *runSpec
	point  *batch.Checkpoint // nil: none yet
}

// readRun lets do look at a run, on disk or in S3.
func readRun(ctx context.Context, path string, do func(*viewedRun) error) (err error) {
	folder, err := viewRun(ctx, path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, folder.Close()) }()
	run := &viewedRun{folder: folder, path: path, spec: new(runSpec)}
	err = folder.ReadJSON(runstore.JobFile, run.spec)
	if errors.Is(err, fs.ErrNotExist) {
		return usageError("%s holds no run: it has no %s", folder.Path(""), runstore.JobFile)
	}
	if err == nil {
		run.point, err = folder.LoadCheckpoint()
	}
	if err != nil {
		return usageError("%w", err)
	}
	return do(run)
}

// readRun is that of a command that has no other flags of a job.
func (p *process) readRun(cmd *cobra.Command, f *s3Flags, path string, do func(*viewedRun) error) error {
	if err := resolveS3(cmd.Flags(), p.getenv); err != nil {
		return err
	}
	return readRun(f.with(cmd.Context(), p), path, do)
}

// status tells apart a run that goes on, one that said how it stopped, and one that
// was killed.
func (r *viewedRun) status() (*runStatus, error) {
	s := &runStatus{Run: r.folder.Path(""), Operation: r.spec.Operation, StartedAt: r.spec.StartedAt}
	s.GoOn = "pushbatch resume " + r.spec.forReport().Argument(s.Run)
	counted, last := new(report.Summary), new(report.Summary)
	counted.Fill(batch.Tally{}, 0)
	if c := r.point; c != nil {
		counted.Fill(c.Tally.WithWaiting(c.Waiting), c.Elapsed)
		if total, known := r.spec.estimate(c); known {
			s.Total = &total
		}
		if !c.SavedAt.IsZero() {
			s.SavedAt = &c.SavedAt
		}
	}
	holder, running := r.folder.Holder()
	err := r.folder.ReadJSON(runstore.SummaryFile, last)
	switch {
	case running:
		s.State, s.Holder = report.Running, &holder
		if s.Total != nil && counted.RowsPerSec > 0 {
			s.LeftSecs = new(float64(max(0, *s.Total-counted.Rows)) / counted.RowsPerSec)
		}
	case errors.Is(err, fs.ErrNotExist), err == nil && last.Executions != r.spec.Executions:
		s.State, s.Resumable = report.Interrupted, true
	case err != nil:
		return nil, usageError("%w", err)
	default:
		counted, s.ExitCode, s.Reason = last, &last.ExitCode, last.Reason
		s.State, s.Resumable = report.Stopped, !report.IsBrokenInput(last.ReasonCode)
		last.Run = s.Run
		if s.Total = nil; last.Unsent != nil { // counted: the bytes that were read only tell about how many
			s.Total = new(last.Rows + *last.Unsent)
		}
		if steps := last.Next(r.spec.forReport()); len(steps) > 0 {
			s.GoOn = steps[0].Command
		}
		done := last.Outcome == report.Completed || last.ExitCode == exitErrors // else a table or a state is to be written yet
		if r.point != nil && r.point.Ended && done {
			s.State, s.Resumable = "ended", false
		}
	}
	s.Rows, s.Statuses, s.ErrorCodes, s.Warnings, s.RowsPerSec = counted.Rows, counted.Statuses, counted.ErrorCodes, counted.Warnings, counted.RowsPerSec
	return s, nil
}

// usedSince reports whether another run has used the delta state of a run since it was
// planned: then it cannot be resumed.
func (r *viewedRun) usedSince(ctx context.Context) bool {
	var plan delta.Plan
	if len(r.spec.Settings["delta"]) != 1 || r.folder.ReadJSON(deltaPlanFile, &plan) != nil {
		return false
	}
	store, err := stateStore(ctx, r.spec.Settings["delta"][0])
	return err == nil && delta.UsedSince(ctx, store, &plan)
}

const notifySecretVariable = "PUSHBATCH_NOTIFY_SECRET"

// watch prepares what others follow the run by, so that what cannot work is known
// before the run begins.
func (p *process) watch(x *execution) (err error) {
	f := &x.flags.watchFlags
	secret, err := p.secret(notifySecretVariable, "--notify-secret-file", f.notifySecretFile)
	if err != nil {
		return err
	}
	if f.notifyURL != "" {
		if x.notifier, err = watch.NewNotifier(f.notifyURL, secret, "pushbatch/"+version()); err != nil {
			return usageError("--notify-url %s: %w", console.HostURL(f.notifyURL), err)
		}
		x.spec.Notify = console.HostURL(f.notifyURL)
	} else if x.spec.Notify != "" {
		x.log.Warn("nobody is told of the end: --notify-url is not kept with a run, give it again", "was", x.spec.Notify)
	}
	x.metrics, err = watch.OpenMetrics(context.Background(), f.metricsFile, f.metricsListen, f.metricsLabels, x.log)
	return refuse(err != nil, "%w", err)
}

// notify sends the summary. It never changes what the run ended with.
func (x *execution) notify(ctx context.Context, s *report.Summary) {
	if x.notifier == nil {
		return
	}
	if err := x.notifier.Notify(ctx, s); err != nil {
		fmt.Fprintf(x.process.messages(), "pushbatch: %s was not told of the end of this run: %v\n", console.HostURL(x.flags.notifyURL), err)
	}
}

// startMetrics shows metrics until the returned function is called with the
// summary, which shows the last ones.
func (x *execution) startMetrics(engine *batch.Job) (end func(*report.Summary)) {
	if x.metrics == nil {
		return func(*report.Summary) {}
	}
	if x.point != nil && !x.point.SavedAt.IsZero() {
		x.savedAt.Store(x.point.SavedAt.UnixMilli())
	}
	x.metrics.Start(func() watch.Figures { return x.figures(engine) })
	stop := every(watch.MetricsEvery, engine.Stop, x.metrics.Write)
	return func(s *report.Summary) {
		stop()
		x.summary.Store(s)
		x.metrics.End()
	}
}

// figures is where the run stands now, or how it ended.
func (x *execution) figures(engine *batch.Job) watch.Figures {
	t := x.traffic()
	f := watch.Figures{
		Version: version(), Operation: x.operation.Name, Progress: engine.Progress(), Tally: engine.Tally(), Delta: x.deltaSummary(),
		Requests: t.Requests, Retries: t.Retries, Throttled: t.Throttled, Shared: x.flags.shareLimit != "",
		StartedAt: x.spec.StartedAt, Executions: x.spec.Executions, Ended: x.summary.Load(),
	}
	if at := x.savedAt.Load(); at > 0 {
		f.SavedAt = time.UnixMilli(at)
	}
	if x.client != nil {
		s := x.client.Stats()
		f.Sends, f.Waiting, f.Limit = true, s.Waiting, s.Ops[x.op()]
	}
	return f
}
