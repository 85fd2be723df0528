package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"net/http"
	"os"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"pushbatch/apiclient"
	"pushbatch/batch"
	"pushbatch/batch/blob"
	"pushbatch/batch/ops"
	"pushbatch/batch/runstore"
	"pushbatch/batch/undo"
	"pushbatch/readers"
	"pushbatch/readers/owners"
	"pushbatch/writers/report"
)

// planFile lists in the folder of an undo the devices that it puts back.
const planFile = "undo.ndjson"

// undoSpec says in job.json which run is taken back.
type undoSpec struct {
	Run       string   `json:"run"`
	Operation string   `json:"operation"`
	From      string   `json:"from,omitempty"` // the inventory that says what devices were
	State     string   `json:"state,omitempty"`
	Devices   int64    `json:"devices"`
	Notes     []string `json:"notes,omitempty"` // what does not come back
}

func newUndoCommand(p *process) *cobra.Command {
	flags, from := &jobFlags{}, ""
	cmd := &cobra.Command{
		Use:   "undo RUN",
		Short: "Put the devices that a run changed back to what they were",
		Long: "undo is a new run that puts back what RUN changed: the values that update overwrote, the person that a device\n" +
			"belonged to. RUN was started with --snapshot, or --from names an inventory that export made before it. Each\n" +
			"device is looked at first; one that others have changed since is left alone. --dry-run shows what would be sent.",
		Args: needRun,
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.undo(cmd.Context(), args[0], from, &runConfig{flags: flags, set: cmd.Flags()})
		},
	}
	cmd.Flags().StringVar(&from, "from", "", "inventory `FILE` made before the run, where it was started without --snapshot")
	flags.addAll(cmd.Flags())
	hideFlags(cmd.Flags(), fixedForUndo())
	return cmd
}

// notUndone are settings of the run that mean nothing to its undo.
var notUndone = []string{
	"out", "limit", "canary", "to", "dry-run", "snapshot", "snapshot-from", "max-errors", "max-duration", "continue", "results",
	"delta", "delta-full", "delta-adopt", "max-age", "mirror", "max-vanished", "on-duplicate", "strict", "allow-empty",
}

// fixedForUndo are the flags that mean nothing to an undo: it reads no input, and
// what it sends stands in the plan.
func fixedForUndo() []string {
	others, f := pflag.NewFlagSet("", pflag.ContinueOnError), &jobFlags{}
	f.addPersonalize(others)
	f.delta.add(others)
	f.delta.addMirror(others)
	f.export.add(others)
	f.snapshotFlags.add(others)
	f.inputFlags.add(others)
	fixed := withoutFlags(fixedFlags, "out", "dry-run", "continue", "results")
	others.VisitAll(func(f *pflag.Flag) { fixed = append(fixed, f.Name) })
	return fixed
}

// undo starts a run that takes back the run in a folder.
func (p *process) undo(ctx context.Context, path, from string, c *runConfig) (err error) {
	if err := resolveS3(c.set, p.getenv); err != nil {
		return err
	}
	ctx = c.flags.with(ctx, p)
	old, err := changingRun(ctx, path)
	if err != nil {
		return err
	}
	spec := &undoSpec{Run: path, Operation: old.Operation, From: from}
	if state := old.Settings["delta"]; len(state) == 1 {
		spec.State = state[0]
	}
	if err := c.restore(p, path, old, fixedForUndo(), notUndone); err != nil {
		return err
	}
	c.operation, c.mapping = ops.Undo(), old.Mapping
	if err := c.check(); err != nil {
		return err
	}
	x, err := p.open(c, runSpec{Undo: spec, StartedAt: time.Now().UTC()})
	if err != nil {
		return err
	}
	if err := x.createPlan(ctx, path, old, from); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, x.folder.Close()) }()
	info, err := blob.Stat(ctx, x.folder.Path(planFile))
	if err != nil {
		return &exitError{exitStopped, err}
	}
	if err := x.openPlan(ctx, info); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, x.closeInputs()) }()
	if err := x.describe(ctx); err != nil {
		return err
	}
	return x.run(ctx)
}

// createPlan makes the plan of an undo, and then the folder that it lies in: where
// nothing can be planned there is none.
func (x *execution) createPlan(ctx context.Context, path string, old *runSpec, from string) (err error) {
	spool, err := runstore.NewSpool()
	if err != nil {
		return &exitError{exitStopped, err}
	}
	defer func() { err = errors.Join(err, spool.Remove()) }()
	plan, err := os.CreateTemp(spool.Path, "plan-*") // mode 0600
	if err != nil {
		return &exitError{exitStopped, err}
	}
	defer plan.Close()
	err = x.withRecords(ctx, spool.Path, path, old, from, func(records io.Reader) error { return x.makePlan(records, plan) })
	if err != nil {
		return stateError(err)
	}
	if err := x.createFolder(ctx); err != nil {
		return err
	}
	if err := blob.Copy(ctx, x.folder.Path(planFile), plan, blob.CreateOptions{}); err != nil {
		return errors.Join(&exitError{exitStopped, err}, x.folder.Close())
	}
	return nil
}

