package report

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html"
	"maps"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"pushbatch/batch"
	"pushbatch/writers/form"
)

//go:embed page.css
var pageStyle string

// pageHTML shows aggregates only, so that the page's size does not grow with the rows of
// the run. Numbers are shown as they are given.
//
//go:embed page.html
var pageHTML string

// verdict is how a run ended: as a class of the page's style (good, bad, stopped with
// rows left, or running) and in two or three words.
type verdict struct{ Class, Headline string }

// fact is a name and a value. Key says where in summary.json the value stands,
// Raw is the value there; both may be empty. Class is the colour of a part of
// the whole: ok, failed, rejected, skipped or left.
type fact struct {
	Name, Value, Key, Raw, Note, Class string
	count                              int64 // of a countFact
}

// countFact is a count that stands in summary.json.
func countFact(name, key string, n int64) fact {
	return fact{Name: name, Value: Grouped(n), Key: key, Raw: fmt.Sprint(n), count: n}
}

// pageTime is how the page writes moments.
const pageTime = "2006-01-02 15:04:05 UTC"

// Page makes report.html: one self-contained HTML file that runs no script. Its
// policy lets a browser load nothing and apply no style but the page's own, so
// that whatever a file or an answer brought in stays text.
func Page(s *Summary, r *Run) []byte {
	hash := sha256.Sum256([]byte(pageStyle)) // by which the policy names our style
	text := strings.NewReplacer("HASH", base64.StdEncoding.EncodeToString(hash[:]), "STYLE", pageStyle).Replace(pageHTML)
	return form.New(text, escaped, words, form.Functions{
		"next":     func() []Step { return s.Next(r) },
		"source":   r.shortSource,
		"inputs":   r.shownInputs,
		"settings": r.settings,
		"redacted": func() bool { return r.Redacted },
	}).Fill("main", s)
}

// escaped makes a text safe between tags and between quotes. HTML has no way to
// write a NUL.
func escaped(text string) string {
	return html.EscapeString(strings.ReplaceAll(text, "\x00", "\uFFFD"))
}

// words are what all forms can call.
var words = form.Functions{
	"grouped": Grouped,
	"plural":  Plural,
	"pick":    Pick,
	"seconds": Seconds,
	"rate":    Rate,
	"millis":  millisText,
	"moment":  func(t time.Time) string { return t.Format(pageTime) },
	"long":    func(text string) string { return cut(text, longText) },
	"brief":   func(text string) string { return cut(text, shortText) },
	"capital": Capital,
	"join":    func(list []string) string { return strings.Join(list, ", ") },
	"last":    lastPart,
	"base":    filepath.Base,
	"path":    url.PathEscape,
	"int":     func(n int64) int64 { return n },
	"add":     func(a, b int) int { return a + b },
	"several": func(n int) bool { return n > 1 },
	"top":     func(n int, codes []Code) []Code { return codes[:min(n, len(codes))] },
	"rest":    func(n int, codes []Code) []Code { return codes[min(n, len(codes)):] },
	"number":  func(codes []Code) int { return len(codes) },
	"is":      func(o, other Outcome) bool { return o == other },
	"fact":    func(name, value string) fact { return fact{Name: name, Value: value} },
	"count":   countFact,
	"measured": func(name, key string, v float64, text string) fact {
		return fact{Name: name, Value: text, Key: key, Raw: fmt.Sprint(v)}
	},
	"bad":        Counts.Bad,
	"valid":      func(s *Summary) int64 { return s.Rows - s.Statuses.Bad() },
	"explain":    explain,
	"verdict":    (*Summary).verdict,
	"ended":      (*Summary).endedWord,
	"inAll":      (*Summary).inAll,
	"counts":     (*Summary).countFacts,
	"meter":      (*Summary).meter,
	"history":    (*Summary).history,
	"latency":    (*Summary).latencyChart,
	"breakdowns": (*Table).breakdowns,
	"checked":    (*Table).reconciled,
	"views":      (*Table).views,
	"planned":    (*Delta).Text,
	"columns":    (*Warning).columns,
	"examples":   examples,
	"meaning":    fileMeaning,
	"names":      fileNames,
}

// settings are those of the page.
func (r *Run) settings() (facts []fact) {
	for _, name := range slices.Sorted(maps.Keys(r.Settings)) {
		facts = append(facts, fact{Name: name, Value: cut(strings.Join(r.Settings[name], ", "), longText)})
	}
	return facts
}

func (s *Summary) endedWord() string {
	if s.Outcome == Running || s.Outcome == Interrupted {
		return "As of"
	}
	return "Ended"
}

func (s *Summary) verdict() verdict {
	switch {
	case s.Outcome == Running:
		return verdict{"running", "Going on"}
	case s.Outcome == Interrupted:
		return verdict{"stopped", "Interrupted"}
	case s.Outcome != Completed:
		return verdict{"stopped", "Stopped"}
	case s.ExitCode != exitDone && s.Rows == 0:
		return verdict{"bad", "Ended without a row"}
	case s.ExitCode != exitDone && s.DryRun:
		return verdict{"bad", "Checked, with errors"}
	case s.ExitCode != exitDone:
		return verdict{"bad", "Ended, with errors"}
	case s.DryRun:
		return verdict{"good", "Checked, all rows are valid"}
	}
	return verdict{"good", "Done"}
}

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
		f.Class, f.Note = class, Percent(n, s.Rows+left)
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
