package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"pushbatch/batch"
	"pushbatch/batch/runstore"
	"pushbatch/readers"
	"pushbatch/readers/inputerror"
	"pushbatch/writers"
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
	retry := &retrySpec{}
	cmd := &cobra.Command{
		Use:   "retry RUN",
		Short: "Start a new run over the rows of an ended run that did not succeed",
		Long: "retry reads the inputs of an ended run again, as they were then, and takes the rows that did\n" +
			"not succeed. To change rows first, mend failed.csv and give it as INPUT instead.",
	}
	cmd.Flags().StringSliceVar(&retry.Statuses, "status", []string{batch.Failed.String()}, "take the rows with these `STATUSES`: failed, rejected, skipped")
	cmd.Flags().StringSliceVar(&retry.Codes, "code", nil, "of those take the rows with one of these error `CODES` only")
	return p.newRunCommand(cmd, fixedForRetry(), func(ctx context.Context, path string, c *runConfig) error { return p.retry(ctx, path, retry, c) })
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
	old, err := endedRun(ctx, path)
	if err != nil {
		return err
	}
	if len(old.Settings["people"]) > 0 {
		return usageError("%s walked over the people listing, which cannot be read again as it was: start a new walk, or get the devices that failed:\n"+
			"pushbatch export %s --to URL", path, filepath.Join(path, runstore.FailedFile))
	}
	if err := c.takeOver(p, path, old, fixedForRetry(), notInherited); err != nil {
		return err
	}
	retry.Run = path
	if retry.Results, err = fileOfRun(path, "results."+resultsFormat(old)); err != nil {
		return usageError("%w", err)
	}
	if some, err := retry.takesAny(ctx); err != nil || !some && !c.flags.allowEmpty {
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
	for result, err := range readResults(ctx, r.Results) {
		if err != nil || r.takes(result, result.Row.Source) {
			return err == nil, err
		}
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

func endedRun(ctx context.Context, path string) (spec *runSpec, err error) {
	err = readRun(ctx, path, func(run *viewedRun) error {
		spec = run.spec
		return refuse(run.point == nil || !run.point.Ended, "%s has not ended: go on with it first (pushbatch resume %s)", path, run.spec.forReport().Argument(path))
	})
	return spec, err
}

func resultsFormat(s *runSpec) string {
	if v := s.Settings["results"]; len(v) > 0 {
		return v[0]
	}
	return writers.ResultFormats()[0].Name
}

// only narrows the sources of a retrying run to the rows it takes; those of another
// run (nil) stay whole.
func (r *retrySpec) only(ctx context.Context, source batch.Source) batch.Source {
	if r == nil {
		return source
	}
	return readers.Only(source, func(context.Context) iter.Seq2[int64, error] { // which does not know how S3 is reached
		return func(yield func(int64, error) bool) {
			for result, err := range readResults(ctx, r.Results) {
				if err != nil {
					yield(0, &batch.Abort{Code: "input_unreadable", Err: err})
					return
				}
				if r.takes(result, source.Name()) && !yield(result.Row.SourceNum(), nil) {
					return
				}
			}
		}
	})
}

func (r *retrySpec) takes(result *batch.Result, source string) bool {
	if result.Row.Source != source || !slices.Contains(r.Statuses, result.Status.String()) {
		return false
	}
	codes := strings.Split(result.Code, batch.CodeSeparator)
	return len(r.Codes) == 0 || slices.ContainsFunc(codes, func(c string) bool { return slices.Contains(r.Codes, c) })
}

func resultsOf(ctx context.Context, run string, spec *runSpec) iter.Seq2[*batch.Result, error] {
	location, err := fileOfRun(run, "results."+resultsFormat(spec))
	if err != nil {
		return func(yield func(*batch.Result, error) bool) { yield(nil, err) }
	}
	return readResults(ctx, location)
}

// readColumns are the columns of a results file that readResults reads.
var readColumns = []string{"row", "source", "source_row", "registration_id", "status", "http_status", "error_code", "error_message", "attempts"}

// readResults reads a results file: of every row, in rising order, what readColumns
// say. Its errors end a run.
func readResults(ctx context.Context, location string) iter.Seq2[*batch.Result, error] {
	return func(yield func(*batch.Result, error) bool) {
		_, source, err := readers.OpenFile(ctx, location)
		if err != nil {
			yield(nil, fmt.Errorf("the results of the run: %w", err))
			return
		}
		defer source.Close()
		for r, err := range batch.Each(batch.Texts(ctx, source, readColumns...), resultOf) {
			if _, named := errors.AsType[*inputerror.Error](err); err != nil && !named {
				err = fmt.Errorf("read %s: %w", location, err)
			}
			if !yield(r, err) || err != nil {
				return
			}
		}
	}
}

func resultOf(texts []string) (*batch.Result, error) {
	cell := func(i int) string { return table.Unsafe(texts[i]) }
	number := func(i int) int64 { n, _ := strconv.ParseInt(cell(i), 10, 64); return n } // empty: 0
	r := &batch.Result{Row: batch.Row{Num: number(0), Source: cell(1), Pos: batch.Position{Row: number(2) - 1}}}
	r.RegistrationID, r.HTTPStatus, r.Code, r.Message, r.Attempts = cell(3), int(number(5)), cell(6), cell(7), int(number(8))
	return r, r.Status.UnmarshalText([]byte(cell(4)))
}
