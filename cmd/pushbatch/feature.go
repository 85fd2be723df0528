package main

import (
	"context"
	"errors"

	"pushbatch/batch"
)

// feature is what a flag adds to a run beside sending its rows. Fields that are
// nil are passed over. Those of several features are called in the order of
// the table below, and in this order:
type feature struct {
	// firstPass looks at the inputs before the first request, in every execution.
	// The run folder is open and job.json is written. Its error stops the run.
	firstPass func(ctx context.Context) error
	// extraInputs are read after the inputs of the command line.
	extraInputs func(ctx context.Context) ([]openedInput, error)
	// mapper wraps the mapper of an input: it may decide about a row itself, or
	// wrap the request, to do something before or after it is sent. The first of
	// the table is the outermost.
	mapper func(in *openedInput, next batch.Mapper) batch.Mapper
	// sink wraps what gets every result, in input order, from one goroutine.
	sink func(next batch.Sink) batch.Sink
	// ended is called once when the run has ended (runErr is nil) or stopped, before
	// its summary is written. Its error is the run's.
	ended func(ctx context.Context, engine *batch.Job, runErr error) error
}

// newFeatures make the features of an execution from its flags; nil: not asked for.
var newFeatures = []func(*execution) *feature{
	newDryRunProblems,
	newRedaction,
	newTable,
	newAppCodeCheck, // before anything is noted of devices that a run is about to touch
	newDelta,
	newStateUndo,
	newSnapshot,
}

func (x *execution) addFeatures() {
	for _, add := range newFeatures {
		if f := add(x); f != nil {
			x.features = append(x.features, f)
		}
	}
}

func (x *execution) firstPass(ctx context.Context) error {
	for _, f := range x.features {
		if f.firstPass == nil {
			continue
		}
		if err := f.firstPass(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (x *execution) addInputs(ctx context.Context) error {
	for _, f := range x.features {
		if f.extraInputs == nil {
			continue
		}
		more, err := f.extraInputs(ctx)
		x.opened = append(x.opened, more...)
		if err != nil {
			return err
		}
	}
	return nil
}

func (x *execution) mapper(in *openedInput) batch.Mapper {
	m := in.binding.Map
	for i := len(x.features) - 1; i >= 0; i-- {
		if f := x.features[i]; f.mapper != nil {
			m = f.mapper(in, m)
		}
	}
	return m
}

func (x *execution) sink(s batch.Sink) batch.Sink {
	for _, f := range x.features {
		if f.sink != nil {
			s = f.sink(s)
		}
	}
	return s
}

// ended tells every feature how the run ended; the first error after the run's
// own is kept too.
func (x *execution) ended(ctx context.Context, engine *batch.Job, runErr error) error {
	for _, f := range x.features {
		if f.ended == nil {
			continue
		}
		if err := f.ended(ctx, engine, runErr); err != nil {
			runErr = errors.Join(runErr, err)
		}
	}
	return runErr
}
