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
	"sync/atomic"
	"testing"

	"pushbatch/batch"
	"pushbatch/batch/blob"
	"pushbatch/testdata/s3test"
)

func TestS3UploadOfManyParts(t *testing.T) {
	t.Parallel()
	server := s3test.StartReal(t)
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

// A fault within an upload is its error, and the writer does not wait for it.
func TestFaultOfUpload(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t)
	upload, err := blob.CreateWith(server.Context(t.Context(), blob.S3Options{}), server.Location("a.bin"),
		blob.CreateOptions{Parts: func(string) error { panic("secret") }})
	if err != nil {
		t.Fatal(err)
	}
	_, err = upload.Write(noise(inParts))
	if err = errors.Join(err, upload.Abort()); !batch.IsFault(err) {
		t.Errorf("got %v", err)
	}
}

// What is given up, by its writer or because its context ends, leaves nothing.
func TestUploadGivenUp(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t)
	for name, location := range map[string]string{ //nolint:paralleltest // what is left is looked at after them
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
				if _, err := upload.Write(noise(inParts)); err != nil {
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
