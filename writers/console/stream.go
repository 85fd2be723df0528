package console

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"syscall"
	"unicode"
	"unicode/utf8"
)

// Stream is standard output or standard error. What is written passes clean: a
// header or a message of the platform could otherwise move the cursor or forge
// what people read. Once the reader of a pipe has gone, what is written is dropped:
// a run does not end with whoever watched it.
type Stream struct {
	mu   sync.Mutex
	w    io.Writer
	rest []byte // the begun character at the end of the last write
	gone bool
}

// NewStream makes a stream of where text goes.
func NewStream(w io.Writer) *Stream { return &Stream{w: w} }

// Write implements io.Writer.
func (o *Stream) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
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
	if err := o.put(clean(text[:whole])); err != nil {
		return 0, err
	}
	return len(p), nil
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
	return err
}

// escapes is the same output for text whose control characters are our own: the
// bar, colors.
func (o *Stream) escapes() io.Writer { return uncleaned{o} }

type uncleaned struct{ *Stream }

// Write implements io.Writer.
func (u uncleaned) Write(p []byte) (int, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if err := u.put(p); err != nil {
		return 0, err
	}
	return len(p), nil
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

// OneLine is a text from outside as part of a line or of a table's cell: it has no
// line end or tab either.
func OneLine(text string) string {
	return string(clean([]byte(strings.NewReplacer("\n", `\n`, "\r", `\r`, "\t", `\t`).Replace(text))))
}

// turnsText reports whether a character changes the direction of text around it
// or separates lines.
func turnsText(r rune) bool {
	return r == 0x061C || r == 0x200E || r == 0x200F || r >= 0x2028 && r <= 0x202E || r >= 0x2066 && r <= 0x2069
}
