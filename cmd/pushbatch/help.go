package main

import (
	"embed"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"pushbatch/writers/console"
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
			Long:  title + "\n\n" + console.Markdown(text),
		})
	}
	return topics
}

// newManCommand writes the man pages that the archives of a release hold: one
// of section 1 a command, one of section 7 a help topic. The texts are those of
// --help, with their line breaks.
func newManCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "man FOLDER",
		Short:  "Write the man pages into a folder",
		Hidden: true,
		Args:   cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := os.MkdirAll(args[0], 0o755); err != nil {
				return usageError("%v", err)
			}
			return writeManPages(cmd.Root(), args[0])
		},
	}
}

// writeManPages writes the page of a command and those of all commands below it.
func writeManPages(cmd *cobra.Command, folder string) error {
	if cmd.Hidden || cmd.Name() == "help" {
		return nil
	}
	name := strings.ReplaceAll(cmd.CommandPath(), " ", "-")
	section := "1"
	if cmd.IsAdditionalHelpTopicCommand() {
		section = "7"
	}
	if err := os.WriteFile(filepath.Join(folder, name+"."+section), []byte(manPage(cmd, name, section)), 0o644); err != nil { //nolint:gosec // not personal: every user of the machine may read it
		return usageError("%v", err)
	}
	for _, below := range cmd.Commands() {
		if err := writeManPages(below, folder); err != nil {
			return err
		}
	}
	return nil
}

// manPage is a page in the language of man(7).
func manPage(cmd *cobra.Command, name, section string) string {
	var b strings.Builder
	origin := thisBuild()
	day := ""
	if when, err := time.Parse(time.RFC3339, origin.date); err == nil {
		day = when.Format(time.DateOnly)
	}
	fmt.Fprintf(&b, ".TH %q %s %q %q \"pushbatch\"\n", strings.ToUpper(name), section, day, "pushbatch "+origin.version)
	fmt.Fprintf(&b, ".SH NAME\n%s \\- %s\n", roff(name), roff(cmd.Short))
	if section == "1" {
		fmt.Fprintf(&b, ".SH SYNOPSIS\n.B %s\n", roff(cmd.UseLine()))
	}
	if cmd.Long != "" {
		fmt.Fprintf(&b, ".SH DESCRIPTION\n.nf\n%s\n.fi\n", roff(cmd.Long))
	}
	manFlags(&b, cmd)
	manSeeAlso(&b, cmd)
	return b.String()
}

func manFlags(b *strings.Builder, cmd *cobra.Command) {
	if !cmd.LocalFlags().HasAvailableFlags() {
		return
	}
	b.WriteString(".SH OPTIONS\n")
	cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
		if f.Hidden {
			return
		}
		value, usage := pflag.UnquoteUsage(f)
		head := "--" + f.Name
		if f.Shorthand != "" {
			head = "-" + f.Shorthand + ", " + head
		}
		fmt.Fprintf(b, ".TP\n\\fB%s\\fR", roff(head))
		if value != "" {
			fmt.Fprintf(b, " \\fI%s\\fR", roff(value))
		}
		fmt.Fprintf(b, "\n%s", roff(usage))
		if unset := map[string]bool{"": true, "false": true, "0": true, "0s": true, "[]": true}; !unset[f.DefValue] {
			fmt.Fprintf(b, " (default %s)", roff(f.DefValue))
		}
		b.WriteString("\n")
	})
}

func manSeeAlso(b *strings.Builder, cmd *cobra.Command) {
	var pages []string
	if parent := cmd.Parent(); parent != nil {
		pages = append(pages, strings.ReplaceAll(parent.CommandPath(), " ", "-")+"(1)")
	}
	for _, below := range cmd.Commands() {
		switch page := strings.ReplaceAll(below.CommandPath(), " ", "-"); {
		case below.Hidden || below.Name() == "help":
		case below.IsAdditionalHelpTopicCommand():
			pages = append(pages, page+"(7)")
		default:
			pages = append(pages, page+"(1)")
		}
	}
	if len(pages) > 0 {
		fmt.Fprintf(b, ".SH SEE ALSO\n%s\n", roff(strings.Join(pages, ",\n")))
	}
}

// roff writes a text so that man shows it as it is: a backslash or hyphen means
// itself, and no line begins a request.
func roff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(text)
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'") {
			lines[i] = `\&` + line
		}
	}
	return strings.Join(lines, "\n")
}
