package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"pushbatch/apiclient/simulator"
	"pushbatch/batch"
	"pushbatch/batch/runstore"
	"pushbatch/testdata/thorough"
	"pushbatch/writers/console"
	"pushbatch/writers/report"
)

// built is the program as users have it, once binary has been called.
var built string

// buildOnce builds the program as users have it. Tests start it, not themselves: with what
// only tests import, a start costs a third more.
var buildOnce = sync.OnceValue(func() error {
	dir, err := os.MkdirTemp("", "pushbatch-test")
	if err != nil {
		return err
	}
	built = filepath.Join(dir, "pushbatch")
	out, err := exec.Command("go", "build", fmt.Sprintf("-race=%t", raceDetector()), "-ldflags=-w", "-o", built, ".").CombinedOutput() //nolint:gosec // the program
	if err != nil {
		return errors.New(string(out))
	}
	return nil
})

// raceDetector reports whether the tests run under the race detector: the program does, too.
func raceDetector() bool {
	info, ok := debug.ReadBuildInfo()
	return ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
}

func binary(t *testing.T) string {
	t.Helper()
	if err := buildOnce(); err != nil {
		t.Fatal(err)
	}
	return built
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
	c := prepare(t, baseURL, dir, args...)
	c.begin(t)
	return c
}

// prepare is start without starting: the environment can still be changed.
func prepare(t *testing.T, baseURL, dir string, args ...string) *child {
	t.Helper()
	c := &child{Cmd: exec.Command(binary(t), args...)}
	c.Dir = dir
	c.Env = append(os.Environ(), "INFOBIP_API_KEY="+scriptKey, "INFOBIP_APP_CODE=test-app", "INFOBIP_BASE_URL="+baseURL)
	c.Stderr = &c.stderr
	return c
}

