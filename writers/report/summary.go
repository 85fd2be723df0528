package report

import (
	"cmp"
	_ "embed"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"pushbatch/batch"
	"pushbatch/batch/ops"
	"pushbatch/writers/form"
)

// Names of the files in a run folder that this package makes the content of.
const (
	SummaryFile = "summary.json"
	PageFile    = "report.html"
)

// Share is what a run had at its end of a limit that several processes share.
type Share struct {
	Location  string  `json:"location"`
	Permits   int     `json:"permits"` // of this process, requests a second
	Rate      float64 `json:"rate"`    // of all together
	Processes int     `json:"processes"`
}

// Traffic is the requests of a run.
type Traffic struct {
	Requests  int64 `json:"requests"`                    // every attempt, those refused with 429 included
	AtLeast   bool  `json:"requests_at_least,omitempty"` // a process died: what was under way then is not counted
	Retries   int64 `json:"retries"`
	Throttled int64 `json:"throttled"`                   // answers 429
	Snapshot  int64 `json:"snapshot_requests,omitempty"` // requests that only asked what devices were
}

// Add adds the requests of others.
func (t *Traffic) Add(o Traffic) {
	t.Requests += o.Requests
	t.AtLeast = t.AtLeast || o.AtLeast
	t.Retries += o.Retries
	t.Throttled += o.Throttled
	t.Snapshot += o.Snapshot
}

// Summary is the content of summary.json. All numbers are sums over all
// executions of the run.
type Summary struct {
	Version    string    `json:"version"`
	Operation  string    `json:"operation"`
	Run        string    `json:"run"`
	Runs       []string  `json:"runs,omitempty"` // that are summed up here; Run then says how many
	Outcome    Outcome   `json:"outcome"`
	Reason     string    `json:"reason,omitempty"`
	ReasonCode string    `json:"reason_code,omitempty"`
	Remedy     string    `json:"remedy,omitempty"` // of what stopped the run
	ExitCode   int       `json:"exit_code"`
	DryRun     bool      `json:"dry_run,omitempty"`
	Simulated  bool      `json:"simulated,omitempty"` // the built-in simulator answered
	StartedAt  time.Time `json:"started_at"`          // of the first execution
	EndedAt    time.Time `json:"ended_at"`
	Elapsed    float64   `json:"elapsed_seconds"` // worked
	Executions int       `json:"executions"`      // 1, and one more for each resume
	Rows       int64     `json:"rows"`            // with a result
	Unsent     *int64    `json:"unsent"`          // null: the input's length is not known
	Statuses   Counts    `json:"statuses"`
	ErrorCodes []Code    `json:"error_codes"`
	Warnings   []Warning `json:"warnings"` // of rows that went through
	RowsPerSec float64   `json:"rows_per_second"`
	Traffic
	LimitedRate   float64  `json:"settled_rate_per_second"` // what the limiter allowed at the end
	Share         *Share   `json:"share,omitempty"`         // of a limit that several processes share
	Latency       Latency  `json:"latency_ms"`
	Files         []string `json:"files"`
	Delta         *Delta   `json:"delta,omitempty"`
	*Table                 // of an export
	TotalEstimate int64    `json:"-"` // rows in all, of a run that goes on; 0: not known

	Distribution []LatencyBar `json:"latency_distribution"`
	Timeline     Timeline     `json:"timeline"`
}

// Outcome is how a run ended, or that it did not.
type Outcome string

// The outcomes: the end of the inputs was reached, or not. The last two are those
// of a run without a summary of its last execution.
const (
	Completed   Outcome = "completed"
	Stopped     Outcome = "stopped"
	Running     Outcome = "running"
	Interrupted Outcome = "interrupted"
)

// Counts are the rows by status.
type Counts struct {
	Succeeded int64 `json:"succeeded"`
	Failed    int64 `json:"failed"`
	Rejected  int64 `json:"rejected"`
	Skipped   int64 `json:"skipped"`
}

// Bad is the number of rows that failed or were rejected.
func (c Counts) Bad() int64 { return c.Failed + c.Rejected }

// Code is how often one error code occurred, and where first.
type Code struct {
	Code    string        `json:"code"`
	Status  batch.Status  `json:"status"`
	Count   int64         `json:"count"`
	Example batch.Example `json:"example"`

	More []batch.Example `json:"more_examples,omitempty"`
}

