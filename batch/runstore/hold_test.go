package runstore

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pushbatch/batch"
	"pushbatch/batch/blob"
	"pushbatch/testdata/s3test"
)

// A location is held by one process at a time, on disk and in S3, and free when it is
// released.
func TestHold(t *testing.T) {
	t.Parallel()
	server := new(s3test.Store).Serve(t)
	ctx := server.Context(t.Context(), blob.S3Options{})
	for _, location := range []string{filepath.Join(t.TempDir(), "state"), "s3://bucket/state/"} {
		held, err := Hold(ctx, location, Options{Lease: time.Second})
		if err != nil {
			t.Fatal(err)
		}
		if h, ok := HolderOf(ctx, location); !ok || h.PID != thisProcess().PID {
			t.Errorf("%s: the holder is %v, %v", location, h, ok)
		}
		var locked *LockedError
		if _, err := Hold(ctx, location, Options{}); !errors.As(err, &locked) {
			t.Errorf("%s: a second process gets %v", location, err)
		}
		if err := errors.Join(held.Check(), held.Release()); err != nil {
			t.Error(err)
		}
		if _, ok := HolderOf(ctx, location); ok {
			t.Errorf("%s: it is held after the release", location)
		}
		again, err := Hold(ctx, location, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := again.Release(); err != nil {
			t.Error(err)
		}
	}
}

// A sign of life may arrive although its answer does not: the lease is renewed and
// given back all the same.
func TestRenewalWithoutAnswer(t *testing.T) {
	t.Parallel()
	server := new(s3test.Store).Serve(t)
	ctx := server.Context(t.Context(), blob.S3Options{})
	arrive := func() string {
		data, _ := server.Get(t, "state/"+leaseFile)
		server.Put(t, "state/"+leaseFile, append(data, ' '))
		return string(data) + " "
	}
	held, err := Hold(ctx, "s3://bucket/state", Options{Lease: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	for was, is := arrive(), []byte(nil); is == nil || string(is) == was; is, _ = server.Get(t, "state/"+leaseFile) {
		if err := held.Check(); err != nil {
			t.Fatal(err)
		}
	}
	if err := held.Release(); err != nil {
		t.Error(err)
	}
	held, err = Hold(ctx, "s3://bucket/state", Options{Lease: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	arrive()
	if err := held.Release(); err != nil {
		t.Error(err)
	}
	if holder, ok := HolderOf(ctx, "s3://bucket/state"); ok {
		t.Errorf("it is held by %v", holder)
	}
}

// Whoever loses a lease hears of it, once for each who asked.
func TestLeaseIsLost(t *testing.T) {
	t.Parallel()
	server := new(s3test.Store).Serve(t)
	ctx := server.Context(t.Context(), blob.S3Options{})
	held, err := Hold(ctx, "s3://bucket/state", Options{Lease: 300 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	lost := make(chan error, 2)
	held.WhenLost(func(err error) { lost <- err })
	held.WhenLost(func(err error) { lost <- err })
	server.Put(t, "state/"+leaseFile, []byte(`{"pid":7,"host":"other","token":"THEIRS","lease_seconds":60}`))
	for range 2 {
		var locked *LockedError
		if err := <-lost; !errors.As(err, &locked) || locked.Holder.PID != 7 {
			t.Errorf("lost to %v", err)
		}
	}
	if err := held.Check(); err == nil {
		t.Error("the lease is held")
	}
	if err := held.Release(); err != nil {
		t.Error(err)
	}
	if data, _ := server.Get(t, "state/"+leaseFile); !strings.Contains(string(data), "THEIRS") {
		t.Errorf("the other's lease was overwritten: %s", data)
	}
}

// A service without conditional writes, whether it says so or passes over them, keeps
// no two processes apart: a run there is refused at the start, and nothing is left.
func TestNoConditionalWrites(t *testing.T) {
	t.Parallel()
	for conditions, want := range map[int]string{
		s3test.RefuseConditions: "does not know conditional writes",
		s3test.IgnoreConditions: "passes over the conditions of writes",
	} {
		store := &s3test.Store{Conditions: conditions}
		server := store.Serve(t)
		_, err := Create(server.Context(t.Context(), blob.S3Options{}), "s3://bucket/runs/1", Options{})
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "a local --out") {
			t.Errorf("%v, want %q", err, want)
		}
		if keys := server.Keys(t, ""); len(keys) != 0 {
			t.Errorf("left: %q", keys)
		}
	}
}

// Of a prefix that others use nothing is touched but what is the run's own, and a
// service that deletes nothing stops no run.
func TestPrefixOfOthers(t *testing.T) {
	t.Parallel()
	store := &s3test.Store{RefuseDeletes: true}
	server := store.Serve(t)
	for _, key := range []string{"segments/other/x", "segments/results.csv/notes.txt", "other.csv"} {
		server.Put(t, key, []byte("x"))
	}
	server.BeginUpload(t, "results.csv")
	for execution := range 2 {
		ctx := server.Context(t.Context(), blob.S3Options{})
		f, err := Create(ctx, "s3://bucket", Options{})
		if execution > 0 {
			f, err = Open(ctx, "s3://bucket", Options{})
		}
		if err != nil {
			t.Fatal(err)
		}
		reports, err := openReports(f, nil)
		if err != nil {
			t.Fatal(err)
		}
		err = errors.Join(f.WriteJSON(JobFile, 1), reports.Write(1))
		mark, flushed := reports.Flush()
		if err = errors.Join(err, flushed, f.SaveCheckpoint(&batch.Checkpoint{Mark: mark})); err != nil {
			t.Error(err)
		}
		if err := errors.Join(reports.results.Abandon(), reports.failed.Abandon(), f.Close()); err != nil {
			t.Error(err)
		}
	}
	if n := server.OpenUploads(t); n != 1 {
		t.Errorf("%d uploads are open, want the other program's", n)
	}
	for _, key := range []string{"segments/other/x", "segments/results.csv/notes.txt", "other.csv"} {
		if _, there := server.Get(t, key); !there {
			t.Errorf("%s of another program is gone", key)
		}
	}
}
