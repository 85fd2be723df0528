package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pushbatch/apiclient/simulator"
	"pushbatch/testdata/thorough"
)

// sight is what testdata/browser/check.mjs saw of one page.
type sight struct {
	Path        string
	Troubles    []string // what the console said, requests, dialogs
	Views       map[string]view
	Violations  []struct{ Scheme, Rule, Impact, Help string }
	Backgrounds map[string]string
	PDF         int
}

// view is a page at one width.
type view struct {
	Overflow, Foreign int
	Charts            []drawing
	Breakdowns        [][]breakdownBar
	Numbers           []struct{ Key, Value, Text string }
	Headings          []string
	Time, Latency     [][]string
	Text              string
}

// breakdownBar is a line of a table with bars.
type breakdownBar struct {
	Name, Count string
	Width       float64
}

type drawing struct {
	ID, Alternative string
	Area            box
	Bars            []box
	Texts           []box
}

type box struct {
	X, Width, Height float64
	Kind, Text       string
}

// The pages of real runs in a real browser, at the widths of a phone and of a
// desktop, light and dark: nothing is loaded or said, everything is drawn in
// the right size, nothing sticks out, and the numbers are those of summary.json.
func TestPagesInBrowser(t *testing.T) {
	thorough.Only(t)
	t.Parallel()
	chromium := needBrowser(t)
	night := nightRun(t)
	runs := []string{faultyRun(t), hostileRun(t), exportRun(t), night, filepath.Join(filepath.Dir(night), "undone")}
	var pages []string
	for _, run := range runs {
		pages = append(pages, filepath.Join(run, "report.html"))
	}
	for i, seen := range lookAt(t, chromium, pages) {
		demandQuiet(t, &seen)
		var all any
		readJSON(t, filepath.Join(runs[i], "summary.json"), &all)
		for name, v := range seen.Views {
			t.Run(filepath.Base(runs[i])+" "+name, func(t *testing.T) {
				t.Parallel()
				if v.Overflow > 0 || v.Foreign > 0 {
					t.Errorf("it is %d px too wide and has %d elements of someone else", v.Overflow, v.Foreign)
				}
				demandNumbers(t, &v, all)
				demandCharts(t, &v, all)
			})
		}
	}
}

func needBrowser(t *testing.T) (chromium string) {
	t.Helper()
	chromium, err := exec.LookPath("chromium")
	if err == nil {
		_, err = os.Stat(filepath.Join("testdata", "browser", "node_modules", "axe-core"))
	}
	if err != nil {
		t.Fatalf("chromium is needed, and npm ci --ignore-scripts in testdata/browser: %v", err)
	}
	return chromium
}

func lookAt(t *testing.T, chromium string, pages []string) (sights []sight) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "node", append([]string{"check.mjs", chromium}, pages...)...)
	cmd.Dir = filepath.Join("testdata", "browser")
	var out, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v\n%s", err, &stderr)
	}
	if err := json.Unmarshal(out.Bytes(), &sights); err != nil {
		t.Fatal(err)
	}
	if len(sights) != len(pages) {
		t.Fatalf("%d of %d pages were looked at", len(sights), len(pages))
	}
	return sights
}

// demandQuiet is about what holds for a page as a whole.
func demandQuiet(t *testing.T, s *sight) {
	t.Helper()
	name := filepath.Base(filepath.Dir(s.Path))
	for _, trouble := range s.Troubles {
		t.Errorf("%s: %s", name, trouble)
	}
	for _, v := range s.Violations {
		t.Errorf("%s, %s: %s (%s): %s", name, v.Scheme, v.Rule, v.Impact, v.Help)
	}
	if len(s.Views) != 3 || s.Backgrounds["light"] == s.Backgrounds["dark"] || s.PDF < 10_000 {
		t.Errorf("%s: %d views, backgrounds %v, %d bytes of PDF", name, len(s.Views), s.Backgrounds, s.PDF)
	}
}

