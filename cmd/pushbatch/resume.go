package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"pushbatch/apiclient"
	"pushbatch/batch"
	"pushbatch/batch/blob"
	"pushbatch/batch/ops"
	"pushbatch/writers"
)

// fixedFlags are what a run keeps for good: another value would make rows mean
// something else than in the part that is done.
var fixedFlags = []string{
	"format", "delimiter", "encoding", "compression", "map", "set", "null-literal", "phone-region", "ignore-unmapped",
	"out", "continue", "results", "redact", "dry-run", "force-depersonalize", "keep-as-lead", "set-device-as-primary", "return-push",
	"simulate",
}

func newResumeCommand(p *process) *cobra.Command {
	flags := &jobFlags{}
	personalize := &apiclient.PersonalizeOptions{}
	cmd := &cobra.Command{
		Use:   "resume RUN",
		Short: "Go on with a run that was interrupted",
		Long: "resume goes on with a run where it stands, with what it was started with. Secrets come\n" +
			"from the environment again; flags about speed, stopping and talk may be given anew.",
		Args: needRun,
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.resume(cmd.Context(), args[0], &job{flags: flags, set: cmd.Flags(), personalize: personalize})
		},
	}
	addPersonalizeFlags(cmd.Flags(), personalize)
	flags.add(cmd.Flags())
	addExportFlags(cmd.Flags(), flags)
	hideFlags(cmd.Flags(), fixedFlags)
	hideFlags(cmd.Flags(), fixedExportFlags)
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
func (p *process) resume(ctx context.Context, path string, j *job) (err error) {
	if err := resolveS3(j.set, p.getenv); err != nil {
		return err
	}
	j.folder, err = p.openFolder(j.flags.with(ctx), path, j)
	switch {
	case errors.Is(err, writers.ErrNoRun):
		return usageError("%w: it has no %s", err, writers.JobFile)
	case err != nil:
		return err
	}
	defer func() { err = errors.Join(err, j.folder.Close()) }()
	if err := j.reload(p); err != nil {
		return err
	}
	if told := j.alreadyEnded(p.voice()); told != nil {
		return told.outcome()
	}
	ctx = j.flags.with(ctx)
	found, err := recordedInputs(ctx, &j.spec)
	if err != nil {
		return err
	}
	if err := p.openInputs(ctx, j, found); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, j.closeInputs()) }()
	if err := j.unchanged(&j.spec); err != nil {
		return err
	}
	if err := j.checkTarget(ctx); err != nil {
		return err
	}
	return p.sit(ctx, j)
}

// endedSummary is the summary of a run that has ended.
type endedSummary struct{ summary }

// outcome is what the program ends with: what the run ended with.
func (s *endedSummary) outcome() error {
	if s.ExitCode == exitDone {
		return nil
	}
	return &errReported{exitError{s.ExitCode, errors.New("the run has ended")}}
}

// alreadyEnded tells that a run has ended, and touches nothing of it: people
// mend its failed.csv in place. It returns nil when there is something to do.
func (j *job) alreadyEnded(w io.Writer) *endedSummary {
	s := j.endedSummary()
	if s != nil && !j.flags.quiet {
		fmt.Fprintf(w, "nothing to do: %s has ended\n", j.folder.Path(""))
		s.print(w)
	}
	return s
}

// endedSummary is the summary of the run if it has ended, else nil.
func (j *job) endedSummary() *endedSummary {
	s := new(endedSummary)
	if j.point == nil || !j.point.Ended || j.folder.ReadJSON(writers.SummaryFile, &s.summary) != nil {
		return nil
	}
	if s.Sittings != j.spec.Sittings || s.Outcome != outcomeCompleted {
		return nil
	}
	return s
}

// reload takes over what the run was started with.
func (j *job) reload(p *process) error {
	if err := j.folder.ReadJSON(writers.JobFile, &j.spec); err != nil {
		return usageError("%w", err)
	}
	if j.operation = ops.Named(j.spec.Operation); j.operation == nil {
		return usageError("%s: this version knows no operation %q", j.folder.Path(writers.JobFile), j.spec.Operation)
	}
	if err := restoreSettings(j.set, j.spec.Settings, slices.Concat(fixedFlags, fixedExportFlags)); err != nil {
		return err
	}
	if _, err := resolve(j.set, p.getenv); err != nil {
		return err
	}
	var err error
	if j.point, err = j.folder.LoadCheckpoint(); err != nil {
		return usageError("%w", err)
	}
	return p.prepare(j)
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
func (j *job) unchanged(spec *runSpec) error {
	if name, diff := j.changedInput(spec); diff != "" {
		return &exitError{exitStopped, fmt.Errorf("input %s has changed since the run began (%s): "+
			"put the old file back, with its time (cp -p), or start a new run", name, diff)}
	}
	return nil
}

// changedInput names the first input that is not what the run read, and how it
// differs. An input that has become empty is not among those opened when
// --allow-empty lets it pass.
func (j *job) changedInput(spec *runSpec) (name, diff string) {
	for i := range spec.Inputs {
		was := &spec.Inputs[i]
		if i >= len(j.opened) || j.opened[i].source.Name() != was.Name && was.URI != peopleInput {
			return was.Name, fmt.Sprintf("it is empty, had size %d", was.Size)
		}
		if diff := differences(was.Identity, j.opened[i].source.Identity()); diff != "" {
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
