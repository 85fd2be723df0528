package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"pushbatch/batch"
	"pushbatch/writers/parts"
	"pushbatch/writers/report"
)

// summedRun is one of the runs that a report adds up.
type summedRun struct {
	*viewedRun
	summary *report.Summary
	tally   batch.Tally
}

// reportSum prints the sum of several runs and makes one page of it.
func (p *process) reportSum(cmd *cobra.Command, f *s3Flags, paths []string, page string) error {
	if err := resolveS3(cmd.Flags(), p.getenv); err != nil {
		return err
	}
	ctx := f.with(cmd.Context(), p)
	var runs []*summedRun
	for _, path := range paths {
		run, err := openSummed(ctx, path)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(runs, func(r *summedRun) bool { return r.summary.Run == run.summary.Run }) {
			return usageError("%s is named twice", path)
		}
		runs = append(runs, run)
	}
	slices.SortStableFunc(runs, func(a, b *summedRun) int { return a.spec.StartedAt.Compare(b.spec.StartedAt) })
	first, err := withRetries(runs)
	if err != nil {
		return err
	}
	if err := checkParts(first); err != nil {
		return err
	}
	sum, asked, err := addUp(ctx, runs, first)
	if err != nil {
		return err
	}
	sum.Print(p.stdout)
	if err := os.WriteFile(page, report.Page(sum, asked), 0o600); err != nil {
		return err
	}
	fmt.Fprintf(p.stdout, "  page       %s\n", page)
	return nil
}

func openSummed(ctx context.Context, path string) (*summedRun, error) {
	run := new(summedRun)
	err := readRun(ctx, path, func(v *viewedRun) (err error) {
		if run.viewedRun = v; v.point != nil {
			run.tally = v.point.Tally.WithWaiting(v.point.Waiting)
		}
		run.summary, err = v.summary()
		return err
	})
	return run, err
}

// withRetries puts every retry after the run whose rows it sent again, so that
// first[i][0] is a run of its own and what follows are its retries, oldest first.
func withRetries(runs []*summedRun) (first [][]*summedRun, err error) {
	for _, run := range runs {
		if run.spec.Retry == nil {
			first = append(first, []*summedRun{run})
			continue
		}
		at := slices.IndexFunc(first, func(chain []*summedRun) bool {
			return slices.ContainsFunc(chain, func(r *summedRun) bool { return sameRun(run.spec.Retry.Results, r) })
		})
		if at < 0 {
			return nil, usageError("%s sends rows of %s again, which is not among the runs: name it too", run.path, run.spec.Retry.Run)
		}
		first[at] = append(first[at], run)
	}
	return first, nil
}

// sameRun reports whether the results that a retry read are those of a run. A
// folder that was moved since is known by its last name.
func sameRun(results string, r *summedRun) bool {
	folder := strings.TrimSuffix(filepath.ToSlash(results), "/"+"results."+resultsFormat(r.spec))
	if here, err := fileOfRun(r.path, ""); err == nil && filepath.ToSlash(filepath.Clean(here)) == filepath.Clean(folder) {
		return true
	}
	return filepath.Base(folder) == filepath.Base(r.path)
}

// checkParts refuses a sum over a split that misses a part or has one twice.
func checkParts(first [][]*summedRun) error {
	seen := make(map[int]string)
	var split *splitSpec
	for _, chain := range first {
		run, part := chain[0], chain[0].spec.Split
		switch {
		case part == nil && split == nil && len(seen) == 0:
			continue
		case part == nil:
			return usageError("%s is no part of the split that the other runs belong to", run.path)
		case split == nil:
			if run != first[0][0] {
				return usageError("%s is no part of the split that %s belongs to", first[0][0].path, run.path)
			}
			split = part
		case split.ID != part.ID || split.Parts != part.Parts:
			return usageError("%s and %s are parts of different splits", first[0][0].path, run.path)
		}
		if other, twice := seen[part.Part]; twice {
			return usageError("%s is there twice: %s and %s", parts.Name(part.Part), other, run.path)
		}
		seen[part.Part] = run.path
	}
	if split == nil {
		return nil
	}
	var missing []string
	for n := range split.Parts {
		if _, there := seen[n]; !there {
			missing = append(missing, parts.Name(n))
		}
	}
	if len(missing) > 0 {
		n := int64(len(missing))
		return usageError("%d of %d parts %s missing: %s", n, split.Parts, report.Pick(n, "is", "are"), strings.Join(missing, ", "))
	}
	return nil
}

