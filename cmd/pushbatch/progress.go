package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// How often progress is shown.
const (
	barEvery   = 200 * time.Millisecond
	plainEvery = 10 * time.Second
)

// standing is where a run stands, for people.
type standing struct {
	operation string
	done      int64
	bad       int64
	total     int64 // 0: not known yet
	exact     bool  // total is counted, not estimated
	rate      float64
	waiting   string // why nothing is sent just now; empty: it is
}

// left is the time the rest takes at the present rate; 0: not known.
func (s standing) left() time.Duration {
	if s.total <= s.done || s.rate <= 0 {
		return 0
	}
	return time.Duration(float64(s.total-s.done) / s.rate * float64(time.Second)).Round(time.Second)
}

func (s standing) share() string {
	if s.total == 0 {
		return ""
	}
	return fmt.Sprintf("%.0f%%", 100*float64(s.done)/float64(max(s.total, 1)))
}

// printer shows where a run stands. show is called now and then, end once.
type printer interface {
	show(standing)
	end(standing)
	// above is where log lines go so that they do not tear what is shown.
	above() io.Writer
}

// newPrinter picks the printer for --progress.
func newPrinter(kind string, quiet bool, w io.Writer) (printer, time.Duration, error) {
	tty := isTerminal(w)
	if quiet {
		kind = "none"
	}
	if kind == "auto" {
		kind = "plain"
		if tty {
			kind = "bar"
		}
	}
	switch kind {
	case "bar":
		return newBar(w), barEvery, nil
	case "plain":
		return plainPrinter{w}, plainEvery, nil
	case "none":
		return plainPrinter{io.Discard}.silent(w), plainEvery, nil
	}
	return nil, 0, usageError("--progress %q: take auto, bar, plain or none", kind)
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// plainPrinter writes one line each time.
type plainPrinter struct{ w io.Writer }

func (p plainPrinter) show(s standing)  { fmt.Fprintln(p.w, s.line()) }
func (p plainPrinter) end(standing)     {}
func (p plainPrinter) above() io.Writer { return p.w }

// silentPrinter shows nothing but lets log lines through.
type silentPrinter struct {
	plainPrinter
	log io.Writer
}

func (p plainPrinter) silent(log io.Writer) silentPrinter { return silentPrinter{p, log} }
func (p silentPrinter) above() io.Writer                  { return p.log }

// line is the one line that a log or a cron mail gets.
func (s standing) line() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s", s.operation, grouped(s.done))
	if s.total > 0 {
		about := "about "
		if s.exact {
			about = ""
		}
		fmt.Fprintf(&b, " of %s%s rows (%s)", about, grouped(s.total), s.share())
	} else {
		b.WriteString(" rows")
	}
	fmt.Fprintf(&b, ", %.1f rows/s, %s bad", s.rate, grouped(s.bad))
	if left := s.left(); left > 0 {
		fmt.Fprintf(&b, ", %s left", left)
	}
	if s.waiting != "" {
		fmt.Fprintf(&b, ", waiting: %s", s.waiting)
	}
	return b.String()
}

// barPrinter draws one bar on a terminal.
type barPrinter struct {
	mu  sync.Mutex
	bar *progressbar.ProgressBar
	w   io.Writer
}

func newBar(w io.Writer) *barPrinter {
	return &barPrinter{w: w, bar: progressbar.NewOptions64(-1,
		progressbar.OptionSetWriter(w), progressbar.OptionUseANSICodes(false),
		progressbar.OptionShowCount(), progressbar.OptionSetPredictTime(false), progressbar.OptionSetElapsedTime(false),
		progressbar.OptionSetWidth(18), progressbar.OptionThrottle(barEvery/2), progressbar.OptionSetRenderBlankState(false),
		progressbar.OptionSetTheme(progressbar.Theme{
			Saucer: "█", SaucerHead: "█", SaucerPadding: "░", BarStart: "▕", BarEnd: "▏",
		}),
	)}
}

func (b *barPrinter) show(s standing) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if s.total > 0 && b.bar.GetMax64() != s.total {
		b.bar.ChangeMax64(max(s.total, s.done))
	}
	b.bar.Describe(s.short())
	_ = b.bar.Set64(s.done) // drawing is not worth an error
}

// short is what stands before the bar; it must fit a narrow terminal.
func (s standing) short() string {
	text := fmt.Sprintf("%.1f/s", s.rate)
	if left := s.left(); left > 0 {
		text += " " + left.String() + " left"
	}
	if s.bad > 0 {
		text += fmt.Sprintf(" bad %s", grouped(s.bad))
	}
	if s.waiting != "" {
		text += " " + s.waiting
	}
	return text
}

func (b *barPrinter) end(last standing) {
	b.show(last)
	b.mu.Lock()
	defer b.mu.Unlock()
	_ = b.bar.Exit()
	fmt.Fprintln(b.w)
}

func (b *barPrinter) above() io.Writer { return aboveBar{b} }

// aboveBar clears the bar, writes, and lets the bar draw itself again.
type aboveBar struct{ *barPrinter }

func (a aboveBar) Write(p []byte) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	_ = a.bar.Clear()
	return a.w.Write(p)
}
