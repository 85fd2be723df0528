package report

import (
	"fmt"
	"maps"
	"net/url"
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
	Devices    []breakdown // of an export; they come first
	Meter      *meter      // nil: nothing to draw
	Counts     []fact      // rows by status
	Facts      []fact
	OverTime   *history // nil: of several runs, which have no time in common
	Latency    *latency // nil: nothing was sent
	Errors     []errorGroup
	Warnings   []warningGroup
	MoreErrors []errorGroup // shown without explanation and examples
	Inputs     []shownInput
	Settings   []fact
	Files      []shownFile
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

// shownFile is a file that lies beside the page.
type shownFile struct{ Name, Path, Meaning string }

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
		Devices: s.Table.breakdowns(), Counts: s.countFacts(), Facts: slices.Concat(s.facts(), s.Delta.facts(), s.Table.facts()),
		Latency: latencyOf(s.Distribution, &s.Latency), Warnings: s.warningGroups(r), Inputs: r.shownInputs(),
		Made: fmt.Sprintf("Made by pushbatch %s at %s.", s.Version, s.EndedAt.Format(pageTime)),
	}
	p.Meter = meterOf(p.Counts)
	if len(s.Runs) == 0 {
		p.OverTime = overTime(s.Timeline, s.Elapsed)
	}
	p.Verdict, p.Headline = s.verdict()
	for _, step := range s.Next(r) {
		p.Next = append(p.Next, Step{capital(step.Say), step.Command})
	}
	p.Errors, p.MoreErrors = s.errorGroups(r)
	for _, name := range slices.Sorted(maps.Keys(r.Settings)) {
		p.Settings = append(p.Settings, fact{Name: name, Value: cut(strings.Join(r.Settings[name], ", "), longText)})
	}
	for _, f := range s.Files {
		name := filepath.Base(f)
		p.Files = append(p.Files, shownFile{name, url.PathEscape(name), fileMeaning(name)})
	}
	if r.Redacted {
		p.Made += " Values of rows are replaced by a keyed hash."
	}
	return p
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
	if s.Simulated {
		line = "Simulated, nothing left this machine: " + line
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
