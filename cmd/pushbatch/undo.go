package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"pushbatch/batch"
	"pushbatch/batch/blob"
	"pushbatch/batch/delta"
	"pushbatch/batch/ops"
	"pushbatch/batch/runstore"
	"pushbatch/readers"
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
	from := ""
	cmd := &cobra.Command{
		Use:   "undo RUN",
		Short: "Put the devices that a run changed back to what they were",
		Long: "undo is a new run that puts back what RUN changed: the values that update overwrote, the person that a device\n" +
			"belonged to. RUN was started with --snapshot, or --from names an inventory that export made before it. Each\n" +
			"device is looked at first; one that others have changed since is left alone. --dry-run shows what would be sent.",
	}
	cmd.Flags().StringVar(&from, "from", "", "inventory `FILE` made before the run, where it was started without --snapshot")
	return p.newRunCommand(cmd, fixedForUndo(), func(ctx context.Context, path string, c *runConfig) error { return p.undo(ctx, path, from, c) })
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
	run, err := changingRun(ctx, path)
	if err != nil {
		return err
	}
	old := run.spec
	run.from = from
	spec := &undoSpec{Run: path, Operation: old.Operation, From: from}
	spec.State = strings.Join(old.Settings["delta"], "")
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
	if err := x.createPlan(ctx, run); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, x.folder.Close()) }()
	info, err := blob.Stat(ctx, x.folder.Path(planFile))
	if err != nil {
		return err
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
func (x *execution) createPlan(ctx context.Context, run *changedRun) (err error) {
	spool, err := runstore.NewSpool()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, spool.Remove()) }()
	plan, err := os.CreateTemp(spool.Path, "plan-*") // mode 0600
	if err != nil {
		return err
	}
	defer plan.Close()
	err = x.withRecords(ctx, spool.Path, run, func(records io.Reader) error { return x.makePlan(records, plan) })
	if err != nil {
		return err
	}
	if err := x.createFolder(ctx); err != nil {
		return err
	}
	if err := blob.Copy(ctx, x.folder.Path(planFile), plan, blob.CreateOptions{}); err != nil {
		return errors.Join(err, x.folder.Close())
	}
	return nil
}

// changingRun reads what was asked of a run that may have changed devices and is
// not going on, and where it stands: not Stopped is one that was killed.
func changingRun(ctx context.Context, path string) (changed *changedRun, err error) {
	err = readRun(ctx, path, func(run *viewedRun) error {
		status, err := run.status()
		if err != nil {
			return err
		}
		interrupted, spec := status.State == report.Interrupted, run.spec
		run.point = cmp.Or(run.point, &batch.Checkpoint{Ended: !interrupted})
		run.point.Stopped = !interrupted
		changed = &changedRun{viewedRun: run}
		switch {
		case status.State == report.Running:
			return &exitError{code: exitLocked, err: fmt.Errorf("%s is going on: stop it first", path)}
		case len(spec.Settings["dry-run"]) > 0:
			return usageError("%s was a dry run: it changed nothing", path)
		case spec.Operation == exportOperation || spec.Operation == ops.Undo().Name:
			return usageError("%s was %s, which cannot be undone", path, spec.Operation)
		}
		return nil
	})
	return changed, err
}

// changedRun is a run that is to be undone. Where its checkpoint is not Stopped it was
// killed.
type changedRun struct {
	*viewedRun
	from string // the inventory that says what devices were
}

// withRecords hands out the records that the plan is made of: the run's snapshot, or
// what its inputs, its results and an inventory say.
func (x *execution) withRecords(ctx context.Context, temporary string, run *changedRun, read func(io.Reader) error) error {
	if run.from != "" {
		temp, err := os.CreateTemp(temporary, "records-*")
		if err != nil {
			return err
		}
		defer temp.Close()
		if err := x.rebuildLog(ctx, temp.Name(), run); err != nil {
			return err
		}
		return read(temp)
	}
	err := readBefore(ctx, run.path, read)
	if errors.Is(err, fs.ErrNotExist) {
		return usageError("%s was started without --snapshot: name an inventory made before it, --from INVENTORY", run.path)
	}
	return err
}

