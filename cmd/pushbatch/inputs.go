package main

import (
	"context"
	"errors"
	"runtime"

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
	more    []batch.Mapper // as binding.Map, for other goroutines
}

// openInputs opens and binds every input, so that what is wrong with any of
// them is known before the first request.
func (p *process) openInputs(ctx context.Context, j *job, found []blob.Info) error {
	if j.exporting() && j.flags.export.people {
		return j.openPeople()
	}
	options, err := j.bindOptions()
	if err != nil {
		return err
	}
	for _, info := range found {
		source, err := readers.Open(ctx, info, j.flags.readerOptions(p.stdin))
		if broken, ok := errors.AsType[*readers.Error](err); ok && broken.Code == readers.CodeEmpty && j.flags.allowEmpty {
			j.spec.Empty = append(j.spec.Empty, inputSpec{Name: info.Location, Identity: batch.Identity{URI: info.URI, Size: info.Size}})
			continue
		}
		if err != nil {
			return errors.Join(&exitError{exitUsage, err}, j.closeInputs())
		}
		if err := refuseRedacted(source); err != nil {
			return errors.Join(err, source.Close(), j.closeInputs())
		}
		if j.spec.Retry != nil {
			if source, err = j.spec.Retry.only(ctx, source); err != nil {
				return errors.Join(err, j.closeInputs())
			}
		}
		binding, err := j.operation.Bind(source.Header(), options)
		if err != nil {
			return errors.Join(usageError("%s: %w", source.Name(), err), source.Close(), j.closeInputs())
		}
		if j.redactor != nil && !j.makesTable() {
			binding.Map = j.redactor.mapper(binding.Map)
		}
		in := openedInput{info: info, source: source, binding: binding}
		if options.DryRun == ops.ShowRequests && j.redactor == nil {
			in.more = moreMappers(j.operation, source.Header(), options)
		}
		j.opened = append(j.opened, in)
	}
	return nil
}

// mostMappers bounds the goroutines that map rows: with four of them reading is
// what takes longest.
const mostMappers = 4

// moreMappers are mappers for the cores beside the first, for a dry run that shows
// its requests: making them is most of its work. Where rows are only checked,
// handing them over costs more than it gains.
func moreMappers(operation *ops.Operation, h batch.Header, options ops.Options) (more []batch.Mapper) {
	for range min(runtime.GOMAXPROCS(0), mostMappers) - 1 {
		binding, err := operation.Bind(h, options)
		if err != nil {
			return nil // it was bound before
		}
		more = append(more, binding.Map)
	}
	return more
}

func (j *job) bindOptions() (ops.Options, error) {
	o := ops.Options{
		NullLiteral: j.flags.nullLiteral, PhoneRegion: j.flags.phoneRegion, IgnoreUnmapped: j.flags.ignoreUnmapped,
		Personalize: *j.personalize, HasAppCode: j.flags.appCode != "" || j.client == nil || j.flags.simulate,
		DryRun: dryRuns[j.flags.dryRun],
	}
	if j.client != nil {
		o.Sender = j.sender()
	}
	for _, text := range j.flags.set {
		c, err := ops.ParseConstant(text)
		if err != nil {
			return o, usageError("--set: %v", err)
		}
		o.Constants = append(o.Constants, c)
	}
	if j.spec.Mapping == "" {
		return o, nil
	}
	var err error
	if o.Mapping, err = ops.ParseMapping(j.flags.mapFile, []byte(j.spec.Mapping)); err != nil {
		return o, usageError("%v", err)
	}
	return o, nil
}

func (j *job) closeInputs() (all error) {
	for _, in := range j.opened {
		all = errors.Join(all, in.source.Close())
	}
	return all
}

// warnOfChanges names files that have changed while they were read: what was
// written since may not be in the run.
func (j *job) warnOfChanges(ctx context.Context) {
	for _, in := range j.opened {
		if !in.info.Rereadable() || blob.IsS3(in.info.URI) { // objects do not change, they are replaced
			continue
		}
		now, err := blob.Stat(ctx, in.info.URI)
		if err != nil || now.Size != in.info.Size || !now.ModTime.Equal(in.info.ModTime) {
			j.log.Warn("the input has changed while it was read: what was written since is not in this run", "source", in.source.Name())
		}
	}
}
