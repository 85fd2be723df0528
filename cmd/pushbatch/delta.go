package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"pushbatch/batch"
	"pushbatch/batch/blob"
	"pushbatch/batch/delta"
	"pushbatch/batch/ops"
	"pushbatch/batch/runstore"
	"pushbatch/readers"
	"pushbatch/writers/report"
)

// Files of the run folder.
const (
	deltaPlanFile = "delta.json"
	actionsFile   = "delta.plan"
	vanishedFile  = "vanished.csv"
)

// deltaRun is what a run holds of its delta state, and its plan.
type deltaRun struct {
	*execution
	held     *runstore.Holding // nil: a dry run, or no state
	store    delta.Store
	state    *delta.State // nil: no --delta
	spool    *runstore.Spool
	plan     *delta.Plan
	outcomes *runstore.AppendFile // nil: nothing is sent that the state must know of

	otherSettings bool // than those that the plan was made with
	refused       bool // too many devices have vanished
}

// looksForDuplicates reports whether a dry run reads its inputs twice, to tell
// devices that stand in them more than once. One that only validates does not.
func (x *execution) looksForDuplicates() bool {
	return dryRuns[x.flags.dryRun] == ops.ShowRequests && !x.makesTable() &&
		!slices.ContainsFunc(x.opened, func(in openedInput) bool { return !in.info.Rereadable() })
}

// mostIDs is how many rows are looked through for repeated devices by their ids
// alone, with 8 bytes of memory each.
const mostIDs = 4 << 20

// mayRepeatDevices reports whether a device may stand in the inputs more than once.
// It looks at the column of registration ids only, where no mapping changes it: most
// inputs have each device once, and mapping and hashing their rows to learn that took
// more than half of a dry run. What cannot be read is left to the pass that follows.
func (x *execution) mayRepeatDevices(ctx context.Context) bool {
	seed, ids, rows := maphash.MakeSeed(), []uint64(nil), int64(0)
	for _, in := range x.opened {
		at := slices.IndexFunc(in.binding.Columns, func(c ops.ColumnUse) bool { return c.Target == "registrationId" && c.Found == ops.ByName })
		if at < 0 {
			return true
		}
		column := in.binding.Columns[at].Index
		for row, err := range in.source.Rows(ctx, batch.Position{}) {
			if err != nil || len(ids) == mostIDs {
				return true
			}
			if rows++; x.flags.engine.Limit > 0 && rows > x.flags.engine.Limit {
				break
			}
			if id := row.Values[column].Text; id != "" {
				ids = append(ids, maphash.String(seed, id))
			}
		}
	}
	slices.Sort(ids)
	return len(slices.Compact(ids)) != len(ids)
}

// openDelta takes the delta state, so that nobody else changes it, and settles what
// a run that died has left in it.
func (x *execution) openDelta(ctx context.Context) error {
	if !x.flags.delta.firstPass() && !(x.looksForDuplicates() && x.mayRepeatDevices(ctx)) {
		return nil
	}
	for _, in := range x.opened {
		if !in.info.Rereadable() {
			return usageError("%s can be read only once, and --delta and --on-duplicate read it twice: put it into a file first", in.source.Name())
		}
	}
	spool, err := runstore.NewSpool()
	if err != nil {
		return err
	}
	x.delta = &deltaRun{execution: x, spool: spool}
	if err = x.delta.readPlan(ctx); err == nil && x.flags.delta.state != "" {
		err = x.delta.open(ctx)
	}
	if err != nil {
		return errors.Join(err, x.closeDelta())
	}
	return nil
}

func (d *deltaRun) open(ctx context.Context) (err error) {
	location := d.flags.delta.state
	if d.store, err = stateStore(ctx, location); err != nil {
		return err
	}
	if d.client != nil { // a dry run leaves the state as it is
		waiting, end := untilSignal(ctx)
		d.held, err = runstore.Hold(waiting, location, storeOptions(d.flags, d.log))
		if end(); err != nil {
			return err
		}
	}
	platform := strings.TrimRight(d.flags.client.BaseURL, "/")
	if d.flags.simulate {
		platform = "simulator"
	}
	d.state, err = delta.Open(ctx, d.store, delta.Options{
		Operation: d.operation.Name, BaseURL: platform, Anew: d.flags.delta.plan.Full || d.flags.delta.plan.Adopt,
		Open: openTable, Files: delta.Disk{}, Folder: d.spool.Path,
	})
	if err != nil {
		return err
	}
	if d.plan != nil && d.state.Follows(d.plan) != nil {
		return fmt.Errorf("%s cannot be resumed: %w, and a run of today sends what this one left over: pushbatch %s INPUT… --delta %s",
			d.folder.Path(""), delta.ErrUsedSince, d.operation.Name, report.ShellWord(location))
	}
	if what := "every row is sent"; d.state.First() {
		if d.flags.delta.plan.Adopt {
			what = "every valid row is taken as acknowledged, none is sent"
		}
		d.log.Info("first run with this delta state: "+what, "state", d.store.Location(""))
	}
	return d.settleDead(ctx)
}