// Warning is how often rows that went through were warned of with one code.
type Warning struct {
	Code string `json:"code"`
	batch.WarningCount
}

// Latency is how long the platform took for the last attempt of each row, in
// milliseconds.
type Latency struct {
	P50 float64 `json:"p50"`
	P90 float64 `json:"p90"`
	P99 float64 `json:"p99"`
	Max float64 `json:"max"`
}

func millis(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// Fill takes over what was counted.
func (s *Summary) Fill(t batch.Tally, elapsed time.Duration) {
	s.Rows = t.Rows
	s.Statuses = Counts{
		t.Statuses[batch.Succeeded], t.Statuses[batch.Failed], t.Statuses[batch.Rejected], t.Statuses[batch.Skipped],
	}
	s.ErrorCodes = []Code{}
	for _, name := range t.TopCodes() {
		c := t.Codes[name]
		s.ErrorCodes = append(s.ErrorCodes, Code{name, c.Status, c.Count, c.Example, c.More})
	}
	s.Warnings = []Warning{}
	for _, code := range slices.Sorted(maps.Keys(t.Warnings)) {
		s.Warnings = append(s.Warnings, Warning{code, *t.Warnings[code]})
	}
	s.Elapsed = elapsed.Seconds()
	if s.Elapsed > 0 {
		s.RowsPerSec = float64(s.Rows) / s.Elapsed
	}
	h := &t.Latency
	s.Latency = Latency{millis(h.Quantile(0.5)), millis(h.Quantile(0.9)), millis(h.Quantile(0.99)), millis(h.Longest)}
	s.Distribution = latencyBars(h)
}

// Run is what a page and the next step need of how a run was started.
type Run struct {
	Inputs   []Input
	Settings map[string][]string // flags that differ from their defaults, without secrets
	Given    []string            // settings that are in force without being given again
	Redacted bool
}

// Input is one input, and what each of its columns was used for.
type Input struct {
	Name, Detected string
	Once           bool // it cannot be read again
	Columns        []Column
}

// Column is what one column of an input was used for.
type Column struct {
	Column string `json:"column"`
	Target string `json:"target,omitempty"`
	Use    string `json:"use"`
}

// explain is what the catalogue says of an error code.
func explain(code string) ops.Entry {
	if e, known := ops.Explain(code); known {
		return e
	}
	return ops.Entry{Meaning: "This version does not know the code.", Remedy: "See the message, and the platform's documentation."}
}

//go:embed terminal.txt
var terminalText string

// Terminal makes a form of texts for the terminal, in which what is filled in passes
// escape. It can use what summaries are made of: the templates summary, codes and
// warnings, and the functions of numbers and words.
func Terminal(text string, escape func(string) string, functions form.Functions) *form.Form {
	return form.New(terminalText+text, escape, words, functions)
}

// Print writes the summary for people.
func (s *Summary) Print(w io.Writer) { _, _ = w.Write(Terminal("", oneLine, nil).Fill("summary", s)) }

// inAll is how long an execution took where that is more than its rows took, with what
// comes before the first and after the last; else 0.
func (s *Summary) inAll() float64 {
	if all := s.EndedAt.Sub(s.StartedAt).Seconds(); s.Executions == 1 && all >= s.Elapsed+1 {
		return all
	}
	return 0
}

// fileNames are the names of files: those of several runs are called alike.
func fileNames(files []string) (names []string) {
	for _, f := range files {
		if name := filepath.Base(f); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// oneLine keeps the name of a file from looking like a line of ours.
func oneLine(text string) string { return strings.ReplaceAll(text, "\n", `\n`) }

// shownNames is how many columns of a warning are named.
const shownNames = 5

// columns names the columns that a warning is about, the most frequent first.
func (g *Warning) columns() string {
	names := mostFirst(g.Columns)
	for i, name := range names {
		names[i] = name + " " + Grouped(g.Columns[name])
	}
	if len(names) == 0 {
		return ""
	}
	return ": " + strings.Join(names[:min(len(names), shownNames)], ", ")
}

// mostFirst are the names of counts, the most frequent first.
func mostFirst(counts map[string]int64) []string {
	return slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
}