// demandNumbers holds the numbers that a reader sees against summary.json.
func demandNumbers(t *testing.T, v *view, all any) {
	t.Helper()
	if len(v.Numbers) < 8 {
		t.Fatalf("only %d numbers", len(v.Numbers))
	}
	for _, n := range v.Numbers {
		want, ok := member(t, all, n.Key).(float64)
		if raw, err := strconv.ParseFloat(n.Value, 64); !ok || err != nil || raw != want {
			t.Errorf("%s is %s on the page and %v in summary.json", n.Key, n.Value, want)
		}
		digits, unit, _ := strings.Cut(strings.ReplaceAll(n.Text, ",", ""), " ")
		shown, err := strconv.ParseFloat(digits, 64)
		if unit == "µs" {
			shown /= 1000
		}
		rounding := 0.0501
		if want >= 10 {
			rounding = 0.5
		}
		if err != nil || math.Abs(shown-want) > rounding {
			t.Errorf("%s is shown as %q and is %v", n.Key, n.Text, want)
		}
	}
}

// demandCharts holds the size of every column against the number it stands for,
// and the numbers against summary.json.
func demandCharts(t *testing.T, v *view, all any) {
	t.Helper()
	if len(v.Time) < 2 || len(v.Charts) < 2 {
		t.Fatalf("%d lines over time, %d charts", len(v.Time), len(v.Charts))
	}
	for _, c := range v.Charts {
		if c.Alternative == "" || len(c.Bars) == 0 || c.Area.Width < 200 || c.Area.Height < 150 {
			t.Errorf("chart %s has %d columns in %v, text %q", c.ID, len(c.Bars), c.Area, c.Alternative)
		}
		for _, b := range append(slices.Clone(c.Bars), c.Texts...) {
			if b.Width <= 0 || b.Height <= 0 || b.X < c.Area.X-1 || b.X+b.Width > c.Area.X+c.Area.Width+1 {
				t.Errorf("chart %s: %v is outside of %v", c.ID, b, c.Area)
			}
		}
		switch c.ID {
		case "rows":
			for _, s := range []struct{ column, class string }{{"Succeeded", "ok"}, {"Failed", "failed"}, {"Rejected", "rejected"}, {"Skipped", "skipped"}} {
				demandHeights(t, &c, s.class, column(v.Time, s.column), listed(t, all, "timeline."+strings.ToLower(s.column)), true)
			}
		case "requests":
			demandHeights(t, &c, "refused", column(v.Time, "Refused (429)"), listed(t, all, "timeline.throttled"), true)
		case "latency":
			var rows []int64
			for _, bar := range member(t, all, "latency_distribution").([]any) {
				rows = append(rows, int64(bar.(map[string]any)["rows"].(float64)))
			}
			demandHeights(t, &c, "ok", column(v.Latency, "Rows"), rows, false)
		}
	}
	for _, bars := range v.Breakdowns {
		for _, b := range bars {
			if want := bars[0].Width * float64(number(b.Count)) / float64(number(bars[0].Count)); math.Abs(b.Width-want) > 1 {
				t.Errorf("%s: %v px for %s", b.Name, b.Width, b.Count)
			}
		}
	}
}

// demandHeights wants the columns of one colour to be as high as the counts say.
// Where the last interval may be short its height says more than its count.
func demandHeights(t *testing.T, c *drawing, class string, shown, counts []int64, lastIsShort bool) {
	t.Helper()
	if !slices.Equal(shown, counts) {
		t.Errorf("the table of %s has %s %v, summary.json %v", c.ID, class, shown, counts)
		return
	}
	bars := slices.DeleteFunc(slices.Clone(c.Bars), func(b box) bool { return b.Kind != class })
	heights := make([]float64, 0, len(bars))
	for _, b := range bars {
		heights = append(heights, b.Height)
	}
	nonzero := slices.DeleteFunc(slices.Clone(counts), func(n int64) bool { return n == 0 })
	if len(heights) != len(nonzero) {
		t.Errorf("chart %s draws %d columns of %s for %d counts", c.ID, len(heights), class, len(nonzero))
		return
	}
	if lastIsShort && len(counts) > 0 && counts[len(counts)-1] > 0 {
		heights, nonzero = heights[:len(heights)-1], nonzero[:len(nonzero)-1]
	}
	for i, h := range heights {
		most, highest := slices.Max(nonzero), slices.Max(heights)
		if want := highest * float64(nonzero[i]) / float64(most); math.Abs(h-want) > 1 {
			t.Errorf("chart %s: %v px for %d of %s, want %v", c.ID, h, nonzero[i], class, want)
		}
	}
}

// column is the numbers of a table below a heading; none where it is missing.
func column(table [][]string, heading string) (numbers []int64) {
	at := slices.Index(table[0], heading)
	for _, line := range table[1:] {
		if at >= 0 {
			numbers = append(numbers, number(line[at]))
		}
	}
	return numbers
}

