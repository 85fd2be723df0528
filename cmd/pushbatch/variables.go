package main

import (
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
func (p *process) warnOfVariables() {
	var known []string // most environments have none of ours
	for _, entry := range p.environ {
		name, value, _ := strings.Cut(entry, "=")
		own, ours := strings.CutPrefix(name, variablePrefix)
		if !ours || value == "" {
			continue
		}
		if known == nil {
			known = knownVariables(p.root)
		}
		if near := ops.Misspelling(own, known); near != "" && near != own {
			p.warn("the environment variable %s is not known: did you mean %s?", name, variablePrefix+near)
		}
	}
}
