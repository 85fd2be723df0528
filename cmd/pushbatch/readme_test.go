package main

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"pushbatch/batch"
	"pushbatch/batch/ops"
	"pushbatch/testdata/s3test"
	"pushbatch/testdata/thorough"
	"pushbatch/writers/inventory"
)

// Every block of the README and of the help topics is run, one after the other, as a reader
// would: the commands in one shell against the simulator that the README starts and a real
// S3 server, crontab lines as cron does, units by systemd's own checker, SQL by
// DuckDB over the tables that the commands made. A block that is neither run nor
// marked fails.
func TestReadme(t *testing.T) {
	thorough.Only(t)
	t.Parallel()
	r := newReader(t)
	run := map[string]func(*testing.T, *block){
		"sh": r.shell, "bash": r.shell, "cron": r.cron, "ini": r.unit, "yaml": r.yaml, "sql": r.sql,
		"json": func(*testing.T, *block) {}, // a job definition: as the Job
	}
	for _, b := range readme(t) {
		switch do := run[b.language]; {
		case b.marked("skip"):
			if b.marks["skip"] == "" {
				t.Errorf("%v: it is not said why it is not run", b)
			}
		case do == nil:
			t.Errorf("%v: nothing runs this language", b)
		default:
			do(t, b)
		}
		if t.Failed() {
			t.FailNow() // what comes later builds on it
		}
	}
	r.verifyUnits(t)
}

// reader follows the README in an empty folder.
type reader struct {
	home, bin, root string
	server          *s3test.Server
	stands          *strings.Replacer // addresses and paths of this machine
	state           string            // the shell's variables between blocks
	tools           string            // DuckDB; empty: not there
	units           []string
}

func newReader(t *testing.T) *reader {
	t.Helper()
	repository, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	r := &reader{home: home, bin: filepath.Join(home, "bin"), root: repository, server: s3test.Start(t)}
	r.server.MakeBucket(t, "company-push")
	r.state = filepath.Join(t.TempDir(), "state.sh")
	r.stands = strings.NewReplacer("127.0.0.1:8099", freePort(t), "/usr/local/bin", r.bin)
	for _, err := range []error{
		os.Mkdir(r.bin, 0o700),
		os.Symlink(binary(t), filepath.Join(r.bin, "pushbatch")),
		os.Symlink(filepath.Join(repository, "testdata"), filepath.Join(home, "testdata")),
		os.WriteFile(r.state, nil, 0o600),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	r.tools = duckdb(t, repository)
	return r
}

func duckdb(t *testing.T, repository string) string {
	t.Helper()
	tools := filepath.Join(repository, "writers", "testdata", "duckdb")
	if _, err := os.Stat(filepath.Join(tools, "node_modules")); err == nil {
		return tools
	}
	if os.Getenv("CI") == "true" {
		t.Fatal("run npm install in writers/testdata/duckdb")
	}
	t.Log("DuckDB is not installed: the SQL is not run")
	return ""
}

// freePort is a loopback address where nothing listens.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// environment is that of a login shell; the rate and S3 are this machine's.
func (r *reader) environment() []string {
	return append(s3test.Environment(), "HOME="+r.home, "PATH="+r.bin+":"+os.Getenv("PATH"), "GOBIN="+filepath.Join(r.home, "gobin"),
		"GOCACHE="+goEnv("GOCACHE"), "GOMODCACHE="+goEnv("GOMODCACHE"), "GOFLAGS="+os.Getenv("GOFLAGS"), "GOPROXY="+os.Getenv("GOPROXY"),
		"NO_COLOR=1", "PUSHBATCH_RATE=5000", "AWS_ENDPOINT_URL_S3="+r.server.Endpoint, "PUSHBATCH_S3_PATH_STYLE=true")
}

func goEnv(name string) string {
	out, _ := exec.Command("go", "env", name).Output() //nolint:gosec // names of this file
	return strings.TrimSpace(string(out))
}

// do runs a shell text after what its mark says, and demands its exit code. bash
// goes on with the variables of the block before, sh begins without, as cron.
func (r *reader) do(t *testing.T, b *block, shell, text string) {
	t.Helper()
	if before := b.marks["before"]; before != "" {
		r.do(t, &block{line: b.line, language: "before"}, "bash", before)
	}
	script := r.stands.Replace(text)
	if shell == "bash" {
		script = ". " + r.state + "\n" + script
		if !b.marked("root") { // whose variables are of no later block
			script = "trap 'code=$?; export -p >" + r.state + "; exit $code' EXIT\n" + script
		}
	}
	command := exec.CommandContext(t.Context(), shell, "-e", "-c", script)
	command.Dir, command.Env = r.home, r.environment()
	if b.marked("root") {
		command.Dir = r.root
		command.Env = append(command.Env, "PUSHBATCH_OUT="+filepath.Join(r.home, "run-"+strconv.Itoa(b.line)))
	}
	out, err := command.CombinedOutput()
	code := 0
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		code = exit.ExitCode()
	} else if err != nil {
		t.Fatalf("%v: %v", b, err)
	}
	if want, _ := strconv.Atoi(b.marks["exit"]); code != want {
		t.Fatalf("%v: exit code %d, want %d\n%s\n%s", b, code, want, text, out)
	}
}

