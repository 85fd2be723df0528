package report

import (
	"cmp"
	_ "embed"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"pushbatch/writers/form"
)

//go:embed terminal.txt
var terminalText string

// Terminal makes a form of texts for the terminal, in which what is filled in passes
// escape. It can use what summaries are made of: the templates summary, codes and
// warnings, and the functions of numbers and words.
func Terminal(text string, escape func(string) string, functions form.Functions) *form.Form {
	return form.New(terminalText+text, escape, words, functions)
}

// Print writes the summary for people.
func (s *Summary) Print(w io.Writer) { _, _ = w.Write(Terminal("", oneLine, nil).Fill("summary", s)) }

// inAll is how long an execution took where that is more than its rows took, with what
// comes before the first and after the last; else 0.
func (s *Summary) inAll() float64 {
	if all := s.EndedAt.Sub(s.StartedAt).Seconds(); s.Executions == 1 && all >= s.Elapsed+1 {
		return all
	}
	return 0
}

// fileNames are the names of files: those of several runs are called alike.
func fileNames(files []string) (names []string) {
	for _, f := range files {
		if name := filepath.Base(f); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// oneLine keeps the name of a file from looking like a line of ours.
func oneLine(text string) string { return strings.ReplaceAll(text, "\n", `\n`) }

// shownNames is how many columns of a warning are named.
const shownNames = 5

// columns names the columns that a warning is about, the most frequent first.
func (g *Warning) columns() string {
	names := mostFirst(g.Columns)
	for i, name := range names {
		names[i] = name + " " + Grouped(g.Columns[name])
	}
	if len(names) == 0 {
		return ""
	}
	return ": " + strings.Join(names[:min(len(names), shownNames)], ", ")
}

// mostFirst are the names of counts, the most frequent first.
func mostFirst(counts map[string]int64) []string {
	return slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
}
