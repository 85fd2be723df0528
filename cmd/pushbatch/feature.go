package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"pushbatch/apiclient"
	"pushbatch/batch"
	"pushbatch/batch/ops"
	"pushbatch/batch/redact"
	"pushbatch/writers"
	"pushbatch/writers/console"
	"pushbatch/writers/report"
)

// features are what flags add to a run beside sending its rows, each in the order of
// the table below.
type features struct {
	// firstPasses look at the inputs before the first request, in every execution.
	// The run folder is open and job.json is written. An error stops the run.
	firstPasses []func(context.Context) error
	// mappers wrap the mapper of an input: one may decide about a row itself, or
	// amend the request. The first of the table is the outermost.
	mappers []func(in *openedInput, next batch.Mapper) batch.Mapper
	// sinks wrap what gets every result, in input order, from one goroutine.
	sinks []func(next batch.Sink) batch.Sink
	// ends are called once when the run has ended (runErr is nil) or stopped, before
	// its summary is written. An error is the run's.
	ends []func(ctx context.Context, engine *batch.Job, runErr error) error
}

// addFeatures add to an execution what its flags ask for.
var addFeatures = []func(*execution){
	addDryRunProblems,
	addRedaction,
	addTable,
	addAppCodeCheck, // before anything is noted of devices that a run is about to touch
	addDelta,
	addStateUndo,
	addLeftAlone,
	addSnapshot,
}

func (x *execution) firstPass(ctx context.Context) error {
	for _, look := range x.firstPasses {
		if err := look(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (x *execution) mapper(in *openedInput) batch.Mapper {
	m := in.binding.Map
	for _, wrap := range slices.Backward(x.mappers) {
		m = wrap(in, m)
	}
	return m
}

func (x *execution) sink(s batch.Sink) batch.Sink {
	for _, wrap := range x.sinks {
		s = wrap(s)
	}
	return s
}

// ended tells every feature how the run ended; their errors are kept after its own.
func (x *execution) ended(ctx context.Context, engine *batch.Job, runErr error) error {
	for _, end := range x.ends {
		runErr = errors.Join(runErr, end(ctx, engine, runErr))
	}
	return runErr
}

const redactKeyVariable = "PUSHBATCH_REDACT_KEY"

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
		return usageError("%w", err)
	}
	check := x.redactor.Check()
	if x.spec.Redaction != "" && x.spec.Redaction != check {
		return usageError("the key of --redact is not the one this run was started with: its hashes would not fit together")
	}
	x.spec.Redaction = check
	return nil
}

// addRedaction hashes the values in outcomes. The table of an export is made of
// them and keeps them.
func addRedaction(x *execution) {
	if x.redactor != nil && !x.makesTable() {
		x.mappers = append(x.mappers, func(_ *openedInput, next batch.Mapper) batch.Mapper { return x.redactor.Mapper(next) })
	}
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
	x.answered, _ = http.ParseTime(a.Date) // zero where there is none
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

// op is what the client knows the requests of the run by; of an undo, which sends
// several kinds, those that look at the devices.
func (x *execution) op() apiclient.Op {
	if x.people != nil && !x.flags.export.listing.Detail {
		return apiclient.OpListPersons
	}
	for op := range (apiclient.Stats{}).Ops {
		if apiclient.Op(op).String() == x.operation.Name {
			return apiclient.Op(op)
		}
	}
	return apiclient.OpGet
}

// addAppCodeCheck looks for the application code among those of the account before
// the first row. Where that cannot be told, nothing is said: the first answer of the
// platform will tell.
func addAppCodeCheck(x *execution) {
	if x.client == nil || x.flags.simulate || x.flags.client.AppCode == "" || x.people != nil {
		return
	}
	x.firstPasses = append(x.firstPasses, func(ctx context.Context) error {
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
		if problem := unknownCode(x.flags.client.AppCode, list); problem != "" {
			return &batch.Abort{Code: "48012", Err: errors.New(problem)}
		}
		return nil
	})
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
