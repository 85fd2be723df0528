package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"pushbatch/batch"
	"pushbatch/batch/ops"
	"pushbatch/batch/runstore"
	"pushbatch/writers/report"
)

func newResumeCommand(p *process) *cobra.Command {
	flags, c := &jobFlags{}, &runConfig{}
	cmd := &cobra.Command{
		Use:   "resume RUN",
		Short: "Go on with a run that was interrupted",
		Long: "resume goes on with a run where it stands, with what it was started with. Secrets come\n" +
			"from the environment again; flags about speed, stopping and messages may be given anew.",
		Args: needRun,
		RunE: func(cmd *cobra.Command, args []string) error {
			c.flags, c.set = flags, cmd.Flags()
			return p.resume(cmd.Context(), args[0], c)
		},
	}
	c.addMoved(cmd.Flags())
	flags.addAll(cmd.Flags())
	hideFlags(cmd.Flags(), fixedForResume())
	return cmd
}

// fixedForResume are the flags that a resumed run keeps. A new mapping is for the
// rows that are not done.
func fixedForResume() []string { return withoutFlags(fixedFlags, "map") }

func needRun(cmd *cobra.Command, args []string) error {
	if len(args) != 1 {
		return usageError("%s needs one RUN: the folder of a run", cmd.CommandPath())
	}
	return nil
}

// resume goes on with the run in a folder.
func (p *process) resume(ctx context.Context, path string, c *runConfig) (err error) {
	if err := resolveS3(c.set, p.getenv); err != nil {
		return err
	}
	folder, err := p.openFolder(c.flags.with(ctx, p), path, c.flags)
	switch {
	case errors.Is(err, runstore.ErrNoRun):
		return usageError("%w: it has no %s", err, runstore.JobFile)
	case err != nil:
		return err
	}
	defer func() { p.closed("the run", folder.Close()) }()
	x, err := p.reopen(folder, c)
	if err != nil {
		return err
	}
	if ended := x.alreadyEnded(p.messages()); ended != nil {
		return ended.outcome()
	}
	ctx = c.flags.with(ctx, p)
	found, err := recordedInputs(ctx, &x.spec, c.moved)
	if err != nil {
		return err
	}
	if err := x.openInputs(ctx, found); err != nil {
		return err
	}
	defer func() { p.closed("an input", x.closeInputs()) }()
	if err := x.unchanged(ctx, &x.spec); err != nil {
		return err
	}
	x.tellUnrestored()
	if err := x.takeMapping(); err != nil {
		return err
	}
	if err := cmp.Or(x.checkTarget(ctx), x.checkShares(ctx)); err != nil {
		return err
	}
	if err := x.openDelta(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, x.closeDelta()) }()
	return x.run(ctx)
}

// reopen takes over what the run in a folder was started with.
func (p *process) reopen(folder *runstore.Folder, c *runConfig) (*execution, error) {
	var spec runSpec
	if err := folder.ReadJSON(runstore.JobFile, &spec); err != nil {
		return nil, usageError("%w", err)
	}
	if c.operation = operationOf(&spec); c.operation == nil {
		return nil, usageError("%s: this version knows no operation %q", folder.Path(runstore.JobFile), spec.Operation)
	}
	newMapping, fixed := c.set.Changed("map"), fixedFlags
	if newMapping {
		fixed = fixedForResume()
	}
	if err := c.restore(p, &spec, fixed); err != nil {
		return nil, err
	}
	if !newMapping {
		c.mapping = spec.Mapping
	}
	if err := cmp.Or(c.check(), c.readMapping()); err != nil {
		return nil, err
	}
	point, err := folder.LoadCheckpoint()
	if err != nil {
		return nil, usageError("%w", err)
	}
	x, err := p.open(c, spec)
	if err != nil {
		return nil, err
	}
	x.folder, x.point, x.newMapping = folder, point, newMapping
	x.keepEndpoints()
	return x, nil
}

// operationOf is the operation of a run; nil: this version does not know it.
func operationOf(spec *runSpec) *ops.Operation {
	if spec.Undo != nil {
		return ops.Undo()
	}
	return ops.Named(spec.Operation)
}

// endedSummary is the summary of a run that has ended.
type endedSummary struct{ report.Summary }

// outcome is what the program ends with: what the run ended with.
func (s *endedSummary) outcome() error {
	if s.ExitCode == exitDone {
		return nil
	}
	return &errReported{exitError{s.ExitCode, errors.New("the run has ended")}}
}

// alreadyEnded says that a run has ended, and touches nothing of it: people
// fix its failed.csv in place. It returns nil when there is something to do.
func (x *execution) alreadyEnded(w io.Writer) *endedSummary {
	s := summaryOfEnded(x.folder, x.point, &x.spec)
	if s != nil && !x.flags.quiet {
		fmt.Fprintf(w, "nothing to do: %s has ended\n", x.folder.Path(""))
		s.Print(w)
	}
	return s
}

// summaryOfEnded is the summary of a run if it has ended, else nil.
func summaryOfEnded(folder *runstore.Folder, point *batch.Checkpoint, spec *runSpec) *endedSummary {
	s := new(endedSummary)
	if point == nil || !point.Ended || folder.ReadJSON(runstore.SummaryFile, &s.Summary) != nil {
		return nil
	}
	if s.Executions != spec.Executions || s.Outcome != report.Completed {
		return nil
	}
	return s
}
