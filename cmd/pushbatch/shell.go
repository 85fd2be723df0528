package main

import (
	"runtime"
	"strings"
)

// shellWord is s as one word of a command line that users copy: quoted where a
// shell would take it apart or read something into it.
func shellWord(s string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r > 0x7F ||
			strings.ContainsRune("_./:@%+=,-", r) || r == '\\' && runtime.GOOS == "windows"
	}
	switch {
	case s != "" && strings.IndexFunc(s, func(r rune) bool { return !plain(r) }) < 0:
		return s
	case runtime.GOOS == "windows":
		return `"` + s + `"`
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
