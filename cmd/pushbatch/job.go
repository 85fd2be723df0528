package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/spf13/pflag"

	"pushbatch/apiclient"
	"pushbatch/batch"
	"pushbatch/batch/blob"
	"pushbatch/batch/ops"
	"pushbatch/readers"
	"pushbatch/writers"
)

// job is one sitting of a run: a new run from its beginning, or one that goes
// on after an interruption.
type job struct {
	operation   *ops.Operation
	inputs      []string // as named on the command line
	flags       *jobFlags
	set         *pflag.FlagSet
	personalize *apiclient.PersonalizeOptions

	spec    runSpec
	folder  *writers.Folder
	point   *batch.Checkpoint // nil: from the beginning
	client  *apiclient.Client // nil: nothing is sent
	opened  []openedInput
	people  *ops.People    // the one input, of an export of everybody
	listed  *peopleSummary // of an earlier sitting, when the run had ended then
	printer printer
	every   time.Duration
	log     *slog.Logger
	engine  atomic.Pointer[batch.Job] // of this sitting
	savedAt atomic.Int64              // of its last checkpoint, Unix milliseconds; 0: none yet
	course  chronicle

	redactor *redactor // nil: values stand as they are
	metrics  *metrics  // nil: nobody asked for them
	notifier *notifier // nil: nobody is told
}

// runJob runs a new job.
func (p *process) runJob(ctx context.Context, j *job) error {
	if _, err := resolve(j.set, p.getenv); err != nil {
		return err
	}
	if err := p.prepare(j); err != nil {
		return err
	}
	ctx = j.flags.with(ctx)
	found, err := blob.Expand(ctx, j.inputs)
	if err != nil {
		return usageError("%v", err)
	}
	if err := j.readMapping(); err != nil {
		return err
	}
	if j.flags.goOn {
		if done, err := p.goOn(ctx, j, found); done {
			return err
		}
	}
	return p.startRun(ctx, j, found, nil)
}

// startRun begins a run over the inputs found; those of an old run must be what
// they were then.
func (p *process) startRun(ctx context.Context, j *job, found []blob.Info, old *runSpec) (err error) {
	if err := p.openInputs(ctx, j, found); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, j.closeInputs()) }()
	if old != nil {
		if err := j.unchanged(old); err != nil {
			return err
		}
	}
	if err := j.checkTarget(ctx); err != nil {
		return err
	}
	j.describe()
	if err := j.createFolder(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, j.folder.Close()) }()
	return p.sit(ctx, j)
}

// prepare checks the settings and makes what talks: to the user and to the
// platform.
func (p *process) prepare(j *job) (err error) {
	if err := errors.Join(j.flags.check(), j.flags.s3Flags.check()); err != nil {
		return err
	}
	p.json = j.flags.logFormat == logJSON
	if j.printer, j.every, err = p.newPrinter(&j.flags.talkFlags); err != nil {
		return err
	}
	if j.log, err = p.newLogger(&j.flags.talkFlags, j.flags.redact, j.printer.above()); err != nil {
		return err
	}
	p.warnOfVariables(j.log)
	r, err := p.newRedactor(&j.flags.outputFlags)
	if err = cmp.Or(err, j.redactWith(r)); err != nil {
		return err
	}
	if err := p.watch(j); err != nil {
		return err
	}
	if dryRuns[j.flags.dryRun] == ops.Send {
		garbage.Store(sendingGarbage)
		j.client, err = p.connect(j.flags, j.log, j.lost)
	}
	if err != nil {
		return err
	}
	return j.checkExport()
}

func (j *job) readMapping() error {
	if j.flags.mapFile == "" {
		return nil
	}
	data, err := os.ReadFile(j.flags.mapFile)
	if err != nil {
		return usageError("read --map: %v", err)
	}
	j.spec.Mapping = string(data)
	return nil
}

// describe fills the spec of a new run and says once what was found.
func (j *job) describe() {
	j.spec.Version, j.spec.Operation = version(), j.operation.Name
	j.spec.StartedAt, j.spec.Settings, j.spec.Limit = time.Now().UTC(), settingsOf(j.set), j.flags.limit
	j.fixTarget()
	for _, in := range j.opened {
		detected := readers.Detected(in.source)
		j.spec.Inputs = append(j.spec.Inputs, inputSpec{
			Name: in.source.Name(), Detected: detected, Identity: in.source.Identity(), Partitions: in.info.Partitions,
			Compressed: strings.HasSuffix(detected, "gzip") || strings.HasSuffix(detected, "zstd"),
		})
		j.log.Info("input", "source", in.source.Name(), "detected", detected, "columns", len(in.source.Header()))
		if j.people != nil {
			return // its columns are answers: nothing is sent of them
		}
		j.spec.Columns = append(j.spec.Columns, columnsOf(in.binding))
		for _, c := range in.binding.Columns {
			if c.Use != ops.Sent && c.Use != ops.Result {
				j.log.Info("column is not sent", "source", in.source.Name(), "column", c.Column, "why", string(c.Use))
			}
		}
	}
}

func columnsOf(b *ops.Binding) []columnSpec {
	specs := make([]columnSpec, len(b.Columns))
	for i, c := range b.Columns {
		specs[i] = columnSpec{c.Column, c.Target, string(c.Use)}
	}
	return specs
}

