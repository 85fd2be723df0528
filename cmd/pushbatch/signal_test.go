package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"pushbatch/apiclient/simulator"
	"pushbatch/writers/report"
)

// buildOnce builds the real binary for tests that signal and kill it.
var buildOnce = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "pushbatch-test")
	if err != nil {
		return "", err
	}
	bin := filepath.Join(dir, "pushbatch")
	out, err := exec.Command("go", "build", "-o", bin, ".").CombinedOutput()
	if err != nil {
		return "", errors.New(string(out))
	}
	return bin, nil
})

func binary(t *testing.T) string {
	t.Helper()
	bin, err := buildOnce()
	if err != nil {
		t.Fatal(err)
	}
	return bin
}

// child is the binary at work.
type child struct {
	*exec.Cmd
	stderr stderr
}

// stderr is what a child says on standard error.
type stderr struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (t *stderr) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.Write(p)
}

func (t *stderr) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.String()
}

func start(t *testing.T, baseURL, dir string, args ...string) *child {
	t.Helper()
	c := &child{Cmd: exec.Command(binary(t), args...)}
	c.Dir = dir
	c.Env = append(os.Environ(), "INFOBIP_API_KEY="+scriptKey, "INFOBIP_APP_CODE=test-app", "INFOBIP_BASE_URL="+baseURL)
	c.Stderr = &c.stderr
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	return c
}

// code waits for the exit code; -1 after a kill.
func (c *child) code(t *testing.T) int {
	t.Helper()
	err := c.Wait()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exit.ExitCode()
	}
	if err != nil {
		t.Fatal(err)
	}
	return 0
}

// eventually waits for a condition; it is looked at every few milliseconds.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("%s did not happen", what)
		}
	}
}

func serve(t *testing.T, cfg simulator.Config) (*simulator.Simulator, string) {
	t.Helper()
	sim := simulator.New(cfg)
	return sim, serveHandler(t, sim)
}

func serveHandler(t *testing.T, h http.Handler) (url string) {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server.URL
}

func faults(t *testing.T, spec string) []simulator.Fault {
	t.Helper()
	f, err := simulator.ParseFaults(spec)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// A signal finishes what is under way and records it; the run goes on later
// and not one request is sent twice.
func TestSignals(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Fatal("this test needs Unix signals")
	}
	for _, test := range []struct {
		signal syscall.Signal
		code   int
	}{{syscall.SIGINT, 130}, {syscall.SIGTERM, 143}} {
		t.Run(test.signal.String(), func(t *testing.T) {
			t.Parallel()
			sim, url := serve(t, simulator.Config{Limits: simulator.PushLimits(0, 0), Faults: faults(t, "latency=50ms-200ms")})
			dir := t.TempDir()
			rows, err := filepath.Abs("../../testdata/rows/update.csv")
			if err != nil {
				t.Fatal(err)
			}
			c := start(t, url, dir, "update", rows, "--rate", "200", "--out", "run")
			eventually(t, "the 50th request", func() bool { return sim.Stats().Requests >= 50 })
			if err := c.Process.Signal(test.signal); err != nil {
				t.Fatal(err)
			}
			if code := c.code(t); code != test.code {
				t.Fatalf("exit code %d, want %d\n%s", code, test.code, &c.stderr)
			}
			lines := strings.Split(strings.TrimSpace(c.stderr.String()), "\n")
			if last := lines[len(lines)-1]; !strings.HasSuffix(last, "pushbatch resume run") {
				t.Errorf("the last line is %q", last)
			}
			var sum report.Summary
			readJSON(t, filepath.Join(dir, "run", "summary.json"), &sum)
			if sum.Rows+*sum.Unsent != 400 || sum.Rows != sim.Stats().Requests {
				t.Errorf("%d rows and %d unsent of 400; the platform got %d requests", sum.Rows, *sum.Unsent, sim.Stats().Requests)
			}
			c = start(t, url, dir, "resume", "run", "--rate", "5000")
			if code := c.code(t); code != 0 {
				t.Fatalf("resume: exit code %d\n%s", code, &c.stderr)
			}
			if n := sim.Stats().Requests; n != 400 {
				t.Errorf("the platform got %d requests for 400 rows", n)
			}
			demandEveryRowOnce(t, filepath.Join(dir, "run", "results.csv"), 400)
		})
	}
}

// A second signal stops at once, although a request hangs.
func TestSecondSignal(t *testing.T) {
	t.Parallel()
	sim, url := serve(t, simulator.Config{Limits: simulator.PushLimits(0, 0), Faults: faults(t, "latency=10m")})
	dir := t.TempDir()
	rows, err := filepath.Abs("../../testdata/rows/update.csv")
	if err != nil {
		t.Fatal(err)
	}
	c := start(t, url, dir, "update", rows, "--rate", "200", "--out", "run", "--timeout", "20m")
	eventually(t, "the first requests", func() bool { return sim.Stats().InFlight >= 3 })
	for range 2 {
		if err := c.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the note about stopping", func() bool { return strings.Contains(c.stderr.String(), "a second signal") })
	}
	if code := c.code(t); code != 143 {
		t.Errorf("exit code %d, want 143\n%s", code, &c.stderr)
	}
	var sum report.Summary
	readJSON(t, filepath.Join(dir, "run", "summary.json"), &sum)
	if sum.Rows != 0 || *sum.Unsent != 400 {
		t.Errorf("%d rows done, %d unsent; want 0 and 400", sum.Rows, *sum.Unsent)
	}
}

func readJSON(t *testing.T, path string, v any) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(data, v)
	}
	if err != nil {
		t.Fatal(err)
	}
}
