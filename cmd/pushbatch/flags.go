package main

import (
	"time"

	"github.com/spf13/pflag"

	"pushbatch/apiclient"
	"pushbatch/batch"
	"pushbatch/batch/ops"
	"pushbatch/readers"
)

// connectionFlags say how the platform is reached.
type connectionFlags struct {
	client     apiclient.Config
	apiKeyFile string
	auth       string
	simulate   bool
}

func (c *connectionFlags) add(fs *pflag.FlagSet) {
	c.addAccount(fs)
	fs.StringVar(&c.apiKeyFile, "api-key-file", "", "`FILE` that holds the API key (else from INFOBIP_API_KEY)")
	fs.StringVar(&c.auth, "auth", "app", "kind of authorization: app, basic, ibsso or oauth2 (see help environment)")
	fs.BoolVar(&c.simulate, "simulate", false, "run against the built-in simulator: no account is needed and nothing leaves this machine")
}

func (c *connectionFlags) addAccount(fs *pflag.FlagSet) {
	fs.StringVar(&c.client.BaseURL, "base-url", "https://api.infobip.com", "base `URL` of your account (also INFOBIP_BASE_URL)")
	fs.StringVar(&c.client.AppCode, "app-code", "", "application `CODE` of the mobile app's profile (also INFOBIP_APP_CODE)")
}

// inputFlags say how inputs are read and mapped.
type inputFlags struct {
	reader         readers.Options
	bind           ops.Options
	mapFile        string
	set            []string
	birthdayFormat string
	followLinks    bool
}

func (i *inputFlags) add(fs *pflag.FlagSet) {
	fs.StringVar(&i.reader.Format, "format", "auto", "format of the inputs: auto, csv, parquet or ndjson")
	fs.StringVar(&i.reader.Delimiter, "delimiter", "auto", "`CHARACTER` between CSV cells: auto, or one such as ; or tab")
	fs.StringVar(&i.reader.Encoding, "encoding", "auto", "text `ENCODING`: auto (BOM, UTF-8, UTF-16) or a name such as windows-1252")
	fs.StringVar(&i.reader.Compression, "compression", "auto", "compression of the inputs: auto, none, gzip or zstd")
	fs.StringVar(&i.mapFile, "map", "", "YAML `FILE` that maps columns to targets")
	fs.StringArrayVar(&i.set, "set", nil, "constant for every row, `TARGET=VALUE`; may be given more than once")
	fs.StringVar(&i.bind.NullLiteral, "null-literal", "", "cell `TEXT` that is sent as null, to clear a value at the platform")
	fs.StringVar(&i.birthdayFormat, "birthday-format", "date-time", "`FORM` in which birthdays are sent: date-time (midnight UTC) or date")
	fs.StringVar(&i.bind.PhoneRegion, "phone-region", "", "`REGION` of phone numbers without country code, such as HR")
	fs.BoolVar(&i.followLinks, "follow-links", false, "follow links in an input folder that lead out of it")
	fs.BoolVar(&i.bind.IgnoreUnmapped, "ignore-unmapped", false, "pass over columns that no target is known for")
}

// executionFlags say how requests are sent and when a run stops.
type executionFlags struct {
	engine      batch.Config
	shareLimit  string
	maxErrors   string
	maxDuration time.Duration
	allowEmpty  bool
	strict      bool
	dryRun      string
}

func (e *executionFlags) add(fs *pflag.FlagSet, client *apiclient.Config) {
	fs.Float64Var(&client.Rate, "rate", 50, "requests a second, `N`; the default is the platform's published limit")
	fs.Float64Var(&client.ListRate, "list-rate", apiclient.PublishedListRate, "pages of the people listing a second, `N`; the default is the published limit")
	fs.StringVar(&e.shareLimit, "share-limit", "", "`LOCATION` (a file or s3:// object): all processes that name it share --rate, by operation and account")
	fs.IntVar(&e.engine.MaxInFlight, "max-in-flight", 64, "`N` requests under way at the same time, at most")
	fs.IntVar(&client.MaxAttempts, "max-attempts", 10, "`N` attempts a row before it counts as failed; an answer 429 is none")
	fs.DurationVar(&client.Timeout, "timeout", 30*time.Second, "`DURATION` after which one attempt is given up")
	fs.StringVar(&e.maxErrors, "max-errors", "", "stop after more than `N` bad rows, or P% of the rows (from 100 rows on)")
	fs.Int64Var(&e.engine.Canary, "canary", 0, "the first `N` rows must all succeed, else stop")
	fs.Int64Var(&e.engine.Limit, "limit", 0, "take only the first `N` rows")
	fs.DurationVar(&e.maxDuration, "max-duration", 0, "stop after this `DURATION`, to be resumed (exit code 6)")
	fs.DurationVar(&client.MaxOutage, "max-outage", 30*time.Minute, "`DURATION` to wait for a platform that is down")
	fs.BoolVar(&e.allowEmpty, "allow-empty", false, "inputs without a row are no error")
	fs.BoolVar(&e.strict, "strict", false, "end with 1 when rows that went through have warnings")
	fs.StringVar(&e.dryRun, "dry-run", "false", "check every row, send nothing and write requests.ndjson; validate: without that file")
	fs.Lookup("dry-run").NoOptDefVal = "true"
}

// outputFlags say where reports go.
type outputFlags struct {
	out           string
	goOn          bool
	results       string
	redact        bool
	redactKeyFile string
}

