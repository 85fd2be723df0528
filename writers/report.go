package writers

// ReportFile is the page for people in a run folder.
const ReportFile = "report.html"

// Page is what report.html shows: aggregates only, so that its size does not
// grow with the rows of the run. Numbers are shown as they are given.
type Page struct {
	Title      string
	Subtitle   string
	Verdict    Verdict
	Headline   string // two or three words
	Outcome    string // one line
	Remedy     string // what to do about what stopped the run; may be empty
	Next       *NextStep
	Counts     []Fact // rows by status
	Facts      []Fact
	Series     Timeline
	Latency    []LatencyBar
	Quantiles  []Quantile
	Errors     []ErrorGroup
	MoreErrors []ErrorGroup // shown without explanation and examples
	Inputs     []PageInput
	Charts     []Breakdown // of an inventory
	Setting    []Fact
	Files      []Fact
	Made       string
}

// Verdict is how a run ended, as a class of the page's style.
type Verdict string

// The verdicts.
const (
	Good    Verdict = "good"    // every row is fine
	Bad     Verdict = "bad"     // the inputs were read to their end, some rows are not fine
	Stopped Verdict = "stopped" // rows are left
	Running Verdict = "running" // it goes on
)

// NextStep is a command that goes on from here.
type NextStep struct{ Say, Command string }

// Fact is a name and a value. Key says where in summary.json the value stands,
// Raw is the value there; both may be empty. Class is the colour of a part of
// the whole: ok, failed, rejected, skipped or left.
type Fact struct{ Name, Value, Key, Raw, Note, Class string }

// Timeline is what happened in intervals of the same length, the last of which
// ends at Seconds. A nil list had no count.
type Timeline struct {
	StepSeconds                          float64
	Seconds                              float64
	Succeeded, Skipped, Failed, Rejected []int64 // rows finished
	Requests                             []int64 // sent, repetitions included
	Throttled                            []int64 // those refused by the rate limit
}

// LatencyBar is the rows whose answer took from From to To milliseconds.
type LatencyBar struct {
	From, To float64
	Rows     int64
}

// Quantile marks a latency, in milliseconds.
type Quantile struct {
	Name   string
	Millis float64
}

// ErrorGroup is one error code of the run.
type ErrorGroup struct {
	Code, Status, Meaning, Remedy string
	Count                         string
	Key, Raw                      string // as in Fact
	Examples                      []ErrorExample
}

// ErrorExample is a row that ended with a code. Source is empty where it is not
// known.
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

// Render makes the page: one self-contained HTML file that runs no script. Its
// policy lets a browser load nothing and apply no style but the page's own, so
// that whatever a file or an answer brought in stays text.
func (p *Page) Render() []byte {
	var m markup
	m.head(p.Title)
	m.put("<body>\n")
	m.banner(p)
	m.put("<main>\n")
	m.patterns()
	m.rows(p)
	m.errors(p.Errors, p.MoreErrors)
	m.overTime(courseOf(p.Series))
	m.latency(p.Latency, p.Quantiles)
	for i := range p.Charts {
		m.breakdown(&p.Charts[i])
	}
	m.put("\n")
	m.inputs(p.Inputs)
	m.settings(p.Setting)
	m.files(p.Files)
	m.put("</main>\n<footer><p>{}</p></footer>\n</body>\n</html>\n", p.Made)
	return m
}
