package console

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"pushbatch/apiclient"
)

// What stands in the line at the widths of an ordinary and of a narrow terminal.
func TestBarLine(t *testing.T) {
	t.Parallel()
	half := Snapshot{Operation: "personalize", Done: 19_012, Bad: 12, Total: 50_000, Exact: true, Rate: 49.8, Limit: 50}
	with := func(change func(*Snapshot)) *Snapshot {
		s := half
		change(&s)
		return &s
	}
	for _, test := range []struct {
		name         string
		s            *Snapshot
		wide, narrow string
	}{
		{
			"under way", &half,
			"  38% [###-----]  personalize 19,012 49.8/s (limit 50) 10m22s left 12 failed",
			"  38%   49.8/s 10m22s left 12 failed",
		},
		{
			"length estimated, nothing failed", with(func(s *Snapshot) { s.Exact, s.Bad = false, 0 }),
			"  38% [###-------]  personalize 19,012/~50,000 49.8/s (limit 50) 10m22s left",
			"  38% [###-----]  49.8/s 10m22s left",
		},
		{
			"length not known", with(func(s *Snapshot) { s.Total = 0 }),
			"  personalize 19,012 49.8/s (limit 50) 12 failed",
			"  19,012 49.8/s 12 failed",
		},
		{
			"Retry-After", with(func(s *Snapshot) {
				s.Waiting = Waiting{Why: apiclient.WaitRetryAfter, Left: 3400 * time.Millisecond}
			}),
			"  38% [##-----]  19,012 49.8/s 10m22s left 12 failed waiting: Retry-After 4s",
			"  38%   12 failed Retry-After 4s",
		},
		{
			"outage", with(func(s *Snapshot) {
				s.Rate, s.Waiting = 0, Waiting{Why: apiclient.WaitOutage, Left: 8 * time.Second, GivesUp: 28*time.Minute + 3*time.Second}
			}),
			"  38% [#########---------------]  19,012 0.0/s 12 failed outage, try in 8s",
			"  38%   12 failed outage, try in 8s",
		},
		{
			"retrying", with(func(s *Snapshot) { s.Retrying = 3 }),
			"  38% [###-----]  personalize 19,012 49.8/s 10m22s left 12 failed retrying 3",
			"  38%   49.8/s 12 failed retrying 3",
		},
		{
			"ended", with(func(s *Snapshot) { s.Done, s.Ended, s.Limit = 50_000, 1004*time.Second, 0 }),
			" 100% [##############]  personalize 50,000/50,000 49.8/s in 16m44s 12 failed",
			" 100%   49.8/s in 16m44s 12 failed",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			for _, line := range []struct {
				columns int
				want    string
			}{{80, test.wide}, {40, test.narrow}} {
				out, b := drawnBar(true, line.columns)
				if b.Show(*test.s); test.s.Ended > 0 {
					b.End(*test.s)
				}
				have := screen(out.String())[0]
				if diff := cmp.Diff(line.want, have); diff != "" {
					t.Errorf("%d columns:\n%s", line.columns, diff)
				}
			}
		})
	}
}

// drawnBar is a bar in a terminal of so many columns, and what it was sent.
func drawnBar(ansi bool, columns int) (*bytes.Buffer, *bar) {
	out := new(bytes.Buffer)
	return out, &bar{t: &Terminal{W: out, ansi: ansi, width: func() int { return columns }}}
}

// Whatever the numbers are, the line is never wider than it may be, and where
// there is any room it says how many rows failed and why nothing is sent.
func TestBarLineFits(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for range 5_000 {
		total := random.Int64N(1 << random.IntN(45))
		s := Snapshot{
			Operation: "depersonalize", Done: random.Int64N(total + 1), Bad: random.Int64N(1000), Total: total * int64(random.IntN(2)),
			Rate: random.Float64() * 1e4, Limit: float64(random.IntN(2) * 1234), Retrying: random.Int64N(64),
			Waiting: Waiting{apiclient.Waiting(random.IntN(6)), time.Duration(random.Int64N(1e14)), time.Duration(random.Int64N(1e14))},
		}
		columns := besideBar + 1 + random.IntN(120)
		out, b := drawnBar(random.IntN(2) == 0, columns)
		b.Show(s)
		line := screen(out.String())[0]
		if n := utf8.RuneCountInString(line); n >= columns || len(screen(out.String())) > 1 {
			t.Fatalf("%d of %d columns: %q", n, columns, line)
		}
		if columns < 40 || s.Waiting.Why < apiclient.WaitRetryAfter {
			continue
		}
		if s.Bad > 0 && !strings.Contains(line, " failed") || !strings.Contains(line, "outage") && !strings.Contains(line, "Retry-After") {
			t.Fatalf("%d columns: %q", columns, line)
		}
	}
}

