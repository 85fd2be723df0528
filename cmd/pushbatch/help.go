package main

import (
	"cmp"
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"pushbatch/batch/blob"
	"pushbatch/batch/ops"
	"pushbatch/batch/runstore"
	"pushbatch/writers/console"
	"pushbatch/writers/inventory"
	"pushbatch/writers/report"
)

// topicFiles are the help topics, in Markdown: the heading of a file is its title.
//
//go:embed help/*.md
var topicFiles embed.FS

// addTopics adds the help topics, commands that only have a text: every file of help, and
// the catalogue of errors. One that is named like a command is part of the command's own help.
func addTopics(root *cobra.Command) {
	texts := map[string]string{"errors": ops.ErrorsTopic()}
	files, _ := fs.Glob(topicFiles, "help/*.md") // the pattern is a good one
	for _, file := range files {
		data, _ := topicFiles.ReadFile(file) // embedded: it is there
		texts[strings.TrimSuffix(path.Base(file), ".md")] = string(data)
	}
	for name, text := range texts {
		cmd, _, _ := root.Find([]string{name})
		if cmd == root { // there is none of the name
			title, _, _ := strings.Cut(text, "\n")
			cmd = &cobra.Command{Use: name, Short: strings.TrimPrefix(title, "# ")}
			root.AddCommand(cmd)
		}
		cmd.Annotations = map[string]string{topic: text}
	}
}

// topic is the annotation of a command that holds its help topic, in Markdown.
const topic = "topic"

// withTopic makes the help topic of a command a part of its text, when it is asked for:
// to do so for all at each start took 12 ms of 80.
func withTopic(cmd *cobra.Command) *cobra.Command {
	title, text, found := strings.Cut(strings.TrimPrefix(cmd.Annotations[topic], "# "), "\n")
	if found {
		cmd.Long = strings.TrimPrefix(cmd.Long+"\n\n"+title+"\n\n"+console.Markdown(text), "\n\n")
		delete(cmd.Annotations, topic)
	}
	return cmd
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
			return errors.Join(os.MkdirAll(args[0], 0o755), writeManPages(cmd.Root(), args[0]))
		},
	}
}

// inMan makes of the texts of --help the sections of a man page; a line is shown as it is.
var inMan = strings.NewReplacer(
	"\\", `\e`, "\n.", "\n\\&.", "\n'", "\n\\&'",
	"\n\nUsage:\n", "\n.EE\n.SH SYNOPSIS\n.EX\n", "\n\nFlags:\n", "\n.EE\n.SH OPTIONS\n.EX\n",
)

// writeManPages writes the page of a command and those of all commands below it.
func writeManPages(cmd *cobra.Command, folder string) error {
	if cmd.Hidden || cmd.Name() == "help" {
		return nil
	}
	cmd.InitDefaultHelpFlag()
	name, section, text, origin := strings.ReplaceAll(cmd.CommandPath(), " ", "-"), "1", "\n\n"+cmd.UsageString(), thisBuild()
	if cmd.IsAdditionalHelpTopicCommand() {
		section, text = "7", ""
	}
	page := fmt.Sprintf(".TH %q %q \"%.10s\" %q pushbatch\n.SH NAME\n%s \\- %s\n.SH DESCRIPTION\n.EX\n%s\n.EE\n"+
		".SH SEE ALSO\n.BR pushbatch (1),\n.BR pushbatch-errors (7),\n.BR pushbatch-exit-codes (7)\n",
		strings.ToUpper(name), section, origin.date, "pushbatch "+origin.version, name, cmd.Short,
		inMan.Replace(strings.TrimSpace(cmp.Or(withTopic(cmd).Long, cmd.Short)+text)))
	err := os.WriteFile(filepath.Join(folder, name+"."+section), []byte(page), 0o644) //nolint:gosec // not personal: every user of the machine may read it
	for _, below := range cmd.Commands() {
		err = errors.Join(err, writeManPages(below, folder))
	}
	return err
}

// valueTable has a line for each value that flags take: the flag, the value, and what
// it means.
//
//go:embed help/values.tsv
var valueTable string

