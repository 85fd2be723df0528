package main

import (
	"context"
	"errors"
	"io/fs"
	"slices"

	"github.com/spf13/pflag"

	"pushbatch/batch/blob"
	"pushbatch/batch/runstore"
	"pushbatch/writers/report"
)

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
		err = folder.ReadJSON(runstore.JobFile, &old)
	}
	switch {
	case errors.Is(err, runstore.ErrNoRun), errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return true, &exitError{exitStopped, err}
	}
	found, err := blob.Expand(ctx, c.inputs)
	if err != nil {
		return true, usageError("%v", err)
	}
	emptied, found := splitEmpty(&old, found)
	if differs := c.differsFrom(&old, found); differs != "" {
		return true, usageError("--continue: the run in %s is another job (%s differs): give another --out, or go on with it: pushbatch resume %s", out, differs, report.ShellWord(out))
	}
	if err := c.sameAsEnded(ctx, folder, &old, found, emptied); err != nil {
		return true, err
	}
	again := &runConfig{flags: &jobFlags{}, set: pflag.NewFlagSet("resume", pflag.ContinueOnError)}
	again.flags.addAll(again.set)
	if err := again.set.Parse(resumeArgs(c.set)); err != nil {
		return true, usageError("%v", err)
	}
	return true, p.resume(ctx, out, again)
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
			return &exitError{exitStopped, err}
		}
		diff, err := differs(ctx, &old.Inputs[i], in, fingerprint)
		if err != nil {
			return &exitError{exitStopped, err}
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
		values := []string{f.Value.String()}
		if list, ok := f.Value.(pflag.SliceValue); ok {
			values = list.GetSlice()
		}
		for _, value := range values {
			args = append(args, "--"+f.Name+"="+value)
		}
	})
	return args
}
