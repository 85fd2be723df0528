package main

import (
	"fmt"
	"io"
	"math"
	"path/filepath"
	"strings"
	"time"

	"pushbatch/batch"
	"pushbatch/writers"
)

// summary is what summary.json holds and what the terminal shows at the end.
type summary struct {
	Version     string    `json:"version"`
	Operation   string    `json:"operation"`
	Run         string    `json:"run"`
	Outcome     string    `json:"outcome"` // completed or stopped
	Reason      string    `json:"reason,omitempty"`
	ReasonCode  string    `json:"reason_code,omitempty"`
	Remedy      string    `json:"remedy,omitempty"` // of what stopped the run
	ExitCode    int       `json:"exit_code"`
	DryRun      bool      `json:"dry_run,omitempty"`
	StartedAt   time.Time `json:"started_at"` // of the first execution
	EndedAt     time.Time `json:"ended_at"`
	Elapsed     float64   `json:"elapsed_seconds"` // worked, all executions together
	Executions  int       `json:"executions"`      // 1, and one more for each resume
	Rows        int64     `json:"rows"`            // with a result
	Unsent      *int64    `json:"unsent"`          // null: the input's length is not known
	Statuses    counts    `json:"statuses"`
	ErrorCodes  []code    `json:"error_codes"`
	RowsPerSec  float64   `json:"rows_per_second"`
	Requests    int64     `json:"requests"` // every attempt, those refused with 429 included
	Retries     int64     `json:"retries"`
	Throttled   int64     `json:"throttled"`               // answers 429
	SettledRate float64   `json:"settled_rate_per_second"` // what the limiter allowed at the end
	Latency     latency   `json:"latency_ms"`
	Files       []string  `json:"files"`

	To         string                  `json:"to,omitempty"` // of an export: where its table is published
	Devices    int64                   `json:"devices,omitempty"`
	TableFiles int                     `json:"table_files,omitempty"`
	People     *peopleSummary          `json:"people,omitempty"`
	Inventory  writers.InventoryCounts `json:"inventory,omitempty"` // the devices by what they are

	Total int64 `json:"-"` // rows in all, estimated, of a run that goes on

	Distribution []latencyBar `json:"latency_distribution"`
	Timeline     timeline     `json:"timeline"`
}

// counts are the rows by status.
type counts struct {
	Succeeded int64 `json:"succeeded"`
	Failed    int64 `json:"failed"`
	Rejected  int64 `json:"rejected"`
	Skipped   int64 `json:"skipped"`
}

func (c counts) bad() int64 { return c.Failed + c.Rejected }

// code is how often one error code occurred, and where first.
type code struct {
	Code    string        `json:"code"`
	Status  batch.Status  `json:"status"`
	Count   int64         `json:"count"`
	Example batch.Example `json:"example"`

	More []batch.Example `json:"more_examples,omitempty"`
}

// latency is how long the platform took for the last attempt of each row, in
// milliseconds.
type latency struct {
	P50 float64 `json:"p50"`
	P90 float64 `json:"p90"`
	P99 float64 `json:"p99"`
	Max float64 `json:"max"`
}

