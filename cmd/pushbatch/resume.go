package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"pushbatch/batch"
	"pushbatch/batch/blob"
	"pushbatch/batch/runstore"
	"pushbatch/writers/report"
)

func newResumeCommand(p *process) *cobra.Command {
	return p.newRunCommand(&cobra.Command{
		Use:   "resume RUN",
		Short: "Go on with a run that was interrupted",
		Long: "resume goes on with a run where it stands, with what it was started with. Secrets come\n" +
			"from the environment again; flags about speed, stopping and messages may be given anew.",
	}, fixedForResume(), p.resume)
}

// fixedForResume are the flags that a resumed run keeps. A new mapping is for the
// rows that are not done.
func fixedForResume() []string { return withoutFlags(fixedFlags, "map") }

func (p *process) resume(ctx context.Context, path string, c *runConfig) error {
	folder, err := p.openFolder(ctx, path, c.flags)
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
	if s := x.alreadyEnded(p.messages()); s != nil && s.ExitCode == exitDone {
		return nil
	} else if s != nil {
		return &exitError{s.ExitCode, errors.New("the run has ended"), true}
	}
	ctx = c.flags.with(ctx, p)
	found, err := recordedInputs(ctx, &x.spec, c.moved)
	if err != nil {
		return err
	}
	return x.begin(ctx, found, &x.spec)
}

