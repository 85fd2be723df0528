package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"pushbatch/apiclient"
	"pushbatch/batch"
	"pushbatch/batch/ops"
	"pushbatch/batch/redact"
	"pushbatch/writers"
	"pushbatch/writers/console"
	"pushbatch/writers/report"
)

// feature is what a flag adds to a run beside sending its rows. Fields that are
// nil are passed over. Those of several features are called in the order of
// the table below, and in this order:
type feature struct {
	// firstPass looks at the inputs before the first request, in every execution.
	// The run folder is open and job.json is written. Its error stops the run.
	firstPass func(ctx context.Context) error
	// extraInputs are read after the inputs of the command line.
	extraInputs func(ctx context.Context) ([]openedInput, error)
	// mapper wraps the mapper of an input: it may decide about a row itself, or
	// wrap the request, to do something before or after it is sent. The first of
	// the table is the outermost.
	mapper func(in *openedInput, next batch.Mapper) batch.Mapper
	// sink wraps what gets every result, in input order, from one goroutine.
	sink func(next batch.Sink) batch.Sink
	// ended is called once when the run has ended (runErr is nil) or stopped, before
	// its summary is written. Its error is the run's.
	ended func(ctx context.Context, engine *batch.Job, runErr error) error
}

// newFeatures make the features of an execution from its flags; nil: not asked for.
var newFeatures = []func(*execution) *feature{
	newDryRunProblems,
	newRedaction,
	newTable,
	newAppCodeCheck, // before anything is noted of devices that a run is about to touch
	newDelta,
	newStateUndo,
	newLeftAlone,
	newSnapshot,
}

func (x *execution) addFeatures() {
	for _, add := range newFeatures {
		if f := add(x); f != nil {
			x.features = append(x.features, f)
		}
	}
}

