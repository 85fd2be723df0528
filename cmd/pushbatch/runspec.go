package main

import (
	"slices"
	"time"

	"github.com/spf13/pflag"

	"pushbatch/batch"
	"pushbatch/batch/blob"
)

// runSpec is what was asked of a run: the content of job.json. It holds no
// secret. A resumed run takes everything from it.
type runSpec struct {
	Version   string              `json:"version"`
	Operation string              `json:"operation"`
	StartedAt time.Time           `json:"started_at"`
	Sittings  int                 `json:"sittings"`
	Limit     int64               `json:"limit,omitempty"`
	Inputs    []inputSpec         `json:"inputs"`
	Empty     []inputSpec         `json:"empty_inputs,omitempty"` // passed over, as --allow-empty has it
	Settings  map[string][]string `json:"settings"`               // flags that differ from their defaults
	Retry     *retrySpec          `json:"retry,omitempty"`        // the rows of an older run that this one takes
	Notify    string              `json:"notify,omitempty"`       // host of --notify-url
	Redaction *redactionSpec      `json:"redaction,omitempty"`
	Mapping   string              `json:"mapping,omitempty"`
	Columns   [][]columnSpec      `json:"columns"` // of each input: what each column is used for
}

// inputSpec is one input: how it was named and which version of it was read.
type inputSpec struct {
	Name       string `json:"name"`
	Detected   string `json:"detected"`
	Compressed bool   `json:"compressed,omitempty"`
	batch.Identity
	Partitions []blob.Partition `json:"partitions,omitempty"`
}

// columnSpec is what one column of an input is used for.
type columnSpec struct {
	Column string `json:"column"`
	Target string `json:"target,omitempty"`
	Use    string `json:"use"`
}

// unkeptFlags are not kept in job.json. An address for notifications may hold a
// secret anywhere: a resumed run gets it anew, as it gets the API key.
var unkeptFlags = []string{"config", "continue", "help", "notify-url"}

// settingsOf lists the flags that differ from their defaults, in the form in
// which they can be set again.
func settingsOf(fs *pflag.FlagSet) map[string][]string {
	settings := make(map[string][]string)
	fs.VisitAll(func(f *pflag.Flag) {
		if f.Value.String() == f.DefValue || slices.Contains(unkeptFlags, f.Name) {
			return
		}
		if list, ok := f.Value.(pflag.SliceValue); ok {
			settings[f.Name] = list.GetSlice()
			return
		}
		settings[f.Name] = []string{f.Value.String()}
	})
	return settings
}
