package main

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"pushbatch/batch"
	"pushbatch/batch/blob"
	"pushbatch/batch/ops"
	"pushbatch/readers"
	"pushbatch/readers/inputerror"
	"pushbatch/writers/report"
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
	var empty []blob.Info
	x.opened, empty, err = x.openTables(ctx, found, x.process.stdin, options.Mapping, x.sharedBindings(options), x.spec.Retry)
	for _, info := range empty {
		x.spec.Empty = append(x.spec.Empty, inputSpec{Name: info.Location, Identity: batch.Identity{URI: info.URI, Size: info.Size}})
	}
	return err
}

// openTables opens and binds inputs. empty are those without content, which
// --allow-empty passes over. Of a retry (else nil) only the rows that it takes are read.
func (c *runConfig) openTables(ctx context.Context, found []blob.Info, stdin io.Reader, mapping *ops.Mapping,
	bind func(batch.Header) (*ops.Binding, error), retry *retrySpec,
) (opened []openedInput, empty []blob.Info, err error) {
	defer func() {
		if err != nil {
			err, opened = errors.Join(err, closeInputs(opened)), nil
		}
	}()
	var headers []batch.Header
	for _, info := range found {
		source, err := readers.Open(ctx, info, c.flags.readerOptions(stdin))
		if broken, ok := errors.AsType[*inputerror.Error](err); ok && broken.Code == inputerror.CodeEmpty && c.flags.allowEmpty {
			empty = append(empty, info)
			continue
		}
		if err != nil {
			return opened, nil, usageError("%w", amongOthers(err, len(found)))
		}
		if err := refuseRedacted(source); err != nil {
			return opened, nil, errors.Join(err, source.Close())
		}
		source = retry.only(ctx, source)
		binding, err := bind(source.Header())
		if err != nil {
			return opened, nil, errors.Join(usageError("%s: %w", source.Name(), err), source.Close())
		}
		opened, headers = append(opened, openedInput{info: info, source: source, binding: binding}), append(headers, source.Header())
	}
	if err := mapping.CheckIgnored(headers); err != nil {
		return opened, nil, usageError("%w", err)
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
	if broken, ok := errors.AsType[*inputerror.Error](err); ok && broken.Code == inputerror.CodeFormat && inputs > 1 {
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
	x.spec.noteColumns(len(x.spec.Inputs)-1, x.columnsOf(in.binding))
	unused := make(map[string][]string)
	for _, c := range in.binding.Columns {
		if c.Use != ops.Sent && c.Use != ops.Result {
			unused[string(c.Use)] = append(unused[string(c.Use)], ops.ShownName(c.Column))
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
func (x *execution) failedColumns(inputs []openedInput) [][]string {
	var all [][]string
	first := make(map[string]string) // target and type -> name
	for _, in := range inputs {
		names := make([]string, len(in.source.Header()))
		for i, c := range in.source.Header() {
			use := in.binding.Columns[i]
			names[i] = x.redactor.Name(failedColumn(c, use))
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
		all = appendAlike(all, names)
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

// recordedInputs finds the inputs of a run again, in the order in which it reads
// them: files that have come since are none of its business. One that is not where
// it was is looked for by its name from the current folder, or where moved
// (--input OLD=NEW) says.
func recordedInputs(ctx context.Context, spec *runSpec, moved []string) ([]blob.Info, error) {
	places, err := movedInputs(spec, moved)
	if err != nil {
		return nil, err
	}
	var found []blob.Info
	for i := range spec.Inputs {
		in := &spec.Inputs[i]
		if in.URI == peopleInput {
			continue // kept in the run folder
		}
		if in.Size < 0 {
			return nil, fmt.Errorf("input %s was a stream, which cannot be read again: the rows that did not succeed "+
				"stand in failed.csv, which is an input itself; those that its results do not list need a new run", in.Name)
		}
		info, err := findInput(ctx, in, places)
		if err == nil && !info.Rereadable() {
			err = errors.New("it is no file any more")
		}
		if err != nil {
			return nil, fmt.Errorf("input %s cannot be read any more: %w; if it was moved, give --input %s=NEW", in.Name, err, report.ShellWord(in.Name))
		}
		in.URI = info.URI
		info.Location, info.Partitions = in.Name, in.Partitions
		found = append(found, info)
	}
	return found, nil
}

// movedInputs reads the pairs of --input.
func movedInputs(spec *runSpec, pairs []string) (map[string]string, error) {
	places := make(map[string]string)
	for _, pair := range pairs {
		name, place, ok := strings.Cut(pair, "=")
		if !ok || place == "" {
			return nil, usageError("--input %q: OLD=NEW was expected, the name of an input and where it is now", pair)
		}
		known := false
		for _, in := range spec.Inputs {
			if in.Name == name || in.URI == name {
				places[in.Name], known = place, true
			}
		}
		if !known {
			return nil, usageError("--input %s: the run has no such input; status and job.json name them", name)
		}
	}
	return places, nil
}

func findInput(ctx context.Context, in *inputSpec, places map[string]string) (blob.Info, error) {
	if place, ok := places[in.Name]; ok {
		return blob.Stat(ctx, place)
	}
	info, err := blob.Stat(ctx, in.URI)
	if errors.Is(err, fs.ErrNotExist) && !blob.IsS3(in.URI) {
		if here, err := blob.Stat(ctx, in.Name); err == nil {
			return here, nil
		}
	}
	return info, err
}

// unchanged refuses to go on over an input with other content than the run read.
func (x *execution) unchanged(ctx context.Context, spec *runSpec) error {
	for i := range spec.Inputs {
		was := &spec.Inputs[i]
		if was.URI == peopleInput {
			continue
		}
		diff := fmt.Sprintf("it is empty, had size %d", was.Size) // --allow-empty has passed over it
		if i < len(x.opened) && x.opened[i].source.Name() == was.Name {
			var err error
			if diff, err = differs(ctx, was, x.opened[i].info, x.opened[i].source.Identity().Fingerprint); err != nil {
				return err
			}
		}
		if diff != "" {
			return fmt.Errorf("input %s has changed since the run began (%s): put the old file back, or start a new run", was.Name, diff)
		}
	}
	return nil
}

// differs says how an input differs in content from what a run read; empty: it
// is the same, whatever its time and place.
func differs(ctx context.Context, was *inputSpec, is blob.Info, fingerprint string) (string, error) {
	switch {
	case is.Size == 0 && was.Size > 0:
		return fmt.Sprintf("it is empty, had size %d", was.Size), nil
	case was.Size != is.Size:
		return fmt.Sprintf("size %d, was %d", is.Size, was.Size), nil
	case was.Fingerprint != fingerprint && is.ETag != "":
		return "another version (ETag)", nil
	case was.Fingerprint != fingerprint:
		return "other content", nil
	case was.ModTime.Equal(is.ModTime), is.ETag != "", is.Size <= blob.FingerprintWhole:
		return "", nil
	case was.Checksum == "": // too large to be read for this alone: its time decides
		return fmt.Sprintf("modified %s, was %s", is.ModTime.UTC().Format("2006-01-02 15:04:05"), was.ModTime.UTC().Format("2006-01-02 15:04:05")), nil
	}
	sum, err := checksum(ctx, is)
	if err != nil || sum == was.Checksum {
		return "", err
	}
	return "other content", nil
}

// largestChecked bounds what is read to know an input again that is touched: some
// seconds.
const largestChecked = 4 << 30

// checksum is CRC-32C over a local input whose fingerprint does not cover it as a
// whole; empty where the fingerprint says enough, or the input is too large.
func checksum(ctx context.Context, in blob.Info) (string, error) {
	if in.Size <= blob.FingerprintWhole || in.Size > largestChecked || in.ETag != "" {
		return "", nil
	}
	r, err := blob.OpenAt(ctx, in)
	if err != nil {
		return "", err
	}
	defer r.Close()
	hash := crc32.New(crc32.MakeTable(crc32.Castagnoli))
	if _, err := io.CopyBuffer(hash, io.NewSectionReader(r, 0, math.MaxInt64), make([]byte, 1<<20)); err != nil {
		return "", fmt.Errorf("read %s: %w", in.Location, err)
	}
	return strconv.FormatUint(uint64(hash.Sum32()), 16), nil
}
