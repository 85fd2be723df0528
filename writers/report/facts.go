package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"pushbatch/batch"
)

// Bounds of what the page lists, so that no run makes it large.
const (
	shownInputs  = 20
	shownColumns = 120 // of all inputs together
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

// examples are the rows that are shown of a code.
func examples(c *Code) []batch.Example { return append([]batch.Example{c.Example}, c.More...) }

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

// Text is the counts in one line, and how long sending takes at the run's rate.
func (d *Delta) Text() string {
	return fmt.Sprintf("new %s, changed %s, unchanged %s, too old %s, vanished %s; to send %s in about %s", Grouped(d.New), Grouped(d.Changed),
		Grouped(d.Unchanged), Grouped(d.TooOld), Grouped(d.Vanished), Grouped(d.ToSend), time.Duration(d.Seconds*float64(time.Second)).Round(time.Second))
}
