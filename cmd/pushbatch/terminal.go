package main

import (
	"io"
	"os"
	"runtime"
	"strings"

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
