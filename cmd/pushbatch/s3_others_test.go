package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"pushbatch/apiclient/simulator"
	"pushbatch/testdata/s3test"
	"pushbatch/testdata/thorough"
)

// s3Child is the program over a store.
func s3Child(t *testing.T, server *s3test.Server, url string, args ...string) *child {
	t.Helper()
	c := prepare(t, url, t.TempDir(), append(args, "--s3-endpoint-url", server.Endpoint, "--s3-path-style", "--rate", "1000")...)
	return c
}

// demandEnd runs the program to its end.
func (c *child) demandEnd(t *testing.T, code int, says ...string) {
	t.Helper()
	c.begin(t)
	if got := c.code(t); got != code {
		t.Errorf("%q: exit code %d, want %d\n%s", c.Args, got, code, c.stderr.String())
	}
	for _, want := range says {
		if !strings.Contains(c.stderr.String(), want) {
			t.Errorf("it does not say %q:\n%s", want, c.stderr.String())
		}
	}
}

// Eight objects of two rows in a store that knows version 1 of the listing, and in
// one that always gives the same token: all sixteen rows are sent.
func TestS3ListingOfOtherStores(t *testing.T) {
	t.Parallel()
	for _, store := range []*s3test.Store{{ListV1: true, Page: 3}, {SameToken: true, Page: 3}} {
		sim, url := serve(t, simulator.Config{Limits: simulator.PushLimits(0, 0)})
		server := store.Serve(t)
		for n := range 8 {
			server.Put(t, fmt.Sprintf("in/part-%d.csv", n), fmt.Appendf(nil, "registrationId\nr%d\ns%d\n", n, n))
		}
		server.Put(t, "in_$folder$", nil)
		server.Put(t, "in/sub_$folder$", nil)
		s3Child(t, server, url, "depersonalize", "s3://bucket/in/").demandEnd(t, exitDone)
		if n := sim.Stats().Effects; n != 16 {
			t.Errorf("%d rows were sent", n)
		}
	}
}

// A run leaves the uploads of other programs below its prefix alone, and goes on when
// nothing can be deleted by the thousand.
func TestS3UploadsOfOthers(t *testing.T) {
	t.Parallel()
	for _, out := range thorough.Sample([]string{"s3://bucket/team", "s3://bucket"}, 2) {
		_, url := serve(t, simulator.Config{Limits: simulator.PushLimits(0, 0)})
		store := &s3test.Store{RefuseDeletes: true}
		server := store.Serve(t)
		server.BeginUpload(t, "team/nightly-backup/db.dump")
		server.BeginUpload(t, "team/results.csv")
		input := server.Put(t, "in.csv", []byte("registrationId\nr1\n"))
		s3Child(t, server, url, "depersonalize", input, "--out", out).demandEnd(t, exitDone)
		s3Child(t, server, url, "resume", out).demandEnd(t, exitDone)
		if n := server.OpenUploads(t); n != 2 {
			t.Errorf("%s: %d uploads are left", out, n)
		}
	}
}

// Who is told to go on with a run in S3 is told how S3 is reached: the command works as it
// is copied.
func TestS3CommandsAreWhole(t *testing.T) {
	t.Parallel()
	_, url := serve(t, simulator.Config{Limits: simulator.PushLimits(0, 0)})
	server := (&s3test.Store{}).Serve(t)
	rows := strings.Repeat("r1\n", 300) // of one device: one after the other, so that some are left when the first is known to be bad
	input := server.Put(t, "in.csv", []byte("registrationId\n\"\"\n"+rows))
	resume := "pushbatch resume s3://bucket/run --s3-endpoint-url " + server.Endpoint + " --s3-path-style"
	first := []string{"depersonalize", input, "--out", "s3://bucket/run", "--max-errors", "0"}
	s3Child(t, server, url, first...).demandEnd(t, exitErrors, resume)
	s3Child(t, server, url, first...).demandEnd(t, exitUsage, "another --out, or go on with it: "+resume+"\n")
	s3Child(t, server, url, append(first, "--continue", "--null-literal", "x")...).demandEnd(t, exitUsage, "or go on with it: "+resume+"\n")
	s3Child(t, server, url, "retry", "s3://bucket/run").demandEnd(t, exitUsage, "("+resume+")")
	server.Delete(t, "run/summary.json") // as if it had been killed
	status := prepare(t, url, t.TempDir(), "status", "s3://bucket/run", "--s3-endpoint-url", server.Endpoint, "--s3-path-style")
	status.Stdout = &status.stderr
	status.demandEnd(t, exitDone, "to go on: "+resume+"\n")
}

// Who waits for the lease of a run that was killed, and is stopped meanwhile, says so.
func TestS3WaitIsStopped(t *testing.T) {
	t.Parallel()
	_, url := serve(t, simulator.Config{Limits: simulator.PushLimits(0, 0)})
	server := (&s3test.Store{}).Serve(t)
	state := []string{"--out", "s3://bucket/run", "--delta", "s3://bucket/state"}
	update := append([]string{"depersonalize", server.Put(t, "in.csv", []byte("registrationId\nr1\n"))}, state...)
	s3Child(t, server, url, append(update, "--max-duration", "1ns")...).demandEnd(t, exitDuration)
	for held, args := range map[string][]string{"run": {"resume", "s3://bucket/run"}, "state": append(update, "--continue")} {
		server.Put(t, held+"/lock.json", []byte(`{"host":"other","pid":77,"since":"2026-01-01T00:00:00Z","token":"theirs","lease_seconds":600}`))
		c := s3Child(t, server, url, args...)
		c.begin(t)
		eventually(t, "the wait", func() bool { return strings.Contains(c.stderr.String(), "held by another process") })
		if err := c.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		if code := c.code(t); code != exitTerminated || !strings.HasSuffix(c.stderr.String(), "pushbatch: stopped by SIGTERM\n") {
			t.Errorf("%s: exit code %d\n%s", held, code, &c.stderr)
		}
		server.Delete(t, held+"/lock.json")
	}
}

