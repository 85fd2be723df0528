package main

import (
	"cmp"
	"crypto/sha256"
	bits "encoding/binary"
	"io"
	"slices"
	"strings"

	"pushbatch/batch"
	"pushbatch/batch/ops"
	"pushbatch/batch/spill"
)

// Bounds of what findings keep and show.
const (
	maxFindings   = 500
	shownFindings = 10
	shownExamples = 3
)

// columnProblem is what is wrong with the cells of one column that look alike.
type columnProblem struct {
	Column string  `json:"column,omitempty"` // empty: the row as a whole
	Code   string  `json:"code"`
	Looks  string  `json:"looks,omitempty"` // what the cells look like
	Count  int64   `json:"count"`
	Change string  `json:"change,omitempty"` // of the column in a mapping
	Saves  int64   `json:"saves"`            // rows that the change alone would let through
	Rows   []int64 `json:"rows"`             // the first, as their source counts them
}

// columnProblems counts what is wrong by column and look of the cells, and what one
// change of the mapping would save. One goroutine adds.
type columnProblems struct {
	rows, requests int64
	tally          batch.Tally
	groups         map[[3]string]*columnProblem
	saves          map[[2]string]int64 // rows that a change of a column alone would let through, whatever the cells look like
}

// boundColumns are the columns of an input, for findings.
type boundColumns struct {
	uses    map[string]ops.ColumnUse
	country ops.ColumnUse // with each row's country; zero: none
}

func newBoundColumns(binding *ops.Binding) *boundColumns {
	b := &boundColumns{uses: make(map[string]ops.ColumnUse)}
	if binding == nil {
		return b
	}
	for _, use := range binding.Columns {
		b.uses[use.Column] = use
		if use.Use == ops.Region || b.country.Use != ops.Region && use.Use != ops.Sent && ops.IsCountryColumn(use.Column) {
			b.country = use
		}
	}
	return b
}

// add counts a row that was mapped; a request has no outcome yet.
func (f *columnProblems) add(row *batch.Row, out *batch.Outcome, b *boundColumns) {
	f.rows++
	if out == nil || out.Status == batch.Skipped && out.Code == "" {
		f.requests++
	}
	if out == nil || out.Code == "" && out.Warnings == "" {
		return
	}
	f.tally.Add(&batch.Result{Row: *row, Outcome: *out})
	if out.Status != batch.Rejected {
		return
	}
	var groups []*columnProblem
	for i := range out.Problems {
		if g := f.group(&out.Problems[i], row, b); g != nil && !slices.Contains(groups, g) {
			groups = append(groups, g)
		}
	}
	for _, g := range groups {
		g.Count++
		if len(g.Rows) < shownExamples {
			g.Rows = append(g.Rows, row.SourceNum())
		}
	}
	if len(groups) > 0 && groups[0].Change != "" && !slices.ContainsFunc(groups, func(g *columnProblem) bool { return g.change() != groups[0].change() }) {
		f.saves[groups[0].change()]++
	}
}

// change is what the mapping could say of which column.
func (g *columnProblem) change() [2]string { return [2]string{g.Column, g.Change} }

func (f *columnProblems) group(p *batch.Problem, row *batch.Row, b *boundColumns) *columnProblem {
	looks, value := "", batch.Value{}
	use, known := b.uses[p.Column]
	if known && use.Index >= 0 && use.Index < len(row.Values) {
		value = row.Values[use.Index]
		looks = string(ops.LookOf(value))
	}
	key := [3]string{p.Column, p.Code, looks}
	if looks == string(ops.LookNullWord) { // what fixes it names the word
		key[2] += value.Text
	}
	if g := f.groups[key]; g != nil {
		return g
	}
	if len(f.groups) == maxFindings {
		return nil
	}
	if f.groups == nil {
		f.groups, f.saves = make(map[[3]string]*columnProblem), make(map[[2]string]int64)
	}
	g := &columnProblem{Column: p.Column, Code: p.Code, Looks: looks, Change: ops.ChangeFor(use, p.Code, value, b.country)}
	f.groups[key] = g
	return g
}

// sorted are the findings, the most frequent first.
func (f *columnProblems) sorted() []*columnProblem {
	all := make([]*columnProblem, 0, len(f.groups))
	for _, g := range f.groups {
		g.Saves = f.saves[g.change()]
		all = append(all, g)
	}
	slices.SortFunc(all, func(a, b *columnProblem) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Column, b.Column), cmp.Compare(a.Code, b.Code), cmp.Compare(a.Looks, b.Looks))
	})
	return all
}

// addDryRunProblems gathers in a dry run what inspect says of rows, in short.
func addDryRunProblems(x *execution) {
	if x.client != nil || x.makesTable() {
		return
	}
	x.found = new(columnProblems)
	if x.spec.Undo != nil {
		x.sinks = append(x.sinks, func(next batch.Sink) batch.Sink { return &plannedSink{next, x.found} })
		return
	}
	var of *ops.Binding // of the input whose turn it is; inputs that are alike have one
	var bound *boundColumns
	x.mappers = append(x.mappers, func(in *openedInput, next batch.Mapper) batch.Mapper {
		return func(row *batch.Row) (batch.Request, *batch.Outcome) {
			if bound == nil || of != in.binding {
				of, bound = in.binding, newBoundColumns(in.binding)
			}
			request, out := next(row)
			x.found.add(row, out, bound)
			return request, out
		}
	})
}

