package report

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"pushbatch/batch"
)

// Bounds of what the page lists, so that no run makes it large.
const (
	shownInputs  = 20
	shownColumns = 120 // of all inputs together
	shownCodes   = 25  // explained and with examples
	openErrors   = 1   // of them that show what is behind them at once: a phone's page of ten kinds stays below 5,000 px
)

func (s *Summary) countFacts() []fact {
	left := max(0, s.TotalEstimate-s.Rows)
	if s.Unsent != nil {
		left = *s.Unsent
	}
	share := func(name, key, class string, n int64) fact {
		f := countFact(name, key, n)
		f.Class, f.Note = class, percent(n, s.Rows+left)
		return f
	}
	facts := []fact{
		countFact("Rows done", "rows", s.Rows), share("Succeeded", "statuses.succeeded", "ok", s.Statuses.Succeeded),
		share("Failed", "statuses.failed", "failed", s.Statuses.Failed), share("Rejected", "statuses.rejected", "rejected", s.Statuses.Rejected),
		share("Skipped", "statuses.skipped", "skipped", s.Statuses.Skipped),
	}
	switch {
	case s.Unsent != nil:
		return append(facts, share("Unsent", "unsent", "left", *s.Unsent))
	case s.TotalEstimate > 0:
		about := share("Left", "", "left", left)
		about.Value, about.Note = "about "+about.Value, "about "+about.Note
		return append(facts, about)
	}
	return append(facts, fact{Name: "Unsent", Value: "not known"})
}

func (s *Summary) facts() []fact {
	number := func(name, key, shown string, value any) fact {
		return fact{Name: name, Value: shown, Key: key, Raw: fmt.Sprint(value)}
	}
	ended := "Ended"
	if s.Outcome == Running || s.Outcome == Interrupted {
		ended = "As of"
	}
	facts := []fact{
		{Name: "Started", Value: s.StartedAt.Format(pageTime)},
		{Name: ended, Value: s.EndedAt.Format(pageTime)},
		{Name: "Worked", Value: Seconds(s.Elapsed)},
		countFact("Executions", "executions", int64(s.Executions)),
		number("Rows a second", "rows_per_second", Rate(s.RowsPerSec), s.RowsPerSec),
	}
	if s.Requests == 0 {
		return facts
	}
	facts = append(
		facts, countFact("Requests", "requests", s.Requests), countFact("Repetitions", "retries", s.Retries), countFact("Refused (429)", "throttled", s.Throttled),
	)
	if s.Latency.Max == 0 {
		return facts // no row had a request of its own
	}
	latency := func(name, key string, value float64) fact {
		return number(name, "latency_ms."+key, millisText(value), value)
	}
	return append(
		facts, latency("Latency p50", "p50", s.Latency.P50), latency("Latency p90", "p90", s.Latency.P90),
		latency("Latency p99", "p99", s.Latency.P99), latency("Latency, longest", "max", s.Latency.Max),
	)
}

// errorGroup is one error code of the run.
type errorGroup struct {
	Code, Status, Meaning, Remedy string
	Count                         string
	Key, Raw                      string // as in fact
	Folded                        bool   // what is behind it
	Examples                      []batch.Example
}

// errorGroups explains the most frequent codes; the others are only counted.
func (s *Summary) errorGroups(r *Run) (explained, counted []errorGroup) {
	for i, c := range s.ErrorCodes {
		g := errorGroup{
			Code: cut(c.Code, shortText), Status: c.Status.String(), Key: fmt.Sprintf("error_codes.%d.count", i), Raw: fmt.Sprint(c.Count),
			Count: Grouped(c.Count), Folded: i >= openErrors,
		}
		if i >= shownCodes {
			counted = append(counted, g)
			continue
		}
		e := r.explain(c.Code)
		g.Meaning, g.Remedy, g.Count = e.Meaning, e.Remedy, g.Count+" "+Plural(c.Count, "row")
		for _, e := range append([]batch.Example{c.Example}, c.More...) {
			e.Source, e.Message = cut(r.shortSource(e.Source), shortText), cut(e.Message, longText)
			g.Examples = append(g.Examples, e)
		}
		explained = append(explained, g)
	}
	return explained, counted
}

// warningGroup is one code of warnings.
type warningGroup struct {
	Code, Meaning, Remedy, Columns, First string
	Count, Key, Raw                       string // as in fact
}

