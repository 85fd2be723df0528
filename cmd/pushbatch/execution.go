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
	"sync/atomic"
	"time"

	"pushbatch/apiclient"
	"pushbatch/batch"
	"pushbatch/batch/blob"
	"pushbatch/batch/ops"
	"pushbatch/batch/redact"
	"pushbatch/batch/runstore"
	"pushbatch/readers/people"
	"pushbatch/writers"
	"pushbatch/writers/console"
	"pushbatch/writers/inventory"
	"pushbatch/writers/report"
	"pushbatch/writers/watch"
)

// execution is what is open while a process works on a run: a run has one
// execution, and one more for each resume.
type execution struct {
	*runConfig
	process *process

	spec       runSpec
	folder     *runstore.Folder
	point      *batch.Checkpoint // nil: from the beginning
	newMapping bool              // resume --map: for the rows that are not done
	died       bool              // an execution before this one left neither a checkpoint nor a summary
	opened     []openedInput     // the inputs, and after them what features add

	client   *apiclient.Client // nil: nothing is sent
	reader   *apiclient.Client // of a dry run that looks at devices
	log      *slog.Logger
	printer  console.Printer
	every    time.Duration    // between two calls of the printer
	redactor *redact.Redactor // nil: values stand as they are
	metrics  *watch.Metrics   // nil: nobody asked for them
	notifier *watch.Notifier  // nil: nobody is told
	features
	reports *writers.Reports
	journal *runstore.Journal // nil: nothing is sent, or the folder is in S3
	before  *snapshot         // nil: what devices were is not kept

	attempted context.CancelCauseFunc // ends a look at the platform after one attempt, see look
	answered  time.Time               // of the last look, by the platform's clock; zero: not known
	looks     apiclient.Stats         // what looks have cost: no request of a row
	delta     *deltaRun               // nil: every row is sent

	engine   atomic.Pointer[batch.Job]
	allSent  atomic.Bool                    // the engine has ended
	savedAt  atomic.Int64                   // of the last checkpoint, Unix milliseconds; 0: none yet
	summary  atomic.Pointer[report.Summary] // of an execution that is over
	timeline report.Recording

	applications []report.Application // of the account, where an export could read them
	layout       *inventory.Layout    // the columns of an export
	found        *columnProblems      // of a dry run; nil: requests are sent
	people       *people.Source       // the one input, of an export of everybody
	listed       *report.People       // of an earlier execution, when the run had ended then
	inventory    *inventory.Manifest  // what an export published; nil: nothing
}

// stderrWithin is how long a run waits for standard error to take a message.
const stderrWithin = 2 * time.Second

// open makes what prints and what reaches the platform. Inputs and folder are
// opened later, when it is known which run this is.
func (p *process) open(c *runConfig, spec runSpec) (x *execution, err error) {
	p.waitAtMost(stderrWithin)
	x = &execution{runConfig: c, process: p, spec: spec, layout: c.flags.export.layout()}
	p.json = c.flags.logFormat == console.JSON
	if x.printer, x.every, err = console.NewPrinter(p.terminal, c.flags.progress, c.flags.quiet, c.flags.logFormat); err != nil {
		return nil, usageError("%w", err)
	}
	if x.log, err = p.newLogger(&c.flags.messageFlags, c.flags.redact, x.printer.Above()); err != nil {
		return nil, usageError("%w", err)
	}
	if err := x.openRedactor(); err != nil {
		return nil, err
	}
	if err := p.watch(x); err != nil {
		return nil, err
	}
	if c.flags.snapshotFlags.wanted() {
		x.before = &snapshot{x: x}
	}
	if c.sends() {
		x.client, err = p.connect(c.flags, x.log, x.lost, x.attemptEnded)
	}
	return x, err
}

// describe fills the spec of a new run and says once what was found.
func (x *execution) describe(ctx context.Context) (err error) {
	x.spec.Version, x.spec.Operation = version(), x.operation.Name
	x.spec.StartedAt, x.spec.Settings, x.spec.Limit = time.Now().UTC(), settingsOf(x.set), x.flags.engine.Limit
	x.spec.Mapping, x.spec.Inputs = x.mapping, nil
	x.spec.noteVariables(x.set, x.process.getenv)
	x.fixTarget()
	for i := range x.opened {
		x.describeInput(&x.opened[i])
		if x.client == nil {
			continue
		}
		if x.spec.Inputs[i].Checksum, err = checksum(ctx, x.opened[i].info); err != nil {
			return err
		}
	}
	x.spec.Split = splitOf(ctx, x.spec.Inputs)
	x.spec.Seal = x.process.seal(x.flags, x.spec.Settings)
	return nil
}

