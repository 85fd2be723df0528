package console

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
	"unicode"
	"unicode/utf8"

	"pushbatch/batch"
)

// Stream is standard output or standard error. What is written passes clean: a
// header or a message of the platform could otherwise move the cursor or forge
// what people read. Once the reader of a pipe has gone, what is written is dropped:
// a run does not end with whoever watched it, nor does it wait for him, see WaitAtMost.
type Stream struct {
	busy chan struct{} // capacity 1: full while something is written
	w    io.Writer
	rest []byte // the begun character at the end of the last write
	gone bool
	lost error // of the first write that failed, but for want of a reader

	patience atomic.Int64 // see WaitAtMost; 0: no limit
	stuck    atomic.Bool  // nothing was taken for as long
}

// NewStream makes a stream of where text goes.
func NewStream(w io.Writer) *Stream { return &Stream{busy: make(chan struct{}, 1), w: w} }

// WaitAtMost bounds how long a write waits for a full pipe that nobody reads, or a
// terminal that was stopped. What comes after is dropped until the other side takes
// something again.
func (o *Stream) WaitAtMost(d time.Duration) { o.patience.Store(int64(d)) }

// Write implements io.Writer.
func (o *Stream) Write(p []byte) (int, error) { return o.write(p, o.cleaned) }

// write hands on what form makes of a text.
func (o *Stream) write(p []byte, form func([]byte) []byte) (int, error) {
	var late <-chan time.Time
	if patience := time.Duration(o.patience.Load()); patience > 0 {
		timer := time.NewTimer(patience)
		defer timer.Stop()
		late = timer.C
	}
	if !o.turn(late) {
		return len(p), nil
	}
	text, ended := form(p), make(chan error, 1)
	batch.Go(func() error { return o.put(text) }, func(err error) { // when the text is taken
		o.stuck.Store(false)
		<-o.busy
		ended <- err
	})
	select {
	case err := <-ended:
		if err != nil {
			return 0, err
		}
	case <-late:
		o.stuck.Store(true)
	}
	return len(p), nil
}

// turn waits until nobody else writes, and reports whether that came about.
func (o *Stream) turn(late <-chan time.Time) bool {
	if late != nil && o.stuck.Load() {
		select {
		case o.busy <- struct{}{}:
			return true
		default:
			return false
		}
	}
	select {
	case o.busy <- struct{}{}:
		return true
	case <-late:
		return false
	}
}

// cleaned is the text with what was left of the one before, without the character
// that is begun at its end.
func (o *Stream) cleaned(p []byte) []byte {
	text := slices.Concat(o.rest, p)
	whole := len(text)
	for n := 1; n < utf8.UTFMax && n <= len(text); n++ { // back to where a character begins
		if start := len(text) - n; utf8.RuneStart(text[start]) {
			if !utf8.FullRune(text[start:]) {
				whole = start
			}
			break
		}
	}
	o.rest = append([]byte(nil), text[whole:]...)
	return clean(text[:whole])
}

func (o *Stream) put(text []byte) error {
	if o.gone {
		return nil
	}
	_, err := o.w.Write(text)
	if errors.Is(err, syscall.EPIPE) {
		o.gone = true
		return nil
	}
	o.lost = cmp.Or(o.lost, err)
	return err
}

// Lost is why something that was written did not arrive, such as a full disk; nil: all
// did, or nobody reads any more. It is asked when nobody writes.
func (o *Stream) Lost() error { return o.lost }

// escapes is the same output for text whose control characters are our own: the
// bar, colors.
func (o *Stream) escapes() io.Writer { return uncleaned{o} }

type uncleaned struct{ *Stream }

// Write implements io.Writer.
func (u uncleaned) Write(p []byte) (int, error) {
	return u.write(p, slices.Clone)
}

// clean replaces all control characters but newline and tab, and the marks that
// turn the direction of text, by what JSON writes for them. It does the same with
// separators of lines that are no newline.
func clean(text []byte) []byte {
	out := make([]byte, 0, len(text))
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRune(text[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			out = append(out, "\uFFFD"...)
		case r == '\n' || r == '\t' || !unicode.IsControl(r) && !turnsText(r):
			out = append(out, text[i:i+size]...)
		default:
			out = fmt.Appendf(out, `\u%04x`, r)
		}
		i += size
	}
	return out
}

var spacing = strings.NewReplacer("\n", `\n`, "\r", `\r`, "\t", `\t`)

// OneLine is a text from outside as part of a line or of a table's cell: it has no
// line end or tab either.
func OneLine(text string) string {
	return string(clean([]byte(spacing.Replace(text))))
}

// turnsText reports whether a character changes the direction of text around it
// or separates lines.
func turnsText(r rune) bool {
	return r == 0x061C || r == 0x200E || r == 0x200F || r >= 0x2028 && r <= 0x202E || r >= 0x2066 && r <= 0x2069
}