func (x *execution) firstPass(ctx context.Context) error {
	for _, f := range x.features {
		if f.firstPass == nil {
			continue
		}
		if err := f.firstPass(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (x *execution) addInputs(ctx context.Context) error {
	for _, f := range x.features {
		if f.extraInputs == nil {
			continue
		}
		more, err := f.extraInputs(ctx)
		x.opened = append(x.opened, more...)
		if err != nil {
			return err
		}
	}
	return nil
}

func (x *execution) mapper(in *openedInput) batch.Mapper {
	m := in.binding.Map
	for i := len(x.features) - 1; i >= 0; i-- {
		if f := x.features[i]; f.mapper != nil {
			m = f.mapper(in, m)
		}
	}
	return m
}

func (x *execution) sink(s batch.Sink) batch.Sink {
	for _, f := range x.features {
		if f.sink != nil {
			s = f.sink(s)
		}
	}
	return s
}

// ended tells every feature how the run ended; the first error after the run's
// own is kept too.
func (x *execution) ended(ctx context.Context, engine *batch.Job, runErr error) error {
	for _, f := range x.features {
		if f.ended == nil {
			continue
		}
		if err := f.ended(ctx, engine, runErr); err != nil {
			runErr = errors.Join(runErr, err)
		}
	}
	return runErr
}

const redactKeyVariable = "PUSHBATCH_REDACT_KEY"

// redactionSpec is what job.json says of a redacted run: enough to know the key
// again, too little to find it.
type redactionSpec struct {
	KeyCheck string `json:"key_check"`
}

// openRedactor reads the key of --redact, and demands that of the run that goes on.
func (x *execution) openRedactor() error {
	o := &x.flags.outputFlags
	if !o.redact && o.redactKeyFile != "" {
		return usageError("--redact-key-file is for --redact, which is not given")
	}
	if !o.redact {
		return nil
	}
	key, err := x.process.secret(redactKeyVariable, "--redact-key-file", o.redactKeyFile)
	if err == nil && key == "" {
		err = usageError("--redact needs a key, so that a value has the same hash in all reports: "+
			"set %s or give --redact-key-file FILE (openssl rand -hex 32 makes one)", redactKeyVariable)
	}
	if err != nil {
		return err
	}
	if x.redactor, err = redact.New(key); err != nil {
		return err
	}
	check := x.redactor.Check()
	if x.spec.Redaction != nil && x.spec.Redaction.KeyCheck != check {
		return usageError("the key of --redact is not the one this run was started with: its hashes would not fit together")
	}
	x.spec.Redaction = &redactionSpec{check}
	return nil
}

// newRedaction hashes the values in outcomes. The table of an export is made of
// them and keeps them.
func newRedaction(x *execution) *feature {
	if x.redactor == nil || x.makesTable() {
		return nil
	}
	return &feature{mapper: func(_ *openedInput, next batch.Mapper) batch.Mapper { return x.redactor.Mapper(next) }}
}

// sender is what requests of the run go through.
func (x *execution) sender() ops.Doer { return x.senderOver(x.client) }

func (x *execution) senderOver(sender ops.Doer) ops.Doer {
	if x.before != nil {
		sender = snapshotSender{sender, x.before}
	}
	if x.redactor != nil {
		sender = redact.Sender{Doer: sender}
	}
	return sender
}

// shownResult returns what reports show of a result; nil: the result.
func (x *execution) shownResult() func(*batch.Result) *batch.Result {
	if x.redactor == nil {
		return nil
	}
	return func(r *batch.Result) *batch.Result {
		return x.redactor.Result(r, x.opened[r.Row.Input].binding.Columns, x.makesTable())
	}
}

// refuseRedacted refuses the failed.csv of a redacted run, whose hashes would be
// sent for values.
func refuseRedacted(source batch.Source) error {
	for _, c := range source.Header() {
		if c.Name == writers.RedactedColumn {
			return usageError("%s is of a redacted run: it holds hashes, not values. pushbatch retry RUN takes the rows from the inputs", source.Name())
		}
	}
	return nil
}

// lookWithin bounds one look at the platform before the first row.
const lookWithin = 5 * time.Second

// look sends one request, never a second one, with the permit of an operation, so
// that it counts among those that --rate allows.
func (x *execution) look(ctx context.Context, op apiclient.Op, call apiclient.Call) (apiclient.Response, error) {
	ctx, cancel := context.WithTimeout(ctx, lookWithin)
	defer cancel()
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	x.attempted = stop
	defer func() { x.attempted = nil }()
	call.Op = op
	return x.client.Do(ctx, call)
}

// attemptEnded is called after every attempt of the client.
func (x *execution) attemptEnded(a apiclient.Attempt) {
	if x.attempted == nil {
		return
	}
	x.answered = a.Date
	if a.Err != nil {
		x.attempted(a.Err) // what would be tried again ends with it
	}
}

// askApplications lists the account's applications. An error may be that the key may
// not read them, or that the answer is no such list.
func (x *execution) askApplications(ctx context.Context) ([]report.Application, error) {
	response, err := x.look(ctx, x.op(), apiclient.ApplicationsCall())
	x.looks = x.client.Stats()
	if err != nil {
		return nil, err
	}
	var list struct {
		Applications []report.Application `json:"applications"`
	}
	if err := json.Unmarshal(response.Body, &list); err != nil {
		return nil, fmt.Errorf("the answer is no list of applications: %w", err)
	}
	return list.Applications, nil
}

// op is the operation whose limit holds for the requests of the run.
func (x *execution) op() apiclient.Op {
	var s apiclient.Stats
	for op := range s.Ops {
		if apiclient.Op(op).String() == x.requestName() {
			return apiclient.Op(op)
		}
	}
	return apiclient.OpGet
}

// newAppCodeCheck looks for the application code among those of the account before
// the first row. Where that cannot be told, nothing is said: the first answer of the
// platform will tell.
func newAppCodeCheck(x *execution) *feature {
	if x.client == nil || x.flags.simulate || x.flags.appCode == "" || x.people != nil {
		return nil
	}
	return &feature{firstPass: func(ctx context.Context) error {
		list, err := x.applications, error(nil)
		if list == nil {
			list, err = x.askApplications(ctx)
		}
		if refusal, ok := errors.AsType[*apiclient.Error](err); ok && refusal.Code == apiclient.CodeProxy && refusal.Class == apiclient.Fatal {
			return &batch.Abort{Code: refusal.Code, Err: refusal} // it would be asked again with the same password
		}
		if err != nil {
			return context.Cause(ctx)
		}
		if problem := unknownCode(x.flags.appCode, list); problem != "" {
			return &batch.Abort{Code: "48012", Err: errors.New(problem)}
		}
		return nil
	}}
}

// unknownCode says that a code is not among those of the account; empty: it is, or
// none are known.
func unknownCode(code string, list []report.Application) string {
	var codes []string
	for _, a := range list {
		if a.Code == code {
			return ""
		}
		if a.Code != "" {
			codes = append(codes, a.Code)
		}
	}
	if len(codes) == 0 {
		return ""
	}
	return "48012: the account has no application with the code " + console.OneLine(code) + didYouMean(code, codes)
}
