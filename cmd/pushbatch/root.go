package main

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"pushbatch/batch/ops"
	"pushbatch/writers/console"
	"pushbatch/writers/report"
)

// newRoot builds the command tree: one file a command.
func newRoot(p *process) *cobra.Command {
	root := &cobra.Command{
		Use:   "pushbatch",
		Short: "Bulk import and export of mobile push device registrations",
		Long: "pushbatch reads rows from CSV, NDJSON or Parquet files, sends one request a row to the Infobip platform\n" +
			"at the rate the platform allows, and accounts for every row.",
		SilenceErrors: true,
		// Suggestions are made for up to two letters that differ.
		SuggestionsMinimumDistance: 2,
		SilenceUsage:               true,
		Args:                       cobra.ArbitraryArgs,
		RunE:                       unknownCommand,
		PersistentPreRun:           p.warnOfVariables,
	}
	root.SetOut(p.stdout)
	root.SetFlagErrorFunc(unknownFlag)
	for _, op := range ops.Operations() {
		if op.Name == exportOperation {
			root.AddCommand(newExportCommand(p))
			continue
		}
		root.AddCommand(newOperationCommand(p, op))
	}
	root.AddCommand(newResumeCommand(p), newRetryCommand(p), newStatusCommand(p), newDoctorCommand(p), newSimulateCommand(p), newVersionCommand())
	root.AddCommand(newConfigCommand(p), newReportCommand(p), newInspectCommand(p), newDeltaCommand(p), newSplitCommand(p), newUndoCommand(p), newManCommand())
	addTopics(root)
	show := root.HelpFunc()
	root.SetHelpFunc(func(cmd *cobra.Command, args []string) { show(withTopic(cmd), args) })
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	for _, cmd := range root.Commands() {
		switch {
		case cmd.Name() == "help":
			cmd.Run, cmd.RunE = nil, helpOn
		case cmd.HasSubCommands(): // without this an unknown one ends with 0
			cmd.Args, cmd.RunE = cobra.ArbitraryArgs, unknownCommand
		}
	}
	addCompletions(root, completedValues())
	return root
}

func helpOn(cmd *cobra.Command, args []string) error {
	found, rest, err := cmd.Root().Find(args)
	if err != nil || len(rest) > 0 {
		return unknownTopic(cmd.Root(), cmp.Or(strings.Join(rest, " "), strings.Join(args, " ")))
	}
	found.InitDefaultHelpFlag()
	return found.Help()
}

func unknownTopic(root *cobra.Command, name string) error {
	var commands, topics []string
	for _, c := range root.Commands() {
		switch {
		case c.IsAdditionalHelpTopicCommand():
			topics = append(topics, c.Name())
		case c.IsAvailableCommand():
			commands = append(commands, c.Name())
		}
	}
	hint := didYouMean(name, slices.Concat(commands, topics))
	return usageError("unknown command or help topic %q%s\ncommands: %s\ntopics: %s", name, hint, strings.Join(commands, ", "), strings.Join(topics, ", "))
}

// didYouMean names what is most like a name that is not known, if anything is.
func didYouMean(name string, known []string) string {
	if near := ops.Nearest(name, known); near != "" {
		return ": did you mean " + console.OneLine(near) + "?"
	}
	return ""
}

func unknownCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return cmd.Help()
	}
	hint := ""
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		hint = fmt.Sprintf(": did you mean %s?", strings.Join(near, " or "))
	}
	help := cmd.Name() + " help"
	if cmd.HasParent() {
		help = cmd.CommandPath() + " --help"
	}
	return usageError("unknown command %q%s\nRun %s to see the commands", args[0], hint, help)
}

func unknownFlag(cmd *cobra.Command, err error) error {
	hint := ""
	if missing, ok := errors.AsType[*pflag.NotExistError](err); ok {
		hint = didYouMean(missing.GetSpecifiedName(), flagNames(cmd.Flags(), "--"))
	}
	return usageError("%v%s\nRun %s --help to see the flags", readable(err), hint, cmd.CommandPath())
}

const noOperation = "--operation %q: take personalize, depersonalize, update or export"

// newOperationCommand makes the command of an operation that sends one request
// a row. What differs between operations comes from their table in batch/ops.
func newOperationCommand(p *process, op *ops.Operation) *cobra.Command {
	flags := &jobFlags{}
	cmd := &cobra.Command{
		Use:   op.Name + " INPUT…",
		Short: report.Capital(op.Title),
		Long:  columnHelp(op),
		Args:  needInput,
		RunE: func(cmd *cobra.Command, inputs []string) error {
			return p.start(cmd.Context(), &runConfig{operation: op, inputs: inputs, flags: flags, set: cmd.Flags()})
		},
	}
	if op.Name == "personalize" {
		flags.addPersonalize(cmd.Flags())
		flags.delta.addMirror(cmd.Flags())
	}
	flags.delta.add(cmd.Flags())
	flags.add(cmd.Flags())
	return cmd
}

// needs demands arguments, one to most of them.
func needs(what string, most int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		return refuse(len(args) == 0 || len(args) > most, "%s needs %s", cmd.CommandPath(), what)
	}
}

// noArgs demands that there are none.
func noArgs(cmd *cobra.Command, args []string) error {
	err := cobra.NoArgs(cmd, args)
	return refuse(err != nil, "%w", err)
}

func needInput(cmd *cobra.Command, args []string) error {
	const what = "an INPUT: a file, a glob, a folder or - for standard input\nRun %s --help to see the flags"
	return needs(fmt.Sprintf(what, cmd.CommandPath()), math.MaxInt)(cmd, args)
}

func columnHelp(op *ops.Operation) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, one request a row.\n\nColumns (letter case, spaces, - and _ do not count):\n", report.Capital(op.Title))
	line := func(what string, columns []string) {
		if len(columns) > 0 {
			fmt.Fprintf(&b, "  %-13s %s\n", what, strings.Join(columns, ", "))
		}
	}
	line("required", op.Required)
	line("at least one", op.OneOf)
	line("optional", op.Optional)
	b.WriteString("\nINPUT is a file, a glob, a folder, or - for standard input.")
	return b.String()
}

// What release builds set by the linker (.release/compile): the release, the
// commit it was made of, and that commit's time.
var stamped, stampedCommit, stampedDate string

// build is where a program comes from.
type build struct {
	version string // the release, or devel
	commit  string // empty when it is not known
	date    string // of the commit, RFC 3339; empty when it is not known
}

// thisBuild is what the linker was told, else what Go noted of the checkout.
func thisBuild() build {
	b := build{cmp.Or(stamped, "devel"), stampedCommit, stampedDate}
	info, ok := debug.ReadBuildInfo()
	if stamped != "" || !ok {
		return b
	}
	if info.Main.Version != "" && info.Main.Version != "(devel)" {
		b.version = info.Main.Version
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.commit = s.Value
		case "vcs.time":
			b.date = s.Value
		}
	}
	return b
}

// version is the release, or the commit a development build was made of.
func version() string { return thisBuild().version }

// String is the line that pushbatch version prints.
func (b build) String() string {
	line := "pushbatch " + b.version
	if b.commit != "" {
		line += " (" + strings.TrimSuffix(fmt.Sprintf("commit %.12s, %s", b.commit, b.date), ", ") + ")"
	}
	return fmt.Sprintf("%s %s %s/%s", line, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

func newVersionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print version, commit, date and Go version",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			fmt.Fprintln(cmd.OutOrStdout(), thisBuild())
			return nil
		},
	}
}