func (r *reader) shell(t *testing.T, b *block) {
	t.Helper()
	switch {
	case b.marked("file"):
		r.write(t, b)
	case b.marked("background"):
		r.serve(t, b)
	default:
		r.do(t, b, "bash", b.text)
	}
}

func (r *reader) write(t *testing.T, b *block) string {
	t.Helper()
	path := filepath.Join(r.home, b.marks["file"])
	if err := os.WriteFile(path, []byte(r.stands.Replace(b.text)), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// serve starts a server and waits until it listens.
func (r *reader) serve(t *testing.T, b *block) {
	t.Helper()
	command := exec.CommandContext(context.WithoutCancel(t.Context()), "bash", "-c", "exec "+r.stands.Replace(b.text))
	command.Dir, command.Env = r.home, r.environment()
	said := &stderr{}
	command.Stderr = said
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = command.Process.Kill(); _ = command.Wait() })
	eventually(t, "the server to listen", func() bool { return strings.Contains(said.String(), "listening") })
}

// cronLine is what stands before the command of a line.
var cronLine = regexp.MustCompile(`^([\d*,/-]+\s+){5}`)

// cron runs each line as cron does: by sh, in HOME, with few variables.
func (r *reader) cron(t *testing.T, b *block) {
	t.Helper()
	setup, ran := "", 0
	for line := range strings.Lines(b.text) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok && regexp.MustCompile(`^[A-Z]+$`).MatchString(name) {
			if name == "PATH" {
				value = r.bin + ":" + value // where this test's program is
			}
			setup += "export " + name + "=" + value + "\n"
			continue
		}
		schedule := cronLine.FindString(line)
		if schedule == "" || strings.Contains(line, "%") {
			t.Fatalf("%v: not a line of a crontab: %s", b, line)
		}
		r.do(t, b, "sh", setup+strings.TrimPrefix(line, schedule))
		ran++
	}
	if ran == 0 {
		t.Fatalf("%v: no command", b)
	}
}

// unit keeps a systemd unit for verifyUnits and runs what it starts.
func (r *reader) unit(t *testing.T, b *block) {
	t.Helper()
	r.units = append(r.units, r.write(t, b))
	for line := range strings.Lines(b.text) {
		if command, ok := strings.CutPrefix(line, "ExecStart="); ok {
			b.marks["before"] = "printf key >key"
			command = strings.NewReplacer("%d/api-key", "key", "/srv/push/new-devices.csv", "devices.csv").Replace(command)
			r.do(t, b, "bash", command)
		}
	}
}

func (r *reader) verifyUnits(t *testing.T) {
	t.Helper()
	if len(r.units) == 0 {
		t.Fatal("there is no systemd unit")
	}
	checker, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Log("systemd-analyze is not there: the units were read only")
		return
	}
	out, err := exec.CommandContext(t.Context(), checker, append([]string{"verify", "--man=no"}, r.units...)...).CombinedOutput() //nolint:gosec // found in PATH
	if err != nil || len(bytes.TrimSpace(out)) > 0 {
		t.Errorf("systemd-analyze verify: %v\n%s", err, out)
	}
}

