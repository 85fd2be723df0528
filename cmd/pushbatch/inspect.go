package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"pushbatch/batch"
	"pushbatch/batch/blob"
	"pushbatch/batch/ops"
	"pushbatch/batch/spill"
	"pushbatch/readers"
	"pushbatch/readers/inputerror"
)

type inspectFlags struct {
	operation  string
	rows       int64
	all        bool
	showValues bool
	json       bool
	writeMap   string
}

func (i *inspectFlags) add(fs *pflag.FlagSet) {
	fs.StringVar(&i.operation, "operation", "personalize", "`NAME` of the operation that the inputs are meant for: personalize, depersonalize, update or export")
	fs.Int64Var(&i.rows, "rows", 10_000, "look at the first `N` rows of each input")
	fs.BoolVar(&i.all, "all", false, "look at every row")
	fs.BoolVar(&i.showValues, "show-values", false, "show values as they are, which may be personal")
	fs.BoolVar(&i.json, "json", false, "print JSON")
	fs.StringVar(&i.writeMap, "write-map", "", "write a mapping to start from into `FILE`: every column with a target or under ignore:")
}

func newInspectCommand(p *process) *cobra.Command {
	flags, own, config := &jobFlags{}, &inspectFlags{}, ""
	cmd := &cobra.Command{
		Use:   "inspect INPUT…",
		Short: "Show what inputs hold and what would be sent, without sending anything",
		Args:  needInput,
		RunE: func(cmd *cobra.Command, inputs []string) error {
			return p.inspect(cmd.Context(), own, &runConfig{inputs: inputs, flags: flags, set: cmd.Flags()})
		},
	}
	cmd.Flags().SortFlags = false
	own.add(cmd.Flags())
	flags.inputFlags.add(cmd.Flags())
	flags.addInspected(cmd.Flags())
	flags.s3Flags.add(cmd.Flags())
	cmd.Flags().StringVar(&config, "config", "", "YAML `FILE` with any of these flags as keys")
	return cmd
}

// inspect looks at every input and prints what it found. The exit code is that
// of a job over them: 4 for an input that cannot be read to its end, 2 for one
// that no run would begin with, 1 for bad rows.
func (p *process) inspect(ctx context.Context, own *inspectFlags, c *runConfig) error {
	if _, err := resolve(c.set, p.getenv); err != nil {
		return err
	}
	options, err := own.prepare(c)
	if err != nil {
		return err
	}
	ctx = c.flags.with(ctx, p)
	found, err := blob.Expand(ctx, c.inputs)
	if err != nil {
		return usageError("%v", err)
	}
	rows, err := spill.New(os.TempDir(), duplicateBuckets)
	if err != nil {
		return err
	}
	defer rows.Close()
	v := &inspector{own: own, config: c, options: options, duplicates: &duplicates{rows: rows}, profiles: columnProfiles{place: make(map[string]int)}, report: inspection{Operation: own.operation}}
	for _, info := range found {
		v.look(ctx, info, p)
		if err := context.Cause(ctx); err != nil {
			return err
		}
	}
	if c.flags.delta.state != "" && v.report.ExitCode < exitUsage {
		if v.report.Delta, err = p.inspectDelta(ctx, c, found); err != nil {
			return err
		}
	}
	return v.finish(p)
}

// inspector looks at inputs one after the other.
type inspector struct {
	own        *inspectFlags
	config     *runConfig
	options    ops.Options
	profiles   columnProfiles
	duplicates *duplicates
	report     inspection
}

// finish prints what was found, and returns what the program ends with.
func (v *inspector) finish(p *process) error {
	r := &v.report
	var names []string
	var requests, rows int64
	for _, in := range r.Inputs {
		names = append(names, in.Name)
		requests += in.Forecast.Requests
		rows += in.Rows
	}
	if last := len(r.Inputs) - 1; rows == 0 && r.ExitCode == exitDone {
		r.Inputs[last].Mapping = []stopInspection{{Message: "the inputs hold no row (give --allow-empty if that is fine)"}}
		r.ExitCode = exitUsage
	}
	if err := v.options.Mapping.CheckIgnored([]batch.Header{v.profiles.header}); err != nil && r.ExitCode < exitUsage {
		in := r.Inputs[len(r.Inputs)-1]
		in.Mapping, r.ExitCode = append(in.Mapping, stopInspection{Message: err.Error()}), exitUsage
	}
	r.Forecast = forecastOf(requests, v.config.flags.client.Rate)
	var err error
	if r.Devices, r.Persons, err = v.duplicates.finish(names); err != nil {
		return fmt.Errorf("look for duplicates: %w", err)
	}
	if v.own.writeMap != "" && r.ExitCode != exitStopped && len(v.profiles.header) > 0 {
		written, proposals, err := v.profiles.writeMap(v.own.writeMap, v.config.operation, v.config.inputs)
		if err != nil {
			return err
		}
		for _, in := range r.Inputs {
			in.propose(proposals)
		}
		r.Written = written
		r.ExitCode = exitDone // what was asked for is done
	}
	if err := show(p.stdout, "inspection", r, v.own.json); err != nil {
		return err
	}
	if r.ExitCode != exitDone {
		return &exitError{r.ExitCode, errors.New("problems were found"), true}
	}
	return nil
}

