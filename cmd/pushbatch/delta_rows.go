package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/spf13/pflag"

	"pushbatch/batch"
	"pushbatch/batch/delta"
	"pushbatch/batch/ops"
	"pushbatch/batch/runstore"
)

// mapper does with each row what the plan says.
func (d *deltaRun) mapper(in *openedInput, next batch.Mapper) batch.Mapper {
	if _, vanished := in.source.(vanishedSource); vanished {
		return d.vanishedMapper(next)
	}
	if d.plan == nil {
		return next
	}
	return func(row *batch.Row) (batch.Request, *batch.Outcome) {
		request, out := d.mapRow(row, next)
		switch {
		case !d.plan.IsRepeated(row.Num):
		case request != nil:
			request = repeatedRequest{request}
		case out.Status == batch.Skipped:
			out.Warn(delta.CodeDuplicate, "")
		}
		return request, out
	}
}

// repeatedRequest is that of a device that stood in the input before, with other
// content.
type repeatedRequest struct{ batch.Request }

// Send implements batch.Request.
func (r repeatedRequest) Send(ctx context.Context) (batch.Outcome, error) {
	out, err := r.Request.Send(ctx)
	if err == nil && out.Status == batch.Succeeded {
		out.Warn(delta.CodeDuplicate, "")
	}
	return out, err
}

func (d *deltaRun) mapRow(row *batch.Row, next batch.Mapper) (batch.Request, *batch.Outcome) {
	request, out := next(row)
	action := d.plan.Action(row.Num)
	if action == delta.Send || out != nil && (out.Status == batch.Rejected || out.Code != "") {
		return request, out
	}
	id, warnings := "", ""
	if r, ok := request.(called); ok {
		id = r.RegistrationID()
	} else if out != nil {
		id, warnings = out.RegistrationID, out.Warnings
	}
	if action == delta.Duplicate {
		return nil, duplicateOutcome(id)
	}
	return nil, &batch.Outcome{Status: batch.Skipped, RegistrationID: id, Code: leftOutCodes[action], Warnings: warnings, LeftOut: true}
}

// leftOutCodes are the codes of rows that are valid and not sent.
var leftOutCodes = map[delta.Action]string{
	delta.Unchanged: delta.CodeUnchanged, delta.Adopted: delta.CodeAdopted, delta.Superseded: delta.CodeSuperseded,
}

func duplicateOutcome(id string) *batch.Outcome {
	const message = "the device stands in the input more than once, with other content: keep one of its rows, or take --on-duplicate last"
	return &batch.Outcome{
		Status: batch.Rejected, RegistrationID: id, Code: delta.CodeDuplicate, Message: message,
		Problems: []batch.Problem{{Code: delta.CodeDuplicate, Message: message}},
	}
}

// otherOperations names the operations of inputs that have not the run's own.
func (x *execution) otherOperations() map[int]string {
	for i := range x.opened {
		if _, vanished := x.opened[i].source.(vanishedSource); vanished {
			return map[int]string{i: "depersonalize"}
		}
	}
	return nil
}

func (d *deltaRun) vanishedMapper(next batch.Mapper) batch.Mapper {
	return func(row *batch.Row) (batch.Request, *batch.Outcome) {
		request, out := next(row)
		if request != nil {
			request = vanishedRequest{request}
		}
		return request, out
	}
}

// vanishedRequest depersonalizes a device that may be gone at the platform, too.
type vanishedRequest struct{ batch.Request }

// Send implements batch.Request.
func (r vanishedRequest) Send(ctx context.Context) (batch.Outcome, error) {
	out, err := r.Request.Send(ctx)
	if err == nil && out.Status == batch.Failed && out.Code == ops.CodeUnknownRegistration {
		out.Status, out.Code, out.Message = batch.Skipped, delta.CodeAlreadyGone, ""
	}
	return out, err
}

// settingsKey stands for what a resumed run may be given anew and what requests are
// made of: what is sent with other settings is not what was planned, and the state
// forgets it.
func (x *execution) settingsKey() string {
	h := delta.DeviceHash(x.flags.appCode + "\x00" + x.mapping)
	return hex.EncodeToString(h[:])
}

// outcomeSink notes what became of the rows that were sent.
type outcomeSink struct {
	batch.Sink
	run  *deltaRun
	file *runstore.AppendFile
}

func (d *deltaRun) sink(next batch.Sink) batch.Sink {
	if d.outcomes == nil {
		return next
	}
	return &outcomeSink{next, d, d.outcomes}
}

// Write implements batch.Sink.
func (s *outcomeSink) Write(r *batch.Result) error {
	if s.run.otherSettings {
		return s.Sink.Write(r)
	}
	sure := !s.run.flags.personalize.ForceDepersonalize && r.Row.Num > s.run.plan.UnsureTo
	err := s.file.Grow(func(dst []byte) []byte { return delta.AppendOutcome(dst, r.Row.Num, &r.Outcome, sure) })
	if err != nil {
		return err
	}
	return s.Sink.Write(r)
}

