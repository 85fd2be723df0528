package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"pushbatch/batch"
	"pushbatch/batch/blob"
	"pushbatch/batch/ops"
	"pushbatch/readers"
)

// inspectFlags are the flags of inspect.
type inspectFlags struct {
	operation  string
	rows       int64
	all        bool
	showValues bool
	json       bool
}

func (i *inspectFlags) add(fs *pflag.FlagSet) {
	fs.StringVar(&i.operation, "operation", "personalize", "`NAME` of the operation that the inputs are meant for: personalize, depersonalize, update or export")
	fs.Int64Var(&i.rows, "rows", 10_000, "look at the first `N` rows of each input")
	fs.BoolVar(&i.all, "all", false, "look at every row")
	fs.BoolVar(&i.showValues, "show-values", false, "show values as they are, which may be personal")
	fs.BoolVar(&i.json, "json", false, "print JSON")
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
	report := inspection{Operation: own.operation}
	for _, info := range found {
		in := &inputInspection{Name: info.Location, Columns: []columnInspection{}, Problems: []*problemGroup{}, Requests: []json.RawMessage{}}
		in.look(ctx, own, c, info, options, p)
		if err := context.Cause(ctx); err != nil {
			return err
		}
		report.Inputs = append(report.Inputs, in)
		report.ExitCode = max(report.ExitCode, in.exit)
	}
	if c.flags.delta.state != "" && report.ExitCode < exitUsage {
		if report.Delta, err = p.inspectDelta(ctx, c, found); err != nil {
			return err
		}
	}
	if err := report.write(p.stdout, own.json); err != nil {
		return &exitError{exitStopped, fmt.Errorf("write the findings: %w", err)}
	}
	if report.ExitCode != exitDone {
		return &errReported{exitError{report.ExitCode, errors.New("problems were found")}}
	}
	return nil
}

// prepare checks the flags and reads what binding an input needs.
func (i *inspectFlags) prepare(c *runConfig) (ops.Options, error) {
	name := i.operation
	c.operation = ops.Named(name)
	if c.operation == nil {
		return ops.Options{}, usageError("--operation %q: take personalize, depersonalize, update or export", i.operation)
	}
	if i.rows < 1 {
		return ops.Options{}, usageError("--rows %d: at least 1 was expected", i.rows)
	}
	if err := errors.Join(c.flags.s3Flags.check(), c.readMapping()); err != nil {
		return ops.Options{}, err
	}
	options, err := c.bindOptions()
	options.DryRun, options.HasAppCode = ops.ShowRequests, true // nothing is sent
	return options, err
}

// look fills in what can be said about one input.
func (in *inputInspection) look(ctx context.Context, own *inspectFlags, c *runConfig, info blob.Info, options ops.Options, p *process) {
	source, err := readers.Open(ctx, info, c.flags.readerOptions(p.stdin))
	if err != nil {
		in.stop(exitUsage, err)
		return
	}
	defer source.Close()
	in.Detected = readers.Detected(source)
	binding, err := c.operation.Bind(source.Header(), options)
	if err != nil {
		in.mappingFailed(err)
	}
	in.describeColumns(source.Header(), binding, err)
	in.read(ctx, own, source, binding)
	in.finish(source)
	in.Encodings = encodingsOf(readers.EncodingChoices(source), own.showValues)
}

func (in *inputInspection) stop(code int, err error) {
	in.exit = code
	in.Error = &stopInspection{Code: codeOf(err), Message: err.Error()}
	if e, ok := ops.Explain(in.Error.Code); ok {
		in.Error.Remedy = e.Remedy
	}
}

func codeOf(err error) string {
	if e, ok := errors.AsType[*readers.Error](err); ok {
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
		m := stopInspection{Code: p.Code, Message: p.Message}
		if e, ok := ops.Explain(p.Code); ok {
			m.Remedy = e.Remedy
		}
		in.Mapping = append(in.Mapping, m)
	}
}
