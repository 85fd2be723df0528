package main

import (
	"errors"
	"io/fs"

	"github.com/spf13/cobra"

	"pushbatch/batch/blob"
	"pushbatch/writers"
)

func newReportCommand(p *process) *cobra.Command {
	s3 := &s3Flags{}
	cmd := &cobra.Command{
		Use:   "report RUN",
		Short: "Print the summary of a run again and make its report.html",
		Args:  needRun,
		RunE: func(cmd *cobra.Command, args []string) error {
			folder, err := p.viewFolder(cmd, s3, args[0])
			if err != nil {
				return err
			}
			s, err := remakePage(folder, args[0])
			if s != nil {
				s.print(cmd.OutOrStdout())
			}
			return errors.Join(err, folder.Close())
		},
	}
	s3.addReach(cmd.Flags())
	return cmd
}

// remakePage makes the page of a run again. The summary is there also when the
// page could not be written. In S3 nothing is written beside a process that
// works on the run: it makes the page when it ends.
func remakePage(folder *writers.Folder, path string) (*summary, error) {
	s, spec := new(summary), new(runSpec)
	err := errors.Join(folder.ReadJSON(writers.JobFile, spec), folder.ReadJSON(writers.SummaryFile, s))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, usageError("%s has no summary yet: see pushbatch status %s", path, path)
	case err != nil:
		return nil, usageError("%w", err)
	}
	if _, running := folder.Holder(); running && blob.IsS3(path) {
		return s, nil
	}
	if err := writePage(folder, s, spec); err != nil {
		return s, &exitError{exitStopped, err}
	}
	return s, nil
}

// writePage makes report.html of a run.
func writePage(folder *writers.Folder, s *summary, spec *runSpec) error {
	page, err := pageOf(s, spec).Render()
	if err != nil {
		return err
	}
	return folder.WriteFile(writers.ReportFile, page)
}
