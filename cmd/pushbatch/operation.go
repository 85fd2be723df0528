package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"pushbatch/batch/ops"
)

// newOperationCommand makes the command of an operation that sends one request
// a row. What differs between operations comes from their table in batch/ops.
func newOperationCommand(p *process, op *ops.Operation) *cobra.Command {
	flags := &jobFlags{}
	cmd := &cobra.Command{
		Use:   op.Name + " INPUT…",
		Short: capitalized(op.Title),
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

func needInput(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return usageError("%s needs an INPUT: a file, a glob, a folder or - for standard input\nRun %s --help to see the flags",
			cmd.CommandPath(), cmd.CommandPath())
	}
	return nil
}

// columnHelp tells which columns an operation takes.
func columnHelp(op *ops.Operation) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, one request a row.\n\nColumns (letter case, spaces, - and _ do not count):\n", capitalized(op.Title))
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
