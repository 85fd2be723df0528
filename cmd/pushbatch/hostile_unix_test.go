//go:build unix

package main

import (
	"bytes"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"pushbatch/apiclient/simulator"
	"pushbatch/testdata/s3test"
	"pushbatch/testdata/thorough"
)

// A checkpoint whose names lead out of the run folder, in S3 and on disk: nothing is
// written, replaced or deleted there, and nothing is sent.
func TestCheckpointNamesOtherFiles(t *testing.T) {
	t.Parallel()
	sim, url := serve(t, simulator.Config{Limits: simulator.PushLimits(0, 0)})
	server := new(s3test.Store).Serve(t)
	dir := t.TempDir()
	victim := filepath.Join(dir, "victim.part")
	input := filepath.Join(dir, "in.csv")
	err := errors.Join(os.WriteFile(victim, []byte("precious"), 0o600), os.WriteFile(input, []byte("registrationId,externalId\nr1,\nr2,b\n"), 0o600))
	if err != nil {
		t.Fatal(err)
	}
	s3 := []string{"--s3-endpoint-url", server.Endpoint, "--s3-path-style"}
	prepare(t, url, dir, append([]string{"personalize", input, "--canary", "1", "--out", "s3://bucket/run"}, s3...)...).demandEnd(t, exitErrors)
	prepare(t, url, dir, "personalize", input, "--canary", "1", "--out", "run").demandEnd(t, exitErrors)
	names := []string{victim, "../victim.part", "../../../../../../../../../../../" + victim, "sub/victim.part", `..\victim.part`, "job.json"}
	for _, name := range thorough.Sample(names, 6) {
		quoted := strings.ReplaceAll(name, `\`, `\\`)
		for place, data := range map[string]string{
			"run/checkpoint.json":           `{"checkpoint":{"mark":{"` + quoted + `":3}}}`,
			"run/checkpoint.json of report": `{"reports":{"` + quoted + `":{"segments":[{"name":"results.csv","to":4}]}}}`,
			"run/checkpoint.json segment":   `{"reports":{"results.csv":{"segments":[{"name":"` + quoted + `","to":4}]}}}`,
		} {
			key, _, _ := strings.Cut(place, " ")
			server.Put(t, key, []byte(data))
			c := prepare(t, url, dir, append([]string{"resume", "s3://bucket/run"}, s3...)...)
			if c.begin(t); c.code(t) == exitDone {
				t.Errorf("%s: %s was taken", place, data)
			}
		}
		if err := os.WriteFile(filepath.Join(dir, "run", "checkpoint.json"), []byte(`{"mark":{"`+quoted+`":3}}`), 0o600); err != nil {
			t.Fatal(err)
		}
		c := prepare(t, url, dir, "resume", "run")
		if c.begin(t); c.code(t) == exitDone {
			t.Errorf("%s was taken from a checkpoint on disk", name)
		}
	}
	if data, err := os.ReadFile(victim); string(data) != "precious" {
		t.Errorf("%q, %v", data, err)
	}
	if n := sim.Stats().Effects; n != 0 {
		t.Errorf("%d rows were sent", n)
	}
}

// A job.json in S3 that sends what the run writes elsewhere: a table, a delta state or
// a shared limit outside the run's bucket is taken if the run's seal says so, or if the
// command line does.
func TestJobFileNamesOtherPlaces(t *testing.T) {
	t.Parallel()
	_, url := serve(t, simulator.Config{Limits: simulator.PushLimits(0, 0)})
	server := new(s3test.Store).Serve(t)
	dir := t.TempDir()
	input := filepath.Join(dir, "in.csv")
	if err := os.WriteFile(input, []byte("registrationId,externalId\nr1,\nr2,b\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	at := func(args ...string) *child { return s3Child(t, server, url, args...) }
	limit, victim := filepath.Join(dir, "limit.json"), filepath.Join(dir, "victim")
	for _, run := range []string{"run", "anew"} {
		at("personalize", input, "--canary", "1", "--out", "s3://bucket/"+run, "--share-limit", limit).demandEnd(t, exitErrors)
		data, _ := server.Get(t, run+"/job.json")
		job := string(data)
		for _, place := range thorough.Sample([]string{victim, "s3://other/limit.json"}, 2) {
			server.Put(t, run+"/job.json", []byte(strings.Replace(job, limit, place, 1)))
			at("resume", "s3://bucket/"+run).demandEnd(t, exitUsage, "give --share-limit on the command line")
		}
		if run == "run" { // as it was sealed
			server.Put(t, run+"/job.json", []byte(job))
			at("resume", "s3://bucket/"+run).demandEnd(t, exitBadRows)
			continue
		}
		// What was refused is not sealed by a resume that is told the right one.
		at("resume", "s3://bucket/"+run, "--share-limit", limit).demandEnd(t, exitBadRows)
		if data, _ := server.Get(t, run+"/job.json"); !strings.Contains(string(data), limit) || strings.Contains(string(data), "other/limit.json") {
			t.Errorf("the run goes on with\n%s", data)
		}
	}
	if _, err := os.Stat(victim); err == nil {
		t.Error("the file that job.json names was written")
	}
}

// What was planted in a run folder or a delta state before they were closed to others
// is refused at the start: no link is followed, no pipe waited for, nothing is sent.
func TestPlantedInFolders(t *testing.T) {
	t.Parallel()
	sim, url := serve(t, simulator.Config{Limits: simulator.PushLimits(0, 0)})
	dir := t.TempDir()
	input, victim := filepath.Join(dir, "in.csv"), filepath.Join(dir, "victim")
	err := errors.Join(os.WriteFile(victim, []byte("precious"), 0o600), os.WriteFile(input, []byte("registrationId,externalId\nr1,a\n"), 0o600))
	if err != nil {
		t.Fatal(err)
	}
	link := func(path string) error { return os.Symlink(victim, path) }
	dangling := func(path string) error { return os.Symlink(victim+"-none", path) }
	pipe := func(path string) error { return syscall.Mkfifo(path, 0o600) }
	for i, c := range thorough.Sample([]struct {
		name  string
		plant func(string) error
		args  []string
	}{
		{"results.csv.part", link, []string{"personalize", input, "--out", "FOLDER"}},
		{"report.html", dangling, []string{"personalize", input, "--out", "FOLDER"}},
		{"before.ndjson.zst.part", link, []string{"personalize", input, "--snapshot", "--out", "FOLDER"}},
		{"job.json", pipe, []string{"personalize", input, "--continue", "--out", "FOLDER"}},
		{"state.json", pipe, []string{"personalize", input, "--delta", "FOLDER", "--out", "run"}},
		{"state.json", pipe, []string{"personalize", input, "--delta", "FOLDER", "--dry-run", "--out", "dry"}},
		{"state.json", pipe, []string{"delta", "FOLDER"}},
		{"state.json", link, []string{"personalize", input, "--delta", "FOLDER", "--out", "run"}},
		{"state.json.tmp", link, []string{"personalize", input, "--delta", "FOLDER", "--out", "run"}},
		{"devices-00000001-aaaaaaaa.parquet", dangling, []string{"personalize", input, "--delta", "FOLDER", "--out", "run"}},
		{".lock", link, []string{"personalize", input, "--delta", "FOLDER", "--out", "run"}},
	}, 3) {
		folder := filepath.Join(dir, "folder"+string(rune('a'+i)))
		if err := errors.Join(os.Mkdir(folder, 0o700), c.plant(filepath.Join(folder, c.name))); err != nil {
			t.Fatal(err)
		}
		var args []string
		for _, a := range c.args {
			args = append(args, strings.ReplaceAll(a, "FOLDER", folder))
		}
		prepare(t, url, dir, args...).demandEnd(t, exitUsage, c.name, "is no regular file", "move it away")
	}
	if data, err := os.ReadFile(victim); string(data) != "precious" {
		t.Errorf("%q, %v", data, err)
	}
	if _, err := os.Lstat(victim + "-none"); err == nil {
		t.Error("a file was made outside")
	}
	if n := sim.Stats().Effects; n != 0 {
		t.Errorf("%d rows were sent", n)
	}
}

// A pipe in the place of a folder or a record, on the command line or named by a
// job.json or a state.json, is waited for by nobody.
func TestPipeForAPlace(t *testing.T) {
	t.Parallel()
	_, url := serve(t, simulator.Config{Limits: simulator.PushLimits(0, 0)})
	dir := t.TempDir()
	input, pipe := filepath.Join(dir, "in.csv"), filepath.Join(dir, "pipe")
	err := errors.Join(os.WriteFile(input, []byte("registrationId,externalId\nr1,a\n"), 0o600), syscall.Mkfifo(pipe, 0o600))
	if err != nil {
		t.Fatal(err)
	}
	for _, args := range thorough.Sample([][]string{
		{"resume", pipe},
		{"retry", pipe},
		{"undo", pipe},
		{"status", pipe},
		{"report", pipe},
		{"personalize", input, "--out", pipe, "--continue"},
		{"personalize", input, "--share-limit", pipe},
	}, 7) {
		c := prepare(t, url, dir, args...)
		if c.begin(t); c.code(t) == exitDone {
			t.Errorf("%q ended well", args)
		}
	}
	prepare(t, url, dir, "personalize", input, "--out", "run").demandEnd(t, exitDone)
	job := filepath.Join(dir, "run", "job.json")
	asWritten, err := os.ReadFile(job)
	if err != nil {
		t.Fatal(err)
	}
	named := bytes.Replace(asWritten, []byte(`"uri": "`+input), []byte(`"uri": "`+pipe), 1)
	set := func(more string) []byte { return bytes.Replace(asWritten, []byte(`"settings": {`), []byte(more), 1) }
	for i, data := range [][]byte{named, set(`"mapping":"columns: {}","settings": {"map":["` + pipe + `"],`), set(`"settings": {"snapshot-from":["` + pipe + `"],`)} {
		if err := errors.Join(os.WriteFile(job, data, 0o600), os.Remove(filepath.Join(dir, "run", "checkpoint.json"))); err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		c := prepare(t, url, dir, "resume", "run")
		c.begin(t)
		if code := c.code(t); code != []int{exitStopped, exitDone, exitUsage}[i] {
			t.Errorf("code %d\n%s", code, c.stderr.String())
		}
	}
	state := filepath.Join(dir, "state")
	note := `{"format":1,"operation":"personalize","base_url":"` + url + `","serial":1,"run":{"id":"x","folder":"` + pipe + `","open":true}}`
	if err := errors.Join(os.Mkdir(state, 0o700), os.WriteFile(filepath.Join(state, "state.json"), []byte(note), 0o600)); err != nil {
		t.Fatal(err)
	}
	prepare(t, url, dir, "personalize", input, "--delta", state, "--out", "night").demandEnd(t, exitStopped, "state.json is damaged", "--delta-full")
	prepare(t, url, dir, "personalize", input, "--delta", state, "--delta-full", "--out", "night").demandEnd(t, exitDone)
	day := filepath.Join(dir, "days", "day=2000-01-01")
	if err := errors.Join(os.MkdirAll(day, 0o700), syscall.Mkfifo(filepath.Join(day, "devices.parquet"), 0o600)); err != nil {
		t.Fatal(err)
	}
	prepare(t, url, dir, "export", "--people", "--daily", "--to", "days/", "--out", "day").demandEnd(t, exitStopped, "devices.parquet is no file")
}

// Addresses and files that a job.json names get neither a key nor a report.
func TestJobFileNamesOtherAddresses(t *testing.T) {
	t.Parallel()
	_, url := serve(t, simulator.Config{Limits: simulator.PushLimits(0, 0)})
	var asked atomic.Int64
	thief := serveHandler(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	dir := t.TempDir()
	input := filepath.Join(dir, "in.csv")
	if err := os.WriteFile(input, []byte("registrationId,externalId\nr1,\nr2,b\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	prepare(t, url, dir, "personalize", input, "--canary", "1", "--out", "run").demandEnd(t, exitErrors)
	file := filepath.Join(dir, "run", "job.json")
	asWritten, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	settings := []string{
		`"notify-url":["THIEF"]`, `"notify-secret-file":["in.csv"]`, `"api-key-file":["in.csv"]`, `"metrics-file":["stolen.prom"]`,
		`"metrics-listen":["127.0.0.1:1"]`, `"oauth2-token-url":["THIEF"]`, `"base-url":["THIEF"]`, `"s3-endpoint-url":["THIEF"]`, `"redact-key-file":["in.csv"]`,
	}
	for _, setting := range thorough.Sample(settings, 9) {
		setting = strings.ReplaceAll(setting, "THIEF", thief)
		data := bytes.Replace(asWritten, []byte(`"settings": {`), []byte(`"settings": {`+setting+`,`), 1)
		if bytes.Equal(data, asWritten) {
			t.Fatalf("job.json has no settings:\n%s", asWritten)
		}
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
		for _, args := range [][]string{{"retry", "run", "--status", "rejected,failed", "--dry-run", "--out", filepath.Join(t.TempDir(), "r")}, {"resume", "run"}} {
			c := prepare(t, url, dir, args...)
			c.begin(t)
			_ = c.code(t)
		}
	}
	if n := asked.Load(); n > 0 {
		t.Errorf("an address of job.json was asked %d times", n)
	}
	if _, err := os.Lstat(filepath.Join(dir, "stolen.prom")); err == nil {
		t.Error("a file that job.json names was written")
	}
}

// A store that redirects to another host, at once or in the second step, learns
// neither rows nor a session token, whatever is read or written.
func TestS3RedirectsElsewhere(t *testing.T) {
	t.Parallel()
	_, url := serve(t, simulator.Config{Limits: simulator.PushLimits(0, 0)})
	var asked atomic.Int64
	thief := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	t.Cleanup(thief.Close)
	for _, c := range thorough.Sample([]struct {
		name string
		away func(*http.Request) bool
	}{
		{"an input", func(r *http.Request) bool {
			return strings.HasSuffix(r.URL.Path, "/in.csv") && r.Method == http.MethodGet
		}},
		{"a listing", func(r *http.Request) bool { return r.URL.Query().Has("list-type") }},
		{"what is written", func(r *http.Request) bool { return r.Method == http.MethodPut }},
		{"in the second way", func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/second") }},
	}, 2) {
		name, away := c.name, c.away
		store := &s3test.Store{}
		server := store.Serve(t)
		server.Put(t, "in/in.csv", []byte("registrationId\nr1\n"))
		store.Refuse = func(r *http.Request) *s3test.Refusal {
			switch {
			case away(r):
				return &s3test.Refusal{Status: http.StatusTemporaryRedirect, Code: "TemporaryRedirect", Location: thief.URL + r.URL.Path}
			case name == "in the second way":
				return &s3test.Refusal{Status: http.StatusTemporaryRedirect, Code: "TemporaryRedirect", Location: server.Endpoint + r.URL.Path + "/second"}
			}
			return nil
		}
		c := s3Child(t, server, url, "depersonalize", "s3://bucket/in/", "--out", "s3://bucket/run")
		c.Env = append(c.Env, "AWS_SESSION_TOKEN=session-token")
		if c.begin(t); c.code(t) == exitDone {
			t.Errorf("%s: the run ended well", name)
		}
		if !strings.Contains(c.stderr.String(), "the service redirects") {
			t.Errorf("%s:\n%s", name, c.stderr.String())
		}
	}
	if n := asked.Load(); n > 0 {
		t.Errorf("the other host was asked %d times", n)
	}
}
