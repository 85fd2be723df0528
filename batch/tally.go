package batch

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// maxCodes bounds how many different error codes a Tally tells apart; the
// platform's codes are few, but nothing in a report may grow without end.
const maxCodes = 200

// OtherCodes is the code under which a Tally counts what comes after 200
// different codes.
const OtherCodes = "other"

// Example is the first row that ended with a code.
type Example struct {
	Row       int64  `json:"row"`
	Source    string `json:"source"`
	SourceRow int64  `json:"source_row"`
	Message   string `json:"message"`
}

// moreExamples is how many rows beside the first stand as examples of a code.
const moreExamples = 2

// CodeCount is how often an error code occurred.
type CodeCount struct {
	Status  Status    `json:"status"`
	Count   int64     `json:"count"`
	Example Example   `json:"example"`
	More    []Example `json:"more_examples,omitempty"` // up to two rows after the first
}

// WarningCount is how often rows were warned of with a code.
type WarningCount struct {
	Count   int64            `json:"count"`
	Columns map[string]int64 `json:"columns,omitempty"` // where the code names columns or fields
	Example Example          `json:"example"`
}

// Tally sums up results. It is filled in input order and saved in every
// checkpoint, so that a resumed run counts as if it had never stopped.
type Tally struct {
	Rows     int64                    `json:"rows"`
	Statuses StatusCounts             `json:"statuses"`
	Codes    map[string]*CodeCount    `json:"codes"`
	Warnings map[string]*WarningCount `json:"warnings,omitempty"`
	Attempts int64                    `json:"attempts"` // requests sent for the rows counted here, 429s not among them
	Latency  Histogram                `json:"latency"`  // of the rows that were sent
}

// Add counts one result.
func (t *Tally) Add(r *Result) {
	t.Rows++
	t.Statuses[r.Status]++
	t.Attempts += int64(r.Attempts)
	if r.Attempts > 0 {
		t.Latency.Add(r.Latency)
	}
	if r.Code != "" {
		for _, code := range r.Codes() {
			t.addCode(code, r)
		}
	}
	if r.Warnings != "" {
		for _, warning := range r.warningList() {
			t.addWarning(warning, r)
		}
	}
}

func (t *Tally) addWarning(warning string, r *Result) {
	code, column, _ := strings.Cut(warning, ":")
	w := t.Warnings[code]
	if w == nil {
		if t.Warnings == nil {
			t.Warnings = make(map[string]*WarningCount)
		}
		w = &WarningCount{Example: exampleOf(r, code), Columns: make(map[string]int64)}
		w.Example.Message = warning
		t.Warnings[code] = w
	}
	w.Count++
	if _, known := w.Columns[column]; column != "" && (known || len(w.Columns) < maxCodes) {
		w.Columns[column]++
	}
}

func (t *Tally) addCode(code string, r *Result) {
	if t.Codes == nil {
		t.Codes = make(map[string]*CodeCount)
	}
	key := code
	c := t.Codes[key]
	if c == nil && len(t.Codes) >= maxCodes {
		key = OtherCodes
		c = t.Codes[key]
	}
	if c == nil {
		c = &CodeCount{Status: r.Status, Example: exampleOf(r, code)}
		t.Codes[key] = c
	} else if len(c.More) < moreExamples {
		c.More = append(c.More[:len(c.More):len(c.More)], exampleOf(r, code)) // clones share what is there
	}
	c.Count++
}

func exampleOf(r *Result, code string) Example {
	return Example{Row: r.Row.Num, Source: r.Row.Source, SourceRow: r.Row.SourceNum(), Message: r.MessageOf(code)}
}

// WithWaiting returns the tally with the finished rows that a checkpoint holds
// beside it. Their sources are not known: they give no example.
func (t *Tally) WithWaiting(waiting []Waiting) Tally {
	c := t.clone()
	for _, w := range waiting {
		r := Result{Row: Row{Num: w.Row}, Outcome: w.Outcome}
		c.Add(&r)
	}
	return c
}

// Merge adds what another run counted. Of a code that both have the example of t stays.
func (t *Tally) Merge(o *Tally) {
	t.Rows += o.Rows
	t.Attempts += o.Attempts
	for status, n := range o.Statuses {
		t.Statuses[status] += n
	}
	t.Latency.Merge(&o.Latency)
	if t.Codes == nil {
		t.Codes = make(map[string]*CodeCount)
	}
	for _, code := range sortedKeys(o.Codes) {
		if c := t.Codes[code]; c != nil {
			c.Count += o.Codes[code].Count
			continue
		}
		copied := *o.Codes[code]
		t.Codes[code] = &copied
	}
}

// TopCodes returns the codes, the most frequent first, equal ones by name.
func (t *Tally) TopCodes() []string {
	codes := slices.Collect(maps.Keys(t.Codes))
	slices.SortFunc(codes, func(a, b string) int {
		return cmp.Or(cmp.Compare(t.Codes[b].Count, t.Codes[a].Count), cmp.Compare(a, b))
	})
	return codes
}

// clone returns a copy that shares nothing that later Adds change.
func (t *Tally) clone() Tally {
	c := *t
	c.Codes = make(map[string]*CodeCount, len(t.Codes))
	for code, n := range t.Codes {
		copied := *n
		c.Codes[code] = &copied
	}
	c.Warnings = make(map[string]*WarningCount, len(t.Warnings))
	for code, n := range t.Warnings {
		copied := *n
		copied.Columns = maps.Clone(n.Columns)
		c.Warnings[code] = &copied
	}
	c.Latency.Counts = maps.Clone(t.Latency.Counts)
	return c
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K {
	return slices.Sorted(maps.Keys(m))
}