func (j *job) createFolder(ctx context.Context) (err error) {
	path := j.flags.out
	if path == "" {
		path = freeFolder(filepath.Join("runs", j.spec.StartedAt.Format("20060102T150405Z")+"-"+j.operation.Name))
	}
	if blob.IsS3(path) {
		j.folder, err = writers.CreateS3Folder(ctx, path, j.s3Options())
	} else {
		j.folder, err = writers.CreateFolder(writers.Disk{}, path)
	}
	if errors.Is(err, writers.ErrRunExists) {
		return usageError("%w: give another --out, or go on with it: pushbatch resume %s", err, shellWord(path))
	}
	var locked *writers.LockedError
	if err != nil && !errors.As(err, &locked) {
		return &exitError{exitStopped, err}
	}
	return err
}

// freeFolder is path, or path with a number when that second has a run already.
func freeFolder(path string) string {
	free := path
	for n := 2; ; n++ {
		if _, err := os.Stat(free); err != nil {
			return free
		}
		free = fmt.Sprintf("%s-%d", path, n)
	}
}

// sit works on a run until it ends or is stopped, and reports.
func (p *process) sit(ctx context.Context, j *job) error {
	j.spec.Sittings++
	if err := j.folder.WriteJSON(writers.JobFile, j.spec); err != nil {
		return &exitError{exitStopped, err}
	}
	sink, err := j.openReports()
	if err != nil {
		return &exitError{exitStopped, err}
	}
	if j.point != nil && j.client != nil {
		if err := j.client.Restore(j.carried().Learned); err != nil {
			j.log.Warn("the rate is learned anew", "error", err)
		}
	}
	j.course.series = j.carried().Series
	engine := batch.New(j.engineConfig(sink))
	j.engine.Store(engine)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	j.folder.WhenLost(cancel)
	endSignals := onSignals(engine, cancel, j.log)
	endTimer := stopAfter(engine, j.flags.maxDuration)
	endNoting := j.startNoting(engine)
	endProgress := j.startProgress(engine)
	endMetrics := j.startMetrics(engine)
	runErr := engine.Run(ctx)
	endProgress()
	endNoting()
	endTimer()
	if runErr == nil {
		_ = sink.Settle() // what stays costs room, nothing else
		j.warnOfChanges(ctx)
	}
	inventory, runErr := j.publishAfter(ctx, engine.Tally().Rows, runErr)
	s, err := p.finish(ctx, j, engine, inventory, runErr)
	endMetrics(s)
	j.notify(ctx, s, p.voice())
	j.tellNext(p.voice(), s)
	endSignals()
	return err
}

func (j *job) openReports() (*writers.Reports, error) {
	format, err := writers.ResultFormatNamed(j.flags.results)
	if err != nil {
		return nil, err
	}
	o := writers.ReportOptions{Operation: j.operation.Name, Format: format, Requests: dryRuns[j.flags.dryRun] == ops.ShowRequests}
	o.Inventory, o.Shown = j.inventoryCells(), j.shownResult()
	if j.people != nil {
		o.Kept = []string{peopleFile}
	}
	o.Columns = failedColumns(j.opened)
	var mark batch.Mark
	if j.point != nil {
		mark = j.point.Mark
	}
	return writers.OpenReports(j.folder, o, mark)
}

func (j *job) engineConfig(sink batch.Sink) batch.Config {
	cfg := batch.Config{
		Sink: sink, MaxInFlight: j.flags.maxInFlight, Limit: j.flags.limit,
		Resume: j.point, Carry: j.carry,
		Save: j.save, SaveEvery: j.saveEvery(),
	}
	if j.client != nil { // a dry run is there to find all that is wrong
		cfg.MaxErrors, _ = batch.ParseThreshold(j.flags.maxErrors) // checked before
		cfg.Canary = j.flags.canary
	}
	for _, in := range j.opened {
		cfg.Inputs = append(cfg.Inputs, batch.Input{Source: in.source, Map: in.binding.Map, More: in.more})
	}
	return cfg
}

// save keeps a checkpoint and notes when.
func (j *job) save(c *batch.Checkpoint) error {
	if err := j.folder.SaveCheckpoint(c); err != nil {
		return err
	}
	j.savedAt.Store(c.SavedAt.UnixMilli())
	return nil
}

// stopAfter stops a run when its time is used up.
func stopAfter(s stopper, d time.Duration) (end func()) {
	if d <= 0 {
		return func() {}
	}
	t := time.AfterFunc(d, func() { s.Stop(errMaxDuration) })
	return func() { t.Stop() }
}

// carriedState is what a checkpoint keeps for this package.
type carriedState struct {
	Requests  int64           `json:"requests"`
	Retries   int64           `json:"retries"`
	Throttled int64           `json:"throttled"`
	Learned   json.RawMessage `json:"learned,omitempty"` // of the client's limiter
	Series    batch.Series    `json:"series"`
}

// carried is what the checkpoint that a run goes on from kept.
func (j *job) carried() (c carriedState) {
	if j.point != nil && len(j.point.Carried) > 0 {
		_ = json.Unmarshal(j.point.Carried, &c) // an older form: the counts begin anew
	}
	return c
}

// traffic is the requests of all sittings together.
func (j *job) traffic() carriedState {
	c := j.carried()
	if j.client != nil {
		s := j.client.Stats()
		c.Requests += s.Requests
		c.Retries += s.Retries
		c.Throttled += s.Throttled
		c.Learned = j.client.Learned()
	}
	return c
}

func (j *job) carry() json.RawMessage {
	state := j.traffic()
	engine := j.engine.Load()
	j.course.note(engine.Elapsed(), engine.Progress().Statuses, &state)
	state.Series = *j.course.copied()
	data, err := json.Marshal(state)
	if err != nil {
		return nil
	}
	return data
}
