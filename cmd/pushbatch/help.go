package main

import (
	"embed"
	"io/fs"
	"path"
	"strings"

	"github.com/spf13/cobra"
)

// topicFiles are the help topics, in Markdown: the heading of a file is its title.
//
//go:embed help/*.md
var topicFiles embed.FS

// newTopics makes a help topic of every file of help: commands that only have a text.
func newTopics() []*cobra.Command {
	files, _ := fs.Glob(topicFiles, "help/*.md") // the pattern is a good one
	var topics []*cobra.Command
	for _, file := range files {
		data, _ := topicFiles.ReadFile(file) // embedded: it is there
		title, text, _ := strings.Cut(strings.TrimPrefix(string(data), "# "), "\n")
		topics = append(topics, &cobra.Command{
			Use:   strings.TrimSuffix(path.Base(file), ".md"),
			Short: title,
			Long:  title + "\n\n" + renderMarkdown(text),
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
