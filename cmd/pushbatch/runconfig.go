package main

import (
	"cmp"
	"errors"
	"io"
	"math"
	"net/url"
	"os"
	"slices"
	"time"

	"github.com/spf13/pflag"

	"pushbatch/batch"
	"pushbatch/batch/blob"
	"pushbatch/batch/ops"
	"pushbatch/readers"
	"pushbatch/writers"
	"pushbatch/writers/report"
)

// runConfig is what is asked of a run by the command line, the environment and
// the --config file. Nothing of it is open.
type runConfig struct {
	operation *ops.Operation
	inputs    []string // as named on the command line
	flags     *jobFlags
	set       *pflag.FlagSet // the same flags by name
	mapping   string         // content of the mapping file
	moved     []string       // of resume and retry: OLD=NEW of each input that is elsewhere now
}

// load fills the flags that the command line leaves open, checks all of them and
// reads the mapping file.
func (c *runConfig) load(getenv func(string) (string, bool)) error {
	if _, err := resolve(c.set, getenv); err != nil {
		return err
	}
	return cmp.Or(c.check(), c.readMapping())
}

// check refuses values that no run can have.
func (c *runConfig) check() error {
	if err := errors.Join(c.flags.check(), c.flags.s3Flags.check(), c.checkDelta()); err != nil {
		return err
	}
	for _, name := range endpointFlags {
		if u, err := url.Parse(c.set.Lookup(name).Value.String()); err == nil && u.User != nil {
			return usageError("--%s holds a user name or password, which would be shown in many places: leave it out", name)
		}
	}
	return cmp.Or( // the first 0 rows are not all of them
		refuse(c.flags.engine.Limit < 1 && c.set.Changed("limit"), "--limit %d: at least 1 row was expected", c.flags.engine.Limit),
		c.checkExport(),
	)
}

// given names those of some flags that differ from their defaults.
func (c *runConfig) given(names ...string) (given []string) {
	settings := settingsOf(c.set)
	for _, name := range names {
		if settings[name] != nil {
			given = append(given, "--"+name)
		}
	}
	return given
}

func (c *runConfig) readMapping() error {
	if c.flags.mapFile == "" || c.mapping != "" {
		return nil
	}
	data, err := os.ReadFile(c.flags.mapFile)
	if err != nil {
		return usageError("read --map: %v", err)
	}
	c.mapping = string(data)
	return nil
}

// sends reports whether requests are sent: it is no dry run.
func (c *runConfig) sends() bool { return dryRuns[c.flags.dryRun] == ops.Send }

// bindOptions say how columns are bound, but for what sends.
func (c *runConfig) bindOptions() (ops.Options, error) {
	o := c.flags.bind
	o.BirthdayDate, o.DryRun = c.flags.birthdayFormat == "date", dryRuns[c.flags.dryRun]
	o.HasAppCode = c.flags.client.AppCode != "" || !c.sends() || c.flags.simulate
	if form := c.flags.birthdayFormat; form != "date" && form != "date-time" && form != "" {
		return o, usageError("--birthday-format %q: take date-time or date", form)
	}
	for _, text := range c.flags.set {
		constant, err := ops.ParseConstant(text)
		if err != nil {
			return o, usageError("--set: %v", err)
		}
		o.Constants = append(o.Constants, constant)
	}
	if c.mapping == "" {
		return o, nil
	}
	var err error
	if o.Mapping, err = ops.ParseMapping(c.flags.mapFile, []byte(c.mapping)); err != nil {
		return o, usageError("%v", err)
	}
	return o, nil
}

// maxInFlightLimit keeps a typing error from opening connections without end.
const maxInFlightLimit = 10_000

// check refuses values that no run can have, before anything else happens.
func (j *jobFlags) check() error {
	_, noThreshold := batch.ParseThreshold(j.maxErrors)
	_, noFormat := writers.ResultFormatNamed(j.results)
	_, known := dryRuns[j.dryRun]
	return cmp.Or(
		j.checkRate(),
		refuse(!(j.client.ListRate > 0), "--list-rate %v: a number of requests a second above 0 was expected", j.client.ListRate),
		refuse(j.engine.MaxInFlight < 1 || j.engine.MaxInFlight > maxInFlightLimit, "--max-in-flight %d: a number from 1 to %d was expected", j.engine.MaxInFlight, maxInFlightLimit),
		refuse(j.client.MaxAttempts < 1, "--max-attempts %d: at least 1 was expected", j.client.MaxAttempts),
		refuse(j.client.Timeout <= 0, "--timeout %s: a duration above 0 was expected, such as 30s", j.client.Timeout),
		refuse(j.engine.Canary < 0 || j.maxDuration < 0, "--canary and --max-duration take no negative value"),
		refuse(j.client.MaxOutage <= 0, "--max-outage %s: a duration above 0 was expected, such as 30m", j.client.MaxOutage),
		refuse(noThreshold != nil, "--max-errors: %v", noThreshold),
		refuse(noFormat != nil, "--results: %v", noFormat),
		refuse(!known, "--dry-run %q: take no value, or validate", j.dryRun),
	)
}

