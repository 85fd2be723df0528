package main

import (
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"slices"
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
		return func(row *batch.Row) (batch.Request, *batch.Outcome) {
			request, out := next(row)
			if request != nil {
				request = batch.Amended(request, goneToo)
			}
			return request, out
		}
	}
	if d.plan == nil {
		return next
	}
	return func(row *batch.Row) (batch.Request, *batch.Outcome) {
		request, out := d.mapRow(row, next)
		switch {
		case !d.plan.IsRepeated(row.Num):
		case request != nil:
			request = batch.Amended(request, warnOfRepeated)
		default:
			warnOfRepeated(out)
		}
		return request, out
	}
}

// warnOfRepeated warns of a row that went through, or is passed over, whose device
// stood in the input before, with other content.
func warnOfRepeated(out *batch.Outcome) {
	if out.Status == batch.Succeeded || out.Status == batch.Skipped {
		out.Warn(delta.CodeDuplicate, "")
	}
}

// goneToo is the outcome of a vanished device that the platform does not know either.
func goneToo(out *batch.Outcome) {
	if out.Status == batch.Failed && out.Code == ops.CodeUnknownRegistration {
		out.Status, out.Code, out.Message = batch.Skipped, delta.CodeAlreadyGone, ""
	}
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
		const message = "the device stands in the input more than once, with other content: keep one of its rows, or take --on-duplicate last"
		out := &batch.Outcome{Status: batch.Rejected, RegistrationID: id}
		out.SetProblems([]batch.Problem{{Code: delta.CodeDuplicate, Message: message}})
		return nil, out
	}
	return nil, &batch.Outcome{Status: batch.Skipped, RegistrationID: id, Code: leftOutCodes[action], Warnings: warnings, LeftOut: true}
}

// leftOutCodes are the codes of rows that are valid and not sent.
var leftOutCodes = map[delta.Action]string{
	delta.Unchanged: delta.CodeUnchanged, delta.Adopted: delta.CodeAdopted, delta.Superseded: delta.CodeSuperseded,
}

// settingsKey stands for what a resumed run may be given anew and what requests are
// made of: what is sent with other settings is not what was planned, and the state
// forgets it.
func (x *execution) settingsKey() string {
	h := delta.DeviceHash(x.flags.client.AppCode + "\x00" + x.mapping)
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
	sure := !s.run.flags.bind.Personalize.ForceDepersonalize && r.Row.Num > s.run.plan.UnsureTo
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
		return fmt.Errorf("the delta state was not renewed: %w: the next run, or resume, makes up for it", err)
	}
	return nil
}

// deltaFlags say what a run that happens every night leaves out and takes back.
type deltaFlags struct {
	state       string
	plan        delta.PlanOptions
	maxAge      string
	mirror      bool
	maxVanished string
}

func (d *deltaFlags) add(fs *pflag.FlagSet) {
	fs.StringVar(&d.state, "delta", "", "send only what `STATE` (a folder or s3:// prefix) does not know as acknowledged, and keep it up to date")
	fs.BoolVar(&d.plan.Full, "delta-full", false, "send every row, and renew the state")
	fs.BoolVar(&d.plan.Adopt, "delta-adopt", false, "send nothing and take every valid row as acknowledged")
	fs.StringVar(&d.maxAge, "max-age", "", "send again what was acknowledged longer ago than `AGE` (30d, 12h), each night a share of it")
	fs.StringVar(&d.maxVanished, "max-vanished", "", "with --mirror: stop before anything is sent when more than `N` devices, or P% of the state, have vanished (default 5%, below 100 devices 5)")
	fs.StringVar((*string)(&d.plan.OnDuplicate), "on-duplicate", string(delta.SendAll), "rows of a device that stands more than once: send all, the last one, or reject those that differ")
}

func (d *deltaFlags) addMirror(fs *pflag.FlagSet) {
	fs.BoolVar(&d.mirror, "mirror", false, "depersonalize the devices of the state that the input names no more")
}

// checkDelta refuses flags that contradict each other, of commands that have them.
func (c *runConfig) checkDelta() error {
	if c.set.Lookup("delta") == nil {
		return nil
	}
	d := &c.flags.delta
	_, noAge := d.age()
	_, noThreshold := batch.ParseThreshold(d.maxVanished)
	alone := cmp.Or(c.given("delta-full", "delta-adopt", "max-age", "mirror", "max-vanished")...)
	return cmp.Or(
		refuse(d.state == "" && c.set.Changed("delta"), "--delta names no STATE: give a folder or an s3:// prefix"),
		noAge,
		refuse(noThreshold != nil, "--max-vanished: %v", noThreshold),
		refuse(!slices.Contains([]delta.Duplicates{delta.SendAll, delta.SendLast, delta.RejectDiffer}, d.plan.OnDuplicate),
			"--on-duplicate %q: take all, last or reject", d.plan.OnDuplicate),
		refuse(d.plan.Full && d.plan.Adopt, "--delta-full sends every row and --delta-adopt none: take one of them"),
		refuse(d.state == "" && alone != "", "%s needs --delta STATE", alone),
	)
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
	return d.state != "" || d.plan.OnDuplicate != "" && d.plan.OnDuplicate != delta.SendAll
}