type dryRunFindings struct {
	Forecast forecast
	Findings []*columnProblem
}

// printDryRun writes what sending would take, and what is wrong by column.
func (x *execution) printDryRun(w io.Writer) {
	if x.found == nil || x.found.rows == 0 || x.flags.quiet || x.process.json {
		return
	}
	_ = show(w, "dry run", &dryRunFindings{forecastOf(x.found.requests, x.flags.client.Rate), x.found.sorted()}, false) // its stream keeps an error
}

// plannedSink counts what a run would send that is known only when devices were
// looked at.
type plannedSink struct {
	batch.Sink
	found *columnProblems
}

// Write implements batch.Sink.
func (s *plannedSink) Write(r *batch.Result) error {
	s.found.add(&r.Row, &r.Outcome, nil)
	return s.Sink.Write(r)
}

// duplicates finds devices and identity values that stand in more than one row.
// Rows are sorted on disk: memory does not grow with them.
type duplicates struct {
	rows  *spill.Buckets
	count int64 // rows that were added
	err   error // the first; nothing is added after it
}

// duplicateBuckets is enough for a hundred million rows with 100 MB a bucket.
const duplicateBuckets = 256

// add notes a row that would be sent: what it touches, and what is sent.
func (d *duplicates) add(input int, row int64, keys []string, call []byte) {
	content := sha256.Sum256(call)
	data := bits.BigEndian.AppendUint64(nil, uint64(d.count))
	data = bits.AppendUvarint(bits.AppendUvarint(data, uint64(input)), uint64(row))
	data = append(data, content[:8]...)
	d.count++
	for _, key := range keys {
		kind := byte('p') // an identity value
		if strings.HasPrefix(key, "r:") {
			kind = 'r'
		}
		if d.err == nil {
			d.err = d.rows.Add(spill.KeyOf(key), append(data[:len(data):len(data)], kind))
		}
	}
}

// duplicateReport is what stands more than once: devices, or persons by an
// identity value.
type duplicateReport struct {
	Values   int64            `json:"values"`   // that stand in more than one row
	Rows     int64            `json:"rows"`     // in which they stand
	Differ   int64            `json:"differ"`   // values whose rows are not all the same
	Examples [][]duplicateRow `json:"examples"` // rows of the first ones

	counted []byte // a bit a row: an identity has several values
}

type duplicateRow struct {
	Source string `json:"source"`
	Row    int64  `json:"row"`

	at int64 // among all rows
}

// occurrence is one row of a device or identity value.
type occurrence struct {
	duplicateRow
	input   int
	content string
	person  bool
}

func readOccurrence(data []byte) occurrence {
	o := occurrence{person: data[len(data)-1] == 'p'}
	o.at = int64(bits.BigEndian.Uint64(data))
	rest := data[8:]
	input, n := bits.Uvarint(rest)
	row, m := bits.Uvarint(rest[n:])
	o.input, o.Row, o.content = int(input), int64(row), string(rest[n+m:len(rest)-1])
	return o
}

// finish counts, and removes what lay on disk.
func (d *duplicates) finish(names []string) (devices, persons *duplicateReport, err error) {
	defer func() { err = cmp.Or(err, d.rows.Close()) }()
	if d.err != nil {
		return nil, nil, d.err
	}
	devices, persons = newDuplicateReport(d.count), newDuplicateReport(d.count)
	for records, err := range d.rows.All() {
		if err != nil {
			return nil, nil, err
		}
		groups := make(map[spill.Key][]occurrence)
		for _, r := range records {
			groups[r.Key] = append(groups[r.Key], readOccurrence(r.Data))
		}
		for _, group := range groups {
			if len(group) > 1 && group[0].person {
				persons.add(group, names)
			} else if len(group) > 1 {
				devices.add(group, names)
			}
		}
	}
	return devices, persons, nil
}

func newDuplicateReport(rows int64) *duplicateReport {
	return &duplicateReport{Examples: [][]duplicateRow{}, counted: make([]byte, rows/8+1)}
}

func (r *duplicateReport) add(group []occurrence, names []string) {
	r.Values++
	for _, o := range group {
		if bit := byte(1) << (o.at % 8); r.counted[o.at/8]&bit == 0 {
			r.counted[o.at/8] |= bit
			r.Rows++
		}
	}
	if slices.ContainsFunc(group, func(o occurrence) bool { return o.content != group[0].content }) {
		r.Differ++
	}
	var rows []duplicateRow
	for _, o := range group[:min(len(group), shownExamples)] {
		o.Source = names[o.input]
		rows = append(rows, o.duplicateRow)
	}
	r.Examples = append(r.Examples, rows)
	slices.SortFunc(r.Examples, func(a, b []duplicateRow) int {
		return slices.CompareFunc(a, b, func(a, b duplicateRow) int { return cmp.Compare(a.at, b.at) })
	})
	r.Examples = slices.CompactFunc(r.Examples, slices.Equal)
	r.Examples = r.Examples[:min(len(r.Examples), shownExamples)]
}
