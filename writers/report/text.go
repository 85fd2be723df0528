package report

import (
	"fmt"
	"html"
	"math"
	"path"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// Plural is a noun in the form that a number asks for.
func Plural(n int64, noun string) string { return Pick(n, noun, noun+"s") }

// Pick is one of two words, by number.
func Pick(n int64, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// Grouped writes n with commas between groups of three digits.
func Grouped(n int64) string {
	digits := strconv.FormatInt(n, 10)
	for i := len(digits) - 3; i > 0 && digits[i-1] != '-'; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// Seconds writes a time span: 4.2 s, 1m5s.
func Seconds(s float64) string {
	d := time.Duration(s * float64(time.Second))
	if d < time.Minute {
		return fmt.Sprintf("%.1f s", s)
	}
	return d.Round(time.Second).String()
}

// Rate writes a number a second.
func Rate(v float64) string {
	if v < 100 {
		return fmt.Sprintf("%.1f", v)
	}
	return Grouped(int64(math.Round(v)))
}

// millisText writes milliseconds in the unit that suits them.
func millisText(v float64) string {
	switch {
	case v < 1:
		return trimmed(1000*v, 0) + " µs"
	case v < 10:
		return trimmed(v, 2) + " ms"
	case v < 1000:
		return trimmed(v, 0) + " ms"
	}
	return trimmed(v/1000, 2) + " s"
}

// short writes a number in few characters: 0.25, 40, 1,500, 2.5M.
func short(v float64) string {
	switch {
	case v >= 1e6:
		return trimmed(v/1e6, 2) + "M"
	case v >= 100:
		return Grouped(int64(math.Round(v)))
	}
	return trimmed(v, 3)
}

// trimmed writes v with at most the given number of decimals.
func trimmed(v float64, decimals int) string {
	p := math.Pow(10, float64(decimals))
	return strconv.FormatFloat(math.Round(v*p)/p, 'f', -1, 64)
}

func unit(v float64) string { return trimmed(v, 2) }

// Percent is a part of a whole for people: what is not nothing is never shown
// as 0 %, and what is not all never as 100 %.
func Percent[N int64 | float64](part, whole N) string {
	if whole <= 0 {
		return "0 %"
	}
	p := 100 * float64(part) / float64(whole)
	switch {
	case part == 0 || part == whole:
		return trimmed(p, 0) + " %"
	case p < 0.1:
		return "< 0.1 %"
	case p > 99.9:
		return "> 99.9 %"
	}
	return trimmed(p, 1) + " %"
}

// Bounds of texts that are not ours, in the bytes that they take in the page.
const (
	longText  = 300
	shortText = 100 // of a column, an input
)

// cut bounds a text to what it takes in the page, in bytes.
func cut(text string, most int) string {
	if len(text) <= most/len("&#34;") {
		return text
	}
	size := 0
	for i, r := range text {
		if size += len(html.EscapeString(string(r))); size > most {
			return text[:i] + "…"
		}
	}
	return text
}

// lastPart is the last part of a path or location.
func lastPart(name string) string { return path.Base(filepath.ToSlash(filepath.Clean(name))) }

// ShellWord is s as one word of a command line that users copy: quoted where a
// shell would take it apart or read something into it.
func ShellWord(s string) string {
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

// ShellPath is ShellWord of a path that stands where a flag could: one that begins
// with a dash would be taken for a flag.
func ShellPath(path string) string {
	if strings.HasPrefix(path, "-") {
		path = "./" + path
	}
	return ShellWord(path)
}
