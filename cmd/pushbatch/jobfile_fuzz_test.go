package main

import (
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"pushbatch/batch/runstore"
	"pushbatch/testdata/peak"
	"pushbatch/writers/console"
)

// FuzzJobFile: whatever stands in a job.json, taking it over ends with an error or
// with settings in which no secret has another way than the one in force, and takes
// little memory.
func FuzzJobFile(f *testing.F) {
	f.Add([]byte(`{"version":"devel","operation":"personalize","executions":1,"inputs":[{"name":"in.csv","size":3}],"settings":{"rate":["10"]}}`))
	f.Add([]byte(`{"operation":"update","settings":{"base-url":["https://evil.example"],"s3-endpoint-url":["http://evil.example"]},"seal":"00"}`))
	f.Add([]byte(`{"operation":"update","settings":{"api-key-file":["/etc/shadow"],"metrics-file":["/etc/cron.d/x"],"notify-secret-file":["/etc/shadow"]}}`))
	f.Add([]byte(`{"operation":"update","settings":{"map":["/etc/shadow"],"set":["a=b","c"],"trust-folder":["true"],"metrics-listen":["0.0.0.0:80"]}}`))
	f.Add([]byte(`{"operation":"update","settings":{"notify-url":["https://evil.example"],"config":["/etc/shadow"],"input":["a=/etc/shadow"]}}`))
	f.Add([]byte(`{"operation":"nonesuch","settings":null}`))
	f.Add([]byte(`{"operation":"update","mapping":"` + strings.Repeat("[", 200_000) + `"}`))
	f.Add([]byte(strings.Repeat(`{"settings":`, 2000)))
	f.Fuzz(func(t *testing.T, data []byte) {
		path := t.TempDir()
		if err := os.WriteFile(filepath.Join(path, runstore.JobFile), data, 0o600); err != nil {
			t.Fatal(err)
		}
		folder, err := runstore.View(t.Context(), path, runstore.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer folder.Close()
		getenv := func(name string) (string, bool) { return "k", name == "INFOBIP_API_KEY" || name == "INFOBIP_APP_CODE" }
		p := &process{stdout: io.Discard, stderr: io.Discard, getenv: getenv, terminal: console.TerminalOf(console.NewStream(io.Discard), getenv)}
		peak.AtMost(t, 256<<20)
		c := newRunConfig(t)
		if _, err = p.reopen(folder, c); err != nil {
			return
		}
		c.set.VisitAll(func(flag *pflag.Flag) {
			if slices.Contains(slices.Concat(unrestoredFlags, unkeptFlags), flag.Name) && !slices.Contains(endpointFlags, flag.Name) && flag.Value.String() != flag.DefValue {
				t.Errorf("--%s was taken from job.json: %q", flag.Name, flag.Value)
			}
		})
		if c.flags.client.BaseURL != c.set.Lookup("base-url").DefValue || c.flags.s3.EndpointURL != "" || c.flags.trustFolder {
			t.Errorf("taken from job.json: %q, %q, trust %v", c.flags.client.BaseURL, c.flags.s3.EndpointURL, c.flags.trustFolder)
		}
	})
}

// newRunConfig is what the command resume begins with.
func newRunConfig(t *testing.T) *runConfig {
	t.Helper()
	flags := &jobFlags{}
	set := pflag.NewFlagSet("resume", pflag.ContinueOnError)
	flags.addAll(set)
	return &runConfig{flags: flags, set: set}
}