// addUp is the summary of all runs together, and what was asked of them.
func addUp(ctx context.Context, runs []*summedRun, first [][]*summedRun) (*report.Summary, *report.Run, error) {
	sum := &report.Summary{Version: version(), Outcome: report.Completed, Run: fmt.Sprintf("%d runs", len(runs)), Unsent: new(int64)}
	sum.StartedAt = runs[0].spec.StartedAt
	asked := runs[0].spec.forReport()
	asked.Inputs = nil
	var total batch.Tally
	for _, chain := range first {
		tally, err := lastOutcomes(ctx, chain)
		if err != nil {
			return nil, nil, err
		}
		total.Merge(tally)
		asked.Inputs = append(asked.Inputs, chain[0].spec.forReport().Inputs...)
	}
	for _, run := range runs {
		addRun(sum, run)
	}
	sum.Fill(total, sum.EndedAt.Sub(sum.StartedAt))
	if sum.ExitCode == exitDone && sum.Statuses.Bad() > 0 {
		sum.ExitCode = exitBadRows
	}
	return sum, asked, nil
}

func addRun(sum *report.Summary, run *summedRun) {
	s := run.summary
	if sum.Operation == "" {
		sum.Operation = s.Operation
	} else if sum.Operation != s.Operation {
		sum.Operation = "several operations"
	}
	sum.Runs = append(sum.Runs, run.path)
	sum.Executions += s.Executions
	sum.Traffic.Add(s.Traffic)
	sum.DryRun, sum.Simulated = sum.DryRun || s.DryRun, sum.Simulated || s.Simulated
	if s.EndedAt.After(sum.EndedAt) {
		sum.EndedAt = s.EndedAt
	}
	if s.Unsent == nil || sum.Unsent == nil {
		sum.Unsent = nil
	} else {
		*sum.Unsent += *s.Unsent
	}
	if s.Outcome != report.Completed {
		sum.Outcome, sum.ExitCode = report.Stopped, max(sum.ExitCode, s.ExitCode)
		sum.Reason = strings.TrimPrefix(sum.Reason+"; "+run.path+" has not ended: pushbatch resume "+run.spec.forReport().Argument(run.path), "; ")
	}
	sum.Files = append(sum.Files, s.Files...)
}

// lastOutcomes counts every row of a run as its last retry left it. Memory grows
// with the rows that were sent again.
func lastOutcomes(ctx context.Context, chain []*summedRun) (*batch.Tally, error) {
	tally := &chain[0].tally
	if len(chain) == 1 {
		return tally, nil
	}
	type place struct {
		source string
		row    int64
	}
	last := make(map[place]batch.Outcome)
	for _, retry := range chain[1:] {
		tally.Latency.Merge(&retry.tally.Latency)
		for r, err := range resultsOf(ctx, retry.path, retry.spec) {
			if err != nil {
				return nil, err
			}
			last[place{r.Row.Source, r.Row.SourceNum()}] = r.Outcome
		}
	}
	counted := &batch.Tally{Latency: tally.Latency}
	for r, err := range resultsOf(ctx, chain[0].path, chain[0].spec) {
		if err != nil {
			return nil, err
		}
		if out, again := last[place{r.Row.Source, r.Row.SourceNum()}]; again {
			r.Outcome = out
		}
		r.Attempts = 0 // latencies are merged above
		counted.Add(r)
	}
	return counted, nil
}
