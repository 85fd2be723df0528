package main

import (
	"errors"

	"github.com/spf13/cobra"

	"pushbatch/batch/blob"
	"pushbatch/batch/runstore"
	"pushbatch/writers"
	"pushbatch/writers/report"
)

func newReportCommand(p *process) *cobra.Command {
	s3, page := &s3Flags{}, ""
	cmd := &cobra.Command{
		Use:   "report RUN…",
		Short: "Print the summary of a run again and make its report.html; of several runs: their sum",
		Long: "report prints the summary of a run again and makes its report.html: of a run that goes on,\n" +
			"or that was killed, as of its last checkpoint. Of several runs it prints the sum; a retry stands\n" +
			"for the rows that it sent again. Of the parts of a split none may be missing or be there twice.",
		Args: needRuns,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := resolveS3(cmd.Flags(), p.getenv); err != nil {
				return err
			}
			if len(args) > 1 {
				return p.reportSum(s3.with(cmd.Context(), p), args, page)
			}
			folder, err := p.viewFolder(cmd, s3, args[0])
			if err != nil {
				return err
			}
			s, err := remakePage(folder, args[0])
			if s != nil {
				s.Print(cmd.OutOrStdout())
			}
			return errors.Join(err, folder.Close())
		},
	}
	cmd.Flags().StringVar(&page, "page", report.PageFile, "`FILE` that gets the page of several runs")
	s3.addReach(cmd.Flags())
	return cmd
}

func needRuns(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return usageError("%s needs a RUN: the folder of a run, or several", cmd.CommandPath())
	}
	return nil
}

// remakePage makes the page of a run again; of one that goes on or was cut off,
// the page of its last checkpoint. The summary is there also when the page could
// not be written. In S3 nothing is written beside a process that works on the
// run: it makes the page when it ends.
func remakePage(folder *runstore.Folder, path string) (*report.Summary, error) {
	s, spec, err := summaryOf(folder, path)
	if err != nil || s.Outcome == report.Running && blob.IsS3(path) {
		return s, err
	}
	if err := writePage(folder, s, spec); err != nil {
		return s, &exitError{exitStopped, err}
	}
	return s, nil
}

// summaryOf is the summary of a run and what was asked of it; of a run that goes on
// or was cut off, as of its last checkpoint.
func summaryOf(folder *runstore.Folder, path string) (*report.Summary, *runSpec, error) {
	status, err := statusOf(folder)
	if err != nil {
		return nil, nil, err
	}
	s, spec := new(report.Summary), new(runSpec)
	if err := folder.ReadJSON(runstore.JobFile, spec); err != nil {
		return nil, nil, usageError("%w", err)
	}
	if report.Outcome(status.State) == report.Running || report.Outcome(status.State) == report.Interrupted {
		s, err = snapshotSummary(folder, spec, status)
	} else {
		err = folder.ReadJSON(runstore.SummaryFile, s)
	}
	switch {
	case err != nil:
		return nil, nil, usageError("%w", err)
	case s == nil:
		return nil, nil, usageError("%s has no row yet: see pushbatch status %s", path, path)
	}
	return s, spec, nil
}

// snapshotSummary sums up a run as of its last checkpoint; nil: there is none.
func snapshotSummary(folder *runstore.Folder, spec *runSpec, status *runStatus) (*report.Summary, error) {
	point, err := folder.LoadCheckpoint()
	if err != nil || point == nil {
		return nil, err
	}
	s := &report.Summary{
		Version: spec.Version, Operation: spec.Operation, Run: folder.Path(""), Outcome: report.Outcome(status.State),
		StartedAt: spec.StartedAt, EndedAt: point.SavedAt.UTC(), Executions: spec.Executions,
	}
	s.Fill(point.Tally.WithWaiting(point.Waiting), point.Elapsed)
	state := stateOf(point)
	s.Requests, s.Retries, s.Throttled, s.AtLeast = state.Requests, state.Retries, state.Throttled, state.AtLeast
	s.Timeline = report.TimelineOf(state.Series)
	s.DryRun = s.Requests == 0 && len(spec.Settings["dry-run"]) > 0
	if status.Total != nil {
		s.TotalEstimate = *status.Total
	}
	s.Files = unfinishedFiles(folder)
	return s, nil
}

// unfinishedFiles are the reports of a run that has not ended, under the names
// that they have until then.
func unfinishedFiles(folder *runstore.Folder) (names []string) {
	reports := []string{runstore.FailedFile, runstore.RequestsFile}
	for _, f := range writers.ResultFormats() {
		reports = append(reports, f.File())
	}
	for _, name := range reports {
		if part := name + runstore.PartSuffix; folder.Exists(part) {
			names = append(names, folder.Path(part))
		}
	}
	return append(names, folder.Path(report.PageFile))
}

// writePage makes report.html of a run.
func writePage(folder *runstore.Folder, s *report.Summary, spec *runSpec) error {
	return folder.WriteFile(report.PageFile, report.Page(s, spec.forReport()))
}
