package main

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/spf13/pflag"

	"pushbatch/apiclient/simulator"
	"pushbatch/batch"
	"pushbatch/testdata/s3test"
)

// A process that died had counted what was under way at its last checkpoint; the
// journal gives back rows among it. They are not counted twice: the server saw no more
// than "at least".
func TestRequestsAfterADeath(t *testing.T) {
	t.Parallel()
	finished := func(row int64, attempts int) batch.Waiting {
		return batch.Waiting{Row: row, Outcome: batch.Outcome{Status: batch.Succeeded, Attempts: attempts}}
	}
	for name, tt := range map[string]struct {
		state string
		want  int64
	}{
		"under way at the checkpoint": {`{"requests":110,"throttled":5}`, 110},
		"begun after it":              {`{"requests":104,"throttled":5}`, 108},
		"looks for a snapshot":        {`{"requests":160,"throttled":5,"snapshot_requests":60}`, 168},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			point := &batch.Checkpoint{Tally: batch.Tally{Attempts: 100}, CallerState: []byte(tt.state)}
			point.Recover([]batch.Waiting{finished(1, 1), finished(2, 2)}, 3)
			if s := stateOf(point); s.Requests != tt.want || !s.AtLeast {
				t.Errorf("at least %d requests (%v), want %d", s.Requests, s.AtLeast, tt.want)
			}
		})
	}
}

// A switch that a weaker source turned on gives way to the opposite of a stronger one.
func TestStrongerOpposite(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "job.yaml")
	if err := os.WriteFile(file, []byte("quiet: true\nsimulate: true\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		args            []string
		env             map[string]string
		quiet, simulate bool
	}{
		{args: []string{"--config", file}, quiet: true, simulate: true},
		{args: []string{"--config", file, "-v"}, simulate: true},
		{args: []string{"--config", file, "--verbose=false"}, quiet: true, simulate: true},
		{args: []string{"--config", file, "--base-url", "https://x.example"}, quiet: true},
		{args: []string{"--config", file}, env: map[string]string{"PUSHBATCH_VERBOSE": "true", "INFOBIP_BASE_URL": "https://x.example"}},
		{args: []string{"--simulate"}, env: map[string]string{"INFOBIP_BASE_URL": "https://x.example"}, simulate: true},
		{args: []string{"-q"}, env: map[string]string{"PUSHBATCH_VERBOSE": "true"}, quiet: true},
		{args: []string{"-q", "-v"}, quiet: true},
	} {
		flags, set := new(jobFlags), pflag.NewFlagSet("job", pflag.ContinueOnError)
		flags.add(set)
		if err := set.Parse(tt.args); err != nil {
			t.Fatal(err)
		}
		_, err := resolve(set, func(name string) (string, bool) { value, ok := tt.env[name]; return value, ok })
		if err != nil || flags.quiet != tt.quiet || flags.simulate != tt.simulate {
			t.Errorf("%v %v: quiet %v, simulate %v, %v", tt.args, tt.env, flags.quiet, flags.simulate, err)
		}
	}
}

// A variable that nobody reads is told with the one that is meant; what belongs to
// others is not.
func TestMeantVariable(t *testing.T) {
	t.Parallel()
	known := knownVariables(newRoot(&process{getenv: os.LookupEnv}))
	for name, want := range map[string]string{
		"PUSHBATCH_RTAE": "PUSHBATCH_RATE", "PUSHBTACH_RATE": "PUSHBATCH_RATE", "pushbatch_rate": "PUSHBATCH_RATE",
		"PUSHBATCH_S3_ENDPOINT": "PUSHBATCH_S3_ENDPOINT_URL", "PUSHBATCH_OUT_DIR": "PUSHBATCH_OUT", "PUSHBATCH_API_KEY": "INFOBIP_API_KEY",
		"INFOBIP_BASEURL": "INFOBIP_BASE_URL", "INFOBIP_APPCODE": "INFOBIP_APP_CODE", "INFOBIP_APIKEY": "INFOBIP_API_KEY",
		"PUSHBATCH_SET_DEVICE_AS_PRIMRY": "PUSHBATCH_SET_DEVICE_AS_PRIMARY",
		"PUSHBATCH_HOME":                 "", "PUSHBATCH_VERSION": "", "PUSHBATCH_PORT_80_TCP": "", "PUSHBATCH_SERVICE_HOST": "", "PUSHBATCH_": "",
		"INFOBIP_SENDER": "", "INFOBIP_RATE": "", "PATH": "", "PUSH_RATE": "",
	} {
		if got := meantVariable(name, known); got != want {
			t.Errorf("%s: %q is meant, want %q", name, got, want)
		}
	}
}

// fullDisk is a disk without room.
type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, syscall.ENOSPC }