func (o *outputFlags) add(fs *pflag.FlagSet) {
	fs.StringVar(&o.out, "out", "", "run `FOLDER` or s3:// prefix (default runs/<UTC time>-<operation>)")
	fs.BoolVar(&o.goOn, "continue", false, "when --out holds this run already, go on with it instead of refusing")
	fs.StringVar(&o.results, "results", "csv", "format of the results file: csv, parquet or ndjson")
	fs.BoolVar(&o.redact, "redact", false, "replace the values of rows in reports and logs by a keyed hash (the table of an export keeps them)")
	fs.StringVar(&o.redactKeyFile, "redact-key-file", "", "`FILE` that holds the key of --redact (else from PUSHBATCH_REDACT_KEY)")
}

// messageFlags say what is printed on standard error.
type messageFlags struct {
	quiet     bool
	verbose   bool
	logFormat string
	progress  string
}

func (t *messageFlags) add(fs *pflag.FlagSet) {
	fs.BoolVarP(&t.quiet, "quiet", "q", false, "tell errors only")
	fs.BoolVarP(&t.verbose, "verbose", "v", false, "tell every retry and pause")
	fs.StringVar(&t.logFormat, "log-format", "text", "format of log lines: text or json")
	fs.StringVar(&t.progress, "progress", "auto", "progress: auto (a bar on a terminal, else plain), bar, plain (a line every 10 s) or none")
}

// watchFlags say how other programs follow a run.
type watchFlags struct {
	metricsFile      string
	metricsListen    string
	metricsLabels    []string
	notifyURL        string
	notifySecretFile string
}

func (w *watchFlags) add(fs *pflag.FlagSet) {
	fs.StringVar(&w.metricsFile, "metrics-file", "", "`FILE` that always has the run's metrics for Prometheus (node exporter's textfile collector)")
	fs.StringVar(&w.metricsListen, "metrics-listen", "", "`ADDRESS` that serves /metrics while the run goes on; :9464 is loopback only")
	fs.StringArrayVar(&w.metricsLabels, "metrics-label", nil, "label of all metrics, `NAME=VALUE`; may be given more than once")
	fs.StringVar(&w.notifyURL, "notify-url", "", "`URL` that is sent summary.json when the run has ended or stopped")
	fs.StringVar(&w.notifySecretFile, "notify-secret-file", "", "`FILE` that holds the secret that notifications are signed with (else from PUSHBATCH_NOTIFY_SECRET)")
}

// jobFlags are the flags of a job. A feature adds a group of its own here, with
// one line in add, and names its flags in the lists below where they apply.
type jobFlags struct {
	config string
	connectionFlags
	inputFlags
	executionFlags
	outputFlags
	s3Flags
	watchFlags
	messageFlags
	snapshotFlags
	export exportFlags // of export only
	delta  deltaFlags  // of the operations that write
}

func (j *jobFlags) add(fs *pflag.FlagSet) {
	fs.SortFlags = false
	j.connectionFlags.add(fs)
	j.inputFlags.add(fs)
	j.executionFlags.add(fs, &j.client)
	j.outputFlags.add(fs)
	j.s3Flags.add(fs)
	j.watchFlags.add(fs)
	j.snapshotFlags.add(fs)
	j.messageFlags.add(fs)
	fs.StringVar(&j.config, "config", "", "YAML `FILE` with any of these flags as keys")
}

// addInspected adds the flags of a job that inspect plans with.
func (j *jobFlags) addInspected(fs *pflag.FlagSet) {
	j.addAccount(fs)
	j.delta.add(fs)
	fs.Float64Var(&j.client.Rate, "rate", 50, "requests a second, `N`, that the time to send is reckoned with")
}

// addAll adds the flags of every kind of job, for commands that go on with any.
func (j *jobFlags) addAll(fs *pflag.FlagSet) {
	j.addPersonalize(fs)
	j.delta.add(fs)
	j.delta.addMirror(fs)
	j.add(fs)
	j.export.add(fs)
}

func (j *jobFlags) addPersonalize(fs *pflag.FlagSet) {
	o := &j.bind.Personalize // of personalize only
	fs.BoolVar(&o.ForceDepersonalize, "force-depersonalize", false, "reset an earlier personalization of a device first")
	fs.BoolVar(&o.KeepAsLead, "keep-as-lead", false, "do not promote persons from lead to customer")
	fs.BoolVar(&o.SetDeviceAsPrimary, "set-device-as-primary", false, "make each device its person's primary device")
	fs.BoolVar(&o.ReturnPush, "return-push", false, "ask for the person's devices in the answer")
}

// fixedFlags are what a run keeps for good: with another value its rows would
// mean something else than those that are done. Of an export, how and where the
// table is published may be given anew: that happens at the end.
var fixedFlags = []string{
	"format", "delimiter", "encoding", "compression", "map", "set", "null-literal", "phone-region", "birthday-format", "ignore-unmapped",
	"out", "continue", "results", "redact", "dry-run", "force-depersonalize", "keep-as-lead", "set-device-as-primary", "return-push",
	"simulate",
	"delta", "delta-full", "delta-adopt", "max-age", "mirror", "on-duplicate",
	"people", "person-attributes", "detail", "modified-since", "filter", "application",
}

// notInherited are the flags that a retry does not take from the old run.
var notInherited = []string{"out", "limit", "canary", "to", "delta-full", "delta-adopt", "mirror", "max-vanished"}

// unkeptFlags are not kept in job.json. An address for notifications may hold a
// secret anywhere: a resumed run gets it anew, as it gets the API key.
var unkeptFlags = []string{"config", "continue", "help", "from", "notify-url", "trust-folder", "input", "status", "code"}

// unrestoredFlags stand in job.json, but are not taken from it: addresses and
// paths of secrets, whom a run tells and how, and how long one execution may take.
var unrestoredFlags = []string{
	"base-url", "s3-endpoint-url", "api-key-file", "redact-key-file", "notify-secret-file", "metrics-file", "metrics-listen", "max-duration", "trust-folder",
	"quiet", "verbose", "log-format", "progress",
}
