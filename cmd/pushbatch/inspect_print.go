package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"pushbatch/batch"
	"pushbatch/readers"
	"pushbatch/writers/console"
	"pushbatch/writers/report"
)

type inspection struct {
	Operation string             `json:"operation"`
	Inputs    []*inputInspection `json:"inputs"`
	Delta     *report.Delta      `json:"delta,omitempty"`
	Forecast  forecast           `json:"forecast"`          // of all inputs
	Devices   *duplicateReport   `json:"duplicate_devices"` // among the rows looked at
	Persons   *duplicateReport   `json:"duplicate_persons"`
	Written   string             `json:"written_map,omitempty"`
	ExitCode  int                `json:"exit_code"`
}

type inputInspection struct {
	Name     string             `json:"input"`
	Detected string             `json:"detected"`
	Error    *stopInspection    `json:"error,omitempty"` // it cannot be read, or not further
	Rows     int64              `json:"rows"`
	RowsAre  string             `json:"rows_are"`  // counted, declared (by the file), estimated (from its size) or at least
	RowsRead int64              `json:"rows_read"` // that were looked at
	Sendable int64              `json:"rows_sendable"`
	Mapping  []stopInspection   `json:"mapping_problems,omitempty"` // no run would begin
	Columns  []columnInspection `json:"columns"`
	Requests []json.RawMessage  `json:"requests"`
	Problems []problemGroup     `json:"problems"`
	Findings []*columnProblem   `json:"column_problems"` // by column and look of the cells
	Forecast forecast           `json:"forecast"`
	// Encodings are those that fit, of text that is not UTF-8.
	Encodings []readers.EncodingChoice `json:"encodings,omitempty"`

	found   columnProblems
	partial bool   // only some columns are understood
	number  int    // among the inputs
	others  int64  // inputs that look alike and are told here
	last    string // the last of them
	exit    int
	ended   bool           // every row was read
	next    batch.Position // after the last row read
}

// stopInspection is a reason why no run would begin, or end.
type stopInspection struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Remedy  string `json:"remedy,omitempty"`
}

type columnInspection struct {
	Name       string   `json:"name"`
	Type       string   `json:"type"`
	EmptyShare float64  `json:"empty_share"` // 0 to 1, of the rows looked at
	Samples    []string `json:"samples"`
	Use        string   `json:"use"`
	Target     string   `json:"target,omitempty"`
	Expects    string   `json:"expects,omitempty"` // what the values must be
	Found      string   `json:"found_by,omitempty"`

	empty int64
}

type problemGroup struct {
	Code    string          `json:"code"`
	Status  batch.Status    `json:"status"` // rejected or skipped
	Count   int64           `json:"count"`
	Meaning string          `json:"meaning,omitempty"`
	Remedy  string          `json:"remedy,omitempty"`
	Rows    []batch.Example `json:"rows"` // the first
}

func (i *inspection) write(w io.Writer, asJSON bool) error {
	if asJSON {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		e.SetEscapeHTML(false)
		return e.Encode(i)
	}
	out := new(bytes.Buffer)
	for n, group := range i.alike() {
		if n > 0 {
			fmt.Fprintln(out)
		}
		group.print(out, i.Operation)
	}
	if i.Delta != nil {
		fmt.Fprintf(out, "\ndelta %s: %s\n", i.Delta.State, i.Delta.Text())
	}
	i.printTotals(out)
	_, err := out.WriteTo(w)
	return err
}

// printTotals writes what all inputs have together.
func (i *inspection) printTotals(w io.Writer) {
	if i.Devices.Values+i.Persons.Values > 0 {
		fmt.Fprintf(w, "\n  More than once, in the rows looked at:\n")
		i.Devices.printTo(w, "device")
		i.Persons.printTo(w, "identity value")
	}
	if len(i.Inputs) > 1 && i.Forecast.Requests > 0 {
		fmt.Fprintf(w, "\n  All inputs: %s\n", i.Forecast.text())
	}
	if i.Written != "" {
		fmt.Fprintf(w, "\n  Written: %s\n", i.Written)
	}
}

