package main

import (
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"pushbatch/batch/ops"
	"pushbatch/writers/console"
)

// secretVariables are the variables that hold secrets: of them only whether
// they are set is ever told.
var secretVariables = []string{
	"INFOBIP_API_KEY", "INFOBIP_USERNAME", "INFOBIP_PASSWORD", "INFOBIP_TOKEN", "INFOBIP_CLIENT_ID", "INFOBIP_CLIENT_SECRET",
	redactKeyVariable, notifySecretVariable,
	"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
}

type setting struct {
	Name   string `json:"name"`
	Value  string `json:"value"`
	Source string `json:"source"`         // flag, environment, file or default
	From   string `json:"from,omitempty"` // which flag, which variable, which line of which file
}

type secretSetting struct {
	Variable string `json:"variable"`
	Set      bool   `json:"set"`
}

type settingsInForce struct {
	Settings []setting       `json:"settings"`
	Secrets  []secretSetting `json:"secrets"`
}

func newConfigCommand(p *process) *cobra.Command {
	config := &cobra.Command{Use: "config", Short: "Show the settings in force", Args: noArgs}
	asJSON := false
	show := &cobra.Command{
		Use:   "show",
		Short: "Show every setting in force, its value and where it comes from",
		Long: "show prints every flag of a job as it would be in force for a job started now: from the\n" +
			"command line, the environment, the file that --config names, or by default. Of secrets it\n" +
			"only tells whether they are set.",
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			from, err := resolve(cmd.Flags(), p.getenv)
			if err != nil {
				return err
			}
			return show(cmd.OutOrStdout(), "settings", p.settingsInForce(cmd.Flags(), from), asJSON)
		},
	}
	new(jobFlags).addAll(show.Flags())
	show.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	config.AddCommand(show)
	return config
}

func (p *process) settingsInForce(fs *pflag.FlagSet, from map[string]origin) settingsInForce {
	var all settingsInForce
	fs.VisitAll(func(f *pflag.Flag) {
		if f.Name == "help" || f.Name == "json" {
			return
		}
		o := from[f.Name]
		all.Settings = append(all.Settings, setting{f.Name, shownValue(f), o.source, o.name})
	})
	for _, name := range secretVariables {
		value, _ := p.getenv(name)
		all.Secrets = append(all.Secrets, secretSetting{name, value != ""})
	}
	return all
}

// shownValue is a flag's value as it may be seen: without what is secret in an
// address.
func shownValue(f *pflag.Flag) string {
	if f.Name == "notify-url" {
		return console.HostURL(f.Value.String())
	}
	if strings.HasSuffix(f.Name, "-url") {
		return console.MaskedURL(f.Value.String())
	}
	return strings.Join(valuesOf(f), ", ")
}

// knownVariables are the variables that mean something to any command.
func knownVariables(root *cobra.Command) []string {
	known := slices.AppendSeq(slices.Clone(secretVariables), maps.Values(envAliases))
	for _, cmd := range root.Commands() {
		if hasSettings(cmd) {
			cmd.Flags().VisitAll(func(f *pflag.Flag) { known = append(known, envName(f.Name)) })
		}
	}
	return known
}

// hasSettings reports whether variables set the flags of a command.
func hasSettings(cmd *cobra.Command) bool { return cmd.Flags().Lookup("s3-region") != nil }

// meantVariable is the known variable that another is most likely a slip of: it has the
// other prefix, letters differ, or a word at the end is missing or too many. Empty: none.
func meantVariable(name string, known []string) string {
	head, own, _ := strings.Cut(name, "_")
	prefix := ops.Misspelling(head+"_", []string{variablePrefix, platformPrefix})
	if other := platformPrefix + own; prefix == variablePrefix && slices.Contains(known, other) {
		return other
	}
	var names []string
	for _, k := range known {
		if rest, ours := strings.CutPrefix(k, prefix); ours && prefix != "" && own != "" {
			names = append(names, rest)
		}
	}
	if near := ops.Misspelling(own, names); near != "" {
		return prefix + near
	}
	at := slices.IndexFunc(names, func(n string) bool { return strings.HasPrefix(n, own+"_") || strings.HasPrefix(own, n+"_") })
	if at < 0 {
		return ""
	}
	return prefix + names[at]
}

// warnOfVariables names variables of the environment that are most likely a
// misspelling of one that is known: what they should set is not in force. Their
// values are not told.
func (p *process) warnOfVariables(cmd *cobra.Command, _ []string) {
	if !hasSettings(cmd) {
		return
	}
	known := knownVariables(p.root)
	for _, entry := range p.environ {
		name, value, _ := strings.Cut(entry, "=")
		if value == "" || slices.Contains(known, name) {
			continue
		}
		near := meantVariable(name, known)
		if inForce, _ := p.getenv(near); near != "" && inForce == "" {
			p.warn("the environment variable %s is not known: did you mean %s?", name, near)
		}
	}
}