// changingRun reads what was asked of a run that may have changed devices and is
// not going on.
func changingRun(ctx context.Context, path string) (_ *runSpec, err error) {
	folder, err := viewRun(ctx, path)
	if err != nil {
		return nil, usageError("%w", err)
	}
	defer func() { err = errors.Join(err, folder.Close()) }()
	_, spec, err := summaryOf(folder, path)
	if err != nil {
		return nil, err
	}
	status, err := statusOf(folder)
	switch {
	case err != nil:
		return nil, err
	case report.Outcome(status.State) == report.Running:
		return nil, &exitError{exitLocked, fmt.Errorf("%s is going on: stop it first", path)}
	case len(spec.Settings["dry-run"]) > 0:
		return nil, usageError("%s was a dry run: it changed nothing", path)
	case spec.Operation == exportOperation || spec.Operation == ops.Undo().Name:
		return nil, usageError("%s was %s, which cannot be undone", path, spec.Operation)
	}
	return spec, nil
}

// withRecords hands out the records that the plan is made of: the run's snapshot, or
// what its inputs, its results and an inventory say.
func (x *execution) withRecords(ctx context.Context, temporary, path string, old *runSpec, from string, read func(io.Reader) error) error {
	if from != "" {
		temp, err := os.CreateTemp(temporary, "records-*")
		if err != nil {
			return &exitError{exitStopped, err}
		}
		defer temp.Close()
		if err := x.rebuildLog(ctx, temp.Name(), path, old, from); err != nil {
			return err
		}
		return read(temp)
	}
	err := readBefore(ctx, path, read)
	if errors.Is(err, fs.ErrNotExist) {
		return usageError("%s was started without --snapshot: name an inventory made before it, --from INVENTORY", path)
	}
	return err
}

// rebuildLog writes the log that the run would have written with --snapshot-from.
func (x *execution) rebuildLog(ctx context.Context, to, path string, old *runSpec, from string) (err error) {
	log, err := undo.OpenLog(to)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	partial, err := owners.FromInventory(ctx, from, log)
	if err != nil {
		return usageError("--from: %w", err)
	}
	if err := log.Append(undo.Record{Kind: undo.KindListed, Partial: partial}); err != nil {
		return err
	}
	options, err := x.runConfig.bindOptions()
	if err != nil {
		return err
	}
	b := &logRebuilder{log: log, operation: ops.Named(old.Operation), options: options}
	b.options.Sender, b.options.DryRun, b.options.HasAppCode = &b.caught, ops.Send, true
	found, err := recordedInputs(ctx, old, x.moved)
	if err != nil {
		return err
	}
	next, stop := iter.Pull2(resultsOf(ctx, path, old))
	defer stop()
	b.next = next
	err = b.advance()
	for _, info := range found {
		if err == nil {
			err = b.input(ctx, info, x.flags.readerOptions(x.process.stdin))
		}
	}
	for err == nil && b.result != nil { // of devices that the inputs named no more
		if b.result.Row.Source == vanishedName {
			err = b.add(apiclient.DepersonalizeCall(b.result.RegistrationID))
		}
		err = cmp.Or(err, b.advance())
	}
	return err
}

// logRebuilder writes a log from the inputs of a run and its results, which come in
// the order of rows.
type logRebuilder struct {
	log       *undo.Log
	operation *ops.Operation
	options   ops.Options
	caught    callCatcher
	next      func() (*batch.Result, error, bool)
	result    *batch.Result // the next one; nil: there is none
}

func (b *logRebuilder) advance() (err error) {
	b.result, err, _ = b.next()
	return err
}

// input adds what was sent of one input.
func (b *logRebuilder) input(ctx context.Context, info blob.Info, o readers.Options) (err error) {
	source, err := readers.Open(ctx, info, o)
	if err != nil {
		return &exitError{exitStopped, err}
	}
	defer func() { err = errors.Join(err, source.Close()) }()
	binding, err := b.operation.Bind(source.Header(), b.options)
	if err != nil {
		return usageError("%s: %w", source.Name(), err)
	}
	for row, err := range source.Rows(ctx, batch.Position{}) {
		if err != nil {
			return &exitError{exitStopped, err}
		}
		if b.result == nil || b.result.Row.Source != source.Name() || b.result.Row.SourceNum() != row.SourceNum() {
			continue // the run did not take it
		}
		if request, _ := binding.Map(&row); request != nil {
			_, _ = request.Send(ctx) // to the catcher
			err = b.add(b.caught.call)
		}
		if err := cmp.Or(err, b.advance()); err != nil {
			return err
		}
	}
	return nil
}

// add adds the call of the current row, if it was sent.
func (b *logRebuilder) add(call apiclient.Call) error {
	r, ended := b.result, undo.Unknown
	switch {
	case r.Status == batch.Rejected, r.Status == batch.Skipped:
		return nil
	case r.Status == batch.Succeeded:
		ended = undo.Succeeded
	case r.HTTPStatus >= 400 && r.HTTPStatus < 500 && r.HTTPStatus != http.StatusRequestTimeout && r.Attempts <= 1 && !b.options.Personalize.ForceDepersonalize:
		ended = undo.Refused
	}
	device := deviceOf(&call)
	err := b.log.Append(undo.Record{Kind: undo.KindSent, Device: device, AppCode: call.AppCode, Body: call.Body},
		undo.Record{Kind: undo.KindEnd, Device: device, Ended: ended})
	if err != nil {
		return &exitError{exitStopped, err}
	}
	return nil
}

// callCatcher keeps the call of a request instead of sending it.
type callCatcher struct{ call apiclient.Call }

// Do implements ops.Doer.
func (c *callCatcher) Do(_ context.Context, call apiclient.Call) (apiclient.Response, error) {
	c.call = call
	return apiclient.Response{Status: 200}, nil
}
