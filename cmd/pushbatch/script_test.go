package main

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"flag"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"pushbatch/apiclient/simulator"
	"pushbatch/testdata/openapitest"
	"pushbatch/testdata/s3test"
	"pushbatch/testdata/thorough"
)

func TestMain(m *testing.M) {
	flag.Parse()
	parallel := false
	flag.Visit(func(f *flag.Flag) { parallel = parallel || f.Name == "test.parallel" })
	if !parallel && !thorough.On() {
		// Most tests wait for a program that waits itself, at a rate or for an outage:
		// as many as there are processors would leave these idle half of the time.
		_ = flag.Set("test.parallel", strconv.Itoa(4*runtime.GOMAXPROCS(0)))
	}
	if os.Getenv("GOGC") == "" && !thorough.On() {
		// A child that collects no garbage while it starts takes 5 ms of processor time less, of about 75.
		_ = os.Setenv("GOGC", "800")
	}
	code := s3test.Run(m)
	if built != "" {
		_ = os.RemoveAll(filepath.Dir(built)) // what is left over in the temporary folder hurts nobody
	}
	os.Exit(code)
}

// The scripts in testdata are the specification of the command line: one a
// user story. By themselves the long ones end after their first scenes, at
// [!thorough] stop, leave out commands marked [thorough], and variations of others are skipped.
func TestScripts(t *testing.T) {
	t.Parallel()
	dir := filepath.Join("testdata", "script")
	if found, err := filepath.Glob(filepath.Join(dir, "*.txtar")); err != nil || len(found) == 0 {
		t.Fatalf("no script in %s: %v", dir, err)
	}
	st := &stage{t: t, sims: make(map[*testscript.TestScript]*simulator.Simulator)}
	testscript.Run(t, testscript.Params{
		Dir: dir,
		Setup: func(env *testscript.Env) error {
			rows, err := filepath.Abs(filepath.Join("..", "..", "testdata", "rows"))
			env.Setenv("PATH", filepath.Dir(binary(t))+string(filepath.ListSeparator)+env.Getenv("PATH"))
			env.Setenv("ROWS", rows)
			env.Setenv("NO_COLOR", "1")
			env.Setenv("INFOBIP_API_KEY", scriptKey)
			env.Setenv("INFOBIP_APP_CODE", "test-app")
			return err
		},
		Condition: func(name string) (bool, error) {
			if name != "thorough" {
				return false, fmt.Errorf("there is no condition %s", name)
			}
			return thorough.On(), nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":     exits,
			"simulator": st.start,
			"lines":     countLines,
			"ordered":   demandOrder,
			"waitfor":   waitFor,
			"state":     st.state,
			"calls":     st.calls,

			"halve":          halve,
			"cutgenerations": changeGenerations(func(path string) error { return os.Truncate(path, 100) }),
			"rmgenerations":  changeGenerations(os.Remove),
		},
	})
}

// scriptKey is the API key of the scripts; no output and no file may have it.
const scriptKey = "script-secret-key-8c1f"

// exits CODE COMMAND… runs a command and demands its exact exit code.
// Standard output and error are kept in stdout.txt and stderr.txt. No file that was
// written by it has the key.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND…")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	began := time.Now()
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		got = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
	for _, name := range []string{"stdout", "stderr"} {
		text := ts.ReadFile(name)
		if strings.Contains(text, scriptKey) {
			ts.Fatalf("the API key is in %s", name)
		}
		ts.Check(os.WriteFile(ts.MkAbs(name+".txt"), []byte(text), 0o600))
	}
	noSecretBelow(ts, ts.MkAbs("."), began.Add(-time.Second)) // clocks of file systems are coarse
}

// noSecretBelow demands that no file of the work folder that was written since a time has the key.
func noSecretBelow(ts *testscript.TestScript, dir string, since time.Time) {
	ts.Check(filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || !d.Type().IsRegular() {
			return err
		}
		if info, err := d.Info(); err != nil || info.ModTime().Before(since) {
			return err
		}
		data, err := os.ReadFile(path)
		if err == nil && bytes.Contains(data, []byte(scriptKey)) && filepath.Base(path) != "key.txt" {
			return fmt.Errorf("the API key is in %s", path)
		}
		return err
	}))
}

