package report

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
)

// page is what report.html shows: aggregates only, so that its size does not
// grow with the rows of the run. Numbers are shown as they are given.
type page struct {
	Title      string
	Subtitle   string
	Verdict    verdict
	Headline   string // two or three words
	Outcome    string // one line
	Remedy     string // what to do about what stopped the run; may be empty
	Next       []Step
	Charts     []breakdown // of an export; they come first
	Counts     []fact      // rows by status
	Facts      []fact
	Several    bool // runs, which have no time in common
	Series     Timeline
	Seconds    float64 // where the last interval of Series ends
	Latency    []LatencyBar
	Quantiles  []quantile
	Errors     []errorGroup
	Warnings   []warningGroup
	MoreErrors []errorGroup // shown without explanation and examples
	Inputs     []Input
	MoreInput  []int // columns of each input that are not shown
	Setting    []fact
	Files      []fact
	Made       string
}

// verdict is how a run ended, as a class of the page's style.
type verdict string

const (
	good    verdict = "good"    // every row is fine
	bad     verdict = "bad"     // the inputs were read to their end, some rows are not fine
	stopped verdict = "stopped" // rows are left
	running verdict = "running" // it goes on
)

// fact is a name and a value. Key says where in summary.json the value stands,
// Raw is the value there; both may be empty. Class is the colour of a part of
// the whole: ok, failed, rejected, skipped or left.
type fact struct{ Name, Value, Key, Raw, Note, Class string }

// countFact is a count that stands in summary.json.
func countFact(name, key string, n int64) fact {
	return fact{Name: name, Value: Grouped(n), Key: key, Raw: fmt.Sprint(n)}
}

// quantile marks a latency, in milliseconds.
type quantile struct {
	Name   string
	Millis float64
}

// pageTime is how the page writes moments.
const pageTime = "2006-01-02 15:04:05 UTC"

// Page makes report.html: one self-contained HTML file that runs no script. Its
// policy lets a browser load nothing and apply no style but the page's own, so
// that whatever a file or an answer brought in stays text.
func Page(s *Summary, r *Run) []byte { return pageOf(s, r).render() }

func pageOf(s *Summary, r *Run) *page {
	p := &page{
		Title: "pushbatch " + s.Operation + ": " + cut(lastPart(s.Run), shortText), Subtitle: cut(s.Run, longText),
		Outcome: s.outcomeLine(), Remedy: s.Remedy,
		Charts: s.Table.breakdowns(), Counts: s.countFacts(), Facts: slices.Concat(s.facts(), s.Delta.facts(), s.Table.facts()),
		Several: len(s.Runs) > 0, Series: s.Timeline, Seconds: s.Elapsed, Latency: s.Distribution,
		Quantiles: []quantile{{"p50", s.Latency.P50}, {"p90", s.Latency.P90}, {"p99", s.Latency.P99}},
		Made:      fmt.Sprintf("Made by pushbatch %s at %s.", s.Version, s.EndedAt.Format(pageTime)),
	}
	p.Verdict, p.Headline = s.verdict()
	for _, step := range s.Next(r) {
		p.Next = append(p.Next, Step{capital(step.Say), step.Command})
	}
	p.Errors, p.MoreErrors = s.errorGroups(r)
	p.Warnings = s.warningGroups(r)
	p.Inputs, p.MoreInput = r.shownInputs()
	for _, name := range slices.Sorted(maps.Keys(r.Settings)) {
		p.Setting = append(p.Setting, fact{Name: name, Value: cut(strings.Join(r.Settings[name], ", "), longText)})
	}
	for _, f := range s.Files {
		p.Files = append(p.Files, fact{Name: filepath.Base(f), Value: fileMeaning(filepath.Base(f))})
	}
	if r.Redacted {
		p.Made += " Values of rows are replaced by a keyed hash."
	}
	return p
}

// render makes the page: devices first, throughput last.
func (p *page) render() []byte {
	var m markup
	m.head(p.Title)
	m.put("<body>\n")
	m.banner(p)
	m.put("<main>\n")
	m.patterns()
	for i := range p.Charts {
		m.breakdown(&p.Charts[i])
	}
	m.put("\n")
	m.rows(p)
	m.errors(p.Errors, p.MoreErrors)
	m.warnings(p.Warnings)
	if !p.Several {
		m.overTime(overTime(p.Series, p.Seconds))
	}
	m.latency(p.Latency, p.Quantiles)
	m.inputs(p.Inputs, p.MoreInput)
	m.settings(p.Setting)
	m.files(p.Files)
	m.put("</main>\n<footer><p>{}</p></footer>\n</body>\n</html>\n", p.Made)
	return m
}

// verdict says how a run ended in two or three words.
func (s *Summary) verdict() (v verdict, headline string) {
	switch {
	case s.Outcome == Running:
		return running, "Going on"
	case s.Outcome == Interrupted:
		return stopped, "Interrupted"
	case s.Outcome != Completed:
		return stopped, "Stopped"
	case s.ExitCode != exitDone && s.Rows == 0:
		return bad, "Ended without a row"
	case s.ExitCode != exitDone && s.DryRun:
		return bad, "Checked, with errors"
	case s.ExitCode != exitDone:
		return bad, "Ended, with errors"
	case s.DryRun:
		return good, "Checked, all rows are valid"
	}
	return good, "Done"
}

// outcomeLine says in one line how a run ended, or where it stands.
func (s *Summary) outcomeLine() string {
	line := fmt.Sprintf("%s of %s rows succeeded", Grouped(s.Statuses.Succeeded), Grouped(s.Rows))
	not := "did not"
	if s.DryRun {
		line = fmt.Sprintf("Dry run: %s of %s rows are valid; nothing was sent", Grouped(s.Rows-s.Statuses.Bad()), Grouped(s.Rows))
		not = "are not"
	}
	if n := s.Statuses.Bad(); n > 0 {
		line += fmt.Sprintf(", %s %s", Grouped(n), not)
	}
	switch s.Outcome {
	case Running:
		return line + ", as of " + s.EndedAt.Format(pageTime) + "."
	case Interrupted:
		return line + " until the run was cut off, by a crash or a kill."
	case Stopped:
		line = "Stopped: " + cut(s.Reason, longText) + ". " + line
	}
	return fmt.Sprintf("%s (exit code %d).", line, s.ExitCode)
}
