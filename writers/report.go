package writers

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
)

// ReportFile is the page for people in a run folder.
const ReportFile = "report.html"

//go:embed report/page.html
var pageSource string

// Page is what report.html shows: aggregates only, so that its size does not
// grow with the rows of the run. Numbers are shown as they are given.
type Page struct {
	Title   string
	Outcome string // one line
	Good    bool   // every row is fine
	Stopped bool
	Facts   []Fact
	Counts  []Fact // rows by status
	Series  Timeline
	Latency []LatencyBar
	Errors  []ErrorGroup
	Inputs  []PageInput
	Charts  []Breakdown // of an inventory
	Setting []Fact
	Files   []Fact
	Made    string
}

// Fact is a name and a value. Key says where in summary.json the value stands,
// Raw is the value there; both may be empty.
type Fact struct{ Name, Value, Key, Raw string }

// Timeline is what happened in intervals of the same length.
type Timeline struct {
	StepSeconds float64
	Rows        []int64 // finished in each interval
	Throttled   []int64 // requests refused by the rate limit
}

// LatencyBar is the rows whose answer took from From to To milliseconds.
type LatencyBar struct {
	From, To float64
	Rows     int64
}

// ErrorGroup is one error code of the run.
type ErrorGroup struct {
	Code, Status, Meaning, Remedy string
	Count                         string
	Key, Raw                      string // as in Fact
	Examples                      []ErrorExample
}

// ErrorExample is a row that ended with a code.
type ErrorExample struct {
	Row       int64
	Source    string
	SourceRow int64
	Message   string
}

// PageInput is what was found in one input.
type PageInput struct {
	Name, Detected string
	Columns        []PageColumn
	More           int // columns that are not shown
}

// PageColumn is what one column was used for.
type PageColumn struct{ Column, Target, Use string }

// Breakdown counts by one property.
type Breakdown struct {
	Title string
	Bars  []Bar
}

// Bar is one value of a Breakdown. Value is the count as it is shown, Key as in
// Fact.
type Bar struct {
	Name  string
	Count int64
	Value string
	Key   string
}

// Render makes the page: one self-contained HTML file that needs no network
// and runs no script.
func (p *Page) Render() ([]byte, error) {
	page, err := template.New("page").Funcs(template.FuncMap{
		"line": lineChart, "bars": latencyChart, "share": share,
	}).Parse(pageSource)
	if err != nil {
		return nil, fmt.Errorf("render report: %w", err)
	}
	var out bytes.Buffer
	if err := page.Execute(&out, p); err != nil {
		return nil, fmt.Errorf("render report: %w", err)
	}
	return out.Bytes(), nil
}