// prepare checks the flags and reads what binding an input needs.
func (i *inspectFlags) prepare(c *runConfig) (ops.Options, error) {
	c.operation = ops.Named(i.operation)
	err := cmp.Or(
		refuse(c.operation == nil, noOperation, i.operation),
		c.flags.checkRate(),
		refuse(i.rows < 1, "--rows %d: at least 1 was expected", i.rows),
		c.flags.s3Flags.check(), c.readMapping(),
	)
	if err != nil {
		return ops.Options{}, err
	}
	options, err := c.bindOptions()
	options.DryRun, options.HasAppCode = ops.Send, true // nothing is sent: requests are only looked at
	return options, err
}

// look adds what can be told of one input.
func (v *inspector) look(ctx context.Context, info blob.Info, p *process) {
	in := &inputInspection{
		Name: info.Location, Columns: []columnInspection{}, Problems: []problemGroup{}, Requests: []json.RawMessage{}, number: len(v.report.Inputs),
	}
	defer func() {
		in.Findings = in.found.sorted()
		v.report.Inputs = append(v.report.Inputs, in)
		v.report.ExitCode = max(v.report.ExitCode, in.exit)
	}()
	source, err := readers.Open(ctx, info, v.config.flags.readerOptions(p.stdin))
	if err != nil {
		in.stop(exitUsage, err)
		return
	}
	defer source.Close()
	in.Detected = readers.Detected(source)
	binding, err := v.config.operation.Bind(source.Header(), v.options)
	in.describeColumns(source.Header(), binding, err)
	if err != nil && v.own.writeMap == "" { // the columns that are understood are looked at all the same
		in.mappingFailed(err)
		some, options := *v.config.operation, v.options
		some.Optional, some.Required, some.OneOf = some.Columns(), nil, nil
		options.IgnoreUnmapped, in.partial = true, true
		binding, _ = some.Bind(source.Header(), options)
	}
	v.read(ctx, in, source, binding)
	in.finish(source, v.config.flags.client.Rate)
	if in.Encodings = readers.EncodingChoices(source); len(in.Encodings) > 0 {
		in.Detected = strings.Replace(in.Detected, "UTF-8", "not UTF-8", 1)
	}
	for i := range in.Encodings {
		if !v.own.showValues {
			in.Encodings[i].Cells = nil
		}
	}
}

func (in *inputInspection) stop(code int, err error) {
	in.exit, in.Error = code, new(stopOf(codeOf(err), err.Error()))
}

func stopOf(code, message string) stopInspection {
	e, _ := ops.Explain(code)
	return stopInspection{Code: code, Message: message, Remedy: e.Remedy}
}

func codeOf(err error) string {
	if e, ok := errors.AsType[*inputerror.Error](err); ok {
		return e.Code
	}
	if e, ok := errors.AsType[*batch.Abort](err); ok {
		return e.Code
	}
	return ""
}

func (in *inputInspection) mappingFailed(err error) {
	in.exit = exitUsage
	bind, ok := errors.AsType[*ops.BindError](err)
	if !ok {
		in.stop(exitUsage, err)
		return
	}
	for _, p := range bind.Problems {
		in.Mapping = append(in.Mapping, stopOf(p.Code, p.Message))
	}
}

// alike puts inputs together that look alike: the same format and columns, and
// nothing that is wrong with one of them. Those of thousands of files are told
// once.
func (i *inspection) alike() (groups []*inputInspection) {
	places := make(map[string]*inputInspection)
	for _, in := range i.Inputs {
		look := in.look()
		if group := places[look]; group != nil && look != "" {
			group.take(in)
			continue
		}
		first := *in
		first.Columns = slices.Clone(in.Columns)
		if groups = append(groups, &first); look != "" {
			places[look] = &first
		}
	}
	return groups
}

// look is what inputs that look alike have in common; empty: it is told alone.
func (in *inputInspection) look() string {
	if in.Error != nil || len(in.Problems) > 0 || len(in.Encodings) > 0 || len(in.found.tally.Warnings) > 0 {
		return ""
	}
	look := fmt.Appendf(nil, "%q %q", in.Detected, in.Mapping)
	for i := range in.Columns {
		c := &in.Columns[i]
		look = fmt.Appendf(look, " %q %q %q %q", c.Name, c.Type, c.Use, c.Target) // of 10,000 columns: not one string more each
	}
	return string(look)
}

// take adds the numbers of an input that looks alike.
func (in *inputInspection) take(other *inputInspection) {
	for i := range in.Columns {
		c := &in.Columns[i]
		c.empty += other.Columns[i].empty
		if all := in.RowsRead + other.RowsRead; all > 0 {
			c.EmptyShare = float64(c.empty) / float64(all)
		}
	}
	in.Rows += other.Rows
	in.RowsRead += other.RowsRead
	in.Sendable += other.Sendable
	in.Forecast = forecastOf(in.Forecast.Requests+other.Forecast.Requests, max(in.Forecast.Rate, other.Forecast.Rate, 1))
	if in.RowsAre != other.RowsAre {
		in.RowsAre = "estimated"
	}
	in.Others++
	in.Last = other.Name
}
