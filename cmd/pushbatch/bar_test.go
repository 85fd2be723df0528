package main

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
	half := progressSnapshot{operation: "personalize", done: 19_012, bad: 12, total: 50_000, exact: true, rate: 49.8, limit: 50}
	with := func(change func(*progressSnapshot)) *progressSnapshot {
		s := half
		change(&s)
		return &s
	}
	for _, test := range []struct {
		name         string
		s            *progressSnapshot
		wide, narrow string
	}{
		{
			"under way", &half,
			"personalize 38% [##----] 19,012/50,000 49.8/s (limit 50) 10m22s left 12 failed",
			"38% 49.8/s 10m22s left 12 failed",
		},
		{
			"length estimated, nothing failed", with(func(s *progressSnapshot) { s.exact, s.bad = false, 0 }),
			"personalize 38% [#####----------] 19,012/~50,000 49.8/s (limit 50) 10m22s left",
			"38% [##----] 19,012 49.8/s 10m22s left",
		},
		{
			"length not known", with(func(s *progressSnapshot) { s.total = 0 }),
			"personalize 19,012 49.8/s (limit 50) 12 failed",
			"19,012 49.8/s 12 failed",
		},
		{
			"Retry-After", with(func(s *progressSnapshot) {
				s.waiting = waiting{why: apiclient.WaitRetryAfter, left: 3400 * time.Millisecond}
			}),
			"38% [####--------] 19,012 49.8/s 10m22s left 12 failed waiting: Retry-After 4s",
			"38% 49.8/s 12 failed Retry-After 4s",
		},
		{
			"outage", with(func(s *progressSnapshot) {
				s.rate, s.waiting = 0, waiting{why: apiclient.WaitOutage, left: 8 * time.Second, givesUp: 28*time.Minute + 3*time.Second}
			}),
			"38% [##----] 19,012 0.0/s 12 failed outage, next try in 8s, gives up in 28m03s",
			"38% 0.0/s 12 failed outage, try in 8s",
		},
		{
			"retrying", with(func(s *progressSnapshot) { s.retrying = 3 }),
			"personalize 38% [####---------] 19,012 49.8/s 10m22s left 12 failed retrying 3",
			"38% 49.8/s 12 failed retrying 3",
		},
		{
			"ended", with(func(s *progressSnapshot) { s.done, s.ended, s.limit = 50_000, 1004*time.Second, 0 }),
			"personalize 100% [###################] 50,000/50,000 49.8/s in 16m44s 12 failed",
			"100% 49.8/s in 16m44s 12 failed",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(test.wide, barLine(test.s, 79, false)); diff != "" {
				t.Errorf("79 columns:\n%s", diff)
			}
			if diff := cmp.Diff(test.narrow, barLine(test.s, 39, false)); diff != "" {
				t.Errorf("39 columns:\n%s", diff)
			}
		})
	}
}

// Whatever the numbers are, the line is never wider than it may be, and where
// there is any room it says how many rows failed and why nothing is sent.
func TestBarLineFits(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		total := random.Int64N(1 << random.IntN(45))
		s := progressSnapshot{
			operation: "depersonalize", done: random.Int64N(total + 1), bad: random.Int64N(1000), total: total * int64(random.IntN(2)),
			rate: random.Float64() * 1e4, limit: float64(random.IntN(2) * 1234), retrying: random.Int64N(64),
			waiting: waiting{apiclient.Waiting(random.IntN(6)), time.Duration(random.Int64N(1e14)), time.Duration(random.Int64N(1e14))},
		}
		width := random.IntN(120)
		line := barLine(&s, width, random.IntN(2) == 0)
		if n := utf8.RuneCountInString(line); n > width || strings.ContainsAny(line, "\r\n\x1b") {
			t.Fatalf("%d columns for %d: %q", n, width, line)
		}
		if width < 39 || s.waiting.why < apiclient.WaitRetryAfter {
			continue
		}
		if s.bad > 0 && !strings.Contains(line, " failed") || !strings.Contains(line, "outage") && !strings.Contains(line, "Retry-After") {
			t.Fatalf("%d columns: %q", width, line)
		}
	}
}

// A log line takes the bar's place and the bar stands below it; what is written
// over a longer line leaves nothing of it, with escape sequences and without.
func TestBarOnAScreen(t *testing.T) {
	t.Parallel()
	for _, ansi := range []bool{true, false} {
		var out bytes.Buffer
		b := newBar(&terminal{w: &out, ansi: ansi})
		if _, err := b.above().Write([]byte("before\n")); err != nil {
			t.Fatal(err)
		}
		s := progressSnapshot{operation: "update", done: 1, total: 4, exact: true, bad: 1, rate: 1}
		b.show(s)
		drawn := out.Len()
		if b.show(s); out.Len() != drawn {
			t.Error("the same line is drawn again")
		}
		if _, err := b.above().Write([]byte("a line of the log\n")); err != nil {
			t.Fatal(err)
		}
		s.done, s.bad, s.ended = 4, 0, 3*time.Second
		b.end(s)
		if _, err := b.above().Write([]byte("behind\n")); err != nil {
			t.Fatal(err)
		}
		want := []string{"before", "a line of the log", "update 100% [" + strings.Repeat("#", barWidest) + "] 4/4 1.0/s in 3s", "behind", ""}
		if diff := cmp.Diff(want, screen(out.String())); diff != "" {
			t.Errorf("escapes %v:\n%s", ansi, diff)
		}
	}
}

// screen is what a terminal shows of a text with carriage returns and ESC [K.
func screen(text string) (lines []string) {
	for raw := range strings.SplitSeq(text, "\n") {
		var line []rune
		at := 0
		for raw != "" {
			if rest, ok := strings.CutPrefix(raw, "\x1b[?7"); ok {
				raw = rest[1:]
				continue
			}
			if rest, ok := strings.CutPrefix(raw, "\x1b[K"); ok {
				line, raw = line[:min(at, len(line))], rest
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
	p := &pace{points: []pacePoint{{0, 0}}}
	for i := range 100 {
		p.rate(time.Duration(i)*time.Second, 0)
	}
	var rate float64
	for i := range 40 {
		rate = p.rate(time.Duration(100+i)*time.Second, int64(50*i))
	}
	if rate != 50 || len(p.points) > 20 {
		t.Errorf("%v rows/s of %d points", rate, len(p.points))
	}
}
