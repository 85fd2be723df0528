package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"pushbatch/batch"
	"pushbatch/batch/blob"
	"pushbatch/batch/runstore"
	"pushbatch/readers"
	"pushbatch/writers"
	"pushbatch/writers/report"
	"pushbatch/writers/table"
)

// retrySpec says which rows of which run a new run takes.
type retrySpec struct {
	Run      string   `json:"run"`
	Results  string   `json:"results"`         // path of the old run's results file
	Statuses []string `json:"statuses"`        // rows that ended so
	Codes    []string `json:"codes,omitempty"` // and with one of these codes; empty: any
}

func newRetryCommand(p *process) *cobra.Command {
	flags, retry, c := &jobFlags{}, &retrySpec{}, &runConfig{}
	cmd := &cobra.Command{
		Use:   "retry RUN",
		Short: "Start a new run over the rows of an ended run that did not succeed",
		Long: "retry reads the inputs of an ended run again, as they were then, and takes the rows that did\n" +
			"not succeed. To change rows first, mend failed.csv and give it as INPUT instead.",
		Args: needRun,
		RunE: func(cmd *cobra.Command, args []string) error {
			c.flags, c.set = flags, cmd.Flags()
			return p.retry(cmd.Context(), args[0], retry, c)
		},
	}
	cmd.Flags().StringSliceVar(&retry.Statuses, "status", []string{batch.Failed.String()}, "take the rows with these `STATUSES`: failed, rejected, skipped")
	cmd.Flags().StringSliceVar(&retry.Codes, "code", nil, "of those take the rows with one of these error `CODES` only")
	c.addMoved(cmd.Flags())
	flags.addAll(cmd.Flags())
	hideFlags(cmd.Flags(), fixedForRetry())
	return cmd
}

// fixedForRetry are the flags that a new run over old rows keeps: how the inputs
// are read. What is made of the rows may be given anew.
func fixedForRetry() []string {
	return withoutFlags(fixedFlags, "out", "map", "set", "force-depersonalize", "keep-as-lead", "set-device-as-primary", "return-push")
}

func (r *retrySpec) check() error {
	for _, text := range r.Statuses {
		var s batch.Status
		if err := s.UnmarshalText([]byte(text)); err != nil || s == batch.Succeeded {
			return usageError("--status %q: take failed, rejected or skipped", text)
		}
	}
	return nil
}

// retry starts a new run over rows of the run in a folder.
func (p *process) retry(ctx context.Context, path string, retry *retrySpec, c *runConfig) (err error) {
	if err := retry.check(); err != nil {
		return err
	}
	if err := resolveS3(c.set, p.getenv); err != nil {
		return err
	}
	ctx = c.flags.with(ctx, p)
	old, err := endedRun(ctx, path)
	if err != nil {
		return err
	}
	if len(old.Settings["people"]) > 0 {
		return usageError("%s walked over the people listing, which cannot be read again as it was: start a new walk, or get the devices that failed:\n"+
			"pushbatch export %s --to URL", path, filepath.Join(path, runstore.FailedFile))
	}
	if c.operation = operationOf(old); c.operation == nil {
		return usageError("%s: this version knows no operation %q", path, old.Operation)
	}
	for _, name := range notInherited {
		delete(old.Settings, name)
	}
	newMapping, fixed := c.set.Changed("map"), fixedForRetry()
	if !newMapping {
		fixed = append(fixed, "map")
	}
	if err := c.restore(p, old, fixed); err != nil {
		return err
	}
	retry.Run = path
	if retry.Results, err = fileOfRun(path, "results."+resultsFormat(old)); err != nil {
		return usageError("%w", err)
	}
	if !newMapping {
		c.mapping = old.Mapping
	}
	if err := cmp.Or(c.check(), c.readMapping()); err != nil {
		return err
	}
	if any, err := retry.takesAny(ctx); err != nil || !any && !c.flags.allowEmpty {
		return cmp.Or(err, usageError("%s", retry.noRow()))
	}
	x, err := p.open(c, runSpec{Retry: retry, Undo: old.Undo})
	if err != nil {
		return err
	}
	found, err := recordedInputs(ctx, old, c.moved)
	if err != nil {
		return err
	}
	return x.begin(ctx, found, old)
}

// takesAny reports whether the old run has a row to take: else no run begins.
func (r *retrySpec) takesAny(ctx context.Context) (bool, error) {
	results, err := blob.Stat(ctx, r.Results)
	if err != nil {
		return false, &exitError{exitStopped, fmt.Errorf("read the results of %s: %w", r.Run, err)}
	}
	for _, err := range r.rows(ctx, results, anySource) {
		return err == nil, stateError(err)
	}
	return false, nil
}

