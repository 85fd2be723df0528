package main

import (
	"fmt"
	"math"
	"strings"
	"time"

	"pushbatch/apiclient"
	"pushbatch/batch"
	"pushbatch/writers/report"
)

// progressSnapshot is where a run stands at one moment, for people.
type progressSnapshot struct {
	operation string
	done      int64
	bad       int64 // failed or rejected
	rejected  int64 // of them
	total     int64 // 0: not known yet
	exact     bool  // total is counted, not estimated
	rate      float64
	shared    string  // what this process has of a shared limit
	limit     float64 // requests a second that are allowed just now; 0: no limit holds anything back
	retrying  int64   // rows that wait to be sent again
	waiting   waiting
	ended     time.Duration // how long the execution took; 0: it goes on
}

// waiting is why nothing is sent just now.
type waiting struct {
	why     apiclient.Waiting
	left    time.Duration // until it ends or is looked at again; 0: not known
	givesUp time.Duration // until an outage ends the run; 0: never
}

// left is the time the rest takes at the present rate; 0: not known.
func (s *progressSnapshot) left() time.Duration {
	if s.total <= s.done || s.rate <= 0 || s.waiting.why == apiclient.WaitOutage {
		return 0
	}
	return time.Duration(float64(s.total-s.done) / s.rate * float64(time.Second)).Round(time.Second)
}

func (s *progressSnapshot) share() string {
	if s.total == 0 {
		return ""
	}
	return fmt.Sprintf("%d%%", 100*s.done/max(s.total, s.done))
}

// badWord is the status of the rows that did not succeed.
func (s *progressSnapshot) badWord() string {
	switch s.rejected {
	case 0:
		return batch.Failed.String()
	case s.bad:
		return batch.Rejected.String()
	}
	return "failed or rejected"
}

// line is the one line that a log or a cron mail gets.
func (s *progressSnapshot) line() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s", s.operation, report.Grouped(s.done))
	if s.total > 0 {
		about := "about "
		if s.exact {
			about = ""
		}
		fmt.Fprintf(&b, " of %s%s rows (%s)", about, report.Grouped(s.total), s.share())
	} else {
		b.WriteString(" rows")
	}
	fmt.Fprintf(&b, ", %s rows/s", report.Rate(s.rate))
	if s.limit > 0 {
		fmt.Fprintf(&b, " (limit %s)", limitText(s.limit))
	}
	if s.shared != "" {
		fmt.Fprintf(&b, ", %s", s.shared)
	}
	fmt.Fprintf(&b, ", %s %s", report.Grouped(s.bad), s.badWord())
	if s.retrying > 0 && s.waiting.why == apiclient.NotWaiting {
		fmt.Fprintf(&b, ", %s being retried", report.Grouped(s.retrying))
	}
	if left := s.left(); left > 0 {
		fmt.Fprintf(&b, ", %s left", span(left))
	}
	if text := s.waitingLong(); text != "" {
		fmt.Fprintf(&b, ", waiting: %s", text)
	}
	return b.String()
}

// waitingLong says why nothing is sent, in a sentence's words. Waiting for the
// limit is what a run does all the time: the rate tells it.
func (s *progressSnapshot) waitingLong() string {
	w := s.waiting
	switch w.why {
	case apiclient.WaitBackoff:
		return fmt.Sprintf("%s %s to be retried", report.Grouped(s.retrying), report.Plural(s.retrying, "row"))
	case apiclient.WaitShare:
		return "a share of the limit: other processes have it, or --share-limit cannot be reached"
	case apiclient.WaitRefused:
		return "the platform refuses for its limit (429)" + within(", next try in ", w.left, "")
	case apiclient.WaitRetryAfter:
		return "the platform asked for a pause (Retry-After)" + within(", ", w.left, " left")
	case apiclient.WaitOutage:
		return "the platform is out of reach" + within(", next try in ", w.left, "") + within(", gives up in ", w.givesUp, "")
	}
	return ""
}

// waitingForms say the same in less and less space.
func (s *progressSnapshot) waitingForms() []string {
	w := s.waiting
	switch {
	case w.why == apiclient.WaitShare:
		return []string{"waiting: a share of the limit", "no share"}
	case w.why == apiclient.WaitRefused:
		return []string{"waiting: limit refused (429)" + within(" ", w.left, ""), "429" + within(" ", w.left, "")}
	case w.why == apiclient.WaitRetryAfter:
		return []string{"waiting: Retry-After" + within(" ", w.left, ""), "Retry-After" + within(" ", w.left, "")}
	case w.why == apiclient.WaitOutage:
		return []string{
			"outage" + within(", next try in ", w.left, "") + within(", gives up in ", w.givesUp, ""),
			"outage" + within(", try in ", w.left, ""),
		}
	case s.retrying > 0:
		return []string{"retrying " + report.Grouped(s.retrying)}
	}
	return nil
}

// within is a duration between two texts; nothing where it is not known.
func within(before string, d time.Duration, after string) string {
	if d <= 0 {
		return ""
	}
	return before + span(d) + after
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

// limitText writes a rate limit without needless decimals.
func limitText(v float64) string { return strings.TrimSuffix(report.Rate(v), ".0") }

// pace is how fast rows are finished: the mean over the last seconds, so that a
// long wait in the past does not spoil what is told of the future.
type pace struct{ points []pacePoint }

// pacePoint is how many rows were done at a time since the start.
type pacePoint struct {
	at   time.Duration
	done int64
}

// paceSpan is what a pace looks back over.
const paceSpan = 15 * time.Second

// rate notes a point and returns rows a second. The first point is the start.
func (p *pace) rate(at time.Duration, done int64) float64 {
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
