// Package report says what became of a run: for machines (summary.json), for
// the terminal and on a page for people (report.html).
//
//	s := &report.Summary{Operation: "update", Run: "runs/1", Outcome: report.Completed}
//	s.Fill(tally, elapsed)
//	s.Print(os.Stderr)
//	page := report.Page(s, &report.Run{Settings: settings})
//
// Whatever a row, a file or an answer brought in is text here, never markup, and
// what a page lists is bounded: no run makes it large.
package report
