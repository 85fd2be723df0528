package main

import (
	"context"
	"fmt"
	"time"

	"pushbatch/batch"
	"pushbatch/writers/console"
	"pushbatch/writers/report"
	"pushbatch/writers/watch"
)

// notifySecretVariable holds the secret that notifications are signed with.
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
	return err
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
		f.Sends, f.Waiting, f.Limit = true, s.Waiting, opStats(s, x.requestName())
	}
	return f
}