// stage holds the simulators of the scripts that are running.
type stage struct {
	t    *testing.T
	mu   sync.Mutex
	sims map[*testscript.TestScript]*simulator.Simulator
}

func (s *stage) simulator(ts *testscript.TestScript) *simulator.Simulator {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sims[ts] == nil {
		ts.Fatalf("the script has started no simulator")
	}
	return s.sims[ts]
}

// simulator [FAULTS] [option=value…] starts a simulator whose traffic is held
// against the OpenAPI document, and points the script at it.
func (s *stage) start(ts *testscript.TestScript, neg bool, args []string) {
	if neg {
		ts.Fatalf("usage: simulator [limit=N] [faults=SPEC] [key=KEY] [app=CODE] [unknown=refuse] [people=N] [webpush=PERCENT] [contacts=N] [choose=CHOICES]")
	}
	cfg := simulator.Config{Limits: simulator.PushLimits(0, 0), Admin: true}
	people := 0
	for _, arg := range args {
		name, value, _ := strings.Cut(arg, "=")
		var err error
		switch name {
		case "limit":
			var n int
			n, err = strconv.Atoi(value)
			cfg.Limits = simulator.PushLimits(n, n)
		case "faults":
			cfg.Faults, err = simulator.ParseFaults(value)
		case "key":
			cfg.APIKeys = []string{value}
		case "app":
			cfg.AppCodes = strings.Split(value, ",")
		case "people":
			people, err = strconv.Atoi(value)
		case "webpush":
			cfg.WebPush, err = strconv.Atoi(value)
		case "contacts":
			cfg.Contacts, err = strconv.Atoi(value)
		case "choose":
			cfg.Choices, err = simulator.ParseChoices(value)
		case "unknown":
			cfg.RefuseUnknown = value == "refuse"
		default:
			ts.Fatalf("unknown option %s", name)
		}
		ts.Check(err)
	}
	sim := simulator.New(cfg)
	sim.SeedPeople(people)
	server := httptest.NewServer(openapitest.Wrap(s.t, sim))
	ts.Defer(server.Close)
	s.mu.Lock()
	s.sims[ts] = sim
	s.mu.Unlock()
	ts.Setenv("INFOBIP_BASE_URL", server.URL)
}

// state FILE writes the simulator's registrations and people to a file.
func (s *stage) state(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: state FILE")
	}
	var out bytes.Buffer
	ts.Check(s.simulator(ts).WriteState(&out))
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), out.Bytes(), 0o600))
}

// calls N|-N demands that the simulator got exactly, or at most, N requests.
func (s *stage) calls(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: calls N, or calls -N for at most N")
	}
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := int(s.simulator(ts).Stats().Requests)
	if got != n && (n > 0 || got > -n) {
		ts.Fatalf("the simulator got %d requests, want %s", got, args[0])
	}
}

// lines N FILE demands that a file has N lines.
func countLines(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: lines N FILE")
	}
	n := 0
	for scan := bufio.NewScanner(strings.NewReader(ts.ReadFile(args[1]))); scan.Scan(); {
		n++
	}
	if strconv.Itoa(n) != args[0] {
		ts.Fatalf("%s has %d lines, want %s", args[1], n, args[0])
	}
}

// ordered FILE demands that the rows of a results file are numbered 1, 2, 3, …
func demandOrder(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: ordered FILE")
	}
	records, err := csv.NewReader(strings.NewReader(ts.ReadFile(args[0]))).ReadAll()
	ts.Check(err)
	if len(records) < 2 {
		ts.Fatalf("%s has no row", args[0])
	}
	for i, record := range records[1:] {
		if record[0] != strconv.Itoa(i+1) {
			ts.Fatalf("%s: row %s stands at place %d", args[0], record[0], i+1)
		}
	}
}

// waitfor FILE waits until a file is there.
func waitFor(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: waitfor FILE")
	}
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); <-tick.C {
		if _, err := os.Stat(ts.MkAbs(args[0])); err == nil {
			return
		}
	}
	ts.Fatalf("%s did not appear", args[0])
}