// stateStore is where a delta state lies; what cannot be one is refused.
func stateStore(ctx context.Context, location string) (delta.Store, error) {
	store := delta.RemoteStore(location)
	if !blob.IsS3(location) {
		if info, err := os.Stat(location); err == nil && !info.IsDir() {
			return nil, usageError("%s is a file: a delta state is a folder or an s3:// prefix", location)
		}
		store = delta.LocalStore(delta.Disk{}, location)
	}
	if _, _, err := store.Get(ctx, runstore.JobFile); err == nil {
		return nil, usageError("%s is the folder of a run: give the delta state a folder of its own", location)
	}
	return store, nil
}

func openTable(ctx context.Context, path string) (batch.Source, error) {
	_, source, err := readers.OpenFile(ctx, path)
	return source, err
}

func (x *execution) closeDelta() (err error) {
	d := x.delta
	if d == nil {
		return nil
	}
	x.delta = nil
	if d.held != nil {
		err = d.held.Release()
	}
	return errors.Join(err, d.spool.Remove())
}

// addDelta adds a first pass for --delta or --on-duplicate, and what follows of it.
func addDelta(x *execution) {
	if d := x.delta; d != nil {
		x.firstPasses, x.mappers = append(x.firstPasses, d.firstPass), append(x.mappers, d.mapper)
		x.sinks, x.ends = append(x.sinks, d.sink), append(x.ends, d.ended)
	}
}

// firstPass makes the plan of a new run, or takes that of a run that goes on.
// Without one every row is taken as it stands.
func (d *deltaRun) firstPass(ctx context.Context) error {
	found, err := d.loadPlan()
	if err == nil && !found {
		err = d.makePlan(ctx)
	}
	if err != nil && !d.flags.delta.firstPass() && ctx.Err() == nil {
		d.log.Warn("devices that stand more than once are not told: the first look at the inputs did not reach their end")
		return nil // the pass that follows tells what is wrong, and accounts for every row before it
	}
	if err != nil || d.state == nil || d.client == nil {
		return err
	}
	folder, err := fileOfRun(d.folder.Path(""), "")
	if err != nil {
		return err
	}
	died, err := d.state.Begin(ctx, d.plan, folder, d.notePath(), time.Now())
	if err != nil {
		return err
	}
	if died {
		d.plan.UnsureTo = math.MaxInt64
	}
	var mark batch.Mark
	if d.point != nil {
		mark = d.point.Mark
	}
	d.outcomes, err = runstore.OpenAppend(d.folder, runstore.DeltaOutcomesFile, mark[runstore.DeltaOutcomesFile])
	return err
}

func (d *deltaRun) notePath() string {
	if d.state == nil || d.client == nil {
		return ""
	}
	return filepath.Join(d.store.Folder(d.spool.Path), ".note-"+strconv.Itoa(os.Getpid()))
}

// readPlan reads the plan of a run that goes on, if it has one.
func (d *deltaRun) readPlan(ctx context.Context) error {
	if d.folder == nil {
		return nil
	}
	plan := new(delta.Plan)
	err := d.folder.Fetch(ctx, deltaPlanFile, actionsFile, vanishedFile)
	if err = cmp.Or(err, d.folder.ReadJSON(deltaPlanFile, plan)); err == nil {
		d.plan = plan
	} else if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// loadPlan takes the plan of a run that has begun to send. One that was stopped
// before is planned anew: nothing has changed since.
func (d *deltaRun) loadPlan() (found bool, err error) {
	if d.plan == nil || d.state != nil && d.client != nil && !d.state.Began(d.plan) {
		d.plan = nil
		return false, nil
	}
	actions, err := os.ReadFile(d.folder.LocalFile(actionsFile))
	if err != nil {
		return false, fmt.Errorf("read the plan of the run: %w", err)
	}
	d.otherSettings = d.plan.Settings != d.settingsKey()
	return true, d.plan.SetActions(actions)
}

func (d *deltaRun) newPlanner() (*delta.Planner, error) {
	age, _ := d.flags.delta.age() // checked before
	o := d.flags.delta.plan
	o.Folder, o.Part, o.MaxAge, o.Now = d.spool.Path, d.spec.Retry != nil, age, time.Now()
	return delta.NewPlanner(o)
}

func (d *deltaRun) makePlan(ctx context.Context) (err error) {
	planner, err := d.newPlanner()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, planner.Close()) }()
	emptyInput, err := d.readRows(ctx, planner)
	if err != nil {
		return err
	}
	if d.spec.Retry == nil {
		err = d.finishPlan(ctx, planner, d.whyNoMirror(planner, emptyInput))
	} else if err = d.vanishedAgain(ctx, planner); err == nil {
		d.plan, err = planner.Finish(ctx, d.state, d.notePath(), nil)
	}
	if err != nil {
		return err
	}
	d.plan.Settings = d.settingsKey()
	if err := d.folder.WriteFile(actionsFile, d.plan.Actions()); err != nil {
		return err
	}
	if err := d.folder.WriteJSON(deltaPlanFile, d.plan); err != nil {
		return err
	}
	if s := d.deltaSummary(); s != nil {
		d.log.Info("delta: " + s.Text())
	}
	return d.checkVanished(ctx)
}