func (c *child) begin(t *testing.T) {
	t.Helper()
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
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

// eventually waits for a condition; it is looked at every few milliseconds. However
// busy the machine is, it may take as long as the tests of the package may.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	ctx, cancel := t.Context(), context.CancelFunc(func() {})
	if end, limited := t.Deadline(); limited {
		ctx, cancel = context.WithDeadline(ctx, end.Add(-10*time.Second)) // so that the test itself says what did not happen
	}
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
	for _, test := range thorough.Sample([]struct {
		signal syscall.Signal
		code   int
	}{{syscall.SIGINT, 130}, {syscall.SIGTERM, 143}, {syscall.SIGHUP, 129}}, 3) {
		t.Run(test.signal.String(), func(t *testing.T) {
			t.Parallel()
			if signal.Ignored(test.signal) {
				t.Skip("this process passes an ignored SIGHUP on, as nohup does")
			}
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

// A run outlives who reads what it prints: it goes on when he leaves or reads no
// more, stops gracefully on a signal, and can be resumed without sending anything
// twice.
func TestReaderOfOutputEnds(t *testing.T) {
	t.Parallel()
	for name, asleep := range map[string]bool{"gone": false, "asleep": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			testReaderOfOutput(t, asleep)
		})
	}
}

// fill writes into a pipe until it takes no more.
func fill(write *os.File) error {
	for {
		if err := write.SetWriteDeadline(time.Now().Add(100 * time.Millisecond)); err != nil {
			return err
		}
		if _, err := write.Write(make([]byte, 512)); err != nil {
			if errors.Is(err, os.ErrDeadlineExceeded) {
				return nil
			}
			return err
		}
	}
}

func testReaderOfOutput(t *testing.T, asleep bool) {
	t.Helper()
	sim, url := serve(t, simulator.Config{Limits: simulator.PushLimits(0, 0)})
	dir, rows := t.TempDir(), updateRows(t)
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	if asleep {
		if err := fill(write); err != nil {
			t.Fatal(err)
		}
	}
	c := exec.Command(binary(t), "update", rows, "--rate", "60", "-v", "--out", "run")
	c.Dir, c.Stdout, c.Stderr = dir, write, write
	c.Env = append(os.Environ(), "INFOBIP_API_KEY="+scriptKey, "INFOBIP_APP_CODE=test-app", "INFOBIP_BASE_URL="+url)
	if err := errors.Join(c.Start(), write.Close()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the first requests", func() bool { return sim.Stats().Requests >= 5 })
	if !asleep {
		read.Close()
	}
	eventually(t, "more requests", func() bool { return sim.Stats().Requests >= 30 })
	if err := c.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	child := &child{Cmd: c}
	if code := child.code(t); code != 130 {
		t.Fatalf("exit code %d, want 130", code)
	}
	for _, name := range []string{"results.csv", "summary.json", "report.html"} {
		if _, err := os.Stat(filepath.Join(dir, "run", name)); err != nil {
			t.Error(err)
		}
	}
	resumed := start(t, url, dir, "resume", "run", "--rate", "5000")
	if code := resumed.code(t); code != 0 {
		t.Fatalf("resume: exit code %d\n%s", code, &resumed.stderr)
	}
	if n := sim.Stats().Requests; n != 400 {
		t.Errorf("the platform got %d requests for 400 rows", n)
	}
}

// What a command ends with does not depend on who reads what it prints.
func TestExitCodeWithoutReader(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	input := filepath.Join(dir, "d.csv")
	if err := os.WriteFile(input, []byte("registrationId,isPrimary\nr1,true\nr2,maybe\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range thorough.Sample([]struct {
		args []string
		code int
	}{
		{[]string{"inspect", input, "--operation", "update"}, 1},
		{[]string{"update", input, "--simulate", "--out", "run"}, 1},
		{[]string{"resume", "nothing"}, 2},
		{[]string{"help"}, 0},
	}, 2) {
		read, write, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		c := &child{Cmd: exec.Command(binary(t), test.args...)}
		c.Dir, c.Stdout, c.Cmd.Stderr, c.Env = dir, write, write, append(os.Environ(), "INFOBIP_APP_CODE=test-app")
		if err := errors.Join(read.Close(), c.Start(), write.Close()); err != nil {
			t.Fatal(err)
		}
		if code := c.code(t); code != test.code {
			t.Errorf("%v: exit code %d, want %d", test.args, code, test.code)
		}
	}
}

// A fault of the program ends with its own code, says no value of a request, and
// leaves a run that goes on.
func TestFault(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	input, out := filepath.Join(dir, "d.csv"), filepath.Join(dir, "run")
	if err := os.WriteFile(input, []byte("registrationId\nr1\nr2\nr3\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var calls atomic.Int64
	faulty := roundTrip(func(req *http.Request) (*http.Response, error) {
		if calls.Add(1) == 2 {
			panic("secret " + req.URL.String())
		}
		return simulator.New(simulator.Config{}).RoundTripper().RoundTrip(req)
	})
	execute := func(args ...string) (int, string) {
		var said bytes.Buffer
		env := map[string]string{"INFOBIP_API_KEY": scriptKey, "INFOBIP_APP_CODE": "test-app", "INFOBIP_BASE_URL": "http://127.0.0.1"}
		code := run(t.Context(), process{
			args: args, stdout: io.Discard, stderr: &said, platform: faulty,
			getenv: func(name string) (string, bool) { value, ok := env[name]; return value, ok },
		})
		return code, said.String()
	}
	code, said := execute("depersonalize", input, "--out", out, "--max-in-flight", "1")
	if code != 70 || strings.Contains(said, "secret") || !strings.Contains(said, "fault of pushbatch") || !strings.Contains(said, "pushbatch resume") {
		t.Errorf("exit code %d\n%s", code, said)
	}
	if code, said := execute("resume", out); code != 0 {
		t.Errorf("resume: exit code %d\n%s", code, said)
	}
	demandEveryRowOnce(t, filepath.Join(out, "results.csv"), 3)
}

// What comes from outside cannot steer a terminal or turn the text around it.
func TestStreamIsClean(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	s := console.NewStream(&out)
	for _, part := range []string{"a\x1b[2J\tb\n", "\u202eć\u009b\x7f\x07\r", "š"[:1], "š"[1:], "\u2028\xff."} {
		if n, err := s.Write([]byte(part)); n != len(part) || err != nil {
			t.Fatalf("%d, %v", n, err)
		}
	}
	want := "a\\u001b[2J\tb\n\\u202eć\\u009b\\u007f\\u0007\\u000dš\\u2028\uFFFD."
	if out.String() != want {
		t.Errorf("%q\nwant %q", out.String(), want)
	}
}

// What stops a run while it looks at its inputs, or at the listing, has the same exit
// code as later; what is wrong with a folder or a state has that of a stopped run.
func TestExitCodeOfFirstPass(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		err  error
		code int
	}{
		{errors.New("disk full"), exitStopped},
		{fmt.Errorf("page 2: %w", &signalError{name: "SIGTERM", code: exitTerminated}), exitTerminated},
		{fmt.Errorf("page 2: %w", errMaxDuration), exitDuration},
		{batch.Guard(func() error { panic("x") }), exitInternal},
		{&batch.Abort{Code: codeUnwritable, Err: &exitError{code: exitStopped, err: batch.Guard(func() error { panic("x") })}}, exitInternal},
		{&batch.Abort{Code: "input_cut"}, exitStopped},
		{&runstore.LockedError{}, exitLocked},
	} {
		if got := exitCode(tt.err); got != tt.code {
			t.Errorf("%v: exit code %d, want %d", tt.err, got, tt.code)
		}
	}
}
