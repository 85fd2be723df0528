package main

import (
	"cmp"
	"encoding/json"
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

// addMoved adds the flag of commands that read the inputs of an old run.
func (c *runConfig) addMoved(fs *pflag.FlagSet) {
	fs.StringArrayVar(&c.moved, "input", nil, "where an input is now that was moved, `OLD=NEW`; may be given more than once")
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
	if c.flags.limit < 1 && c.set.Changed("limit") { // the first 0 rows are not all of them
		return usageError("--limit %d: at least 1 row was expected", c.flags.limit)
	}
	for _, name := range endpointFlags {
		if u, err := url.Parse(c.set.Lookup(name).Value.String()); err == nil && u.User != nil {
			return usageError("--%s holds a user name or password, which would be shown in many places: leave it out", name)
		}
	}
	return c.checkExport()
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
	o := ops.Options{
		NullLiteral: c.flags.nullLiteral, PhoneRegion: c.flags.phoneRegion, BirthdayDate: c.flags.birthdayFormat == "date", IgnoreUnmapped: c.flags.ignoreUnmapped,
		Personalize: c.flags.personalize, HasAppCode: c.flags.appCode != "" || !c.sends() || c.flags.simulate,
		DryRun: dryRuns[c.flags.dryRun],
	}
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
	if !(j.rate > 0) || math.IsInf(j.rate, 0) {
		return usageError("--rate %v: a number of requests a second above 0 was expected", j.rate)
	}
	if j.maxInFlight < 1 || j.maxInFlight > maxInFlightLimit {
		return usageError("--max-in-flight %d: a number from 1 to %d was expected", j.maxInFlight, maxInFlightLimit)
	}
	if j.maxAttempts < 1 {
		return usageError("--max-attempts %d: at least 1 was expected", j.maxAttempts)
	}
	if j.timeout <= 0 {
		return usageError("--timeout %s: a duration above 0 was expected, such as 30s", j.timeout)
	}
	if j.canary < 0 || j.maxDuration < 0 {
		return usageError("--canary and --max-duration take no negative value")
	}
	if j.maxOutage <= 0 {
		return usageError("--max-outage %s: a duration above 0 was expected, such as 30m", j.maxOutage)
	}
	if _, err := batch.ParseThreshold(j.maxErrors); err != nil {
		return usageError("--max-errors: %v", err)
	}
	if _, err := writers.ResultFormatNamed(j.results); err != nil {
		return usageError("--results: %v", err)
	}
	if _, ok := dryRuns[j.dryRun]; !ok {
		return usageError("--dry-run %q: take no value, or validate", j.dryRun)
	}
	return nil
}

var dryRuns = map[string]ops.DryRun{"false": ops.Send, "true": ops.ShowRequests, "validate": ops.Validate}

func (j *jobFlags) readerOptions(stdin io.Reader) readers.Options {
	return readers.Options{
		Format: j.format, Delimiter: j.delimiter, Encoding: j.encoding, Compression: j.compression, Stdin: stdin,
	}
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
	Empty      []inputSpec         `json:"empty_inputs,omitempty"` // passed over, as --allow-empty has it
	Settings   map[string][]string `json:"settings"`               // flags that differ from their defaults
	Split      *splitSpec          `json:"split,omitempty"`        // the part of a split that the inputs are
	Undo       *undoSpec           `json:"undo,omitempty"`         // the run that this one takes back
	Retry      *retrySpec          `json:"retry,omitempty"`        // the rows of an older run that this one takes
	Notify     string              `json:"notify,omitempty"`       // host of --notify-url
	Redaction  *redactionSpec      `json:"redaction,omitempty"`
	Since      time.Time           `json:"since,omitzero"`      // of an export --since-last: who changed since is asked for
	Variables  []string            `json:"variables,omitempty"` // settings that variables gave
	Mapping    string              `json:"mapping,omitempty"`
	Seal       string              `json:"seal,omitempty"` // of the addresses among the settings, see restore.go
	Columns    inputColumns        `json:"columns"`        // of each input: what each column is used for

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
}

// columnSpec is what one column of an input is used for.
type columnSpec struct {
	Column string `json:"column"`
	Target string `json:"target,omitempty"`
	Use    string `json:"use"`
}

// inputColumns are the columns of each input. Those that are like the ones of the
// input before are kept once, in memory and as null in JSON: of 5,000 parts with 24
// columns they took 60 MB.
type inputColumns [][]columnSpec

func (c *inputColumns) add(columns []columnSpec) { *c = appendAlike(*c, columns) }

// appendAlike appends what is known of an input's columns; it is that of the input
// before where they are alike, as thousands of parts are.
func appendAlike[T comparable](all [][]T, list []T) [][]T {
	if n := len(all); n > 0 && slices.Equal(all[n-1], list) {
		list = all[n-1]
	}
	return append(all, list)
}

// MarshalJSON implements json.Marshaler.
func (c inputColumns) MarshalJSON() ([]byte, error) {
	stored := slices.Clone([][]columnSpec(c))
	for i := len(stored) - 1; i > 0; i-- {
		if slices.Equal(stored[i-1], stored[i]) {
			stored[i] = nil
		}
	}
	return json.Marshal(stored)
}

// UnmarshalJSON implements json.Unmarshaler.
func (c *inputColumns) UnmarshalJSON(data []byte) error {
	err := json.Unmarshal(data, (*[][]columnSpec)(c))
	for i := 1; i < len(*c); i++ {
		if (*c)[i] == nil {
			(*c)[i] = (*c)[i-1]
		}
	}
	return err
}

func (x *execution) columnsOf(b *ops.Binding) []columnSpec {
	specs := make([]columnSpec, len(b.Columns))
	for i, c := range b.Columns {
		specs[i] = columnSpec{x.redactor.Name(c.Column), c.Target, string(c.Use)}
	}
	return specs
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