func (r *retrySpec) noRow() string {
	statuses := strings.Join(r.Statuses, " or ")
	if len(r.Codes) > 0 {
		return fmt.Sprintf("no row of %s is %s with code %s", r.Run, statuses, strings.Join(r.Codes, " or "))
	}
	return fmt.Sprintf("no row of %s is %s: --status takes failed, rejected or skipped", r.Run, statuses)
}

// endedRun reads what an ended run was asked.
func endedRun(ctx context.Context, path string) (_ *runSpec, err error) {
	folder, err := viewRun(ctx, path)
	if err != nil {
		return nil, usageError("%w", err)
	}
	defer func() { _ = folder.Close() }() // it was only looked at
	spec := new(runSpec)
	if err := folder.ReadJSON(runstore.JobFile, spec); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, usageError("%s: %w: it has no %s", path, runstore.ErrNoRun, runstore.JobFile)
		}
		return nil, usageError("%w", err)
	}
	point, err := folder.LoadCheckpoint()
	if err != nil {
		return nil, usageError("%w", err)
	}
	if point == nil || !point.Ended {
		return nil, usageError("%s has not ended: go on with it first (pushbatch resume %s)", path, report.ShellWord(path))
	}
	return spec, nil
}

func resultsFormat(s *runSpec) string {
	if v := s.Settings["results"]; len(v) > 0 {
		return v[0]
	}
	return writers.ResultFormats()[0].Name
}

// only narrows the sources of a retrying run to the rows it takes.
func (r *retrySpec) only(ctx context.Context, source batch.Source) (batch.Source, error) {
	results, err := blob.Stat(ctx, r.Results) // knows from then on how S3 is reached
	if err != nil {
		return nil, &exitError{exitStopped, fmt.Errorf("read the results of %s: %w", r.Run, err)}
	}
	return readers.Only(source, func(ctx context.Context) iter.Seq2[int64, error] {
		return func(yield func(int64, error) bool) {
			for num, err := range r.rows(ctx, results, source.Name()) {
				if !yield(num, err) || err != nil {
					return
				}
			}
		}
	}), nil
}

// anySource stands for all sources of a run.
const anySource = ""

// rows reads the numbers of the rows to take of one source from the old run's
// results, which have them in rising order.
func (r *retrySpec) rows(ctx context.Context, info blob.Info, source string) iter.Seq2[int64, error] {
	return func(yield func(int64, error) bool) {
		results, err := openResults(ctx, info, resultColumns)
		if err != nil {
			yield(0, &batch.Abort{Code: "input_unreadable", Err: err})
			return
		}
		defer results.Close()
		for row, err := range results.Rows(ctx, batch.Position{}) {
			if err != nil {
				yield(0, err)
				return
			}
			if num, wanted := r.takes(results.columns, row.Values, source); wanted && !yield(num, nil) {
				return
			}
		}
	}
}

// resultsSource is an old run's results file with the places of its columns.
type resultsSource struct {
	batch.Source
	columns []int
}

// resultColumns are the columns of the results file that choose a row.
var resultColumns = []string{"source", "source_row", "status", "error_code"}

// openResults opens a results file and finds the columns of these names.
func openResults(ctx context.Context, info blob.Info, columns []string) (*resultsSource, error) {
	source, err := readers.Open(ctx, info, readers.Options{})
	if err != nil {
		return nil, err
	}
	s := &resultsSource{Source: source}
	for _, name := range columns {
		at := slices.IndexFunc(s.Header(), func(c batch.Column) bool { return c.Name == name })
		if at < 0 {
			return nil, errors.Join(fmt.Errorf("read %s: it has no column %s", info.Location, name), s.Close())
		}
		s.columns = append(s.columns, at)
	}
	return s, nil
}

func (r *retrySpec) takes(at []int, values []batch.Value, source string) (num int64, wanted bool) {
	if source != anySource && table.Unsafe(values[at[0]].Text) != source || !slices.Contains(r.Statuses, values[at[2]].Text) {
		return 0, false
	}
	codes := strings.Split(table.Unsafe(values[at[3]].Text), batch.CodeSeparator)
	if len(r.Codes) > 0 && !slices.ContainsFunc(codes, func(c string) bool { return slices.Contains(r.Codes, c) }) {
		return 0, false
	}
	_, err := fmt.Sscan(values[at[1]].Text, &num)
	return num, err == nil
}
