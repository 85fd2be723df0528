package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"math"
	"os"

	"github.com/spf13/cobra"

	"pushbatch/batch"
	"pushbatch/batch/blob"
	"pushbatch/batch/delta"
	"pushbatch/batch/ops"
	"pushbatch/batch/runstore"
	"pushbatch/readers"
	"pushbatch/writers/report"
)

func newDeltaCommand(p *process) *cobra.Command {
	flags, forget, asJSON := &jobFlags{}, "", false
	cmd := &cobra.Command{
		Use:   "delta STATE",
		Short: "Show what a delta state holds, or remove devices from it",
		Long: "delta shows what the state of a job with --delta says the platform has acknowledged.\n" +
			"With --forget the devices of a file are removed from it: any input with a registration id.",
		Args: needs("one STATE: the folder or s3:// prefix that --delta names", 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := resolveS3(cmd.Flags(), p.getenv); err != nil {
				return err
			}
			if err := flags.s3Flags.check(); err != nil {
				return err
			}
			return p.showDelta(flags.with(cmd.Context(), p), flags, args[0], forget, asJSON)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.Flags().StringVar(&forget, "forget", "", "remove the devices of `FILE`, an input with a registration id, from the state")
	flags.s3Flags.add(cmd.Flags())
	return cmd
}

// withState opens a delta state for what is no run. Where that changes it, it is held,
// and what a run that died has left is settled, but for the one in the folder own: what
// cannot be read of it is forgotten.
func withState(ctx context.Context, location, own string, hold *runstore.Options, do func(*delta.State) error) (err error) {
	store, err := stateStore(ctx, location)
	if err != nil {
		return err
	}
	if names, err := store.List(ctx); err == nil && len(names) == 0 {
		return fmt.Errorf("%s %w", location, errNoState)
	}
	if hold != nil {
		held, err := runstore.Hold(ctx, location, *hold)
		if err != nil {
			return err
		}
		defer func() { _ = held.Release() }() // what was changed is durable
	}
	spool, err := runstore.NewSpool()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, spool.Remove()) }()
	state, err := delta.Open(ctx, store, delta.Options{Open: openTable, Files: delta.Disk{}, Folder: spool.Path})
	if err == nil && state.First() {
		err = fmt.Errorf("%s %w", location, errNoState)
	}
	if err == nil && hold != nil && state.Dead() != nil && state.Dead().Folder != own {
		outcomes, _ := outcomesOf(ctx, state.Dead())
		err = state.Settle(ctx, outcomes, true)
	}
	if err != nil {
		return err
	}
	return do(state)
}

// errNoState says that no delta state is where one is named.
var errNoState = errors.New("holds no delta state yet: the first run with --delta makes it")

// showDelta prints what a state holds, after it has forgotten the devices of a file.
func (p *process) showDelta(ctx context.Context, flags *jobFlags, location, forget string, asJSON bool) error {
	var hold *runstore.Options
	if forget != "" {
		log, _ := p.newLogger(&messageFlags{logFormat: "text"}, false, p.stderr) // a format that there is
		hold = new(storeOptions(flags, log))
	}
	return withState(ctx, location, "", hold, func(state *delta.State) (err error) {
		unread := int64(0)
		if forget != "" {
			if unread, err = p.forget(ctx, state, forget); err != nil {
				return err
			}
		}
		info, err := state.Info(ctx)
		if err == nil {
			err = show(p.stdout, "delta", info, asJSON)
		}
		if err == nil && unread > 0 {
			err = &exitError{code: exitBadRows, err: fmt.Errorf("the registration id of %d %s of %s cannot be read: their devices are not removed", unread, report.Plural(unread, "row"), forget)}
		}
		return err
	})
}

// forget removes the devices of a file from a state, and returns how many rows of
// it name none.
func (p *process) forget(ctx context.Context, state *delta.State, path string) (unread int64, err error) {
	found, err := blob.Expand(ctx, []string{path})
	if err != nil {
		return 0, usageError("--forget: %v", err)
	}
	ids := func(yield func(string, error) bool) {
		for _, info := range found {
			for id, err := range p.idsOf(ctx, info) {
				if id == "" && err == nil {
					unread++
				}
				if !yield(id, err) || err != nil {
					return
				}
			}
		}
	}
	n, err := state.Forget(ctx, ids, false)
	if err == nil {
		fmt.Fprintf(p.stderr, "removed %s %s\n", report.Grouped(n), report.Plural(n, "device"))
	}
	return unread, err
}

