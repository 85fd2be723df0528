package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"pushbatch/apiclient"
	"pushbatch/batch/ops"
)

// newOperationCommand makes the command of an operation that sends one request
// a row. What differs between operations comes from their table in batch/ops.
func newOperationCommand(p *process, op *ops.Operation) *cobra.Command {
	flags := &jobFlags{}
	personalize := &apiclient.PersonalizeOptions{}
	cmd := &cobra.Command{
		Use:   op.Name + " INPUT…",
		Short: capitalized(op.Title),
		Long:  columnHelp(op),
		Args:  needInput,
		RunE: func(cmd *cobra.Command, inputs []string) error {
			return p.runJob(cmd.Context(), &job{
				operation: op, inputs: inputs, flags: flags, set: cmd.Flags(), personalize: personalize,
			})
		},
	}
	if op.Name == "personalize" {
		addPersonalizeFlags(cmd.Flags(), personalize)
	}
	flags.add(cmd.Flags())
	return cmd
}

func addPersonalizeFlags(fs *pflag.FlagSet, o *apiclient.PersonalizeOptions) {
	fs.BoolVar(&o.ForceDepersonalize, "force-depersonalize", false, "reset an earlier personalization of a device first")
	fs.BoolVar(&o.KeepAsLead, "keep-as-lead", false, "do not promote persons from lead to customer")
	fs.BoolVar(&o.SetDeviceAsPrimary, "set-device-as-primary", false, "make each device its person's primary device")
	fs.BoolVar(&o.ReturnPush, "return-push", false, "ask for the person's devices in the answer")
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