// reopen takes over what the run in a folder was started with.
func (p *process) reopen(folder *runstore.Folder, c *runConfig) (*execution, error) {
	var spec runSpec
	if err := folder.ReadJSON(runstore.JobFile, &spec); err != nil {
		return nil, usageError("%w", err)
	}
	newMapping := c.set.Changed("map") // before it is restored
	if err := c.takeOver(p, folder.Path(""), &spec, fixedForResume(), nil); err != nil {
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
	var last report.Summary
	told := folder.ReadJSON(runstore.SummaryFile, &last) == nil && last.Executions == spec.Executions && !last.AtLeast
	x.folder, x.point, x.newMapping, x.died = folder, point, newMapping, point == nil && !told
	x.keepPlaces()
	return x, nil
}

// alreadyEnded says that a run has ended, and touches nothing of it: people
// fix its failed.csv in place. It returns nil when there is something to do.
func (x *execution) alreadyEnded(w io.Writer) *report.Summary {
	s := summaryOfEnded(x.folder, x.point, &x.spec)
	if s != nil && !x.flags.quiet {
		fmt.Fprintf(w, "nothing to do: %s has ended\n", x.folder.Path(""))
		s.Print(w)
	}
	return s
}

// summaryOfEnded is the summary of a run if it has ended, else nil.
func summaryOfEnded(folder *runstore.Folder, point *batch.Checkpoint, spec *runSpec) *report.Summary {
	s := new(report.Summary)
	if point == nil || !point.Ended || folder.ReadJSON(runstore.SummaryFile, s) != nil {
		return nil
	}
	if s.Executions != spec.Executions || s.Outcome != report.Completed {
		return nil
	}
	return s
}

// goOn is what --continue does, so that one command line both starts a run and
// goes on with it, as a restarted pod or a timer needs: when --out holds a run
// of this very job already, it is resumed. It returns false when there is none.
func (p *process) goOn(ctx context.Context, c *runConfig) (bool, error) {
	out := c.flags.out
	if out == "" {
		return true, usageError("--continue needs --out, to know which run to go on with")
	}
	folder, err := viewRun(ctx, out)
	var old runSpec
	if err == nil {
		defer folder.Close() // it was only looked at
		err = folder.ReadJSON(runstore.JobFile, &old)
	}
	switch {
	case errors.Is(err, runstore.ErrNoRun), errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return true, err
	}
	found, err := blob.Expand(ctx, c.inputs)
	if err != nil {
		return true, usageError("%v", err)
	}
	emptied, found := splitEmpty(&old, found)
	if differs := c.differsFrom(&old, found); differs != "" {
		return true, usageError("--continue: the run in %s is another job (%s differs): give another --out, or go on with it: pushbatch resume %s", out, differs, old.forReport().Argument(out))
	}
	if err := c.sameAsEnded(ctx, folder, &old, found, emptied); err != nil {
		return true, err
	}
	again := &runConfig{flags: &jobFlags{}, set: pflag.NewFlagSet("resume", pflag.ContinueOnError)}
	again.flags.addAll(again.set)
	if err := again.set.Parse(resumeArgs(c.set)); err != nil {
		return true, usageError("%v", err)
	}
	return true, p.resume(again.flags.with(ctx, p), out, again)
}

// splitEmpty divides the inputs into those that were empty when the run began,
// which it knows by name and version only, and the rest.
func splitEmpty(old *runSpec, found []blob.Info) (empty, rest []blob.Info) {
	for _, info := range found {
		if slices.ContainsFunc(old.Empty, func(was inputSpec) bool { return was.Name == info.Location }) {
			empty = append(empty, info)
		} else {
			rest = append(rest, info)
		}
	}
	return empty, rest
}

// sameAsEnded refuses what a run cannot answer for: inputs that were empty when
// it began and are no more, and, when it has ended, inputs with other content
// than it read. "Nothing to do" would be a lie about their rows.
func (c *runConfig) sameAsEnded(ctx context.Context, folder *runstore.Folder, old *runSpec, found, empty []blob.Info) error {
	for _, is := range empty {
		at := slices.IndexFunc(old.Empty, func(was inputSpec) bool { return was.Name == is.Location })
		if is.Size != old.Empty[at].Size {
			return usageError("--continue: input %s has changed (it was empty) since the run in %s began, which knows nothing of its rows: "+
				"give another --out (a run folder a night, say)", is.Location, c.flags.out)
		}
	}
	if c.exporting() && c.flags.export.people || !hasEnded(folder, old) {
		return nil // resume compares the inputs of a run that has not ended
	}
	for i, in := range found {
		if !in.Rereadable() {
			return usageError("--continue: the run in %s has ended, and whether %s is what it read cannot be told: give another --out", c.flags.out, in.Location)
		}
		fingerprint, err := blob.Fingerprint(ctx, in)
		if err != nil {
			return err
		}
		diff, err := differs(ctx, &old.Inputs[i], in, fingerprint)
		if err != nil {
			return err
		}
		if diff != "" {
			return usageError("--continue: input %s has changed since the run in %s ended (%s): give another --out (a run folder a night, say)", in.Location, c.flags.out, diff)
		}
	}
	return nil
}

// hasEnded reports whether a run has come to the end of its inputs.
func hasEnded(folder *runstore.Folder, spec *runSpec) bool {
	point, err := folder.LoadCheckpoint()
	return err == nil && summaryOfEnded(folder, point, spec) != nil
}

// differsFrom names what makes the job another one than that of a run. Inputs
// are compared by name here, and by content when the run is resumed.
func (c *runConfig) differsFrom(old *runSpec, found []blob.Info) string {
	if old.Operation != c.operation.Name {
		return "the operation"
	}
	if !slices.EqualFunc(found, old.Inputs, func(is blob.Info, was inputSpec) bool { return is.Location == was.Name }) && !c.flags.export.people {
		return "INPUT"
	}
	now := settingsOf(c.set)
	for _, name := range fixedFlags {
		if !slices.Equal(now[name], old.Settings[name]) && name != "out" {
			return "--" + name
		}
	}
	return ""
}

// resumeArgs are the flags for resume: those that may be given anew.
func resumeArgs(set *pflag.FlagSet) (args []string) {
	set.Visit(func(f *pflag.Flag) {
		if slices.Contains(fixedFlags, f.Name) {
			return
		}
		for _, value := range valuesOf(f) {
			args = append(args, "--"+f.Name+"="+value)
		}
	})
	return args
}