// idsOf yields the registration ids of an input; an empty one where a row has none.
func (p *process) idsOf(ctx context.Context, info blob.Info) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		source, err := readers.Open(ctx, info, readers.Options{Stdin: p.stdin})
		if err != nil {
			yield("", usageError("%w", err))
			return
		}
		defer source.Close()
		forget := *ops.Named("depersonalize") // which takes an id and an application code, too
		forget.Name = "--forget"
		binding, err := forget.Bind(source.Header(), ops.Options{IgnoreUnmapped: true, HasAppCode: true})
		if err != nil {
			yield("", usageError("%s: %w", source.Name(), err))
			return
		}
		batch.Each(source.Rows(ctx, batch.Position{}), func(row batch.Row) (string, error) {
			request, out := binding.Map(&row)
			if r, ok := request.(called); ok {
				return r.RegistrationID(), nil
			}
			return out.RegistrationID, nil
		})(yield)
	}
}

// settleDead makes up for a run that died: from its folder where that can be read,
// else by forgetting what it may have touched. A run's own resume does that itself.
func (d *deltaRun) settleDead(ctx context.Context) error {
	dead := d.state.Dead()
	if dead == nil {
		return nil
	}
	if d.plan != nil && d.plan.Run == dead.ID {
		return nil
	}
	outcomes, err := outcomesOf(ctx, dead)
	if holder, alive := runstore.HolderOf(ctx, d.flags.delta.state); d.held == nil && alive {
		d.log.Info("a run is at work with this delta state: what it has done so far counts", "run", dead.Folder, "pid", holder.PID, "host", holder.Host)
	} else if err != nil {
		d.log.Warn("the run before has died and its folder cannot be read: what it may have sent is sent again", "run", dead.Folder, "error", err)
	} else {
		d.log.Info("the run before has died: what it has done is taken over", "run", dead.Folder)
	}
	if d.held == nil {
		return d.state.Preview(ctx, outcomes)
	}
	return d.state.Settle(ctx, outcomes, true)
}

// outcomesOf reads what became of the rows of a run that died.
func outcomesOf(ctx context.Context, run *delta.RunNote) (_ *delta.Outcomes, err error) {
	folder, err := viewRun(ctx, run.Folder)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, folder.Close()) }()
	if err := errors.Join(folder.Fetch(ctx, deltaPlanFile), folder.FetchReport(ctx, runstore.DeltaOutcomesFile)); err != nil {
		return nil, err
	}
	var plan delta.Plan
	if err := folder.ReadJSON(deltaPlanFile, &plan); err != nil {
		return nil, err
	}
	if plan.Run != run.ID {
		return nil, errors.New("it is another run's")
	}
	point, err := folder.LoadCheckpoint()
	if err != nil {
		return nil, err
	}
	if point == nil {
		point = new(batch.Checkpoint)
	}
	outcomes, err := readOutcomes(folder, &plan, point.Mark[runstore.DeltaOutcomesFile])
	if err != nil {
		return nil, err
	}
	for i := range point.Waiting {
		outcomes.Add(point.Waiting[i].Row, &point.Waiting[i].Outcome, false)
	}
	return outcomes, nil
}

// readOutcomes reads what a run has written of its rows: all of it where that is
// published, else as much as a checkpoint vouches for.
func readOutcomes(folder *runstore.Folder, plan *delta.Plan, length int64) (*delta.Outcomes, error) {
	outcomes := delta.NewOutcomes(plan.Rows + plan.Counts.Vanished)
	file, err := os.Open(folder.LocalFile(runstore.DeltaOutcomesFile))
	if err == nil {
		length = math.MaxInt64
	} else if errors.Is(err, fs.ErrNotExist) {
		file, err = os.Open(folder.LocalPath(runstore.DeltaOutcomesFile))
	}
	if errors.Is(err, fs.ErrNotExist) {
		return outcomes, nil // nothing was sent
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return outcomes, outcomes.Read(io.LimitReader(file, length))
}
