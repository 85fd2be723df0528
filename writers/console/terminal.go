package console

import (
	"cmp"
	"io"
	"os"
	"runtime"
	"strings"

	"golang.org/x/term"
)

// Terminal is what standard error is connected to.
type Terminal struct {
	W     io.Writer // takes control characters: what is written is our own
	Color bool      // it shows colors

	width func() int // in columns, now; nil: not known
	shown bool       // people see what is written
	moves bool       // the cursor can go back
	ansi  bool       // it takes escape sequences
	utf8  bool
}

// plainWidth is assumed where a width cannot be asked for.
const plainWidth = 80

// TerminalOf finds out what a stream is connected to, from the stream itself and
// the environment.
func TerminalOf(o *Stream, getenv func(string) (string, bool)) *Terminal {
	env := func(name string) string { v, _ := getenv(name); return v }
	t := &Terminal{W: o.escapes(), utf8: speaksUTF8(runtime.GOOS, env)}
	file, ok := o.w.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		return t
	}
	t.shown, t.width = true, func() int {
		width, _, _ := term.GetSize(int(file.Fd())) // 0 where it cannot be asked for
		return width
	}
	t.moves = env("TERM") != "dumb"
	t.ansi = t.moves && takesEscapes(file)
	t.Color = t.ansi && env("NO_COLOR") == ""
	return t
}

// columns is the width now.
func (t *Terminal) columns() int {
	if t.width != nil {
		if width := t.width(); width > 0 {
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
	locale := strings.ToLower(cmp.Or(env("LC_ALL"), env("LC_CTYPE"), env("LANG")))
	return strings.HasSuffix(locale, "utf-8") || strings.HasSuffix(locale, "utf8")
}
