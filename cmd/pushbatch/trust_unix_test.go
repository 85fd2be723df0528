//go:build unix

package main

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"pushbatch/apiclient/simulator"
	"pushbatch/testdata/thorough"
)

// A run folder that others can write is refused by every command that opens one, as
// is what was planted in it; --trust-folder takes the folder, not what was planted.
func TestRunFolderOfOthers(t *testing.T) {
	t.Parallel()
	sim, url := serve(t, simulator.Config{Limits: simulator.PushLimits(0, 0)})
	dir := t.TempDir()
	input, run := filepath.Join(dir, "in.csv"), filepath.Join(dir, "run")
	if err := os.WriteFile(input, []byte("registrationId\nr1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	prepare(t, url, dir, "depersonalize", input, "--out", run).demandEnd(t, exitDone)
	if err := os.Chmod(run, 0o777); err != nil {
		t.Fatal(err)
	}
	sent := sim.Stats().Effects
	for _, args := range thorough.Sample([][]string{{"resume", run}, {"retry", run}, {"status", run}, {"report", run}, {"report", run, run}, {"depersonalize", input, "--out", run}}, 3) {
		prepare(t, url, dir, args...).demandEnd(t, exitUsage, "can be written by others", "--trust-folder")
	}
	for _, args := range thorough.Sample([][]string{{"resume", run}, {"status", run}, {"report", run}}, 3) {
		prepare(t, url, dir, append(args, "--trust-folder")...).demandEnd(t, exitDone)
	}
	if sim.Stats().Effects != sent {
		t.Error("something was sent")
	}
	if err := os.Chmod(run, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"job.json", "checkpoint.json"} {
		path := filepath.Join(run, name)
		if err := errors.Join(os.Rename(path, path+".kept"), syscall.Mkfifo(path, 0o600)); err != nil {
			t.Fatal(err)
		}
		for _, args := range thorough.Sample([][]string{{"resume", run}, {"retry", run}, {"status", run}, {"report", run}}, 4) {
			prepare(t, url, dir, args...).demandEnd(t, exitUsage, name, "is no regular file")
		}
		if err := os.Rename(path+".kept", path); err != nil {
			t.Fatal(err)
		}
	}
}

// What is no file in an input folder is passed over, told, and waits for nobody.
func TestPipeInAnInputFolder(t *testing.T) {
	t.Parallel()
	sim, url := serve(t, simulator.Config{Limits: simulator.PushLimits(0, 0)})
	dir := t.TempDir()
	in := filepath.Join(dir, "in")
	err := errors.Join(os.Mkdir(in, 0o700), os.WriteFile(filepath.Join(in, "a.csv"), []byte("registrationId\nr1\n"), 0o600),
		os.WriteFile(filepath.Join(dir, "b.csv"), []byte("registrationId\nr2\n"), 0o600),
		syscall.Mkfifo(filepath.Join(in, "pipe.csv"), 0o600), os.Symlink("../b.csv", filepath.Join(in, "b.csv")))
	if err != nil {
		t.Fatal(err)
	}
	prepare(t, url, dir, "depersonalize", in).demandEnd(t, exitDone, "pipe.csv is passed over", "b.csv is passed over", "--follow-links")
	if n := sim.Stats().Effects; n != 1 {
		t.Errorf("%d rows were sent", n)
	}
	prepare(t, url, dir, "depersonalize", in, "--follow-links", "--out", filepath.Join(dir, "followed")).demandEnd(t, exitDone)
	if n := sim.Stats().Effects; n != 3 {
		t.Errorf("%d rows were sent", n)
	}
}