func (x *execution) createFolder(ctx context.Context) (err error) {
	path := cmp.Or(x.flags.out, freeFolder(filepath.Join("runs", x.spec.StartedAt.Format("20060102T150405Z")+"-"+x.operation.Name)))
	x.folder, err = runstore.Create(ctx, path, storeOptions(x.flags, x.log))
	if errors.Is(err, runstore.ErrRunExists) {
		given := runSpec{Settings: settingsOf(x.set)}
		given.noteVariables(x.set, x.process.getenv)
		return usageError("%w: give another --out, or go on with it: pushbatch resume %s", err, given.forReport().Argument(path))
	}
	return err
}

// freeFolder is path, or path with a number when that second has a run already.
func freeFolder(path string) string {
	for n, free := 2, path; ; n++ {
		if _, err := os.Stat(free); err != nil {
			return free
		}
		free = fmt.Sprintf("%s-%d", path, n)
	}
}

func (x *execution) openReports() (*writers.Reports, error) {
	format, err := writers.ResultFormatNamed(x.flags.results)
	if err != nil {
		return nil, err
	}
	o := writers.ReportOptions{Operation: x.operation.Name, Format: format, Requests: dryRuns[x.flags.dryRun] == ops.ShowRequests}
	if x.gathers() {
		o.Gather = x.layout.Cells
	}
	if x.redactor != nil {
		o.Shown = func(r *batch.Result) *batch.Result {
			return x.redactor.Result(r, x.opened[r.Row.Input].binding.Columns, x.makesTable())
		}
	}
	o.Others = make(map[int]string)
	for i := range x.opened {
		if _, vanished := x.opened[i].source.(vanishedSource); vanished {
			o.Others[i] = "depersonalize"
		}
	}
	if x.people != nil {
		o.Kept = []string{peopleFile}
	}
	if x.before != nil {
		o.Kept = append(o.Kept, beforeFile)
	}
	o.Columns = x.failedColumns(x.opened)
	copy(o.Columns, x.spec.FailedColumns) // as failed.csv has begun
	var mark batch.Mark
	if x.point != nil {
		mark = x.point.Mark
	}
	return writers.OpenReports(x.folder, o, mark)
}

func (x *execution) engineConfig(sink batch.Sink) batch.Config {
	cfg := x.flags.engine
	cfg.Sink, cfg.Resume, cfg.CallerState, cfg.Save = sink, x.point, x.saveCallerState, x.save
	if blob.IsS3(x.folder.Path("")) {
		cfg.SaveEvery = x.flags.saveEvery
	}
	if x.journal != nil {
		cfg.Journal = x.journal
	}
	if x.client != nil {
		x.setThresholds(&cfg)
	} else {
		cfg.Canary = 0 // a dry run is there to find all that is wrong
	}
	for _, in := range x.opened {
		cfg.Inputs = append(cfg.Inputs, batch.Input{Source: in.source, Map: x.mapper(&in)})
	}
	return cfg
}

func (x *execution) save(c *batch.Checkpoint) error {
	if err := x.folder.SaveCheckpoint(c); err != nil {
		return err
	}
	x.savedAt.Store(c.SavedAt.UnixMilli())
	return nil
}

// callerState is what a checkpoint keeps for this package.
type callerState struct {
	report.Traffic
	Series batch.Series `json:"series"`
}

// stateOf is what a checkpoint kept; zero where there is none.
func stateOf(point *batch.Checkpoint) (s callerState) {
	if point != nil && len(point.CallerState) > 0 {
		_ = json.Unmarshal(point.CallerState, &s) // an older form: the counts begin anew
	}
	if point == nil {
		return s
	}
	sent := point.Tally.Attempts + s.Throttled + s.Snapshot
	for _, w := range point.Waiting {
		sent += int64(w.Outcome.Attempts)
	}
	s.Requests = max(s.Requests, sent) // the journal gave back rows that finished later
	s.AtLeast = s.AtLeast || !point.Stopped && !point.Ended
	return s
}

// traffic is the requests of all executions together.
func (x *execution) traffic() callerState {
	state := stateOf(x.point)
	state.AtLeast = state.AtLeast || x.died
	if x.client != nil {
		s := x.client.Stats()
		state.Add(report.Traffic{Requests: s.Requests - x.looks.Requests, Retries: s.Retries - x.looks.Retries, Throttled: s.Throttled - x.looks.Throttled})
		if x.before != nil {
			state.Snapshot += x.before.requests.Load()
		}
	}
	return state
}

func (x *execution) saveCallerState() json.RawMessage {
	state := x.traffic()
	engine := x.engine.Load()
	x.timeline.Note(engine.Elapsed(), engine.Progress().Statuses, state.Requests, state.Throttled)
	state.Series = x.timeline.Series()
	data, _ := json.Marshal(state) // numbers only
	return data
}