func number(text string) int64 {
	n, err := strconv.ParseInt(strings.ReplaceAll(text, ",", ""), 10, 64)
	if err != nil {
		return -1
	}
	return n
}

func listed(t *testing.T, all any, path string) (numbers []int64) {
	t.Helper()
	list, _ := member(t, all, path).([]any) // a list without counts is left out
	for _, v := range list {
		numbers = append(numbers, int64(v.(float64)))
	}
	return numbers
}

// faultyRun is refused by the limit, meets errors of several codes, and waits.
func faultyRun(t *testing.T) string {
	t.Helper()
	sim := simulator.Config{
		Limits: simulator.PushLimits(120, 120), Faults: faults(t, "push-400=4%,404=2%,503=2%,latency=exp:15ms"),
	}
	_, url := serve(t, sim)
	return runFor(t, "faulty", url, 1, "update", updateRows(t), "--rate", "160")
}

// hostileRun has rows, columns and a file name that would do harm if the page
// took them for more than text.
func hostileRun(t *testing.T) string {
	t.Helper()
	_, url := serve(t, simulator.Config{Limits: simulator.PushLimits(0, 0)})
	const name = `<img src=x onerror=alert(1)>'"&amp;.csv`
	in := filepath.Join(t.TempDir(), name)
	header := `registrationId,email,"customAttributes.<script>alert(1)</script>","customAttributes.""><svg onload=alert(2)>",` +
		`"</td></table><img src=http://127.0.0.1:9/pixel>",customAttributes.` + strings.Repeat("very", 55) + "\n"
	rows := "dev-1,a@example.com,<b>,x,y,\ndev-2,<script>alert(3)</script>,v,x,y,\n"
	if err := os.WriteFile(in, []byte(header+rows), 0o600); err != nil {
		t.Fatal(err)
	}
	return runFor(t, "hostile", url, 1, "personalize", in, "--ignore-unmapped",
		"--set", "customAttributes.note=<script>alert(4)</script><style>body{display:none}</style>")
}

func exportRun(t *testing.T) string {
	t.Helper()
	sim, url := serve(t, simulator.Config{Limits: simulator.PushLimits(0, 0)})
	sim.SeedPeople(1500)
	return runFor(t, "export", url, 0, "export", "--people", "--to", "d.ndjson", "--list-rate", "100")
}

// nightRun has what a second night has: a delta, devices that vanished, duplicates
// and warnings. Beside it lies "undone", which took it back.
func nightRun(t *testing.T) string {
	t.Helper()
	_, url := serve(t, simulator.Config{Limits: simulator.PushLimits(0, 0)})
	dir := t.TempDir()
	const header = "registrationId,externalId,birthday\n"
	var first, second strings.Builder
	for n := range 60 {
		fmt.Fprintf(&first, "dev-%d,person-%d,1990-01-31\n", n, n)
		if n >= 3 { // three vanish, every tenth changes
			fmt.Fprintf(&second, "dev-%d,person-%d,%s\n", n, n, map[bool]string{true: "unknown", false: "1990-01-31"}[n%10 == 0])
		}
	}
	write(t, filepath.Join(dir, "first.csv"), header+first.String())
	write(t, filepath.Join(dir, "second.csv"), header+second.String()+"dev-7,person-7,1991-01-31\ndev-x,,\n")
	write(t, filepath.Join(dir, "mapping.yaml"), "columns:\n  birthday: {to: birthday, invalid: omit}\n")
	for i, step := range []string{
		"personalize first.csv --map mapping.yaml --delta state --mirror --out first",
		"personalize second.csv --map mapping.yaml --delta state --mirror --on-duplicate last --snapshot --out night",
		"undo night --out undone",
	} {
		c := start(t, url, dir, strings.Fields(step)...)
		if got, want := c.code(t), i%2; got != want { // the night has a row without a person
			t.Fatalf("%s: exit code %d, want %d\n%s", step, got, want, &c.stderr)
		}
	}
	return filepath.Join(dir, "night")
}

func runFor(t *testing.T, name, url string, code int, args ...string) (folder string) {
	t.Helper()
	dir := t.TempDir()
	c := start(t, url, dir, append(args, "--out", name)...)
	if got := c.code(t); got != code {
		t.Fatalf("%s: exit code %d, want %d\n%s", name, got, code, &c.stderr)
	}
	return filepath.Join(dir, name)
}