// completedValues are what shells offer for the values of flags: the value, a tab
// and what it means.
func completedValues() map[string][]string {
	values := map[string][]string{"operation": operationNames(), "columns": inventoryNames(), "partition-by": inventoryNames()}
	for line := range strings.Lines(valueTable) {
		flag, value, _ := strings.Cut(strings.TrimSpace(line), "\t")
		value, meaning, _ := strings.Cut(value, "\t")
		values[flag] = append(values[flag], value+"\t"+meaning)
	}
	return values
}

func operationNames() (names []string) {
	for _, op := range ops.Operations() {
		names = append(names, op.Name+"\t"+op.Title)
	}
	return names
}

func inventoryNames() (names []string) {
	for _, c := range inventory.NewLayout(true, true).Columns() {
		names = append(names, c.Name+"\t"+c.Type)
	}
	return names
}

// addCompletions lets shells complete the values of flags of a command and those
// below it.
func addCompletions(cmd *cobra.Command, values map[string][]string) {
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if offered, ok := values[f.Name]; ok {
			_ = cmd.RegisterFlagCompletionFunc(f.Name, completeFrom(offered, f.Value.Type() == "stringSlice")) // fails only for a flag that is not there
		}
	})
	switch cmd.Name() {
	case "resume":
		cmd.ValidArgsFunction = completeRuns(func(run foundRun) bool { return !run.ended })
	case "retry", "status", "report", "undo":
		cmd.ValidArgsFunction = completeRuns(func(foundRun) bool { return true })
	}
	for _, below := range cmd.Commands() {
		addCompletions(below, values)
	}
}

// completeFrom offers values; of a list those that are not in it yet.
func completeFrom(offered []string, list bool) cobra.CompletionFunc {
	return func(_ *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
		if !list {
			return offered, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
		}
		before := typed[:strings.LastIndexByte(typed, ',')+1]
		var rest []string
		for _, value := range offered {
			name, _, _ := strings.Cut(value, "\t")
			if !slices.Contains(strings.Split(before, ","), name) {
				rest = append(rest, before+value)
			}
		}
		return rest, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder | cobra.ShellCompDirectiveNoSpace
	}
}

// completeRuns offers run folders, the newest first: those here and below runs, or
// in the folder that was typed. Where there is none, any folder.
func completeRuns(wanted func(foundRun) bool) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		found := append(runsIn(cmd.Context(), ""), runsIn(cmd.Context(), "runs/")...)
		if at := strings.LastIndexByte(typed, '/'); at >= 0 {
			found = runsIn(cmd.Context(), typed[:at+1])
		}
		if len(found) == 0 {
			return nil, cobra.ShellCompDirectiveFilterDirs
		}
		slices.SortStableFunc(found, func(a, b foundRun) int { return b.spec.StartedAt.Compare(a.spec.StartedAt) })
		var offered []string
		for i := range found {
			if run := &found[i]; wanted(*run) {
				offered = append(offered, run.path+"\t"+cmp.Or(run.spec.Operation, "?")+", "+run.spec.StartedAt.Format("2006-01-02 15:04 UTC"))
			}
		}
		return offered, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
	}
}

type foundRun struct {
	path  string
	spec  runSpec
	ended bool // it has come to the end of its inputs
}

// runsIn looks for folders with a job.json in a folder, as it was typed: empty, or with a slash at its end.
func runsIn(ctx context.Context, parent string) (found []foundRun) {
	entries, _ := os.ReadDir(cmp.Or(parent, ".")) // of one that cannot be read nothing is offered
	for _, entry := range entries {
		run, last := foundRun{path: parent + entry.Name()}, new(report.Summary)
		if blob.GetJSON(ctx, filepath.Join(run.path, runstore.JobFile), &run.spec) != nil {
			continue
		}
		err := blob.GetJSON(ctx, filepath.Join(run.path, runstore.SummaryFile), last)
		run.ended = err == nil && last.Executions == run.spec.Executions && last.Outcome == report.Completed
		found = append(found, run)
	}
	return found
}
