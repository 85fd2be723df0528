package main

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"pushbatch/batch/blob"
	"pushbatch/batch/runstore"
	"pushbatch/writers/console"
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
		Args: needs("a RUN: the folder of a run, or several", math.MaxInt),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return p.reportSum(cmd, s3, args, page)
			}
			return p.readRun(cmd, s3, args[0], func(run *viewedRun) error {
				s, err := run.remakePage()
				if s != nil {
					s.Print(cmd.OutOrStdout())
				}
				return err
			})
		},
	}
	cmd.Flags().StringVar(&page, "page", report.PageFile, "`FILE` that gets the page of several runs")
	s3.addReach(cmd.Flags())
	return cmd
}

// remakePage makes the page of a run again; of one that goes on or was cut off,
// the page of its last checkpoint. The summary is there also when the page could
// not be written. In S3 nothing is written beside a process that works on the
// run: it makes the page when it ends.
func (r *viewedRun) remakePage() (*report.Summary, error) {
	s, err := r.summary()
	if err != nil || s.Outcome == report.Running && blob.IsS3(r.path) {
		return s, err
	}
	return s, writePage(r.folder, s, r.spec)
}

// summary is that of a run; of one that goes on or was cut off, as of its last
// checkpoint.
func (r *viewedRun) summary() (*report.Summary, error) {
	status, err := r.status()
	if err != nil {
		return nil, err
	}
	if status.State != report.Running && status.State != report.Interrupted {
		s := new(report.Summary)
		if err := r.folder.ReadJSON(runstore.SummaryFile, s); err != nil {
			return nil, usageError("%w", err)
		}
		return s, nil
	}
	if r.point == nil {
		return nil, usageError("%s has no row yet: see pushbatch status %s", r.path, r.spec.forReport().Argument(r.path))
	}
	return r.snapshot(status), nil
}

// snapshot sums up a run as of its last checkpoint.
func (r *viewedRun) snapshot(status *runStatus) *report.Summary {
	spec, point := r.spec, r.point
	s := &report.Summary{
		Version: spec.Version, Operation: spec.Operation, Run: r.folder.Path(""), Outcome: status.State,
		StartedAt: spec.StartedAt, EndedAt: point.SavedAt.UTC(), Executions: spec.Executions,
	}
	s.Fill(point.Tally.WithWaiting(point.Waiting), point.Elapsed)
	state := stateOf(point)
	s.Traffic, s.Timeline = state.Traffic, report.TimelineOf(state.Series)
	s.DryRun, s.Simulated = s.Requests == 0 && len(spec.Settings["dry-run"]) > 0, len(spec.Settings["simulate"]) > 0
	if status.Total != nil {
		s.TotalEstimate = *status.Total
	}
	s.Files = append(filesOf(r.folder), r.folder.Path(report.PageFile))
	return s
}

func writePage(folder *runstore.Folder, s *report.Summary, spec *runSpec) error {
	return folder.WriteFile(report.PageFile, report.Page(s, spec.forReport()))
}

// forReport is what the page and the next step need of a run. Settings that came
// from variables are in force without being given again.
func (s *runSpec) forReport() *report.Run {
	r := &report.Run{Settings: make(map[string][]string), Redacted: s.Redaction != "", Given: s.Variables}
	for name, values := range s.Settings {
		r.Settings[name] = slices.Clone(values)
		if strings.HasSuffix(name, "-url") {
			r.Settings[name] = []string{console.MaskedURL(strings.Join(values, ", "))}
		}
	}
	for i, in := range s.Inputs {
		r.Inputs = append(r.Inputs, report.Input{Name: in.Name, Detected: in.Detected, Once: in.Size < 0, Columns: s.columnsOf(i)})
	}
	return r
}

// noteVariables notes which settings of a new run were given by variables.
func (s *runSpec) noteVariables(set *pflag.FlagSet, getenv func(string) (string, bool)) {
	for name, values := range s.Settings {
		if v, _ := givenBy(set.Lookup(name), getenv, nil); v != nil && slices.Equal(v.values, values) {
			s.Variables = append(s.Variables, name)
		}
	}
	slices.Sort(s.Variables)
}

// tellNext says what to do next. For a stopped run that is the last line.
func (x *execution) printNext(w io.Writer, s *report.Summary) {
	run := x.spec.forReport()
	var steps []string
	for _, step := range s.Next(run) {
		steps = append(steps, step.Say+": "+step.Command)
	}
	switch {
	case s.ExitCode == exitDone:
	case s.ExitCode == exitUsage && s.Reason != "": // which says what to do
	case s.ExitCode == exitUsage:
		fmt.Fprintf(w, "pushbatch: %s (give --allow-empty if that is fine)\n", x.noRow())
	case s.ExitCode != exitBadRows:
		if x.exporting() {
			fmt.Fprintf(w, "nothing was published at %s: that happens when the run has ended\n", x.flags.export.to)
		}
		if len(steps) == 0 && !s.Resumable(run) {
			steps = []string{x.whyNotResumed(s)}
		}
		if len(steps) > 0 {
			fmt.Fprintln(w, strings.Join(steps, "; "))
		}
	case !x.flags.quiet && len(steps) > 0:
		fmt.Fprintf(w, "next: %s\n", strings.Join(steps, "; "))
	}
}

func (x *execution) noRow() string {
	if x.spec.Retry != nil {
		return x.spec.Retry.noRow()
	}
	if x.people != nil {
		return "the people listing has no push device that is asked for; nothing was published"
	}
	return "the inputs hold no row"
}

// whyNotResumed says how a run goes on that stopped and cannot be resumed.
func (x *execution) whyNotResumed(s *report.Summary) string {
	if report.IsBrokenInput(s.ReasonCode) {
		done := "no row of this run is done"
		if s.Rows > 0 {
			rows := "row 1"
			if s.Rows > 1 {
				rows = "rows 1 to " + report.Grouped(s.Rows)
			}
			done = fmt.Sprintf("%s of this run %s done (results.%s lists %s)", rows, report.Pick(s.Rows, "is", "are"), x.flags.results, report.Pick(s.Rows, "it", "them"))
		}
		return "the file must be mended, which makes it another input: start a new run over it; " + done
	}
	at := slices.IndexFunc(x.spec.Inputs, func(in inputSpec) bool { return in.Size < 0 })
	return fmt.Sprintf("this run cannot be resumed, for %s cannot be read again: start a new one over the rows that its results do not list", x.spec.Inputs[at].Name)
}
