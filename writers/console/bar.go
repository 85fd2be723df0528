package console

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/schollz/progressbar/v3"

	"pushbatch/writers/report"
)

// Widths of the bar itself, in cells between its brackets.
const (
	barWidest   = 24
	barNarrowed = 6
)

// What the library puts around bar and description, in columns: the share and
// blanks, and blanks alone where the number of rows is not known.
const (
	besideBar  = len("  38%   ") + 1
	besideText = 3
	brackets   = 2

	freeColumns = 3 // at the end: a terminal echoes ^C there, and some wrap after their last column
)

// shortest is the last of the levels at which a line is made shorter until it fits:
// at each what people need least goes. How many rows failed and why nothing is sent
// stay to the end.
const (
	shortest = 9
	withBar  = 5 // the last level with the bar itself
)

// phrase is one way to say something, and the last level at which it is said so.
type phrase struct {
	until int
	text  string
}

// layout is how many cells the bar has and what is said beside it, for a line of
// at most width columns. 0 cells: the share stands alone.
func layout(s *Snapshot, width int) (cells int, text string) {
	for level := 0; ; level++ {
		cells, text = 0, s.description(level)
		if s.Total > 0 && level <= withBar {
			cells = barNarrowed
		}
		room := width - beside(s, cells) - utf8.RuneCountInString(text)
		if room < 0 && level < shortest {
			continue
		}
		if cells > 0 {
			cells = min(barWidest, cells+room)
		}
		line := []rune(text)
		return cells, string(line[:max(0, len(line)+min(room, 0))])
	}
}

// beside is how wide a line is but for its description.
func beside(s *Snapshot, cells int) int {
	switch {
	case s.Total == 0:
		return besideText
	case cells == 0:
		return besideBar
	}
	return besideBar + brackets + cells
}

// description is what stands beside the bar at a level.
func (s *Snapshot) description(level int) string {
	var parts []string
	for _, forms := range s.segments() {
		if at := slices.IndexFunc(forms, func(f phrase) bool { return level <= f.until }); at >= 0 {
			parts = append(parts, forms[at].text)
		}
	}
	return strings.Join(parts, " ")
}

// segments are the parts of the description, each in forms of the same meaning,
// the longest first; none leaves it out.
func (s *Snapshot) segments() [][]phrase {
	count, rate := []phrase{{4, report.Grouped(s.Done)}}, []phrase{{7, report.Rate(s.Rate) + "/s"}}
	if s.Total > 0 {
		about := "/~"
		if s.Exact {
			about = "/"
		}
		count = append([]phrase{{0, report.Grouped(s.Done) + about + report.Grouped(s.Total)}}, count...)
	}
	if s.Limit > 0 {
		rate = append([]phrase{{1, report.Rate(s.Rate) + "/s (limit " + LimitText(s.Limit) + ")"}}, rate...)
	}
	var left, bad []phrase
	if s.Ended > 0 {
		left = []phrase{{6, "in " + span(s.Ended)}}
	} else if d := s.left(); d > 0 {
		left = []phrase{{6, span(d) + " left"}}
	}
	if s.Bad > 0 {
		bad = []phrase{{shortest, report.Grouped(s.Bad) + " " + s.badWord()}}
	}
	return [][]phrase{{{2, s.Operation}}, count, rate, left, bad, s.waitingForms()}
}

// bar is a line at the bottom of a terminal. The library draws it; ours is what
// its description says and that it fits.
type bar struct {
	t *Terminal

	mu      sync.Mutex
	lib     *progressbar.ProgressBar // nil: nothing is drawn
	now     Snapshot                 // what is drawn
	line    int                      // its width, in columns
	columns int                      // of the terminal then
}

// Show implements Printer.
func (b *bar) Show(s Snapshot) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.lib == nil || s != b.now || b.columns != b.t.columns() {
		b.draw(s)
	}
}

// draw lets the library draw a snapshot.
func (b *bar) draw(s Snapshot) {
	b.unwrap()
	if known := s.Total > 0; b.lib == nil || known != (b.now.Total > 0) {
		b.lib = b.open(known)
	}
	columns := b.t.columns()
	cells, text := layout(&s, columns-freeColumns)
	b.now, b.columns, b.line = s, columns, beside(&s, cells)+utf8.RuneCountInString(text)
	if !b.t.ansi { // which could not clear what stood here before
		text = fmt.Sprintf("%-*s", columns-freeColumns-beside(&s, cells), text)
	}
	if s.Total == 0 {
		b.lib.Describe(text)
		return
	}
	progressbar.OptionSetWidth(cells)(b.lib)
	progressbar.OptionSetTheme(b.theme(cells))(b.lib)
	b.lib.Describe(text)
	b.lib.ChangeMax64(max(s.Total, s.Done+1)) // at its end the library draws no more: an estimate may be passed
	_ = b.lib.Set64(s.Done)                   // drawing is not worth an error
}

func (b *bar) open(known bool) *progressbar.ProgressBar {
	length := int64(-1)
	if known {
		length = 1
	}
	return progressbar.NewOptions64(length, progressbar.OptionSetWriter(b), progressbar.OptionUseANSICodes(b.t.ansi),
		progressbar.OptionShowDescriptionAtLineEnd(), progressbar.OptionSetPredictTime(false), progressbar.OptionSetElapsedTime(false),
		progressbar.OptionSetSpinnerChangeInterval(0), progressbar.OptionSpinnerCustom([]string{""}))
}

// theme is how the cells look; without any there are no brackets either.
func (b *bar) theme(cells int) progressbar.Theme {
	switch {
	case cells == 0:
		return progressbar.Theme{}
	case b.t.utf8:
		return progressbar.Theme{Saucer: "█", SaucerPadding: "░", BarStart: "[", BarEnd: "]"}
	}
	return progressbar.Theme{Saucer: "#", SaucerPadding: "-", BarStart: "[", BarEnd: "]"}
}

// unwrap clears a line that the terminal has wrapped because it was made narrower.
func (b *bar) unwrap() {
	if columns := b.t.columns(); b.lib != nil && b.t.ansi && columns < min(b.columns, b.line) {
		_, _ = io.WriteString(b.t.W, strings.Repeat("\x1b[A", (b.line-1)/columns)+"\r\x1b[J")
	}
}

// Write implements io.Writer for the library. A terminal tells its new width late:
// until then a line that is too wide is cut, not wrapped.
func (b *bar) Write(p []byte) (int, error) {
	text := p
	if b.t.ansi {
		text = slices.Concat([]byte("\x1b[?7l"), p, []byte("\x1b[?7h"))
	}
	if _, err := b.t.W.Write(text); err != nil {
		return 0, err
	}
	return len(p), nil
}

// End implements Printer: the last snapshot stays, in a line of its own.
func (b *bar) End(last Snapshot) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.draw(last)
	if last.Total > 0 && last.Done >= last.Total {
		b.lib.ChangeMax64(last.Done) // 100 %
	}
	_, _ = io.WriteString(b.t.W, "\n")
	b.lib = nil
}

// Above implements Printer.
func (b *bar) Above() io.Writer { return aboveBar{b} }

// aboveBar puts log lines where the bar is, and the bar below them.
type aboveBar struct{ bar *bar }

// Write implements io.Writer.
func (a aboveBar) Write(p []byte) (int, error) {
	b := a.bar
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.lib == nil {
		return b.t.W.Write(p)
	}
	b.unwrap()
	_ = b.lib.Clear()
	n, err := b.t.W.Write(p)
	b.draw(b.now)
	return n, err
}