// A log line takes the bar's place and the bar stands below it; what is written
// over a longer line leaves nothing of it, with escape sequences and without.
func TestBarOnAScreen(t *testing.T) {
	t.Parallel()
	for _, ansi := range []bool{true, false} {
		out, b := drawnBar(ansi, 80)
		if _, err := b.Above().Write([]byte("before\n")); err != nil {
			t.Fatal(err)
		}
		s := Snapshot{Operation: "update", Done: 1, Total: 4, Exact: true, Bad: 1, Rate: 1}
		b.Show(s)
		drawn := out.Len()
		if b.Show(s); out.Len() != drawn {
			t.Error("the same line is drawn again")
		}
		if _, err := b.Above().Write([]byte("a line of the log\n")); err != nil {
			t.Fatal(err)
		}
		s.Total, s.Done = 3, 3 // an estimate that was too low
		b.Show(s)
		s.Done, s.Total, s.Bad, s.Ended = 4, 4, 0, 3*time.Second
		b.End(s)
		if _, err := b.Above().Write([]byte("behind\n")); err != nil {
			t.Fatal(err)
		}
		want := []string{"before", "a line of the log", " 100% [" + strings.Repeat("#", barWidest) + "]  update 4/4 1.0/s in 3s", "behind", ""}
		if diff := cmp.Diff(want, screen(out.String())); diff != "" {
			t.Errorf("escapes %v:\n%s", ansi, diff)
		}
	}
}

// A line that a narrower terminal has wrapped is taken away before the next one.
func TestBarOnANarrowerScreen(t *testing.T) {
	t.Parallel()
	columns := 80
	out := new(bytes.Buffer)
	b := &bar{t: &Terminal{W: out, ansi: true, width: func() int { return columns }}}
	b.Show(Snapshot{Operation: "update", Done: 1, Total: 400, Rate: 10, Limit: 10})
	columns = 25
	before := out.Len()
	b.Show(Snapshot{Operation: "update", Done: 2, Total: 400, Rate: 10, Limit: 10})
	if drawn := out.String()[before:]; !strings.HasPrefix(drawn, "\x1b[A\x1b[A\r\x1b[J") {
		t.Errorf("%q", drawn)
	}
}

// screen is what a terminal shows of a text with carriage returns and the sequences that clear.
func screen(text string) (lines []string) {
	for raw := range strings.SplitSeq(text, "\n") {
		var line []rune
		at := 0
		for raw != "" {
			if rest, ok := strings.CutPrefix(raw, "\x1b[?7"); ok {
				raw = rest[1:]
				continue
			}
			if rest, ok := strings.CutPrefix(raw, "\x1b[0K"); ok {
				line, raw = line[:min(at, len(line))], rest
				continue
			}
			if rest, ok := strings.CutPrefix(raw, "\x1b[2K"); ok {
				line, raw = nil, rest
				continue
			}
			r, size := utf8.DecodeRuneInString(raw)
			raw = raw[size:]
			switch {
			case r == '\r':
				at = 0
				continue
			case at < len(line):
				line[at] = r
			default:
				line = append(line, r)
			}
			at++
		}
		lines = append(lines, strings.TrimRight(string(line), " "))
	}
	return lines
}

func TestSpeaksUTF8(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		system string
		env    map[string]string
		want   bool
	}{
		{"linux", map[string]string{"LANG": "hr_HR.UTF-8"}, true},
		{"linux", map[string]string{"LANG": "hr_HR.UTF-8", "LC_ALL": "C"}, false},
		{"linux", map[string]string{"LANG": "C", "LC_CTYPE": "C.utf8"}, true},
		{"linux", nil, false},
		{"windows", map[string]string{"LANG": "C.UTF-8"}, false},
		{"windows", map[string]string{"WT_SESSION": "1"}, true},
	} {
		if have := speaksUTF8(test.system, func(name string) string { return test.env[name] }); have != test.want {
			t.Errorf("%s, %v: %v", test.system, test.env, have)
		}
	}
}

// The pace is that of the last seconds: a long wait is forgotten.
func TestPace(t *testing.T) {
	t.Parallel()
	p := NewPace(0)
	for i := range 100 {
		p.Rate(time.Duration(i)*time.Second, 0)
	}
	var rate float64
	for i := range 40 {
		rate = p.Rate(time.Duration(100+i)*time.Second, int64(50*i))
	}
	if rate != 50 || len(p.points) > 20 {
		t.Errorf("%v rows/s of %d points", rate, len(p.points))
	}
}