func millis(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// fill takes over what was counted.
func (s *summary) fill(t batch.Tally, elapsed time.Duration) {
	s.Rows = t.Rows
	s.Statuses = counts{
		t.Statuses[batch.Succeeded], t.Statuses[batch.Failed], t.Statuses[batch.Rejected], t.Statuses[batch.Skipped],
	}
	s.ErrorCodes = []code{}
	for _, name := range t.TopCodes() {
		c := t.Codes[name]
		s.ErrorCodes = append(s.ErrorCodes, code{name, c.Status, c.Count, c.Example, c.More})
	}
	s.Elapsed = elapsed.Seconds()
	if s.Elapsed > 0 {
		s.RowsPerSec = float64(s.Rows) / s.Elapsed
	}
	h := &t.Latency
	s.Latency = latency{millis(h.Quantile(0.5)), millis(h.Quantile(0.9)), millis(h.Quantile(0.99)), millis(h.Max())}
	s.Distribution = latencyBars(h)
}

// The outcomes of an execution: the end of the inputs was reached, or not.
const (
	outcomeCompleted = "completed"
	outcomeStopped   = "stopped"
)

// What a page says of a run without a summary of its last execution.
const (
	outcomeRunning     = "running"
	outcomeInterrupted = "interrupted"
)

// topErrors is how many error codes the terminal shows.
const topErrors = 5

// print writes the summary for people.
func (s *summary) print(w io.Writer) {
	fmt.Fprintf(w, "%s%s: %s %s in %s (%s rows/s)\n", s.Operation, s.mode(), grouped(s.Rows), plural(s.Rows, "row"), seconds(s.Elapsed), rateText(s.RowsPerSec))
	s.printCounts(w)
	if s.Requests > 0 {
		fmt.Fprintf(w, "  requests   %s, retries %s, refused by the limit (429) %s%s\n",
			grouped(s.Requests), grouped(s.Retries), grouped(s.Throttled), s.latencyText())
	}
	printCodes(w, s.ErrorCodes)
	s.printInventory(w)
	names := make([]string, len(s.Files))
	for i, f := range s.Files {
		names[i] = filepath.Base(f)
	}
	fmt.Fprintf(w, "  reports    %s: %s\n", s.Run, strings.Join(names, ", "))
}

// latencyText is empty when no row had a request of its own.
func (s *summary) latencyText() string {
	if s.Latency.Max == 0 {
		return ""
	}
	return fmt.Sprintf("; latency p50 %s, p99 %s", ms(s.Latency.P50), ms(s.Latency.P99))
}

func (s *summary) mode() string {
	if s.DryRun {
		return " (dry run, nothing was sent)"
	}
	return ""
}

func (s *summary) printCounts(w io.Writer) {
	for _, line := range []struct {
		name  string
		n     int64
		shown bool
	}{
		{"succeeded", s.Statuses.Succeeded, !s.DryRun},
		{"failed", s.Statuses.Failed, s.Statuses.Failed > 0},
		{"rejected", s.Statuses.Rejected, s.Statuses.Rejected > 0},
		{"skipped", s.Statuses.Skipped, s.Statuses.Skipped > 0},
	} {
		if line.shown {
			fmt.Fprintf(w, "  %-10s %s\n", line.name, grouped(line.n))
		}
	}
	switch {
	case s.Unsent == nil:
		fmt.Fprintf(w, "  %-10s not known: the input was not read to its end\n", "unsent")
	case *s.Unsent > 0:
		fmt.Fprintf(w, "  %-10s %s\n", "unsent", grouped(*s.Unsent))
	}
}

func printCodes(w io.Writer, codes []code) {
	for i, c := range codes {
		if i == topErrors {
			fmt.Fprintf(w, "  … and %d more codes, see summary.json\n", len(codes)-i)
			return
		}
		fmt.Fprintf(w, "  %s (%s): %s %s, first row %d (%s, row %d): %s\n", c.Code, c.Status, grouped(c.Count),
			plural(c.Count, "row"), c.Example.Row, c.Example.Source, c.Example.SourceRow, c.Example.Message)
	}
}

func plural(n int64, noun string) string {
	if n == 1 {
		return noun
	}
	return noun + "s"
}

// grouped writes n with commas between groups of three digits.
func grouped(n int64) string {
	digits := fmt.Sprint(n)
	for i := len(digits) - 3; i > 0 && digits[i-1] != '-'; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

func seconds(s float64) string {
	d := time.Duration(s * float64(time.Second))
	if d < time.Minute {
		return fmt.Sprintf("%.1f s", s)
	}
	return d.Round(time.Second).String()
}

func ms(v float64) string {
	switch {
	case v < 0.1:
		return fmt.Sprintf("%.0f µs", 1000*v)
	case v < 10:
		return fmt.Sprintf("%.1f ms", v)
	}
	return fmt.Sprintf("%.0f ms", v)
}

// rateText writes a number a second.
func rateText(v float64) string {
	if v < 100 {
		return fmt.Sprintf("%.1f", v)
	}
	return grouped(int64(math.Round(v)))
}
