package console

import (
	_ "embed"
	"fmt"
	"math"
	"strings"
	"sync"
	"time"

	"pushbatch/apiclient"
	"pushbatch/batch"
	"pushbatch/writers/form"
	"pushbatch/writers/report"
)

// Snapshot is where a run stands at one moment.
type Snapshot struct {
	Operation string
	Done      int64
	Bad       int64 // failed or rejected
	Rejected  int64 // of them
	Total     int64 // 0: not known yet
	Exact     bool  // Total is counted, not estimated
	Rate      float64
	Shared    string  // what this process has of a shared limit
	Limit     float64 // requests a second that are allowed just now; 0: no limit holds anything back
	Retrying  int64   // rows that wait to be sent again
	Waiting   Waiting
	Ended     time.Duration // how long the execution took; 0: it goes on
}

// Waiting is why nothing is sent just now.
type Waiting struct {
	Why     apiclient.Waiting
	Left    time.Duration // until it ends or is looked at again; 0: not known
	GivesUp time.Duration // until an outage ends the run; 0: never
}

// left is the time the rest takes at the present rate; 0: not known.
func (s *Snapshot) left() time.Duration {
	if s.Total <= s.Done || s.Rate <= 0 || s.Waiting.Why == apiclient.WaitOutage {
		return 0
	}
	return time.Duration(float64(s.Total-s.Done) / s.Rate * float64(time.Second)).Round(time.Second)
}

func (s *Snapshot) share() string {
	if s.Total == 0 {
		return ""
	}
	return fmt.Sprintf("%d%%", 100*s.Done/max(s.Total, s.Done))
}

// badWord is the status of the rows that did not succeed.
func (s *Snapshot) badWord() string {
	switch s.Rejected {
	case 0:
		return batch.Failed.String()
	case s.Bad:
		return batch.Rejected.String()
	}
	return "failed or rejected"
}

//go:embed progress.txt
var progressText string

// progressForm is read once: 0.28 ms, and 6 µs to fill it in.
var progressForm = sync.OnceValue(func() *form.Form {
	return report.Terminal(progressText, OneLine, form.Functions{
		"left":    (*Snapshot).left,
		"share":   (*Snapshot).share,
		"badWord": (*Snapshot).badWord,
		"span":    span,
		"limit":   LimitText,
		"waits":   func(w Waiting, why string) bool { return w.Why.String() == why },
	})
})

// line is the one line that a log or a cron mail gets.
func (s *Snapshot) line() []byte { return progressForm().Fill("progress", s) }

// waitingForms say in less and less space why nothing is sent.
func (s *Snapshot) waitingForms() []phrase {
	w := s.Waiting
	left := within(" ", w.Left)
	switch {
	case w.Why == apiclient.WaitShare:
		return []phrase{{3, "waiting: a share of the limit"}, {shortest, "no share"}}
	case w.Why == apiclient.WaitRefused:
		return []phrase{{3, "waiting: limit refused (429)" + left}, {shortest, "429" + left}}
	case w.Why == apiclient.WaitRetryAfter:
		return []phrase{{3, "waiting: Retry-After" + left}, {shortest, "Retry-After" + left}}
	case w.Why == apiclient.WaitOutage:
		return []phrase{
			{3, "outage" + within(", next try in ", w.Left) + within(", gives up in ", w.GivesUp)},
			{8, "outage" + within(", try in ", w.Left)},
			{shortest, "outage" + left},
		}
	case s.Retrying > 0:
		return []phrase{{shortest, "retrying " + report.Grouped(s.Retrying)}}
	}
	return nil
}

// within is a duration after a text; nothing where it is not known.
func within(before string, d time.Duration) string {
	if d <= 0 {
		return ""
	}
	return before + span(d)
}

// span writes a duration in few characters, rounded up: 8s, 4m05s, 2h03m, 3d4h.
func span(d time.Duration) string {
	s := int64(math.Ceil(d.Seconds() - 1e-9))
	switch {
	case s < 60:
		return fmt.Sprintf("%ds", s)
	case s < 3600:
		return fmt.Sprintf("%dm%02ds", s/60, s%60)
	case s < 48*3600:
		return fmt.Sprintf("%dh%02dm", s/3600, s%3600/60)
	}
	return fmt.Sprintf("%dd%dh", s/86400, s%86400/3600)
}

// LimitText writes a rate limit without needless decimals.
func LimitText(v float64) string { return strings.TrimSuffix(report.Rate(v), ".0") }

// Pace is how fast rows are finished: the mean over the last seconds, so that a
// long wait in the past does not spoil what is told of the future.
type Pace struct{ points []pacePoint }

// NewPace begins where so many rows are done.
func NewPace(done int64) *Pace { return &Pace{points: []pacePoint{{0, done}}} }

// pacePoint is how many rows were done at a time since the start.
type pacePoint struct {
	at   time.Duration
	done int64
}

// paceSpan is what a pace looks back over.
const paceSpan = 15 * time.Second

// Rate notes a point and returns rows a second. The first point is the start.
func (p *Pace) Rate(at time.Duration, done int64) float64 {
	if len(p.points) == 0 || p.points[len(p.points)-1].at < at {
		p.points = append(p.points, pacePoint{at, done})
	}
	for len(p.points) > 2 && at-p.points[1].at >= paceSpan {
		p.points = p.points[1:]
	}
	first := p.points[0]
	if at <= first.at {
		return 0
	}
	return float64(done-first.done) / (at - first.at).Seconds()
}
