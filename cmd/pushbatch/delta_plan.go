package main

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"slices"

	"golang.org/x/sync/errgroup"

	"pushbatch/apiclient"
	"pushbatch/batch"
	"pushbatch/batch/blob"
	"pushbatch/batch/delta"
	"pushbatch/batch/ops"
	"pushbatch/readers/inputerror"
	"pushbatch/writers/report"
)

// called is a request that can tell what it sends.
type called interface {
	batch.Request
	Call() apiclient.Call
	RegistrationID() string
}

// readRows gives every row of the inputs to a planner, and reports whether an input
// has none.
func (d *deltaRun) readRows(ctx context.Context, planner *delta.Planner) (emptyInput bool, err error) {
	options, err := d.runConfig.bindOptions()
	if err != nil {
		return false, err
	}
	options.DryRun = ops.Send // its calls are looked at, nothing sends them
	emptyInput = len(d.spec.Empty) > 0
	for _, in := range d.opened {
		binding, err := d.operation.Bind(in.source.Header(), options)
		if err != nil {
			return false, err
		}
		before := planner.Rows()
		if err := d.readInput(ctx, planner, in.source, binding); err != nil {
			return false, err
		}
		emptyInput = emptyInput || planner.Rows() == before
	}
	return emptyInput, nil
}

// readInput maps the rows of an input while those before are hashed and spilled, in
// a goroutine that ends with it: of ten million rows that is a minute of two.
func (d *deltaRun) readInput(ctx context.Context, planner *delta.Planner, source batch.Source, binding *ops.Binding) error {
	before := planner.Rows()
	mapped := make(chan func(*delta.Planner) error, 512)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(batch.Guarded(func() error {
		for plan := range mapped {
			if err := plan(planner); err != nil {
				return err
			}
		}
		return nil
	}))
	group.Go(batch.Guarded(func() error {
		defer close(mapped)
		return d.mapInput(ctx, before, source, binding, mapped)
	}))
	return group.Wait()
}

func (d *deltaRun) mapInput(ctx context.Context, num int64, source batch.Source, binding *ops.Binding, to chan<- func(*delta.Planner) error) error {
	for row, err := range source.Rows(ctx, batch.Position{}) {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil {
			return unreadable(err)
		}
		if d.flags.engine.Limit > 0 && num >= d.flags.engine.Limit {
			break
		}
		num++
		row.Num, row.Source = num, source.Name()
		request, out := binding.Map(&row)
		select {
		case to <- d.planRow(&row, request, out, binding):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// isDoubtful reports whether the device of a row may be another one than its id says:
// cells are missing or too many, a quote before its end lets them move, or the id
// itself is at fault. A header that is repeated names none.
func isDoubtful(row *batch.Row, out *batch.Outcome, binding *ops.Binding) bool {
	if out.Status != batch.Rejected || out.RegistrationID == "" {
		return false
	}
	at := func(use func(ops.ColumnUse) bool) int { return slices.IndexFunc(binding.Columns, use) }
	id := at(func(use ops.ColumnUse) bool { return use.Target == "registrationId" })
	atFault := func(p batch.Problem) bool { return id >= 0 && binding.Columns[id].Column == p.Column }
	if row.Err != nil && row.Err.Code == inputerror.CodeStrayQuote {
		return id >= at(func(use ops.ColumnUse) bool { return use.Column == row.Err.Column })
	}
	whole := row.Err != nil && row.Err.Column == "" && row.Err.Code != inputerror.CodeRepeatedRow
	return whole || out.Code == batch.CodeUnmodified || slices.ContainsFunc(out.Problems, atFault) || slices.ContainsFunc(row.Faults, atFault)
}

// planRow is what a planner is told of a row that was mapped.
func (d *deltaRun) planRow(row *batch.Row, request batch.Request, out *batch.Outcome, binding *ops.Binding) func(*delta.Planner) error {
	if out != nil {
		id, idle, doubtful := out.RegistrationID, out.Status == batch.Skipped, isDoubtful(row, out, binding)
		return func(planner *delta.Planner) error {
			if doubtful {
				planner.Doubt()
			}
			return planner.Inert(id, idle)
		}
	}
	r := request.(called) //nolint:forcetypeassert // all requests of ops are
	return func(planner *delta.Planner) error {
		call := r.Call()
		appCode := cmp.Or(call.AppCode, d.flags.client.AppCode)
		sent := delta.Request{AppCode: appCode, Method: call.Method, Path: call.Path, Query: call.Query, Body: call.Body}
		return planner.Request(appCode, r.RegistrationID(), sent.Hash())
	}
}

// unreadable is the error of an input that cannot be read further, with a code.
func unreadable(err error) error {
	if abort, ok := errors.AsType[*batch.Abort](err); ok {
		return abort
	}
	return &batch.Abort{Code: cmp.Or(codeOf(err), "input_unreadable"), Err: err}
}

// setThresholds says when errors stop the run: with a plan, --canary and --max-errors
// look at the rows that are to be sent.
func (x *execution) setThresholds(cfg *batch.Config) {
	cfg.MaxErrors, _ = batch.ParseThreshold(x.flags.maxErrors) // checked before
	if x.delta == nil || x.delta.plan == nil {
		return
	}
	if cfg.Canary > 0 {
		cfg.Canary = x.delta.plan.SendRow(cfg.Canary)
	}
	if x.delta.state != nil {
		cfg.ToSend = x.delta.plan.ToSend()
	}
}

// inspectDelta plans a run over inputs and says what it found.
func (p *process) inspectDelta(ctx context.Context, c *runConfig, found []blob.Info) (_ *report.Delta, err error) {
	c.flags.dryRun = "true"
	x := &execution{runConfig: c, process: p, log: slog.New(slog.DiscardHandler)}
	if err := x.openInputs(ctx, found); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, x.closeInputs()) }()
	if err := x.openDelta(ctx); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, x.closeDelta()) }()
	planner, err := x.delta.newPlanner()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, planner.Close()) }()
	if _, err = x.delta.readRows(ctx, planner); err == nil {
		x.delta.plan, err = planner.Finish(ctx, x.delta.state, "", nil)
	}
	return x.deltaSummary(), err
}

// deltaSummary is what reports say of the plan; nil: there is none.
func (x *execution) deltaSummary() *report.Delta {
	if x.delta == nil || x.delta.plan == nil || x.delta.state == nil {
		return nil
	}
	p := x.delta.plan
	c, send := &p.Counts, p.Counts.Send
	if p.Mirror {
		send += c.Vanished
	}
	return &report.Delta{
		State: x.delta.store.Location(""), First: p.First, New: c.New, Changed: c.Changed, Unchanged: c.Unchanged, TooOld: c.TooOld,
		Vanished: c.Vanished, ToSend: send, Known: c.Known, Seconds: float64(send) / x.flags.client.Rate, Refused: x.delta.refused,
	}
}
