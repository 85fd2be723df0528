package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// promised are the flags that every job has, as the product was agreed on.
const promised = `base-url app-code api-key-file auth simulate
	format delimiter encoding compression map set null-literal phone-region ignore-unmapped
	rate max-in-flight max-attempts timeout max-errors canary limit max-duration max-outage allow-empty dry-run
	out results redact s3-endpoint-url s3-path-style s3-region quiet verbose log-format progress config
	metrics-file metrics-listen notify-url`

// promisedOf are the flags that single commands have beside those.
var promisedOf = map[string]string{
	"personalize":   promised + " force-depersonalize keep-as-lead set-device-as-primary return-push",
	"depersonalize": promised, "update": promised,
	"export":   promised + " to people",
	"resume":   "rate max-in-flight max-duration metrics-file notify-url redact-key-file config",
	"retry":    "status out",
	"status":   "json",
	"inspect":  "operation map config",
	"simulate": "listen",
	"show":     promised,
}

// command finds a command by the last word of its name.
func command(root *cobra.Command, name string) *cobra.Command {
	for _, below := range root.Commands() {
		if below.Name() == name {
			return below
		}
		if found := command(below, name); found != nil {
			return found
		}
	}
	return nil
}

func TestPromisedFlagsExist(t *testing.T) {
	t.Parallel()
	root := newRoot(&process{getenv: os.LookupEnv})
	for name, flags := range promisedOf {
		cmd := command(root, name)
		if cmd == nil {
			t.Errorf("there is no command %s", name)
			continue
		}
		for _, flag := range strings.Fields(flags) {
			if f := cmd.Flags().Lookup(flag); f == nil || f.Hidden {
				t.Errorf("%s has no flag --%s", name, flag)
			}
		}
	}
}

// jobCommands are the commands whose flags stand in the README or a help topic, beside their own help.
var jobCommands = []string{"personalize", "depersonalize", "update", "export", "resume", "show", "retry"}

// Every flag explains itself in help, and flags of jobs stand in the README. A
// flag of the README that does not exist is a mistake there.
func TestFlagsAreDocumented(t *testing.T) {
	t.Parallel()
	readme := documentedFlags(t)
	exists := map[string]bool{"help": true}
	flags := 0
	var look func(*cobra.Command)
	look = func(cmd *cobra.Command) {
		cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
			flags++
			exists[f.Name] = true
			if len(f.Usage) < 10 || strings.HasSuffix(f.Usage, ".") {
				t.Errorf("%s --%s: %q explains nothing, or ends with a point", cmd.Name(), f.Name, f.Usage)
			}
			if slices.Contains(jobCommands, cmd.Name()) && !f.Hidden && !readme[f.Name] && f.Name != "help" && f.Name != "json" {
				t.Errorf("--%s of %s stands neither in the README nor in a help topic", f.Name, cmd.Name())
			}
		})
		for _, below := range cmd.Commands() {
			look(below)
		}
	}
	look(newRoot(&process{getenv: os.LookupEnv}))
	if flags < 200 {
		t.Fatalf("only %d flags were looked at", flags)
	}
	for name := range readme {
		if !exists[name] && !foreignFlags[name] {
			t.Errorf("README or topics have --%s, which does not exist", name)
		}
	}
}

// documentedFlags are the flags that the README and the help topics name.
func documentedFlags(t *testing.T) map[string]bool {
	t.Helper()
	topics, err := filepath.Glob("help/*.md")
	if err != nil || len(topics) == 0 {
		t.Fatalf("%d help topics, %v", len(topics), err)
	}
	named := make(map[string]bool)
	for _, file := range append(topics, "../../README.md") {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile("--([a-z][a-z0-9-]+)").FindAllStringSubmatch(string(data), -1) {
			named[m[1]] = true
		}
	}
	return named
}

// foreignFlags are flags of other programs that the README shows.
var foreignFlags = map[string]bool{
	"now": true, "rm": true, "build-arg": true, // systemctl, docker
	"requeue": true, "open-mode": true, "signal": true, "array": true, // sbatch
	"job-definition": true, "job-queue": true, "job-name": true, "array-properties": true, "cli-input-json": true, // aws batch
}