// openPlan makes the plan the one input of the run.
func (x *execution) openPlan(ctx context.Context, info blob.Info) error {
	source, err := readers.Open(ctx, info, readers.Options{Format: "ndjson"})
	if err != nil {
		return err
	}
	source = x.spec.Retry.only(ctx, source)
	options, err := x.bindOptions()
	if err != nil {
		return errors.Join(err, source.Close())
	}
	if !x.sends() {
		options.Sender = x.looker()
	}
	binding := &ops.Binding{Map: ops.UndoMapper(options)}
	for i, name := range ops.UndoHeader() {
		binding.Columns = append(binding.Columns, ops.ColumnUse{Column: name, Index: i, Use: ops.Sent})
	}
	x.opened = []openedInput{{info: info, source: source, binding: binding}}
	return nil
}

// looker asks in a dry run what devices are; nil where there is no key.
func (x *execution) looker() ops.Doer {
	reader, err := x.process.connect(x.flags, x.log, nil, nil)
	if err != nil {
		x.log.Warn("no device is looked at: those that others changed since, and those that are as before, are not told from the rest", "error", err)
		return nil
	}
	x.reader = reader
	return x.senderOver(reader)
}

// addLeftAlone says how many devices an undo has left alone: they are skipped, so that
// the exit code does not tell.
func addLeftAlone(x *execution) {
	if x.spec.Undo == nil {
		return
	}
	x.ends = append(x.ends, func(_ context.Context, engine *batch.Job, _ error) error {
		if c := engine.Tally().Codes[ops.CodeChangedSince]; c != nil {
			x.log.Warn("others have changed devices since the run: these are left alone, see changed_since in the results", "devices", c.Count)
		}
		return nil
	})
}

// addStateUndo makes the delta state of a run forget what was acknowledged of the
// devices that undo puts back. They are noted in it before the first request: should
// the undo die, the next run forgets all that it may have touched.
func addStateUndo(x *execution) {
	if x.spec.Undo == nil || x.spec.Undo.State == "" || x.client == nil {
		return
	}
	folder := x.folder.Path("")
	x.firstPasses = append(x.firstPasses, func(ctx context.Context) error {
		return x.inState(ctx, func(state *delta.State) error { return state.Touch(ctx, x.undoneDevices(ctx), folder) })
	})
	x.ends = append(x.ends, func(ctx context.Context, _ *batch.Job, runErr error) error {
		if runErr != nil {
			return nil //nolint:nilerr // what was touched stays noted: the next run forgets it
		}
		ids := x.changedDevices(ctx)
		if x.redactor != nil { // the results do not name them
			ids = x.undoneDevices(ctx)
		}
		return x.inState(ctx, func(state *delta.State) error {
			n, err := state.Changed(ctx, ids, folder)
			if err == nil {
				x.log.Info("the delta state forgets what was acknowledged of the devices", "state", x.spec.Undo.State, "devices", n)
			}
			return err
		})
	})
}

// inState holds the state of the run that is taken back, if it is still there.
func (x *execution) inState(ctx context.Context, do func(*delta.State) error) error {
	err := withState(ctx, x.spec.Undo.State, x.folder.Path(""), new(storeOptions(x.flags, x.log)), do)
	if errors.Is(err, errNoState) {
		x.log.Warn("the delta state of the run is not there any more: nothing to forget", "state", x.spec.Undo.State)
		return nil
	}
	return err
}

// changedDevices yields the devices that an undo sent a request of change, and nothing
// for every other row.
func (x *execution) changedDevices(ctx context.Context) iter.Seq2[string, error] {
	return batch.Each(resultsOf(ctx, x.folder.Path(""), &x.spec), func(r *batch.Result) (string, error) {
		if r.Status == batch.Skipped || r.Status == batch.Rejected {
			return "", nil
		}
		return r.RegistrationID, nil
	})
}

func (x *execution) undoneDevices(ctx context.Context) iter.Seq2[string, error] {
	return batch.Each(batch.Texts(ctx, x.opened[0].source, ops.UndoHeader()[0]), func(texts []string) (string, error) { return texts[0], nil })
}
