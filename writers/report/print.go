package report

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"
)

// topErrors is how many error codes the terminal shows.
const topErrors = 5

// Print writes the summary for people.
func (s *Summary) Print(w io.Writer) {
	mode := ""
	if s.DryRun {
		mode = " (dry run, nothing was sent)"
	}
	fmt.Fprintf(w, "%s%s: %s %s%s\n", s.Operation, mode, Grouped(s.Rows), Plural(s.Rows, "row"), s.pace())
	if s.Simulated {
		fmt.Fprintln(w, "  simulated  the built-in simulator answered: nothing left this machine")
	}
	s.printCounts(w)
	if s.Requests > 0 {
		atLeast := ""
		if s.AtLeast {
			atLeast = "at least "
		}
		fmt.Fprintf(w, "  requests   %s%s, retries %s, refused by the limit (429) %s", atLeast, Grouped(s.Requests), Grouped(s.Retries), Grouped(s.Throttled))
		if s.Snapshot > 0 {
			fmt.Fprintf(w, "; %s to keep what the devices were", Grouped(s.Snapshot))
		}
		if s.Latency.Max > 0 { // some row had a request of its own
			fmt.Fprintf(w, "; latency p50 %s, p99 %s", millisText(s.Latency.P50), millisText(s.Latency.P99))
		}
		fmt.Fprintln(w)
	}
	s.Delta.printTo(w)
	PrintCodes(w, s.ErrorCodes)
	PrintWarnings(w, s.Warnings)
	s.Table.printTo(w)
	var names []string
	for _, f := range s.Files {
		if name := filepath.Base(f); !slices.Contains(names, name) { // those of several runs are called alike
			names = append(names, name)
		}
	}
	fmt.Fprintf(w, "  reports    %s: %s\n", s.Run, strings.Join(names, ", "))
}

// pace tells how long the rows took, where that is known, and how long an execution took
// where that is more: with what comes before the first and after the last.
func (s *Summary) pace() string {
	if s.Elapsed == 0 {
		return ""
	}
	inAll := ""
	if all := s.EndedAt.Sub(s.StartedAt).Seconds(); s.Executions == 1 && all >= s.Elapsed+1 {
		inAll = ", " + Seconds(all) + " in all"
	}
	return fmt.Sprintf(" in %s%s (%s rows/s)", Seconds(s.Elapsed), inAll, Rate(s.RowsPerSec))
}

func (s *Summary) printCounts(w io.Writer) {
	for _, line := range []struct {
		name  string
		n     int64
		shown bool
	}{
		{"succeeded", s.Statuses.Succeeded, !s.DryRun},
		{"failed", s.Statuses.Failed, s.Statuses.Failed > 0},
		{"rejected", s.Statuses.Rejected, s.Statuses.Rejected > 0},
		{"skipped", s.Statuses.Skipped, s.Statuses.Skipped > 0},
	} {
		if line.shown {
			fmt.Fprintf(w, "  %-10s %s\n", line.name, Grouped(line.n))
		}
	}
	switch {
	case s.Unsent == nil:
		fmt.Fprintf(w, "  %-10s not known: the input was not read to its end\n", "unsent")
	case *s.Unsent > 0:
		fmt.Fprintf(w, "  %-10s %s\n", "unsent", Grouped(*s.Unsent))
	}
}

// PrintCodes writes the most frequent error codes, each with its first row.
func PrintCodes(w io.Writer, codes []Code) {
	for i, c := range codes {
		if i == topErrors {
			fmt.Fprintf(w, "  … and %d more codes, see summary.json\n", len(codes)-i)
			return
		}
		text := fmt.Sprintf("  %s (%s): %s %s, first row %d (%s, row %d): %s", c.Code, c.Status, Grouped(c.Count),
			Plural(c.Count, "row"), c.Example.Row, c.Example.Source, c.Example.SourceRow, c.Example.Message)
		fmt.Fprintln(w, oneLine(strings.TrimSuffix(text, ": ")))
	}
}

// oneLine keeps the name of a file from looking like a line of ours.
func oneLine(text string) string { return strings.ReplaceAll(text, "\n", `\n`) }

// PrintWarnings writes what there is to know of rows that went through, each
// code with its first row.
func PrintWarnings(w io.Writer, warnings []Warning) {
	for _, g := range warnings {
		fmt.Fprintln(w, oneLine(fmt.Sprintf("  %s (warning): %s, first row %d (%s, row %d)%s", g.Code, Grouped(g.Count),
			g.Example.Row, g.Example.Source, g.Example.SourceRow, g.columns())))
	}
}

// columns names the columns that a warning is about, the most frequent first.
func (g *Warning) columns() string {
	names := mostFirst(g.Columns)
	for i, name := range names {
		names[i] = name + " " + Grouped(g.Columns[name])
	}
	if len(names) == 0 {
		return ""
	}
	return ": " + strings.Join(names[:min(len(names), topErrors)], ", ")
}

// mostFirst are the names of counts, the most frequent first.
func mostFirst(counts map[string]int64) []string {
	return slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
}
