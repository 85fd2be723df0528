package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"slices"

	"pushbatch/batch"
	"pushbatch/batch/blob"
	"pushbatch/batch/delta"
	"pushbatch/batch/ops"
	"pushbatch/batch/undo"
	"pushbatch/readers"
)

// planLine is a line of the plan, with the columns of ops.UndoHeader.
type planLine struct {
	Device  string `json:"registrationId"`
	Restore string `json:"_restore"`
}

// makePlan plans every device, writes the plan into a file, which is at its start
// then, and says what putting them back will take.
func (x *execution) makePlan(records io.Reader, file *os.File) error {
	to := bufio.NewWriterSize(file, 256<<10)
	count := &undoCount{}
	err := undo.Plan(x.spec.Undo.Operation, undo.Records(records), os.TempDir(), func(r *undo.Restore) error {
		plan, err := json.Marshal(r)
		if err != nil {
			return err
		}
		line, err := json.Marshal(planLine{r.Device, string(plan)})
		if err != nil {
			return err
		}
		count.add(r)
		_, err = to.Write(append(line, '\n'))
		return err
	})
	if err == nil {
		err = to.Flush()
	}
	if err == nil {
		_, err = file.Seek(0, io.SeekStart)
	}
	if err != nil {
		return &exitError{exitStopped, fmt.Errorf("plan the undo of %s: %w", x.spec.Undo.Run, err)}
	}
	if count.devices == 0 {
		return usageError("%s changed no device: there is nothing to undo", x.spec.Undo.Run)
	}
	x.spec.Undo.Devices, x.spec.Undo.Notes = count.devices, count.notes()
	x.log.Info("undo", "devices", count.devices, "requests_at_most", count.requests, "minutes_at_most", x.undoMinutes(count))
	for _, note := range x.spec.Undo.Notes {
		x.log.Warn(note)
	}
	return nil
}

// undoMinutes is how long looking at the devices and putting them back takes at
// the limits in force, rounded up. People are looked up at the rate of the listing.
func (x *execution) undoMinutes(c *undoCount) int64 {
	seconds := max(float64(c.fields+c.owners+c.freed)/x.flags.rate, float64(c.owners+c.freed)/x.flags.listRate)
	return int64(seconds/60) + 1
}

// undoCount counts what a plan holds and what cannot come back. Each device is one of
// unknown, nobodies, fields, owners and freed.
type undoCount struct {
	devices, requests     int64
	unknown, nobodies     int64 // left alone
	fields, owners, freed int64 // get values, a person, or nobody back
	primaries, attributes int64
}

func (c *undoCount) add(r *undo.Restore) {
	c.devices++
	switch {
	case !r.Known:
		c.unknown++
		return
	case len(r.Fields) > 0:
		c.fields++
		if slices.ContainsFunc(r.Fields, func(f undo.Field) bool { return f.Name == "isPrimary" }) {
			c.primaries++
		}
	case r.Before == nil:
		c.freed++
	case r.Before.Identified():
		c.owners++
	default:
		c.nobodies++
		return
	}
	c.requests += 2
	if len(r.Fields) == 0 && r.Application == "" {
		c.requests++ // asks for the application
	}
	if r.Attributes {
		c.attributes++
	}
}

// notes name what does not come back, with how many devices it is about. What the
// devices are now is not known yet.
func (c *undoCount) notes() (notes []string) {
	for _, n := range []struct {
		count int64
		text  string
	}{
		{c.unknown, "devices are left alone: nothing tells what they were before the run"},
		{c.nobodies, "devices are left alone: they belonged to people without any identity, whom no request can name"},
		{c.owners, "devices at most go back to people: profiles that were merged stay merged, leads that became customers stay customers, people keep the identities that the run gave them, and which device of a person was primary is not put back"},
		{c.freed, "devices at most go back to nobody: people that the run made stay"},
		{c.attributes, "of these devices were given to people together with attributes or tags, which stay as the run set them"},
		{c.primaries, "devices at most get back their own isPrimary; which device of the person was primary instead is not known"},
	} {
		if n.count > 0 {
			notes = append(notes, fmt.Sprintf("%d %s", n.count, n.text))
		}
	}
	return notes
}

// openPlan makes the plan the one input of the run.
func (x *execution) openPlan(ctx context.Context, info blob.Info) error {
	source, err := readers.Open(ctx, info, readers.Options{Format: "ndjson"})
	if err != nil {
		return &exitError{exitStopped, err}
	}
	if x.spec.Retry != nil {
		if source, err = x.spec.Retry.only(ctx, source); err != nil {
			return err
		}
	}
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

// newStateUndo makes the delta state of a run forget what was acknowledged of the
// devices that undo puts back. They are noted in it before the first request: should
// the undo die, the next run forgets all that it may have touched.
func newStateUndo(x *execution) *feature {
	if x.spec.Undo == nil || x.spec.Undo.State == "" || x.client == nil {
		return nil
	}
	folder := x.folder.Path("")
	return &feature{
		firstPass: func(ctx context.Context) error {
			return x.inState(ctx, func(state *delta.State) error { return state.Touch(ctx, x.undoneDevices(ctx), folder) })
		},
		ended: func(ctx context.Context, _ *batch.Job, runErr error) error {
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
		},
	}
}

// inState holds the state of the run that is taken back, if it is still there.
func (x *execution) inState(ctx context.Context, do func(*delta.State) error) error {
	options := storeOptions(x.flags, x.log)
	err := withState(ctx, x.spec.Undo.State, x.folder.Path(""), &options, do)
	if _, none := errors.AsType[*noStateError](err); none {
		x.log.Warn("the delta state of the run is not there any more: nothing to forget", "state", x.spec.Undo.State)
		return nil
	}
	return err
}

// changedDevices yields the devices that an undo sent a request of change.
func (x *execution) changedDevices(ctx context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for r, err := range resultsOf(ctx, x.folder.Path(""), &x.spec) {
			switch {
			case err != nil:
				yield("", err)
				return
			case r.Status == batch.Skipped, r.Status == batch.Rejected:
			case !yield(r.RegistrationID, nil):
				return
			}
		}
	}
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