func (s *Summary) warningGroups(r *Run) (groups []warningGroup) {
	for i := range s.Warnings {
		w := &s.Warnings[i]
		e := r.explain(w.Code)
		groups = append(groups, warningGroup{
			Code: cut(w.Code, shortText), Meaning: e.Meaning, Remedy: e.Remedy, Columns: cut(w.columns(), longText),
			First: fmt.Sprintf("row %d (%s, row %d)", w.Example.Row, cut(r.shortSource(w.Example.Source), shortText), w.Example.SourceRow),
			Count: Grouped(w.Count), Key: fmt.Sprintf("warnings.%d.count", i), Raw: fmt.Sprint(w.Count),
		})
	}
	return groups
}

// shortSource names an input by the last part of its name, if no other input
// ends like that: a whole path in every line makes a page that nobody reads on
// a phone.
func (r *Run) shortSource(name string) string {
	if name == "" || len(r.Inputs) > 100 {
		return name
	}
	short := lastPart(name)
	if slices.ContainsFunc(r.Inputs, func(in Input) bool { return in.Name != name && lastPart(in.Name) == short }) {
		return name
	}
	return short
}

// shownInput is an input of the page.
type shownInput struct {
	Input
	More int // columns that are left out
}

// shownInputs are the inputs of the page.
func (r *Run) shownInputs() (inputs []shownInput) {
	left := shownColumns
	for i, in := range r.Inputs {
		if i == shownInputs {
			return append(inputs, shownInput{Input: Input{Name: fmt.Sprintf("%d more inputs", len(r.Inputs)-i), Detected: "See job.json."}})
		}
		columns := in.Columns
		in.Name, in.Columns = cut(in.Name, longText), nil
		if i > 0 && len(columns) > 0 && slices.Equal(columns, r.Inputs[i-1].Columns) {
			in.Detected += ", the same columns as the input before"
			columns = nil
		}
		n := min(len(columns), left)
		left -= n
		for _, c := range columns[:n] {
			in.Columns = append(in.Columns, Column{cut(c.Column, shortText), cut(c.Target, shortText), c.Use})
		}
		inputs = append(inputs, shownInput{in, len(columns) - n})
	}
	return inputs
}

func fileMeaning(name string) string {
	switch strings.TrimSuffix(name, ".part") {
	case FailedFile:
		return "the rows that did not succeed, as they were read: mend them and give the file back as input"
	case "requests.ndjson":
		return "the requests that would be sent"
	case SummaryFile:
		return "the numbers of this page for machines"
	case PageFile:
		return "this page"
	}
	return "one line for every row, in input order"
}

// Delta is what a run with a delta state found before its first request: rows, but
// for Vanished and Known, which are devices.
type Delta struct {
	State     string  `json:"state,omitempty"`
	First     bool    `json:"first_run,omitempty"` // nothing was known
	New       int64   `json:"new"`
	Changed   int64   `json:"changed"`
	Unchanged int64   `json:"unchanged"`
	TooOld    int64   `json:"too_old"`
	Vanished  int64   `json:"vanished"`
	ToSend    int64   `json:"to_send"` // the vanished ones of a mirror included
	Known     int64   `json:"known"`   // to the state, before the run
	Seconds   float64 `json:"sending_seconds"`
	Refused   bool    `json:"too_many_vanished,omitempty"` // more than --max-vanished
}

// counts lists the rows by what they are to the state.
func (d *Delta) counts() []fact {
	return []fact{
		countFact("New", "delta.new", d.New), countFact("Changed", "delta.changed", d.Changed),
		countFact("Unchanged", "delta.unchanged", d.Unchanged), countFact("Too old", "delta.too_old", d.TooOld),
		countFact("Vanished", "delta.vanished", d.Vanished), countFact("To send", "delta.to_send", d.ToSend),
	}
}

// facts are those of the page; nil has none.
func (d *Delta) facts() []fact {
	if d == nil {
		return nil
	}
	return append(d.counts(), fact{Name: "Delta state", Value: d.State})
}

// Text is the counts in one line, and how long sending takes at the run's rate.
func (d *Delta) Text() string {
	return fmt.Sprintf("new %s, changed %s, unchanged %s, too old %s, vanished %s; to send %s in about %s", Grouped(d.New), Grouped(d.Changed),
		Grouped(d.Unchanged), Grouped(d.TooOld), Grouped(d.Vanished), Grouped(d.ToSend), time.Duration(d.Seconds*float64(time.Second)).Round(time.Second))
}

func (d *Delta) printTo(w io.Writer) {
	if d != nil {
		fmt.Fprintf(w, "  delta      %s\n", d.Text())
	}
}