func (c *connectionFlags) checkRate() error {
	return refuse(!(c.client.Rate > 0) || math.IsInf(c.client.Rate, 0), "--rate %v: a number of requests a second above 0 was expected", c.client.Rate)
}

var dryRuns = map[string]ops.DryRun{"false": ops.Send, "true": ops.ShowRequests, "validate": ops.Validate}

func (i *inputFlags) readerOptions(stdin io.Reader) readers.Options {
	o := i.reader
	o.Stdin = stdin
	return o
}

// runSpec is what was asked of a run: the content of job.json. It holds no
// secret. A resumed run takes everything from it.
type runSpec struct {
	Version    string              `json:"version"`
	Operation  string              `json:"operation"`
	StartedAt  time.Time           `json:"started_at"`
	Executions int                 `json:"executions"` // 1, and one more for each resume
	Limit      int64               `json:"limit,omitempty"`
	Inputs     []inputSpec         `json:"inputs"`
	Empty      []inputSpec         `json:"empty_inputs,omitempty"`        // passed over, as --allow-empty has it
	Settings   map[string][]string `json:"settings"`                      // flags that differ from their defaults
	Split      *splitSpec          `json:"split,omitempty"`               // the part of a split that the inputs are
	Undo       *undoSpec           `json:"undo,omitempty"`                // the run that this one takes back
	Retry      *retrySpec          `json:"retry,omitempty"`               // the rows of an older run that this one takes
	Notify     string              `json:"notify,omitempty"`              // host of --notify-url
	Redaction  string              `json:"redaction_key_check,omitempty"` // enough to know the key again, too little to find it
	Since      time.Time           `json:"since,omitzero"`                // of an export --since-last: who changed since is asked for
	Variables  []string            `json:"variables,omitempty"`           // settings that variables gave
	Mapping    string              `json:"mapping,omitempty"`
	Seal       string              `json:"seal,omitempty"` // of the addresses among the settings, see restore.go
	Columns    [][]report.Column   `json:"columns"`        // what each column is used for, of inputs that have the same ones once

	// FailedColumns are the columns of failed.csv of a run that was resumed with
	// another mapping, which would name some of them in another way.
	FailedColumns [][]string `json:"failed_columns,omitempty"`
}

// inputSpec is one input: how it was named and which version of it was read.
type inputSpec struct {
	Name       string `json:"name"`
	Detected   string `json:"detected"`
	Compressed bool   `json:"compressed,omitempty"`
	Checksum   string `json:"crc32c,omitempty"` // of the whole content, where the fingerprint covers it in part
	batch.Identity
	Partitions []blob.Partition `json:"partitions,omitempty"`
	Columns    int              `json:"columns,omitempty"` // which of the run's
}

// noteColumns keeps what the columns of an input are used for. Those that are like the
// ones of the input before are kept once: of 5,000 parts with 24 columns they took 60 MB.
func (s *runSpec) noteColumns(input int, columns []report.Column) {
	if n := len(s.Columns); n == 0 || !slices.Equal(s.Columns[n-1], columns) {
		s.Columns = append(s.Columns, columns)
	}
	s.Inputs[input].Columns = len(s.Columns) - 1
}

// columnsOf is what the columns of an input are used for; nil where that is not known.
func (s *runSpec) columnsOf(input int) []report.Column {
	if at := s.Inputs[input].Columns; at >= 0 && at < len(s.Columns) {
		return s.Columns[at]
	}
	return nil
}

// appendAlike appends what is known of an input's columns; it is that of the input
// before where they are alike, as thousands of parts are.
func appendAlike[T comparable](all [][]T, list []T) [][]T {
	if n := len(all); n > 0 && slices.Equal(all[n-1], list) {
		list = all[n-1]
	}
	return append(all, list)
}

func (x *execution) columnsOf(b *ops.Binding) []report.Column {
	columns := make([]report.Column, len(b.Columns))
	for i, c := range b.Columns {
		columns[i] = report.Column{Column: x.redactor.Name(c.Column), Target: c.Target, Use: string(c.Use)}
	}
	return columns
}

// settingsOf lists the flags that differ from their defaults, in the form in
// which they can be set again.
func settingsOf(fs *pflag.FlagSet) map[string][]string {
	settings := make(map[string][]string)
	fs.VisitAll(func(f *pflag.Flag) {
		if f.Value.String() == f.DefValue || slices.Contains(unkeptFlags, f.Name) {
			return
		}
		settings[f.Name] = valuesOf(f)
	})
	return settings
}

// valuesOf is what a flag is set to, in the form in which it can be set again.
func valuesOf(f *pflag.Flag) []string {
	if list, ok := f.Value.(pflag.SliceValue); ok {
		return list.GetSlice()
	}
	return []string{f.Value.String()}
}
