package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"math"
	"net/http"
	"os"
	"slices"
	"strconv"

	"pushbatch/apiclient"
	"pushbatch/batch"
	"pushbatch/batch/ops"
	"pushbatch/batch/runstore"
	"pushbatch/batch/undo"
	"pushbatch/readers/owners"
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
		return fmt.Errorf("plan the undo of %s: %w", x.spec.Undo.Run, err)
	}
	if count.devices == 0 {
		return usageError("%s changed no device: there is nothing to undo", x.spec.Undo.Run)
	}
	x.spec.Undo.Devices, x.spec.Undo.Notes = count.devices, count.notes()
	// Looking at the devices and putting them back goes at the limits in force; people are
	// looked up at the rate of the listing.
	seconds := max(float64(count.fields+count.owners+count.freed)/x.flags.client.Rate, float64(count.owners+count.freed)/x.flags.client.ListRate)
	x.log.Info("undo", "devices", count.devices, "requests_at_most", count.requests, "minutes_at_most", int64(seconds/60)+1)
	for _, note := range x.spec.Undo.Notes {
		x.log.Warn(note)
	}
	return nil
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

// rebuildLog writes the log that the run would have written with --snapshot-from.
func (x *execution) rebuildLog(ctx context.Context, to string, run *changedRun) (err error) {
	log, err := undo.OpenLog(to)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	partial, err := owners.FromInventory(ctx, run.from, log)
	if err != nil {
		return usageError("--from: %w", err)
	}
	if err := log.Append(undo.Record{Kind: undo.KindListed, Partial: partial}); err != nil {
		return err
	}
	next, stop := iter.Pull2(run.results(ctx))
	defer stop()
	b := &logRebuilder{log: log, next: next, beyond: run.beyond(), force: x.flags.bind.Personalize.ForceDepersonalize}
	if err := x.openChanged(ctx, run); err != nil {
		return err
	}
	defer func() { err, x.opened = errors.Join(err, x.closeInputs()), nil }()
	err = b.advance()
	for _, in := range x.opened {
		if err == nil {
			err = b.input(ctx, &in)
		}
	}
	return err
}

// openChanged opens what a run read: its inputs and, after them, the devices that they
// named no more.
func (x *execution) openChanged(ctx context.Context, run *changedRun) (err error) {
	options, err := x.runConfig.bindOptions()
	if err != nil {
		return err
	}
	options.DryRun, options.HasAppCode = ops.Send, true // calls are looked at, nothing sends them
	found, err := recordedInputs(ctx, run.spec, x.moved)
	if err != nil {
		return err
	}
	bind := func(h batch.Header) (*ops.Binding, error) { return ops.Named(run.spec.Operation).Bind(h, options) }
	if x.opened, _, err = x.openTables(ctx, found, x.process.stdin, options.Mapping, bind, run.spec.Retry); err != nil {
		return err
	}
	if err = x.unchanged(ctx, run.spec); err == nil {
		err = x.openVanishedOf(ctx, run, options)
	}
	if err != nil {
		err = errors.Join(err, x.closeInputs())
	}
	return err
}

// openVanishedOf opens the list of devices that a run with --mirror took back.
func (x *execution) openVanishedOf(ctx context.Context, run *changedRun, o ops.Options) error {
	location, err := fileOfRun(run.path, vanishedFile)
	if err != nil {
		return err
	}
	in, err := openVanished(ctx, location, run.spec.Retry, o)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		x.opened = append(x.opened, in)
	}
	return err
}

// results are what is known of the rows of a run, in their order. Of a run that was
// killed it is what can be read of its results up to its last checkpoint, and the
// rows that were finished after it.
func (run *changedRun) results(ctx context.Context) iter.Seq2[*batch.Result, error] {
	location, err := fileOfRun(run.path, "results."+resultsFormat(run.spec))
	if err != nil || run.point.Stopped {
		return resultsOf(ctx, run.path, run.spec)
	}
	return func(yield func(*batch.Result, error) bool) {
		for r, err := range readResults(ctx, location+runstore.PartSuffix) {
			if err != nil || r.Row.Num > run.point.Rows { // none, not written whole, or not in rows yet
				break
			}
			if !yield(r, nil) {
				return
			}
		}
		behind := func(a, b batch.Waiting) int { return cmp.Compare(a.Row, b.Row) }
		for _, w := range slices.SortedFunc(slices.Values(run.point.Waiting), behind) {
			if !yield(&batch.Result{Row: batch.Row{Num: w.Row}, Outcome: w.Outcome}, nil) {
				return
			}
		}
	}
}

// beyond is how many rows after the last known one may have been sent.
func (run *changedRun) beyond() int64 {
	setting := func(name string, otherwise float64) float64 {
		if v := run.spec.Settings[name]; len(v) == 1 {
			if n, err := strconv.ParseFloat(v[0], 64); err == nil {
				return n
			}
		}
		return otherwise
	}
	inFlight := int(setting("max-in-flight", batch.DefaultMaxInFlight))
	switch {
	case run.point.Ended:
		return 0
	case run.point.Stopped:
		return int64(inFlight) // a second signal gave them up
	case len(run.spec.Settings["delta"])+len(run.spec.Settings["on-duplicate"]) > 0:
		return math.MaxInt64 // many rows need no request: nothing bounds how far the others were
	}
	return int64(batch.WindowOf(inFlight)) + int64(2*setting("rate", apiclient.PublishedPushRate)) // and two seconds that a power loss takes
}

// logRebuilder writes a log from the inputs of a run and its results, which come in
// the order of rows.
type logRebuilder struct {
	log    *undo.Log
	next   func() (*batch.Result, error, bool)
	result *batch.Result // the next one; nil: there is none
	row    int64         // number of the current row
	beyond int64         // rows without a result after the last one that may have been sent
	force  bool          // a request may have reset a device although it was refused
}

func (b *logRebuilder) advance() (err error) {
	b.result, err, _ = b.next()
	return err
}

// input adds what was sent of one input, or may have been.
func (b *logRebuilder) input(ctx context.Context, in *openedInput) error {
	for row, err := range in.source.Rows(ctx, batch.Position{}) {
		if err != nil {
			return err
		}
		b.row++
		var known *batch.Result
		switch {
		case b.result == nil && b.beyond == 0:
			return nil
		case b.result != nil && b.result.Row.Num == b.row:
			known = b.result
			if err := b.advance(); err != nil {
				return err
			}
		}
		request, _ := in.binding.Map(&row)
		if request == nil || known != nil && (known.Status == batch.Rejected || known.Status == batch.Skipped) {
			continue
		}
		if known == nil && b.result == nil {
			b.beyond--
		}
		if err := b.add(request.(called), known); err != nil { //nolint:forcetypeassert // all requests of ops are
			return err
		}
	}
	return nil
}

// add adds the call of the current row; r is nil where nobody knows how it ended.
func (b *logRebuilder) add(request called, r *batch.Result) error {
	ended := undo.Unknown
	switch {
	case r == nil:
	case r.Status == batch.Succeeded:
		ended = undo.Succeeded
	case r.HTTPStatus >= 400 && r.HTTPStatus < 500 && r.HTTPStatus != http.StatusRequestTimeout && r.Attempts <= 1 && !b.force:
		ended = undo.Refused
	}
	call, device := request.Call(), request.RegistrationID()
	return b.log.Append(undo.Record{Kind: undo.KindSent, Device: device, AppCode: call.AppCode, Body: call.Body},
		undo.Record{Kind: undo.KindEnd, Device: device, Ended: ended})
}
