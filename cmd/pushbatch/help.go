package main

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/spf13/cobra"

	"pushbatch/batch/ops"
)

// topicFiles are the help topics: the first line of a file is its title.
//
//go:embed help/*.txt
var topicFiles embed.FS

// newTopics makes a help topic of every file of help and of the catalogue of
// error codes: commands that only have a text.
func newTopics() []*cobra.Command {
	files, _ := fs.Glob(topicFiles, "help/*.txt") // the pattern is a good one
	topics := []*cobra.Command{{
		Use: "errors", Short: "every error code, what it means and what to do", Long: errorsHelp(),
	}}
	for _, file := range files {
		data, _ := topicFiles.ReadFile(file) // embedded: it is there
		title, text, _ := strings.Cut(string(data), "\n")
		topics = append(topics, &cobra.Command{
			Use:   strings.TrimSuffix(path.Base(file), ".txt"),
			Short: title,
			Long:  capitalized(title) + "\n\n" + strings.Trim(text, "\n"),
		})
	}
	return topics
}

func capitalized(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// effectTitles say what a group of codes does, in the order help shows them.
var effectTitles = []struct {
	effect ops.Effect
	title  string
}{
	{ops.Rejects, "Rejected: the row is invalid and was never sent"},
	{ops.Fails, "Failed: the platform said no, or all attempts were used"},
	{ops.Skips, "Skipped: there was nothing to do"},
	{ops.Stops, "Stopped: the run ended before its inputs did and can be resumed"},
	{ops.Refuses, "Refused: the run did not begin"},
}

// errorsHelp lists the catalogue by effect.
func errorsHelp() string {
	var b strings.Builder
	b.WriteString("Every code that can stand in error_code, or that ends a run. Codes in lower case are\n" +
		"pushbatch's own, the others the platform's. A row that breaks several rules has all of\n" +
		"their codes, joined by \";\".\n")
	for _, group := range effectTitles {
		fmt.Fprintf(&b, "\n%s\n", group.title)
		for _, e := range ops.Catalogue() {
			if e.Effect == group.effect {
				fmt.Fprintf(&b, "\n  %s\n%s%s", e.Code, wrapped(e.Meaning, "      ", 88), wrapped("What to do: "+e.Remedy, "      ", 88))
			}
		}
	}
	return strings.TrimRight(b.String(), "\n")
}

// wrapped breaks text into indented lines of at most width columns.
func wrapped(text, indent string, width int) string {
	var b strings.Builder
	line := indent
	for _, word := range strings.Fields(text) {
		if len(line) > len(indent) && len([]rune(line))+1+len([]rune(word)) > width {
			b.WriteString(line + "\n")
			line = indent
		}
		if line != indent {
			line += " "
		}
		line += word
	}
	return b.String() + line + "\n"
}
