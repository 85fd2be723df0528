package main

import (
	"context"
	"errors"
	"io/fs"
	"slices"

	"github.com/spf13/pflag"

	"pushbatch/batch/blob"
	"pushbatch/writers"
)

// goOn is what --continue does, so that one command line both starts a run and
// goes on with it, as a restarted pod or a timer needs: when --out holds a run
// of this very job already, it is resumed. It returns false when there is none.
func (p *process) goOn(ctx context.Context, j *job, found []blob.Info) (bool, error) {
	out := j.flags.out
	if out == "" {
		return true, usageError("--continue needs --out, to know which run to go on with")
	}
	folder, err := viewRun(ctx, out)
	var old runSpec
	if err == nil {
		err = folder.ReadJSON(writers.JobFile, &old)
	}
	switch {
	case errors.Is(err, writers.ErrNoRun), errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return true, &exitError{exitStopped, err}
	}
	if differs := j.differsFrom(&old, found); differs != "" {
		return true, usageError("--continue: the run in %s is another job (%s differs): give another --out, or go on with it: pushbatch resume %s", out, differs, out)
	}
	root := newRoot(p)
	root.SetArgs(append([]string{"resume"}, resumeArgs(j.set, out)...))
	root.SetIn(p.stdin)
	root.SetOut(p.stdout)
	root.SetErr(p.stderr)
	return true, root.ExecuteContext(ctx)
}

// differsFrom names what makes the job another one than that of a run. Inputs
// are compared by name here, and by content when the run is resumed.
func (j *job) differsFrom(old *runSpec, found []blob.Info) string {
	if old.Operation != j.operation.Name {
		return "the operation"
	}
	if !slices.EqualFunc(found, old.Inputs, func(is blob.Info, was inputSpec) bool { return is.Location == was.Name }) && !j.flags.export.people {
		return "INPUT"
	}
	now := settingsOf(j.set)
	for _, name := range slices.Concat(fixedFlags, fixedExportFlags) {
		if !slices.Equal(now[name], old.Settings[name]) && name != "out" {
			return "--" + name
		}
	}
	return ""
}

// resumeArgs are the arguments for resume: the run, and of the flags those that
// may be given anew.
func resumeArgs(set *pflag.FlagSet, out string) []string {
	args := []string{out}
	set.Visit(func(f *pflag.Flag) {
		if slices.Contains(fixedFlags, f.Name) || slices.Contains(fixedExportFlags, f.Name) {
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
