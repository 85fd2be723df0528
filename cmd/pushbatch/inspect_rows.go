package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"pushbatch/batch"
	"pushbatch/batch/ops"
	"pushbatch/batch/redact"
	"pushbatch/readers"
	"pushbatch/writers/report"
)

const (
	shownSamples  = 3
	shownRequests = 3
)

// describeColumns puts the header's columns and the constants in a list.
func (in *inputInspection) describeColumns(h batch.Header, binding *ops.Binding, err error) {
	in.Columns = make([]columnInspection, len(h))
	for i, c := range h {
		in.Columns[i] = columnInspection{Name: c.Name, Type: c.Type, Use: "refused", Samples: []string{}}
	}
	var uses []ops.ColumnUse
	if bind, ok := errors.AsType[*ops.BindError](err); ok {
		uses = bind.Columns
	}
	if binding != nil {
		uses = binding.Columns
	}
	for _, use := range uses {
		if use.Index < 0 {
			in.Columns = append(in.Columns, columnInspection{Name: use.Column, Type: "constant", Samples: []string{}})
			use.Index = len(in.Columns) - 1
		}
		c := &in.Columns[use.Index]
		c.Use, c.Target, c.Expects, c.Found = string(use.Use), use.Target, use.Type, use.Found
	}
}

// read looks at the rows, as many as asked for.
func (v *inspector) read(ctx context.Context, in *inputInspection, source batch.Source, binding *ops.Binding) {
	places, bound := v.profiles.places(source.Header()), newBoundColumns(binding)
	in.ended = true
	for row, err := range source.Rows(ctx, batch.Position{}) {
		if err != nil {
			in.ended = false
			in.stop(exitStopped, err)
			return
		}
		if in.RowsRead == v.own.rows && !v.own.all {
			in.ended = false
			return
		}
		in.RowsRead++
		in.next = row.Next
		row.Num, row.Source = in.RowsRead, in.Name
		in.cells(row.Values, v.own.showValues)
		if v.own.writeMap != "" {
			for i, cell := range row.Values {
				v.profiles.profiles[places[i]].Add(cell)
			}
		}
		v.row(in, &row, binding, bound)
	}
}

func (in *inputInspection) cells(values []batch.Value, show bool) {
	for i, v := range values {
		c := &in.Columns[i]
		if v.Kind == batch.Null || v.Kind == batch.Text && v.Text == "" {
			c.empty++
			continue
		}
		if len(c.Samples) == shownSamples {
			continue
		}
		sample := v.String()
		if !show {
			sample = redact.Cell(v)
		}
		if !slices.Contains(c.Samples, sample) {
			c.Samples = append(c.Samples, sample)
		}
	}
}

// row maps one row, as a run would.
func (v *inspector) row(in *inputInspection, row *batch.Row, binding *ops.Binding, bound *boundColumns) {
	if binding == nil {
		if row.Err != nil && len(row.Faults) == 0 && v.own.writeMap == "" {
			in.found.add(row, &batch.Outcome{Status: batch.Rejected, Code: row.Err.Code, Problems: []batch.Problem{*row.Err}}, bound)
		}
		return
	}
	request, out := binding.Map(row)
	if in.partial && request != nil {
		return // it is not known what would be sent
	}
	in.found.add(row, out, bound)
	if request == nil {
		return
	}
	in.Sendable++
	call := request.(called).Call() //nolint:forcetypeassert // all requests of ops are
	shown := call.AppendJSON(nil)
	v.duplicates.add(in.number, row.SourceNum(), request.Keys(), shown)
	if len(in.Requests) < shownRequests {
		if !v.own.showValues {
			shown = redact.Request(shown)
		}
		in.Requests = append(in.Requests, shown)
	}
}

// finish works out what needs all rows that were read.
func (in *inputInspection) finish(source batch.Source, rate float64) {
	for i := range in.Columns {
		if in.RowsRead > 0 {
			in.Columns[i].EmptyShare = float64(in.Columns[i].empty) / float64(in.RowsRead)
		}
	}
	tally := &in.found.tally
	for _, code := range tally.TopCodes() {
		c := tally.Codes[code]
		e, _ := ops.Explain(code)
		in.Problems = append(in.Problems, problemGroup{code, c.Status, c.Count, e.Meaning, e.Remedy, append([]batch.Example{c.Example}, c.More...)})
	}
	if tally.Statuses[batch.Rejected] > 0 {
		in.exit = max(in.exit, exitBadRows)
	}
	in.Rows, in.RowsAre = in.rowCount(source)
	if in.RowsRead > 0 {
		in.Forecast = forecastOf(int64(float64(in.Sendable)*float64(in.Rows)/float64(in.RowsRead)), rate)
	}
}