// Flush implements batch.Sink.
func (s *outcomeSink) Flush() (batch.Mark, error) {
	size, err := s.file.Flush()
	if err != nil {
		return nil, err
	}
	mark, err := s.Sink.Flush()
	if err == nil {
		mark[runstore.DeltaOutcomesFile] = size
	}
	return mark, err
}

// Close implements batch.Sink.
func (s *outcomeSink) Close() error { return errors.Join(s.file.Close(), s.Sink.Close()) }

// ended renews the state with what became of the rows. A process that is to end at
// once leaves that to the next run.
func (d *deltaRun) ended(ctx context.Context, engine *batch.Job, runErr error) error {
	if d.outcomes == nil || ctx.Err() != nil {
		return nil //nolint:nilerr // the next run settles it
	}
	outcomes, err := readOutcomes(d.folder, d.plan, math.MaxInt64)
	if err == nil && runErr != nil {
		d.plan.UnsureTo = max(d.plan.UnsureTo, engine.Progress().Read)
		err = d.folder.WriteJSON(deltaPlanFile, d.plan)
	}
	if err == nil {
		err = d.state.Settle(ctx, outcomes, runErr == nil)
	}
	if err != nil {
		return &exitError{exitStopped, fmt.Errorf("the delta state was not renewed: %w: the next run, or resume, makes up for it", err)}
	}
	return nil
}

// deltaFlags say what a run that happens every night leaves out and takes back.
type deltaFlags struct {
	state       string
	full        bool
	adopt       bool
	maxAge      string
	mirror      bool
	maxVanished string
	onDuplicate string
}

func (d *deltaFlags) add(fs *pflag.FlagSet) {
	fs.StringVar(&d.state, "delta", "", "send only what `STATE` (a folder or s3:// prefix) does not know as acknowledged, and keep it up to date")
	fs.BoolVar(&d.full, "delta-full", false, "send every row, and renew the state")
	fs.BoolVar(&d.adopt, "delta-adopt", false, "send nothing and take every valid row as acknowledged")
	fs.StringVar(&d.maxAge, "max-age", "", "send again what was acknowledged longer ago than `AGE` (30d, 12h), each night a share of it")
	fs.StringVar(&d.maxVanished, "max-vanished", "", "with --mirror: stop before anything is sent when more than `N` devices, or P% of the state, have vanished (default 5%, below 100 devices 5)")
	fs.StringVar(&d.onDuplicate, "on-duplicate", string(delta.SendAll), "rows of a device that stands more than once: send all, the last one, or reject those that differ")
}

func (d *deltaFlags) addMirror(fs *pflag.FlagSet) {
	fs.BoolVar(&d.mirror, "mirror", false, "depersonalize the devices of the state that the input names no more")
}

// checkDelta refuses flags that contradict each other, of commands that have them.
func (c *runConfig) checkDelta() error {
	if c.set.Lookup("delta") == nil {
		return nil
	}
	if c.flags.delta.state == "" && c.set.Changed("delta") {
		return usageError("--delta names no STATE: give a folder or an s3:// prefix")
	}
	return c.flags.delta.check()
}

func (d *deltaFlags) check() error {
	if _, err := d.age(); err != nil {
		return err
	}
	if _, err := batch.ParseThreshold(d.maxVanished); err != nil {
		return usageError("--max-vanished: %v", err)
	}
	switch delta.Duplicates(d.onDuplicate) {
	case delta.SendAll, delta.SendLast, delta.RejectDiffer:
	default:
		return usageError("--on-duplicate %q: take all, last or reject", d.onDuplicate)
	}
	if d.full && d.adopt {
		return usageError("--delta-full sends every row and --delta-adopt none: take one of them")
	}
	if d.state != "" {
		return nil
	}
	for name, given := range map[string]bool{
		"delta-full": d.full, "delta-adopt": d.adopt, "max-age": d.maxAge != "", "mirror": d.mirror, "max-vanished": d.maxVanished != "",
	} {
		if given {
			return usageError("--%s needs --delta STATE", name)
		}
	}
	return nil
}

// age reads --max-age: a duration, of days too.
func (d *deltaFlags) age() (time.Duration, error) {
	if d.maxAge == "" {
		return 0, nil
	}
	age, err := parseSpan(d.maxAge)
	if err != nil || age <= 0 {
		return 0, usageError("--max-age %s: days or a duration above 0 were expected, such as 30d or 12h", d.maxAge)
	}
	return age, nil
}

// firstPass reports whether the inputs are read once before anything is sent. Without
// these flags, as in export, onDuplicate is empty.
func (d *deltaFlags) firstPass() bool {
	return d.state != "" || d.onDuplicate != "" && delta.Duplicates(d.onDuplicate) != delta.SendAll
}
