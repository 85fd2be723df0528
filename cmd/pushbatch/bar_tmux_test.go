package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"pushbatch/apiclient/simulator"
	"pushbatch/testdata/thorough"
)

// tmux is one terminal of its own.
type tmux struct {
	t      *testing.T
	socket string
	width  int
}

// openTerminal runs a job in a terminal of a size.
func openTerminal(t *testing.T, width, height int, env []string, command ...string) *tmux {
	t.Helper()
	if _, err := exec.LookPath("tmux"); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	config := filepath.Join(dir, "tmux.conf")
	if err := os.WriteFile(config, []byte("set -g status off\nset -g remain-on-exit on\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	m := &tmux{t: t, socket: filepath.Join(dir, "s"), width: width}
	t.Cleanup(func() { _, _ = m.run("kill-server") }) // its own, by its socket
	args := []string{"-f", config, "new-session", "-d", "-s", "pb", "-x", fmt.Sprint(width), "-y", fmt.Sprint(height), "-c", dir}
	for _, e := range env {
		args = append(args, "-e", e)
	}
	if out, err := m.run(append(args, command...)...); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return m
}

func (m *tmux) run(args ...string) (string, error) {
	cmd := exec.Command("tmux", append([]string{"-S", m.socket}, args...)...)
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "TERM=xterm")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// lines is what the screen shows, down to the last line that is not empty.
func (m *tmux) lines() []string {
	m.t.Helper()
	out, err := m.run("capture-pane", "-p", "-t", "pb")
	if err != nil {
		m.t.Fatalf("%v: %s", err, out)
	}
	return strings.Split(strings.TrimRight(out, "\n"), "\n")
}

// history is all that was on the screen, wrapped lines joined.
func (m *tmux) history() string {
	m.t.Helper()
	out, err := m.run("capture-pane", "-p", "-J", "-S", "-", "-t", "pb")
	if err != nil {
		m.t.Fatalf("%v: %s", err, out)
	}
	return out
}

// dead reports whether the job has ended and all of its words are there.
func (m *tmux) dead() bool {
	out, err := m.run("display-message", "-p", "-t", "pb", "#{pane_dead}")
	return err == nil && strings.TrimSpace(out) == "1"
}

var barAtStart = regexp.MustCompile(`^ {1,3}\d+%`)

// until waits for a screen with a text in its bar. On every screen until then
// there is at most one bar, it is the last line, and it has not wrapped.
func (m *tmux) until(text string) (line string) {
	m.t.Helper()
	var last []string
	m.t.Cleanup(func() {
		if m.t.Failed() {
			m.t.Logf("the last screen:\n%s", strings.Join(last, "\n"))
		}
	})
	eventually(m.t, fmt.Sprintf("a bar with %q", text), func() bool {
		last = m.lines()
		for i, l := range last {
			at := strings.Index(l, "%")
			if at < 0 || !strings.ContainsAny(l, "█░") && !barAtStart.MatchString(l) {
				continue
			}
			if !barAtStart.MatchString(l) || i != len(last)-1 || utf8.RuneCountInString(l) >= m.width {
				m.t.Fatalf("a line of the screen has a bar in the wrong place: %q\n%s", l, strings.Join(last, "\n"))
			}
		}
		line = last[len(last)-1]
		return barAtStart.MatchString(line) && strings.Contains(line, text)
	})
	return line
}

// The bar on real screens of two sizes while the run waits for Retry-After,
// retries rows, and sits out an outage; log lines go above it. A signal leaves
// one line of it.
func TestBarInTerminal(t *testing.T) {
	thorough.Only(t)
	t.Parallel()
	for _, size := range []struct{ width, height int }{{80, 24}, {40, 10}} {
		for _, test := range []struct {
			name, faults string
			limit        int
			want         []string
		}{
			{"waiting", "", 4, []string{"Retry-After 1s"}},
			{"retrying", "500=50%", 0, []string{"retrying "}},
			{"outage", "outage=#20-9999", 0, []string{"outage, ", "try in "}},
		} {
			t.Run(fmt.Sprintf("%s %dx%d", test.name, size.width, size.height), func(t *testing.T) {
				t.Parallel()
				_, url := serve(t, simulator.Config{Limits: simulator.PushLimits(test.limit, 0), Faults: faults(t, test.faults)})
				m := openTerminal(t, size.width, size.height, jobEnv(url), binary(t), "update", updateRows(t), "--rate", "30", "--out", "run")
				line := ""
				for _, text := range test.want {
					line = m.until(text)
				}
				t.Logf("%q", line)
				m.stopped()
			})
		}
	}
}

// stopped stops the job and demands one clean line of the bar above what it
// says at its end.
func (m *tmux) stopped() {
	m.t.Helper()
	if out, err := m.run("send-keys", "-t", "pb", "C-c"); err != nil {
		m.t.Fatalf("%v: %s", err, out)
	}
	var all string
	m.t.Cleanup(func() {
		if m.t.Failed() {
			m.t.Logf("the end:\n%s", all)
		}
	})
	eventually(m.t, "the end", func() bool {
		dead := m.dead()
		all = m.history()
		return dead
	})
	bars := 0
	for line := range strings.Lines(all) {
		if barAtStart.MatchString(line) {
			bars++
			if !strings.Contains(line, " in ") {
				m.t.Errorf("the bar's last line: %q", line)
			}
		}
	}
	if bars != 1 || !strings.Contains(all, "pushbatch resume run") {
		m.t.Errorf("%d bars are left:\n%s", bars, all)
	}
}

// A terminal that is made narrower and wider again: the bar follows and leaves
// nothing after.
func TestBarFollowsTheTerminal(t *testing.T) {
	thorough.Only(t)
	t.Parallel()
	_, url := serve(t, simulator.Config{Limits: simulator.PushLimits(0, 0), Faults: faults(t, "hang=#30-9999")})
	m := openTerminal(t, 80, 24, jobEnv(url), binary(t), "update", updateRows(t), "--rate", "30", "--out", "run")
	m.until("29/400")
	whole := regexp.MustCompile(`( left|/s|\(limit 30\))$`) // a line that is cut ends otherwise
	for _, width := range []int{40, 60, 25, 80} {
		if out, err := m.run("resize-window", "-t", "pb", "-x", fmt.Sprint(width), "-y", "24"); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		m.width = width
		var line string
		eventually(t, fmt.Sprintf("a bar for %d columns", width), func() bool {
			line = m.lines()[len(m.lines())-1]
			fits := utf8.RuneCountInString(line) < width && width > 40 == strings.Contains(line, "/400") && width > 40 == strings.Contains(line, "update")
			return barAtStart.MatchString(line) && whole.MatchString(line) && fits
		})
	}
	// What tmux has moved off the screen's top nobody can clear any more.
	all, now := m.history(), strings.Join(m.lines(), "\n")
	if n := strings.Count(now, "%"); n != 1 || !strings.Contains(all, ` INF input source=`) || !strings.Contains(all, "columns=6\n") {
		t.Errorf("%d bars on\n%s\nof\n%s", n, now, all)
	}
}

// Without UTF-8 the bar is of plain characters; a dumb terminal gets lines.
func TestBarInOldTerminals(t *testing.T) {
	thorough.Only(t)
	t.Parallel()
	_, url := serve(t, simulator.Config{Limits: simulator.PushLimits(0, 0), Faults: faults(t, "hang=#30-9999")})
	env := append(jobEnv(url), "LC_ALL=C")
	m := openTerminal(t, 80, 24, env, binary(t), "update", updateRows(t), "--rate", "30", "--out", "run")
	if line := m.until("29/400"); !strings.Contains(line, "[#") {
		t.Errorf("%q", line)
	}
	_, calm := serve(t, simulator.Config{Limits: simulator.PushLimits(0, 0)})
	env = append(jobEnv(calm), "LC_ALL=C")
	dumb := openTerminal(t, 80, 24, env, "env", "TERM=dumb", binary(t), "update", updateRows(t), "--rate", "1000", "--limit", "20", "--out", "run")
	eventually(t, "the end", dumb.dead)
	out, err := dumb.run("capture-pane", "-p", "-e", "-S", "-", "-t", "pb")
	if err != nil || strings.Contains(out, "%") || strings.Contains(out, "\x1b[3") || !strings.Contains(out, "update: 20 rows") {
		t.Errorf("%v, a dumb terminal shows %q", err, out)
	}
}

func jobEnv(url string) []string {
	return []string{"LC_ALL=C.UTF-8", "INFOBIP_API_KEY=" + scriptKey, "INFOBIP_APP_CODE=test-app", "INFOBIP_BASE_URL=" + url}
}