// rowCount is the number of rows and how it was found. What was read tells how
// long a row is; in a compressed input nothing does.
func (in *inputInspection) rowCount(source batch.Source) (rows int64, found string) {
	size := source.Identity().Size
	known, exact := readers.RowCount(source)
	switch {
	case in.ended:
		return in.RowsRead, "counted"
	case exact && known >= 0:
		return known, "declared"
	case size > 0 && in.next.Offset > 0 && in.RowsRead > 0 && !strings.HasSuffix(in.Detected, "gzip") && !strings.HasSuffix(in.Detected, "zstd"):
		return int64(float64(in.RowsRead) * float64(size) / float64(in.next.Offset)), "estimated"
	}
	return in.RowsRead, "at least"
}

// columnProfiles are what the cells of all inputs look like, by column name.
type columnProfiles struct {
	header   batch.Header
	profiles []ops.Profile
	place    map[string]int
}

// places finds the profiles of an input's columns.
func (c *columnProfiles) places(h batch.Header) []int {
	places := make([]int, len(h))
	for i, column := range h {
		at, known := c.place[column.Name]
		if !known {
			at = len(c.header)
			c.place[column.Name] = at
			c.header, c.profiles = append(c.header, column), append(c.profiles, ops.Profile{})
		}
		places[i] = at
	}
	return places
}

// writeMap writes a mapping to start from, and says what stands in it. A file
// that is there is not replaced: somebody may have worked on it.
func (c *columnProfiles) writeMap(path string, operation *ops.Operation, inputs []string) (written string, proposals []ops.Proposal, err error) {
	proposals = ops.Propose(operation, c.header, c.profiles)
	text := ops.AppendMapping(nil, operation.Name, strings.Join(inputs, " "), proposals)
	if _, err := ops.ParseMapping(path, text); err != nil {
		return "", nil, fmt.Errorf("the mapping that was made does not load: %w", err)
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644) //nolint:gosec // it holds names of columns only
	if errors.Is(err, fs.ErrExist) {
		return "", nil, usageError("--write-map: %s exists already: name another file", path)
	} else if err != nil {
		return "", nil, usageError("--write-map: %v", err)
	}
	_, err = file.Write(text)
	if err := errors.Join(err, file.Close()); err != nil {
		_ = os.Remove(path) // it would be loaded as a mapping of nothing
		return "", nil, usageError("--write-map: %v", err)
	}
	return mappingSummary(path, operation, proposals), proposals, nil
}

// propose shows what the written mapping says of an input's columns.
func (in *inputInspection) propose(proposals []ops.Proposal) {
	options := make(map[string]string, len(proposals))
	for _, p := range proposals {
		options[p.Column] = p.Option
	}
	for i := range in.Columns {
		c := &in.Columns[i]
		if c.Use = "not understood"; options[c.Name] != "" {
			c.Use = "proposed: " + options[c.Name]
		}
	}
}

// mappingSummary says what a written mapping holds and what it lacks.
func mappingSummary(path string, operation *ops.Operation, proposals []ops.Proposal) string {
	mapped, registration := int64(0), false
	for _, p := range proposals {
		if p.Option != "" {
			mapped++
		}
		registration = registration || p.Option == "registrationId" || strings.HasPrefix(p.Option, "{to: registrationId")
	}
	ignored := int64(len(proposals)) - mapped
	written := fmt.Sprintf("%s: %d %s with a target, %d not understood under ignore:", path, mapped, report.Plural(mapped, "column"), ignored)
	if !registration {
		written += "; no column is certainly the registration id: name it (to: registrationId)"
	}
	return written + fmt.Sprintf("; look through it, then: pushbatch %s … --map %s --dry-run", operation.Name, path)
}

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

	Others int64  `json:"-"` // inputs that look alike and are told here
	Last   string `json:"-"` // the last of them

	found   columnProblems
	partial bool // only some columns are understood
	number  int  // among the inputs
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

// forecast is what sending would take.
type forecast struct {
	Requests int64   `json:"requests"`
	Seconds  float64 `json:"seconds"`
	Rate     float64 `json:"rate"`
}

func forecastOf(requests int64, rate float64) forecast {
	return forecast{requests, float64(requests) / rate, rate}
}