// What is no run ends with the code of the signal that stopped it, too.
func TestS3SplitIsStopped(t *testing.T) {
	t.Parallel()
	asked := make(chan bool, 100)
	store := &s3test.Store{Refuse: func(r *http.Request) *s3test.Refusal {
		if r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "in.csv") {
			asked <- true
			<-r.Context().Done()
		}
		return nil
	}}
	server := store.Serve(t)
	input := server.Put(t, "in.csv", []byte("registrationId\nr1\n"))
	c := prepare(t, "", t.TempDir(), "split", input, "--parts", "1", "--to", "parts", "--s3-endpoint-url", server.Endpoint, "--s3-path-style")
	c.begin(t)
	<-asked
	if err := c.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code := c.code(t); code != exitTerminated || !strings.Contains(c.stderr.String(), "stopped by SIGTERM") {
		t.Errorf("exit code %d\n%s", code, &c.stderr)
	}
}

// A store that refuses checksums is written without any where they are to be sent
// when required only; a 501 is not blamed on conditional writes.
func TestS3WithoutChecksums(t *testing.T) {
	t.Parallel()
	_, url := serve(t, simulator.Config{Limits: simulator.PushLimits(0, 0)})
	server := (&s3test.Store{NoChecksums: true}).Serve(t)
	input := filepath.Join(t.TempDir(), "three.csv")
	if err := os.WriteFile(input, []byte("registrationId\nr1\nr2\nr3\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"depersonalize", input, "--out", "s3://bucket/runs/r"},
		{"export", input, "--to", "s3://bucket/tables/t.csv"},
	} {
		c := s3Child(t, server, url, args...)
		c.Env = append(c.Env, "AWS_REQUEST_CHECKSUM_CALCULATION=when_required")
		c.demandEnd(t, exitDone)
	}
	keys := server.Keys(t, "")
	for _, want := range []string{"runs/r/results.csv", "runs/r/summary.json", "tables/t.csv"} {
		if !slices.Contains(keys, want) {
			t.Errorf("%s is not among %q", want, keys)
		}
	}
	c := s3Child(t, server, url, "depersonalize", input, "--out", "s3://bucket/runs/s")
	c.demandEnd(t, exitStopped, "AWS_REQUEST_CHECKSUM_CALCULATION=when_required")
	if strings.Contains(c.stderr.String(), "conditional writes") {
		t.Error("conditional writes are blamed")
	}
}

// Without conditional writes a run is refused at the start; inputs and --to work.
func TestS3WithoutConditionalWrites(t *testing.T) {
	t.Parallel()
	for _, conditions := range thorough.Sample([]int{s3test.RefuseConditions, s3test.IgnoreConditions}, 2) {
		sim, url := serve(t, simulator.Config{Limits: simulator.PushLimits(0, 0)})
		server := (&s3test.Store{Conditions: conditions}).Serve(t)
		input := server.Put(t, "in.csv", []byte("registrationId\nr1\n"))
		s3Child(t, server, url, "depersonalize", input, "--out", "s3://bucket/run").demandEnd(t, exitStopped, "a local --out")
		if n := sim.Stats().Effects; n != 0 {
			t.Errorf("%d rows were sent", n)
		}
		s3Child(t, server, url, "depersonalize", input).demandEnd(t, exitDone)
		s3Child(t, server, url, "export", input, "--to", "s3://bucket/t.csv").demandEnd(t, exitDone)
	}
}

// An address that nobody listens at is said within seconds.
func TestS3IsDown(t *testing.T) {
	t.Parallel()
	server := &s3test.Server{Endpoint: "http://127.0.0.1:1"}
	s3Child(t, server, "http://127.0.0.1:1", "depersonalize", "s3://bucket/in.csv").demandEnd(t, exitUsage, "connection refused")
}

// A lease that cannot be given back changes nothing of a run that has ended well, and
// is told.
func TestS3LeaseIsNotGivenBack(t *testing.T) {
	t.Parallel()
	_, url := serve(t, simulator.Config{Limits: simulator.PushLimits(0, 0)})
	store := &s3test.Store{}
	server := store.Serve(t)
	input := server.Put(t, "in.csv", []byte("registrationId\nr1\n"))
	reported := false
	store.Refuse = func(r *http.Request) *s3test.Refusal {
		reported = reported || strings.HasSuffix(r.URL.Path, "/report.html")
		if reported && r.Method == http.MethodPut && strings.HasSuffix(r.URL.Path, "/lock.json") {
			return &s3test.Refusal{Status: http.StatusForbidden, Code: "AccessDenied"}
		}
		return nil
	}
	s3Child(t, server, url, "depersonalize", input, "--out", "s3://bucket/run").demandEnd(t, exitDone, "the run was not closed as it should be", "lock.json")
}