// printed is what a command writes to standard output.
func printed(t *testing.T, dir string, code int, args ...string) string {
	t.Helper()
	c, text := prepare(t, "https://x.example", dir, args...), new(strings.Builder)
	c.Stdout = text
	c.demandEnd(t, code)
	return text.String()
}

// What could not be printed is no success, whichever command was to print it.
func TestLostOutput(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	_, url := serve(t, simulator.Config{})
	c := prepare(t, url, dir, "depersonalize", devices(t, 3), "--out", "run")
	c.demandEnd(t, exitDone)
	for _, line := range []string{"status RUN", "status RUN --json", "report RUN", "version", "--help", "help mapping", "config show", "completion bash", "inspect INPUT --operation depersonalize"} {
		args := strings.Fields(strings.NewReplacer("RUN", filepath.Join(dir, "run"), "INPUT", devices(t, 3)).Replace(line))
		said := new(strings.Builder)
		code := run(t.Context(), process{args: args, stdin: strings.NewReader(""), stdout: fullDisk{}, stderr: said, getenv: func(string) (string, bool) { return "", false }})
		if code != exitStopped || strings.Count(said.String(), "no space left on device") != 1 {
			t.Errorf("%s: exit code %d, it says %q", line, code, said)
		}
	}
}

// A table that could not be published is told once, as what it is, and by status as a
// run that can be resumed, which then publishes it.
func TestTableThatCannotBePublished(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	sim := simulator.New(simulator.Config{Limits: simulator.PushLimits(0, 0)})
	sim.SeedPeople(30)
	obstacle := filepath.Join(dir, "t.csv")
	var once sync.Once
	url := serveHandler(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "persons") {
			once.Do(func() {
				if err := errors.Join(os.Mkdir(obstacle, 0o700), os.WriteFile(filepath.Join(obstacle, "x"), nil, 0o600)); err != nil {
					t.Error(err)
				}
			})
		}
		sim.ServeHTTP(w, r)
	}))
	c := prepare(t, url, dir, "export", "--people", "--to", "t.csv", "--out", "run")
	c.demandEnd(t, exitStopped)
	lines := strings.Split(strings.TrimSpace(c.stderr.String()), "\n")
	if last := lines[len(lines)-1]; last != "to go on where this run stands: pushbatch resume run" {
		t.Errorf("the last line is %q", last)
	}
	if text := printed(t, dir, exitDone, "status", "run"); !strings.Contains(text, "export, stopped") || !strings.Contains(text, "pushbatch resume run") {
		t.Errorf("status says:\n%s", text)
	}
	if err := os.RemoveAll(obstacle); err != nil {
		t.Fatal(err)
	}
	prepare(t, url, dir, "resume", "run").demandEnd(t, exitDone)
	if data, err := os.ReadFile(obstacle); err != nil || len(data) == 0 {
		t.Errorf("%d bytes, %v", len(data), err)
	}
}

// The name of a file makes no line of its own, and a simulated run says so.
func TestNameThatForgesALine(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(dir+"/x\n  succeeded  77.csv", []byte("registrationId,email\nr1,bad at\n"), 0o600); err != nil {
		t.Skip("the system has no such names")
	}
	c := prepare(t, "https://x.example", dir, "personalize", ".", "--simulate", "--out", "run")
	c.demandEnd(t, exitBadRows)
	if text := c.stderr.String(); strings.Contains(text, "\n  succeeded  77") || !strings.Contains(text, "simulator answered") {
		t.Errorf("it says:\n%s", text)
	}
	if text := printed(t, dir, exitBadRows, "inspect", "."); strings.Contains(text, "\n  succeeded  77") {
		t.Errorf("inspect says:\n%s", text)
	}
}

// A signal while the table is published is told as what it is, without the remedy for a
// place that cannot be written.
func TestSignalWhilePublishing(t *testing.T) {
	t.Parallel()
	sim, url := serve(t, simulator.Config{Limits: simulator.PushLimits(0, 0)})
	sim.SeedPeople(30)
	published, released := make(chan struct{}), make(chan struct{})
	defer close(released)
	var once sync.Once
	server := new(s3test.Store).Serve(t).Behind(t, &s3test.Faults{Refuse: func(r *http.Request) *s3test.Refusal {
		if r.Method != http.MethodGet && r.Method != http.MethodHead && strings.HasSuffix(r.URL.Path, "t.csv") {
			once.Do(func() { close(published) })
			<-released
		}
		return nil
	}})
	c := s3Child(t, server, url, "export", "--people", "--to", server.Location("t.csv"), "--out", filepath.Join(t.TempDir(), "run"))
	c.begin(t)
	<-published
	if err := c.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if code := c.code(t); code != exitInterrupted || strings.Contains(c.stderr.String(), "what to do") || !strings.Contains(c.stderr.String(), "pushbatch resume") {
		t.Errorf("exit code %d\n%s", code, &c.stderr)
	}
}
