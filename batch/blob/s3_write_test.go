package blob_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pushbatch/batch/blob"
	"pushbatch/batch/blob/s3test"
)

func TestS3UploadOfManyParts(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t)
	data := noise(45 << 20)
	var asked atomic.Int64
	slow := server.Behind(t, &s3test.Faults{Refuse: func(r *http.Request) *s3test.Refusal {
		if r.Method == http.MethodPut && asked.Add(1)%4 == 0 {
			return &s3test.Refusal{Status: http.StatusServiceUnavailable, Code: "SlowDown"}
		}
		return nil
	}})
	upload, err := blob.Create(slow.Context(t.Context(), blob.S3Options{}), server.Location("out/a.bin"))
	if err != nil {
		t.Fatal(err)
	}
	for rest := data; len(rest) > 0; {
		n, err := upload.Write(rest[:min(len(rest), 777_777)])
		if err != nil {
			t.Fatal(err)
		}
		rest = rest[n:]
	}
	if _, there := server.Get(t, "out/a.bin"); there {
		t.Error("it is to be seen before Commit")
	}
	if err := upload.Commit(); err != nil {
		t.Fatal(err)
	}
	if got, _ := server.Get(t, "out/a.bin"); !bytes.Equal(got, data) {
		t.Errorf("%d bytes of %d", len(got), len(data))
	}
	if err := upload.Abort(); err != nil {
		t.Error("abort behind a commit:", err)
	}
}

// What is given up, by its writer or because its context ends, leaves nothing.
func TestUploadGivenUp(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t)
	for name, location := range map[string]string{ //nolint:paralleltest // what is left is looked at behind them
		"S3": server.Location("a.bin"), "local": filepath.Join(t.TempDir(), "new", "a.bin"),
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(server.Context(t.Context(), blob.S3Options{}))
			defer cancel()
			for _, end := range []func(){func() {}, cancel} {
				upload, err := blob.Create(ctx, location)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := upload.Write(noise(20 << 20)); err != nil {
					t.Fatal(err)
				}
				end()
				if err := upload.Abort(); err != nil {
					t.Error(err)
				}
			}
			if _, err := blob.Stat(server.Context(t.Context(), blob.S3Options{}), location); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("it is there: %v", err)
			}
		})
	}
	if n := server.OpenUploads(t); n != 0 {
		t.Errorf("%d uploads were left open", n)
	}
}

func TestLocalUpload(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "a.csv")
	if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	upload, err := blob.Create(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(upload, "new")
	if data, _ := os.ReadFile(path); string(data) != "old" {
		t.Errorf("%q before Commit", data)
	}
	if err := errors.Join(upload.Commit(), upload.Abort()); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if data, _ := os.ReadFile(path); string(data) != "new" || err != nil || len(entries) != 1 {
		t.Errorf("%q, %v, %v", data, entries, err)
	}
}

func openObjects(t *testing.T, server *s3test.Server) *blob.Objects {
	t.Helper()
	objects, err := blob.OpenObjects(server.Context(t.Context(), blob.S3Options{}), server.Location("runs/1/"))
	if err != nil {
		t.Fatal(err)
	}
	return objects
}

func TestObjects(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t)
	o := openObjects(t, server)
	ctx := t.Context()
	if _, err := o.Get(ctx, "x"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("get of nothing: %v", err)
	}
	first, err := o.Put(ctx, "x", []byte("1"), blob.Absent)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := o.Put(ctx, "x", []byte("other"), blob.Absent); !errors.Is(err, blob.ErrConflict) {
		t.Errorf("second create: %v", err)
	}
	if again, err := o.Put(ctx, "x", []byte("1"), blob.Absent); err != nil || again != first {
		t.Errorf("the same create once more: %v", err)
	}
	second, err := o.Put(ctx, "x", []byte("2"), first)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := o.Put(ctx, "x", []byte("3"), first); !errors.Is(err, blob.ErrConflict) {
		t.Errorf("write over another version: %v", err)
	}
	if got, err := o.Get(ctx, "x"); err != nil || string(got.Data) != "2" || got.Version != second {
		t.Errorf("%+v, %v", got, err)
	}
	if err := o.Upload(ctx, "segments/1", bytes.NewReader([]byte("abc")), blob.AnyVersion); err != nil {
		t.Error(err)
	}
	var b bytes.Buffer
	if n, err := o.Download(ctx, "segments/1", &b); n != 3 || b.String() != "abc" || err != nil {
		t.Errorf("%d %q %v", n, &b, err)
	}
	names, err := o.List(ctx, "")
	if diff := cmp.Diff([]string{"segments/1", "x"}, names); diff != "" || err != nil {
		t.Error(diff, err)
	}
	if err := o.Delete(ctx, "x", "segments/1", "nowhere"); err != nil {
		t.Error(err)
	}
	if keys := server.Keys(t, ""); len(keys) != 0 {
		t.Errorf("left: %q", keys)
	}
	if got := o.Location("a.csv"); got != "s3://bucket/runs/1/a.csv" {
		t.Error(got)
	}
}

// Of many that write over the same version exactly one succeeds.
func TestObjectsRace(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t)
	o := openObjects(t, server)
	version := blob.Absent
	for round := range 10 {
		var all sync.WaitGroup
		var won atomic.Int64
		var next atomic.Value
		for n := range 8 {
			all.Go(func() {
				got, err := o.Put(t.Context(), "lock", fmt.Appendf(nil, "%d %d", round, n), version)
				switch {
				case err == nil:
					won.Add(1)
					next.Store(got)
				case !errors.Is(err, blob.ErrConflict):
					t.Error(err)
				}
			})
		}
		all.Wait()
		if won.Load() != 1 {
			t.Fatalf("%d winners in round %d", won.Load(), round)
		}
		version = next.Load().(blob.Version)
	}
}
