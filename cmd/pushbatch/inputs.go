package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"pushbatch/batch"
	"pushbatch/batch/blob"
	"pushbatch/batch/ops"
	"pushbatch/readers"
)

// openedInput is one input, ready to be read.
type openedInput struct {
	info    blob.Info
	source  batch.Source
	binding *ops.Binding
}

// openInputs opens and binds every input, so that what is wrong with any of
// them is known before the first request.
func (x *execution) openInputs(ctx context.Context, found []blob.Info) error {
	if x.exporting() && x.flags.export.people {
		return x.openPeople(ctx)
	}
	if x.spec.Undo != nil && len(found) == 1 {
		return x.openPlan(ctx, found[0])
	}
	options, err := x.bindOptions()
	if err != nil {
		return err
	}
	var prepare func(batch.Source) (batch.Source, error)
	if x.spec.Retry != nil {
		prepare = func(source batch.Source) (batch.Source, error) { return x.spec.Retry.only(ctx, source) }
	}
	var empty []blob.Info
	x.opened, empty, err = x.openTables(ctx, found, x.process.stdin, x.sharedBindings(options), prepare)
	for _, info := range empty {
		x.spec.Empty = append(x.spec.Empty, inputSpec{Name: info.Location, Identity: batch.Identity{URI: info.URI, Size: info.Size}})
	}
	return err
}

// openTables opens and binds inputs. empty are those without content, which
// --allow-empty passes over. prepare (may be nil) puts another source in place of one,
// which it closes when it fails.
func (c *runConfig) openTables(ctx context.Context, found []blob.Info, stdin io.Reader, bind func(batch.Header) (*ops.Binding, error),
	prepare func(batch.Source) (batch.Source, error),
) (opened []openedInput, empty []blob.Info, err error) {
	defer func() {
		if err != nil {
			err, opened = errors.Join(err, closeInputs(opened)), nil
		}
	}()
	for _, info := range found {
		source, err := readers.Open(ctx, info, c.flags.readerOptions(stdin))
		if broken, ok := errors.AsType[*readers.Error](err); ok && broken.Code == readers.CodeEmpty && c.flags.allowEmpty {
			empty = append(empty, info)
			continue
		}
		if err != nil {
			return opened, nil, &exitError{exitUsage, amongOthers(err, len(found))}
		}
		if err := refuseRedacted(source); err != nil {
			return opened, nil, errors.Join(err, source.Close())
		}
		if prepare != nil {
			if source, err = prepare(source); err != nil {
				return opened, nil, err
			}
		}
		binding, err := bind(source.Header())
		if err != nil {
			return opened, nil, errors.Join(usageError("%s: %w", source.Name(), err), source.Close())
		}
		opened = append(opened, openedInput{info: info, source: source, binding: binding})
	}
	return opened, empty, nil
}

// sharedBindings binds headers; those that are equal have one binding: of thousands
// of parts of one export only the first takes memory.
func (c *runConfig) sharedBindings(options ops.Options) func(batch.Header) (*ops.Binding, error) {
	bound := make(map[string]*ops.Binding)
	return func(h batch.Header) (*ops.Binding, error) {
		key := fmt.Sprintf("%#v", h)
		if b := bound[key]; b != nil {
			return b, nil
		}
		b, err := c.operation.Bind(h, options)
		bound[key] = b
		return b, err
	}
}

// amongOthers says what to do about one file among several that is no table.
func amongOthers(err error, inputs int) error {
	if broken, ok := errors.AsType[*readers.Error](err); ok && broken.Code == readers.CodeFormat && inputs > 1 {
		return fmt.Errorf("%w (one of %d inputs: take it out of the folder, or name the tables with a glob such as 'data/*.csv')", err, inputs)
	}
	return err
}

// bindOptions say how columns are bound, and what sends the requests.
func (x *execution) bindOptions() (ops.Options, error) {
	o, err := x.runConfig.bindOptions()
	if x.client != nil {
		o.Sender = x.sender()
	}
	return o, err
}

// describeInput adds an input to the spec of a new run, and logs what it is.
func (x *execution) describeInput(in *openedInput) {
	detected := readers.Detected(in.source)
	x.spec.Inputs = append(x.spec.Inputs, inputSpec{
		Name: in.source.Name(), Detected: detected, Identity: in.source.Identity(), Partitions: in.info.Partitions,
		Compressed: strings.HasSuffix(detected, "gzip") || strings.HasSuffix(detected, "zstd"),
	})
	x.log.Info("input", "source", in.source.Name(), "detected", detected, "columns", len(in.source.Header()))
	if x.people != nil {
		return // its columns are answers: nothing is sent of them
	}
	x.spec.Columns = append(x.spec.Columns, columnsOf(in.binding))
	unused := make(map[string][]string)
	for _, c := range in.binding.Columns {
		if c.Use != ops.Sent && c.Use != ops.Result {
			unused[string(c.Use)] = append(unused[string(c.Use)], c.Column)
		}
	}
	for _, why := range slices.Sorted(maps.Keys(unused)) {
		x.log.Info("columns are not sent", "source", in.source.Name(), "columns", strings.Join(unused[why], ", "), "why", why)
	}
}

func (x *execution) closeInputs() error { return closeInputs(x.opened) }

func closeInputs(opened []openedInput) (all error) {
	for _, in := range opened {
		all = errors.Join(all, in.source.Close())
	}
	return all
}

// warnOfChanges names files that have changed while they were read: what was
// written since may not be in the run.
func (x *execution) warnOfChanges(ctx context.Context) {
	for _, in := range x.opened {
		if in.info.URI == "" || !in.info.Rereadable() || blob.IsS3(in.info.URI) { // a listing is no file; objects are replaced, not changed
			continue
		}
		now, err := blob.Stat(ctx, in.info.URI)
		if err != nil || now.Size != in.info.Size || !now.ModTime.Equal(in.info.ModTime) {
			x.log.Warn("the input has changed while it was read: what was written since is not in this run", "source", in.source.Name())
		}
	}
}

// failedColumns names the columns of every input in failed.csv. What several
// inputs spell in different ways has the name that the first one gives it: the
// file given back has each target once.
func failedColumns(inputs []openedInput) [][]string {
	var all [][]string
	first := make(map[string]string) // target and type -> name
	for _, in := range inputs {
		names := make([]string, len(in.source.Header()))
		for i, c := range in.source.Header() {
			use := in.binding.Columns[i]
			names[i] = failedColumn(c, use)
			if use.Use != ops.Sent || use.Found != ops.ByName {
				continue
			}
			_, typ, _ := strings.Cut(names[i], ":")
			key := use.Target + ":" + typ
			if _, named := first[key]; !named {
				first[key] = names[i]
			}
			names[i] = first[key]
		}
		all = append(all, names)
	}
	return all
}

// failedColumn names a column in failed.csv. The cells there are text: what a
// typed column of Parquet means by name keeps its type, so that the file given
// back as input is sent as before.
func failedColumn(c batch.Column, use ops.ColumnUse) string {
	if c.Partition && use.Use != ops.Sent {
		return "" // a folder's name, which nothing was made of
	}
	free := strings.HasPrefix(use.Target, "customAttributes.") || strings.HasPrefix(use.Target, "additionalData.")
	if !free || use.Found != ops.ByName || strings.Contains(c.Name, ":") {
		return c.Name
	}
	switch c.Kind {
	case batch.Number, batch.Bool, batch.Date:
		return c.Name + ":" + c.Kind.String()
	}
	return c.Name
}