// cronJob is what is read of the Kubernetes manifest.
type cronJob struct {
	Kind string
	Spec struct {
		Schedule    string
		JobTemplate struct {
			Spec struct {
				Template struct {
					Spec struct{ Containers []struct{ Args []string } }
				}
			}
		} `yaml:"jobTemplate"`
	}
}

// yaml reads a block as what it is: a mapping, a --config file, or a manifest
// whose command is run.
func (r *reader) yaml(t *testing.T, b *block) {
	t.Helper()
	switch b.marks["file"] {
	case "mapping.yaml":
		if _, err := ops.ParseMapping("mapping.yaml", []byte(b.text)); err != nil {
			t.Errorf("%v: %v", b, err)
		}
		r.write(t, b)
		return
	case "nightly.yaml":
		r.write(t, b)
		r.do(t, b, "bash", "APP_CODE=x pushbatch config show --config nightly.yaml")
		return
	}
	var job cronJob
	if err := yaml.Unmarshal([]byte(b.text), &job); err != nil || job.Kind != "CronJob" && job.Kind != "Job" {
		t.Fatalf("%v: kind %q, %v", b, job.Kind, err)
	}
	if job.Kind == "Job" {
		return // .ci/manifests checks it, TestRecipesOfParts runs it
	}
	if !cronLine.MatchString(job.Spec.Schedule + " ") {
		t.Errorf("%v: schedule %q", b, job.Spec.Schedule)
	}
	devices, err := os.ReadFile(filepath.Join(r.home, "devices.csv"))
	if err != nil {
		t.Fatal(err)
	}
	s := *r.server
	s.Bucket = "company-push"
	s.Put(t, "new-devices.csv", devices)
	for _, c := range job.Spec.JobTemplate.Spec.Template.Spec.Containers {
		command := "pushbatch '" + strings.Join(c.Args, "' '") + "'"
		command = strings.ReplaceAll(command, "$(JOB_NAME)", "pushbatch-nightly-29402070")
		r.do(t, b, "bash", command)
		r.do(t, b, "bash", command) // the pod is started again
	}
}

// sql runs a query by DuckDB; objects are fetched first, for it cannot reach S3
// without an extension.
func (r *reader) sql(t *testing.T, b *block) {
	t.Helper()
	if b.marked("athena") {
		demandColumns(t, b)
		return
	}
	if r.tools == "" {
		return
	}
	query := regexp.MustCompile(`s3://company-push/([^']+)`).ReplaceAllStringFunc(b.text, func(location string) string {
		s := *r.server
		s.Bucket = "company-push"
		data, ok := s.Get(t, strings.TrimPrefix(location, "s3://company-push/"))
		if !ok {
			t.Fatalf("%v: there is no %s", b, location)
		}
		path := filepath.Join(r.home, "fetched.parquet")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	})
	command := exec.CommandContext(t.Context(), "node", filepath.Join(r.tools, "query.mjs"), query)
	command.Dir = r.home
	out, err := command.CombinedOutput()
	if rows, _ := strconv.Atoi(strings.TrimSpace(string(out))); err != nil || rows == 0 {
		t.Fatalf("%v: %v\n%s", b, err, out)
	}
}

// athenaTypes are the types that tables of ours have in Athena.
var athenaTypes = map[string]batch.Kind{"string": batch.Text, "boolean": batch.Bool, "timestamp": batch.Timestamp}

// demandColumns holds the columns of CREATE TABLE against those of the table.
func demandColumns(t *testing.T, b *block) {
	t.Helper()
	kinds := make(map[string]batch.Kind)
	for _, c := range inventory.NewLayout(true, true).Columns() {
		kinds[c.Name] = c.Kind
	}
	columns := regexp.MustCompile(`(?m)^  (\w+) (\w+),?$`).FindAllStringSubmatch(b.text, -1)
	if len(columns) < 5 {
		t.Fatalf("%v: %d columns", b, len(columns))
	}
	for _, c := range columns {
		if kind, ok := kinds[c[1]]; !ok || kind != athenaTypes[c[2]] {
			t.Errorf("%v: column %s %s: the table has %v (%t)", b, c[1], c[2], kind, ok)
		}
	}
}