func (in *inputInspection) print(w io.Writer, operation string) {
	title := in.Name
	if in.others > 0 {
		title = fmt.Sprintf("%s … %s: %s inputs that look alike", in.Name, in.last, report.Grouped(in.others+1))
	}
	fmt.Fprintln(w, console.OneLine(title))
	if in.Detected != "" {
		fmt.Fprintf(w, "  format    %s\n", in.Detected)
		fmt.Fprintf(w, "  rows      %s\n", in.rowsText())
		if in.Forecast.Requests > 0 {
			fmt.Fprintf(w, "  sending   %s\n", in.Forecast.text())
		}
	}
	if in.Error != nil {
		fmt.Fprintf(w, "  error     %s\n", in.Error.text())
	}
	in.printColumns(w, operation)
	printList(w, "It is not UTF-8. These encodings fit; give --encoding the one whose letters are right", in.Encodings, encodingText)
	printList(w, "No run would begin", in.Mapping, stopInspection.text)
	printList(w, "First requests", in.Requests, func(r json.RawMessage) string { return string(r) })
	if len(in.Problems) == 0 && len(in.Mapping) == 0 && in.Error == nil && in.found.rows > 0 {
		fmt.Fprintf(w, "\n  No problem in %s %s.\n", report.Grouped(in.RowsRead), report.Plural(in.RowsRead, "row"))
	}
	printList(w, "Problems", in.Problems, problemGroup.text)
	if len(in.found.groups) > 0 || len(in.found.tally.Warnings) > 0 {
		fmt.Fprintln(w)
		in.found.printTo(w, "  ")
		all := new(report.Summary)
		all.Fill(in.found.tally, 0)
		report.PrintWarnings(w, all.Warnings)
	}
}

// printList writes a list under its title, if there is anything in it.
func printList[T any](w io.Writer, title string, list []T, text func(T) string) {
	for i, item := range list {
		if i == 0 {
			fmt.Fprintf(w, "\n  %s:\n", title)
		}
		fmt.Fprintf(w, "    %s\n", text(item))
	}
}

func encodingText(e readers.EncodingChoice) string {
	text := strings.Join(e.Names, ", ") + ": " + e.Letters
	for _, cell := range e.Cells {
		text += "\n      " + console.OneLine(cell)
	}
	return text
}

func (s stopInspection) text() string {
	text := s.Message
	if s.Code != "" {
		text = s.Code + ": " + text
	}
	if s.Remedy != "" {
		text += "\n      " + s.Remedy
	}
	return text
}

func (in *inputInspection) rowsText() string {
	switch in.RowsAre {
	case "counted":
		return report.Grouped(in.Rows) + ", all of them looked at"
	case "estimated":
		return fmt.Sprintf("about %s, the first %s looked at", report.Grouped(in.Rows), report.Grouped(in.RowsRead))
	case "declared":
		return fmt.Sprintf("%s, the first %s looked at", report.Grouped(in.Rows), report.Grouped(in.RowsRead))
	}
	return fmt.Sprintf("more than the %s looked at (--all counts them)", report.Grouped(in.RowsRead))
}

func (in *inputInspection) printColumns(w io.Writer, operation string) {
	if len(in.Columns) == 0 {
		return
	}
	fmt.Fprintf(w, "\n  Columns, for %s:\n", operation)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "    column\ttype\tempty\tbecomes\tsamples")
	for i := range in.Columns {
		c := &in.Columns[i]
		becomes := c.Use
		if c.Use == "sent" {
			becomes = fmt.Sprintf("%s (%s)", c.Target, c.Expects)
		}
		fmt.Fprintf(table, "    %s\t%s\t%.4g%%\t%s\t%s\n", console.OneLine(c.Name), c.Type, 100*c.EmptyShare, becomes, console.OneLine(strings.Join(c.Samples, " | ")))
	}
	_ = table.Flush() // the writer below it keeps its error
}

func (g problemGroup) text() string {
	text := fmt.Sprintf("%s: %s %s %s. %s\n      %s", g.Code, report.Grouped(g.Count), report.Plural(g.Count, "row"), g.Status, g.Meaning, g.Remedy)
	for _, r := range g.Rows {
		text += fmt.Sprintf("\n      row %d: %s", r.Row, r.Message)
	}
	return text
}

// forecast is what sending would take.
type forecast struct {
	Requests int64   `json:"requests"`
	Seconds  float64 `json:"seconds"`
	Rate     float64 `json:"rate"`
}

func forecastOf(requests int64, rate float64) forecast {
	return forecast{requests, float64(requests) / rate, rate}
}

func (f forecast) text() string {
	return fmt.Sprintf("%s %s, %s at %s a second (--rate)", report.Grouped(f.Requests), report.Plural(f.Requests, "request"), report.Seconds(f.Seconds), report.Rate(f.Rate))
}
