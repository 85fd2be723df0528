package main

import (
	"io"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/schollz/progressbar/v3"

	"pushbatch/writers/report"
)

// Widths of the bar itself, without what stands beside it.
const (
	barWidest   = 24
	barNarrowed = 6
)

// segment is a part of the line: forms of the same meaning, the longest first;
// none leaves it out.
type segment struct{ forms []string }

// What stands in the line, in this order, behind the bar.
const (
	segCount = iota
	segRate
	segLeft
	segBad
	segWaiting
	segOperation // stands before the bar
	segments
	theBar = segments
)

// sacrifices say what becomes shorter, step by step, until the line fits: what
// people need least goes first. How many rows failed and why nothing is sent
// stay to the end.
var sacrifices = []struct {
	segment int
	whole   bool // left out; else said shorter
}{
	{segCount, false},
	{segRate, false},
	{segOperation, true},
	{segWaiting, false},
	{segCount, true},
	{theBar, true},
	{segLeft, true},
	{segRate, true},
}

// barLine is the line of a bar, at most width columns wide.
func barLine(s *progressSnapshot, width int, utf8 bool) string {
	segs := s.segments()
	bar := 0
	if s.total > 0 {
		bar = barNarrowed
	}
	for _, s := range sacrifices {
		if lineWidth(segs, bar) <= width {
			break
		}
		if s.segment == theBar {
			bar = 0 // the share alone
		} else if forms := segs[s.segment].forms; s.whole {
			segs[s.segment].forms = nil
		} else if len(forms) > 1 {
			segs[s.segment].forms = forms[1:]
		}
	}
	if bar > 0 {
		bar = min(barWidest, bar+max(0, width-lineWidth(segs, bar)))
	}
	line := []rune(joinLine(segs, drawBar(s, bar, utf8)))
	return string(line[:min(len(line), max(width, 0))])
}

// lineWidth is how wide a line is with a bar of that many cells.
func lineWidth(segs *[segments]segment, cells int) int {
	bar := "100%"
	if cells > 0 {
		bar += " [" + strings.Repeat(" ", cells) + "]"
	}
	return utf8.RuneCountInString(joinLine(segs, bar))
}

func joinLine(segs *[segments]segment, bar string) string {
	line := segs[segOperation].text()
	for _, part := range []string{
		bar, segs[segCount].text(), segs[segRate].text(), segs[segLeft].text(), segs[segBad].text(), segs[segWaiting].text(),
	} {
		switch {
		case part == "":
		case line == "":
			line = part
		default:
			line += " " + part
		}
	}
	return line
}

func (s segment) text() string {
	if len(s.forms) == 0 {
		return ""
	}
	return s.forms[0]
}

func (s *progressSnapshot) segments() *[segments]segment {
	segs := new([segments]segment)
	segs[segOperation].forms = []string{s.operation}
	segs[segCount].forms = []string{report.Grouped(s.done)}
	if s.total > 0 {
		about := "/~"
		if s.exact {
			about = "/"
		}
		segs[segCount].forms = []string{report.Grouped(s.done) + about + report.Grouped(s.total), report.Grouped(s.done)}
	}
	segs[segRate].forms = []string{report.Rate(s.rate) + "/s"}
	if s.limit > 0 {
		segs[segRate].forms = []string{report.Rate(s.rate) + "/s (limit " + limitText(s.limit) + ")", report.Rate(s.rate) + "/s"}
	}
	if s.ended > 0 {
		segs[segLeft].forms = []string{"in " + span(s.ended)}
	} else if left := s.left(); left > 0 {
		segs[segLeft].forms = []string{span(left) + " left"}
	}
	if s.bad > 0 {
		segs[segBad].forms = []string{report.Grouped(s.bad) + " " + s.badWord()}
	}
	segs[segWaiting].forms = s.waitingForms()
	return segs
}

// drawBar is the share in percent and so many cells. The library is asked for
// its text only: what it writes by itself flickers, and wraps where it is wider
// than the terminal.
func drawBar(s *progressSnapshot, cells int, utf8 bool) string {
	if s.total <= 0 {
		return ""
	}
	if cells <= 0 {
		return s.share()
	}
	theme := progressbar.Theme{Saucer: "#", SaucerHead: "#", SaucerPadding: "-", BarStart: "[", BarEnd: "]"}
	if utf8 {
		theme.Saucer, theme.SaucerHead, theme.SaucerPadding = "█", "█", "░"
	}
	bar := progressbar.NewOptions64(max(s.total, s.done),
		progressbar.OptionSetWriter(io.Discard), progressbar.OptionSetWidth(cells), progressbar.OptionSetTheme(theme),
		progressbar.OptionSetPredictTime(false), progressbar.OptionSetElapsedTime(false))
	_ = bar.Set64(s.done) // written nowhere
	return strings.TrimSpace(strings.TrimPrefix(bar.String(), "\r"))
}

// barPrinter keeps one line at the bottom of a terminal.
type barPrinter struct {
	t *terminal

	mu    sync.Mutex
	now   *progressSnapshot // what is drawn; nil: nothing
	drawn string
	width int // of the terminal then
}

func newBar(t *terminal) *barPrinter { return &barPrinter{t: t} }

func (b *barPrinter) show(s progressSnapshot) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.now = &s
	width := b.t.columns()
	line := barLine(&s, width-1, b.t.utf8) // the last column stays free: some terminals wrap behind it
	if line == b.drawn && width == b.width {
		return
	}
	_, _ = io.WriteString(b.t.w, b.clearFor(width)+b.over(line, width)) // drawing is not worth an error
}

// clearFor is what goes before a new line so that nothing of the old one stays.
// Where the line is only written over, nothing is cleared: that would flicker.
func (b *barPrinter) clearFor(width int) string {
	old := utf8.RuneCountInString(b.drawn)
	if width >= b.width || old < width || !b.t.ansi {
		return "\r"
	}
	// The terminal was made narrower than the line, which it has wrapped.
	return strings.Repeat("\x1b[A", (old-1)/width) + "\r\x1b[J"
}

// over is a line and what takes away the rest of the one it is written over.
func (b *barPrinter) over(line string, width int) string {
	old := utf8.RuneCountInString(b.drawn)
	b.drawn, b.width = line, width
	behind := "\x1b[K"
	if b.t.ansi && line != "" {
		// A terminal tells its new width late: until then a line that is too wide is cut, not wrapped.
		line = "\x1b[?7l" + line + "\x1b[?7h"
	}
	if !b.t.ansi {
		behind = strings.Repeat(" ", max(0, min(width-1, old)-utf8.RuneCountInString(line)))
	}
	return line + behind
}

// end leaves the last snapshot in a line of its own.
func (b *barPrinter) end(last progressSnapshot) {
	b.show(last)
	b.mu.Lock()
	defer b.mu.Unlock()
	_, _ = io.WriteString(b.t.w, "\n")
	b.now, b.drawn = nil, ""
}

func (b *barPrinter) above() io.Writer { return aboveBar{b} }

// aboveBar puts log lines where the bar is and the bar below them, in one write.
type aboveBar struct{ *barPrinter }

func (a aboveBar) Write(p []byte) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.now == nil {
		return a.t.w.Write(p)
	}
	width := a.t.columns()
	text := a.clearFor(width) + a.over("", width) + "\r" + string(p) + a.over(barLine(a.now, width-1, a.t.utf8), width)
	if _, err := io.WriteString(a.t.w, text); err != nil {
		return 0, err
	}
	return len(p), nil
}
