package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"

	"pushbatch/batch"
	"pushbatch/batch/delta"
	"pushbatch/batch/ops"
	"pushbatch/batch/runstore"
	"pushbatch/readers"
	"pushbatch/writers/report"
)

// whyNoMirror is why devices that the input does not name are left alone; empty:
// nothing is in the way, or nobody asked for it.
func (d *deltaRun) whyNoMirror(planner *delta.Planner, emptyInput bool) string {
	switch {
	case !d.flags.delta.mirror:
		return ""
	case d.state.First():
		return "this is the first run of the state"
	case d.flags.delta.plan.Full, d.flags.delta.plan.Adopt:
		return "a full or adopting run takes nothing back"
	case d.flags.engine.Limit > 0:
		return "--limit reads a part only"
	case emptyInput || planner.Rows() == 0:
		return "an input is empty"
	case slices.ContainsFunc(d.opened, func(in openedInput) bool { return slices.ContainsFunc(in.source.Header(), isFailedColumn) }):
		return "an input is the failed.csv of a run, which names a part of the devices"
	case planner.Unreadable() > 0:
		return fmt.Sprintf("the registration id of %d %s cannot be read for certain", planner.Unreadable(), report.Plural(planner.Unreadable(), "row"))
	}
	return ""
}

func isFailedColumn(c batch.Column) bool { return batch.IsFailedColumn(c.Name) }

// Defaults of --max-vanished.
const (
	vanishedShare   = "5%"
	vanishedDevices = "5"
	vanishedFrom    = 100 // devices of the state from which on the share counts
)

// checkVanished stops a run that would depersonalize more devices than expected.
func (d *deltaRun) checkVanished(ctx context.Context) error {
	counts := &d.plan.Counts
	if !d.plan.Mirror || d.client == nil || d.spec.Retry != nil { // whose run was allowed to
		return nil
	}
	text := d.flags.delta.maxVanished
	if text == "" {
		text = vanishedDevices
		if counts.Known >= vanishedFrom {
			text = vanishedShare
		}
	}
	most, _ := batch.ParseThreshold(text) // checked before
	if !most.ExceededBy(counts.Vanished, counts.Known) {
		return nil
	}
	d.refused = true
	err := d.addVanished(ctx) // which are unsent too
	return errors.Join(&exitError{code: exitErrors, err: fmt.Errorf(
		"%d of the %d devices of %s stand no more in the input, more than --max-vanished %s: nothing was sent; look at %s, and give --max-vanished %d if they are to be depersonalized",
		counts.Vanished, counts.Known, d.store.Location(""), text, d.folder.Path(vanishedFile), counts.Vanished)}, err)
}

// vanishedSource is the list of devices that the input names no more.
type vanishedSource struct{ batch.Source }

func (vanishedSource) Name() string { return report.VanishedSource }

// addVanished adds the devices that vanished as rows after the others.
func (d *deltaRun) addVanished(ctx context.Context) error {
	if d.plan == nil || !d.plan.Mirror || d.plan.Counts.Vanished == 0 {
		return nil
	}
	in, err := d.openVanished(ctx)
	if err == nil {
		d.opened = append(d.opened, in)
	}
	return err
}

func (d *deltaRun) openVanished(ctx context.Context) (in openedInput, err error) {
	options, err := d.bindOptions()
	if err != nil {
		return in, err
	}
	return openVanished(ctx, d.folder.LocalFile(vanishedFile), d.spec.Retry, options)
}

// openVanished opens a list of vanished devices: of a retry, those that it takes.
func openVanished(ctx context.Context, location string, retry *retrySpec, o ops.Options) (in openedInput, err error) {
	info, source, err := readers.OpenFile(ctx, location)
	if err != nil {
		return in, err
	}
	source = retry.only(ctx, vanishedSource{source})
	o.Mapping, o.Constants = nil, nil
	binding, err := ops.Named("depersonalize").Bind(source.Header(), o)
	if err != nil {
		return in, errors.Join(err, source.Close())
	}
	return openedInput{info: info, source: vanishedSource{source}, binding: binding}, nil
}

// vanishedAgain gives a planner those devices of the run before that a retry takes
// and that had vanished, as long as no other run has used the state: a device that
// came back since is not to lose its person.
func (d *deltaRun) vanishedAgain(ctx context.Context, planner *delta.Planner) (err error) {
	if d.state == nil {
		return nil
	}
	old, err := viewRun(ctx, d.spec.Retry.Run)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, old.Close()) }()
	var plan delta.Plan
	err = cmp.Or(old.Fetch(ctx, deltaPlanFile, vanishedFile), old.ReadJSON(deltaPlanFile, &plan))
	switch {
	case errors.Is(err, fs.ErrNotExist), err == nil && (!plan.Mirror || plan.Counts.Vanished == 0):
		return nil
	case err != nil:
		return err
	}
	if !d.state.Began(&plan) {
		d.log.Warn("vanished devices are not sent again, for another run has used the delta state since: the next run with --mirror takes them back")
		return nil
	}
	if err := d.copyVanished(old.LocalFile(vanishedFile)); err != nil {
		return err
	}
	again, err := d.openVanished(ctx)
	if err != nil {
		return err
	}
	defer again.source.Close()
	for row, err := range again.source.Rows(ctx, batch.Position{}) {
		if err != nil {
			return unreadable(err)
		}
		if err := planner.Vanished(row.Values[0].Text); err != nil {
			return err
		}
	}
	return nil
}

func (d *deltaRun) copyVanished(path string) error {
	from, err := os.Open(path)
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := runstore.OpenAppend(d.folder, vanishedFile, 0)
	if err != nil {
		return err
	}
	if _, err := io.Copy(to, from); err != nil {
		return errors.Join(err, to.Abandon())
	}
	return to.Close()
}

// finishPlan joins the rows with the state, and lists what vanished unless there is
// a reason not to.
func (d *deltaRun) finishPlan(ctx context.Context, planner *delta.Planner, noMirror string) (err error) {
	if !d.flags.delta.mirror || noMirror != "" {
		if d.plan, err = planner.Finish(ctx, d.state, d.notePath(), nil); err == nil && noMirror != "" {
			d.log.Warn("no device is depersonalized: "+noMirror, "vanished", d.plan.Counts.Vanished)
		}
		return err
	}
	list, err := runstore.OpenAppend(d.folder, vanishedFile, 0)
	if err != nil {
		return err
	}
	if d.plan, err = planner.Finish(ctx, d.state, d.notePath(), list); err != nil {
		return errors.Join(err, list.Abandon())
	}
	return list.Close()
}
