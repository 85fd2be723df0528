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
type fact struct{ Name, Value, Key, Raw, Note, Class string }

// countFact is a count that stands in summary.json.
func countFact(name, key string, n int64) fact {
	return fact{Name: name, Value: Grouped(n), Key: key, Raw: fmt.Sprint(n)}
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
		"explain":  r.explain,
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
	"capital": capital,
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
