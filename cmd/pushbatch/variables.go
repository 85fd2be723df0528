package main

import (
	"log/slog"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"pushbatch/batch/ops"
)

// knownVariables are the variables that mean something to any command, without
// their prefix.
func knownVariables(root *cobra.Command) []string {
	var known []string
	know := func(name string) { known = append(known, strings.TrimPrefix(name, variablePrefix)) }
	know(redactKeyVariable)
	know(notifySecretVariable)
	for _, cmd := range root.Commands() {
		cmd.Flags().VisitAll(func(f *pflag.Flag) { know(envName(f.Name)) })
	}
	return known
}

// warnOfVariables names variables of the environment that are most likely a
// misspelling of one that is known: what they should set is not in force. Their
// values are not told.
func (p *process) warnOfVariables(log *slog.Logger) {
	for _, entry := range p.environ {
		name, value, _ := strings.Cut(entry, "=")
		own, ours := strings.CutPrefix(name, variablePrefix)
		if !ours || value == "" || slices.Contains(p.variables, own) {
			continue
		}
		if near := ops.Misspelling(own, p.variables); near != "" {
			log.Warn("the environment variable is not known", "variable", name, "nearest", variablePrefix+near)
		}
	}
}
