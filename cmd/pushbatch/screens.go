package main

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"pushbatch/writers/console"
	"pushbatch/writers/form"
	"pushbatch/writers/report"
)

// screens are what commands print beside the summary of a run.
//
//go:embed screens.txt
var screens string

// show prints a value as the screen with a name, or as JSON.
func show(w io.Writer, name string, value any, asJSON bool) error {
	if asJSON {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		e.SetEscapeHTML(false)
		return e.Encode(value)
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	_, _ = t.Write(report.Terminal(screens, console.OneLine, screenWords).Fill(name, value)) // Flush has its error
	return t.Flush()
}

// screenWords are what screens can call.
var screenWords = form.Functions{
	"instant": func(t time.Time) string { return t.Format(time.RFC3339) },
	"same":    func(a, b string) bool { return a == b },
	"text":    func(data []byte) string { return string(data) },
	"percent": func(share float64) string { return fmt.Sprintf("%.4g%%", 100*share) },
	"samples": func(list []string) string { return strings.Join(list, " | ") },
	"alike":   (*inspection).alike,
	"title": func(in *inputInspection) string {
		if in.Others == 0 {
			return in.Name
		}
		return fmt.Sprintf("%s … %s: %s inputs that look alike", in.Name, in.Last, report.Grouped(in.Others+1))
	},
	"faultless": func(in *inputInspection) bool {
		return len(in.Problems) == 0 && len(in.Mapping) == 0 && in.Error == nil && in.found.rows > 0
	},
	"hasFindings": func(in *inputInspection) bool { return len(in.found.groups) > 0 || len(in.found.tally.Warnings) > 0 },
	"warnings": func(in *inputInspection) []report.Warning {
		var all report.Summary
		all.Fill(in.found.tally, 0)
		return all.Warnings
	},
	"topFindings":   func(all []*columnProblem) []*columnProblem { return all[:min(len(all), shownFindings)] },
	"otherFindings": func(all []*columnProblem) int { return max(0, len(all)-shownFindings) },
	"firstRows": func(rows []int64) string {
		return report.Plural(int64(len(rows)), "row") + " " + strings.Trim(strings.Join(strings.Fields(fmt.Sprint(rows)), ", "), "[]")
	},
	"hasRepeats": func(i *inspection) bool { return i.Devices.Values+i.Persons.Values > 0 },
	"sumsUp":     func(i *inspection) bool { return len(i.Inputs) > 1 && i.Forecast.Requests > 0 },
}
