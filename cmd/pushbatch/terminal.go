package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"unicode"
	"unicode/utf8"

	"golang.org/x/term"
)

// terminal is what standard error is connected to.
type terminal struct {
	w     io.Writer
	file  *os.File // nil: not a file
	shown bool     // people see what is written
	moves bool     // the cursor can go back
	ansi  bool     // it takes escape sequences
	color bool
	utf8  bool
}

// plainWidth is assumed where a width cannot be asked for.
const plainWidth = 80

func terminalOf(o *stream, getenv func(string) (string, bool)) *terminal {
	env := func(name string) string { v, _ := getenv(name); return v }
	t := &terminal{w: o.escapes(), utf8: speaksUTF8(runtime.GOOS, env)}
	file := o.file()
	if file == nil || !term.IsTerminal(int(file.Fd())) {
		return t
	}
	t.file, t.shown = file, true
	t.moves = env("TERM") != "dumb"
	t.ansi = t.moves && takesEscapes(file)
	t.color = t.ansi && env("NO_COLOR") == ""
	return t
}

// columns is the width now.
func (t *terminal) columns() int {
	if t.file != nil {
		if width, _, err := term.GetSize(int(t.file.Fd())); err == nil && width > 0 {
			return width
		}
	}
	return plainWidth
}

// speaksUTF8 reports whether characters beyond ASCII come out as such: by the
// locale, on Windows in its newer terminal only.
func speaksUTF8(system string, env func(string) string) bool {
	if system == "windows" {
		return env("WT_SESSION") != ""
	}
	locale := env("LC_ALL")
	for _, name := range []string{"LC_CTYPE", "LANG"} {
		if locale == "" {
			locale = env(name)
		}
	}
	locale = strings.ToLower(locale)
	return strings.HasSuffix(locale, "utf-8") || strings.HasSuffix(locale, "utf8")
}

// stream is standard output or standard error. What is written passes clean: a
// header or a message of the platform could otherwise move the cursor or forge
// what people read. Once the reader of a pipe has gone, what is written is dropped:
// a run does not end with whoever watched it.
type stream struct {
	mu   sync.Mutex
	w    io.Writer
	rest []byte // the begun character at the end of the last write
	gone bool
}

// Write implements io.Writer.
func (o *stream) Write(p []byte) (int, error) {
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

func (o *stream) put(text []byte) error {
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
func (o *stream) escapes() io.Writer { return uncleaned{o} }

type uncleaned struct{ *stream }

// Write implements io.Writer.
func (u uncleaned) Write(p []byte) (int, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if err := u.put(p); err != nil {
		return 0, err
	}
	return len(p), nil
}

// file is what a stream writes to, if it is a file.
func (o *stream) file() *os.File {
	file, _ := o.w.(*os.File)
	return file
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

// cleanLine is a text from outside as part of a line: it has no line end either.
func cleanLine(text string) string {
	return strings.ReplaceAll(string(clean([]byte(text))), "\n", `\n`)
}

// turnsText reports whether a character changes the direction of text around it
// or separates lines.
func turnsText(r rune) bool {
	return r == 0x061C || r == 0x200E || r == 0x200F || r >= 0x2028 && r <= 0x202E || r >= 0x2066 && r <= 0x2069
}
