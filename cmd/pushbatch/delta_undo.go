package main

import (
	"context"
	"errors"
	"os"
	"slices"

	"pushbatch/batch"
	"pushbatch/batch/delta"
	"pushbatch/batch/ops"
	"pushbatch/batch/runstore"
)

// newStateUndo makes the delta state of a run forget, before the first request, what
// was acknowledged of the devices that undo puts back.
func newStateUndo(x *execution) *feature {
	if x.spec.Undo == nil || x.spec.Undo.State == "" || x.client == nil {
		return nil
	}
	return &feature{firstPass: func(ctx context.Context) error { return stateError(x.forgetUndone(ctx, x.spec.Undo.State)) }}
}

func (x *execution) forgetUndone(ctx context.Context, location string) (err error) {
	held, err := runstore.Hold(ctx, location, storeOptions(x.flags, x.log))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, held.Release()) }()
	spool, err := os.MkdirTemp("", "pushbatch-delta-*")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(spool)) }()
	state, err := delta.Open(ctx, stateStore(location), delta.Options{Open: openStateTable, Files: delta.Disk{}, Folder: spool})
	if err != nil || state.First() {
		return err
	}
	if err := settleForForget(ctx, state); err != nil {
		return err
	}
	n, err := state.Forget(ctx, x.undoneDevices(ctx), true)
	if err == nil {
		x.log.Info("the delta state forgets what was acknowledged of the devices", "state", location, "devices", n)
	}
	return err
}

// settleForForget makes up for a run that died, before devices are forgotten.
func settleForForget(ctx context.Context, state *delta.State) error {
	dead := state.Dead()
	if dead == nil {
		return nil
	}
	outcomes, _ := outcomesOf(ctx, dead) // what cannot be read is forgotten
	return state.Settle(ctx, outcomes, true)
}

// undoneDevices yields the devices of an undo's plan.
func (x *execution) undoneDevices(ctx context.Context) func(yield func(string, error) bool) {
	return func(yield func(string, error) bool) {
		source := x.opened[0].source
		at := slices.IndexFunc(source.Header(), func(c batch.Column) bool { return c.Name == ops.UndoHeader()[0] })
		for row, err := range source.Rows(ctx, batch.Position{}) {
			id := ""
			if err == nil && row.Err == nil && at >= 0 {
				id = row.Values[at].Text
			}
			if !yield(id, err) || err != nil {
				return
			}
		}
	}
}
