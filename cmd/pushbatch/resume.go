package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"pushbatch/batch"
	"pushbatch/batch/blob"
	"pushbatch/batch/ops"
	"pushbatch/batch/runstore"
	"pushbatch/writers/report"
)

func newResumeCommand(p *process) *cobra.Command {
	flags := &jobFlags{}
	cmd := &cobra.Command{
		Use:   "resume RUN",
		Short: "Go on with a run that was interrupted",
		Long: "resume goes on with a run where it stands, with what it was started with. Secrets come\n" +
			"from the environment again; flags about speed, stopping and messages may be given anew.",
		Args: needRun,
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.resume(cmd.Context(), args[0], &runConfig{flags: flags, set: cmd.Flags()})
		},
	}
	flags.addAll(cmd.Flags())
	hideFlags(cmd.Flags(), fixedFlags)
	return cmd
}

// hideFlags keeps flags that may not be given out of a command's help.
func hideFlags(fs *pflag.FlagSet, names []string) {
	for _, name := range names {
		_ = fs.MarkHidden(name) // only fails for a flag that is not there
	}
}

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
	folder, err := p.openFolder(c.flags.with(ctx), path, c.flags)
	switch {
	case errors.Is(err, runstore.ErrNoRun):
		return usageError("%w: it has no %s", err, runstore.JobFile)
	case err != nil:
		return err
	}
	defer func() { err = errors.Join(err, folder.Close()) }()
	x, err := p.reopen(folder, c)
	if err != nil {
		return err
	}
	if ended := x.alreadyEnded(p.messages()); ended != nil {
		return ended.outcome()
	}
	ctx = c.flags.with(ctx)
	found, err := recordedInputs(ctx, &x.spec)
	if err != nil {
		return err
	}
	if err := x.openInputs(ctx, found); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, x.closeInputs()) }()
	if err := x.unchanged(&x.spec); err != nil {
		return err
	}
	if err := x.checkTarget(ctx); err != nil {
		return err
	}
	return x.run(ctx)
}

// reopen takes over what the run in a folder was started with.
func (p *process) reopen(folder *runstore.Folder, c *runConfig) (*execution, error) {
	var spec runSpec
	if err := folder.ReadJSON(runstore.JobFile, &spec); err != nil {
		return nil, usageError("%w", err)
	}
	if c.operation = ops.Named(spec.Operation); c.operation == nil {
		return nil, usageError("%s: this version knows no operation %q", folder.Path(runstore.JobFile), spec.Operation)
	}
	if err := restoreSettings(c.set, spec.Settings, fixedFlags); err != nil {
		return nil, err
	}
	c.mapping = spec.Mapping
	if err := c.load(p.getenv); err != nil {
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
	x.folder, x.point = folder, point
	return x, nil
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

// restoreSettings sets the flags a run was started with, and refuses those
// that the command line gives another value but may not.
func restoreSettings(fs *pflag.FlagSet, settings map[string][]string, fixed []string) error {
	for _, name := range fixed {
		if f := fs.Lookup(name); f != nil && f.Changed {
			return usageError("--%s cannot be changed here: the run keeps what it was started with", name)
		}
	}
	for name, values := range settings {
		f := fs.Lookup(name)
		if f == nil {
			return usageError("the run was started with --%s, which this version does not know", name)
		}
		if f.Changed {
			continue
		}
		if err := setFlag(fs, name, values); err != nil {
			return usageError("--%s of the run: %v", name, err)
		}
	}
	return nil
}

// recordedInputs finds the inputs of the run again, in the order in which it
// reads them: files that have come since are none of its business.
func recordedInputs(ctx context.Context, spec *runSpec) ([]blob.Info, error) {
	var found []blob.Info
	for _, in := range spec.Inputs {
		if in.URI == peopleInput {
			continue // kept in the run folder
		}
		if in.Size < 0 {
			return nil, &exitError{exitStopped, fmt.Errorf("input %s was a stream, which cannot be read again: the rows that did not succeed "+
				"stand in failed.csv, which is an input itself; those that its results do not list need a new run", in.Name)}
		}
		info, err := blob.Stat(ctx, in.URI)
		if err != nil {
			return nil, &exitError{exitStopped, fmt.Errorf("input %s cannot be read any more: %w", in.Name, err)}
		}
		info.Location, info.Partitions = in.Name, in.Partitions
		found = append(found, info)
	}
	return found, nil
}

// unchanged compares the inputs with those the run was started with.
func (x *execution) unchanged(spec *runSpec) error {
	if name, diff := x.changedInput(spec); diff != "" {
		return &exitError{exitStopped, fmt.Errorf("input %s has changed since the run began (%s): "+
			"put the old file back, with its time (cp -p), or start a new run", name, diff)}
	}
	return nil
}

// changedInput names the first input that is not what the run read, and how it
// differs. An input that has become empty is not among those opened when
// --allow-empty lets it pass.
func (x *execution) changedInput(spec *runSpec) (name, diff string) {
	for i := range spec.Inputs {
		was := &spec.Inputs[i]
		if i >= len(x.opened) || x.opened[i].source.Name() != was.Name && was.URI != peopleInput {
			return was.Name, fmt.Sprintf("it is empty, had size %d", was.Size)
		}
		if diff := differences(was.Identity, x.opened[i].source.Identity()); diff != "" {
			return was.Name, diff
		}
	}
	return "", ""
}

func differences(was, is batch.Identity) string {
	var diff []string
	if was.Size != is.Size {
		diff = append(diff, fmt.Sprintf("size %d, was %d", is.Size, was.Size))
	}
	if !was.ModTime.Equal(is.ModTime) {
		diff = append(diff, fmt.Sprintf("modified %s, was %s", is.ModTime.UTC().Format("2006-01-02 15:04:05"), was.ModTime.UTC().Format("2006-01-02 15:04:05")))
	}
	if cmp.Or(was.ETag, is.ETag) != was.ETag {
		diff = append(diff, "another version (ETag)")
	}
	if was.Fingerprint != is.Fingerprint {
		diff = append(diff, "other content")
	}
	return strings.Join(diff, ", ")
}
