package blob_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"pushbatch/batch/blob"
	"pushbatch/testdata/s3test"
)

// recorded are the requests that went by, by what they are.
type recorded struct {
	mu   sync.Mutex
	sent map[string][]*http.Request
}

// recorder puts something before a server that writes down every request.
func recorder(t *testing.T, server *s3test.Server) (*s3test.Server, *recorded) {
	t.Helper()
	r := &recorded{sent: make(map[string][]*http.Request)}
	return server.Behind(t, &s3test.Faults{Refuse: func(req *http.Request) *s3test.Refusal {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.sent[call(req)] = append(r.sent[call(req)], req.Clone(context.Background()))
		return nil
	}}), r
}

// call names a request as the S3 reference does.
func call(r *http.Request) string {
	query, inBucket := r.URL.Query(), strings.Count(strings.Trim(r.URL.Path, "/"), "/") == 0
	switch {
	case query.Has("list-type"):
		return "ListObjectsV2"
	case query.Has("delete"):
		return "DeleteObjects"
	case query.Has("uploads") && r.Method == http.MethodPost:
		return "CreateMultipartUpload"
	case query.Has("uploads"):
		return "ListMultipartUploads"
	case query.Has("uploadId") && r.Method == http.MethodPut:
		return "UploadPart"
	case query.Has("uploadId") && r.Method == http.MethodPost:
		return "CompleteMultipartUpload"
	case query.Has("uploadId"):
		return "AbortMultipartUpload"
	case inBucket:
		return "HeadBucket"
	}
	return strings.ToUpper(r.Method[:1]) + strings.ToLower(r.Method[1:]) + "Object"
}

// exercise makes every call that pushbatch makes.
func exercise(t *testing.T, server *s3test.Server, options blob.S3Options) {
	t.Helper()
	ctx := server.Context(t.Context(), options)
	for _, size := range []int{10, inParts} {
		upload, err := blob.Create(ctx, server.Location(fmt.Sprintf("wire/%d.bin", size)))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := upload.Write(noise(size)); err != nil {
			t.Fatal(err)
		}
		if err := upload.Commit(); err != nil {
			t.Fatal(err)
		}
	}
	found, err := blob.Expand(ctx, []string{server.Location("wire/"), server.Location("wire/10.bin")})
	if err != nil || len(found) != 3 {
		t.Fatal(found, err)
	}
	r, err := blob.Open(ctx, found[0], 0)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := io.Copy(io.Discard, r); err != nil {
		t.Fatal(err)
	}
	run := server.Location("wire/run")
	if _, err := blob.Put(ctx, run+"/x", []byte("x"), blob.Absent); err != nil {
		t.Fatal(err)
	}
	if _, err := blob.Get(ctx, run+"/x"); err != nil {
		t.Fatal(err)
	}
	if err := blob.AbortParts(ctx, run+"/y", server.BeginUpload(t, "wire/run/y")); err != nil {
		t.Fatal(err)
	}
	if err := blob.Copy(ctx, run+"/z", bytes.NewReader(noise(9<<20)), blob.CreateOptions{When: blob.Absent}); err != nil {
		t.Fatal(err)
	}
	if err := blob.RemoveBelow(ctx, run, []string{"x", "z"}); err != nil {
		t.Fatal(err)
	}
}

// demand demands a header of every call of some kinds, and that there were such
// calls.
func (r *recorded) demand(t *testing.T, header, value string, calls ...string) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, call := range calls {
		if len(r.sent[call]) == 0 {
			t.Errorf("no %s was sent", call)
		}
		for _, req := range r.sent[call] {
			if got := req.Header.Get(header); got != value && (value != "*" || got == "") {
				t.Errorf("%s %s: %s is %q, want %q", call, req.URL.Path, header, got, value)
			}
		}
	}
}

// demandChecksums demands that the bodies of some calls carry their CRC32, in a
// header or after them.
func (r *recorded) demandChecksums(t *testing.T, calls ...string) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, call := range calls {
		for _, req := range r.sent[call] {
			if req.Header.Get("X-Amz-Checksum-Crc32") == "" && req.Header.Get("X-Amz-Trailer") != "x-amz-checksum-crc32" {
				t.Errorf("%s %s has no checksum: %v", call, req.URL.Path, req.Header)
			}
		}
	}
}

func TestS3Headers(t *testing.T) {
	t.Parallel()
	server, wire := recorder(t, s3test.Start(t))
	const key = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd"
	exercise(t, server, blob.S3Options{RequesterPays: true, SSEKMSKeyID: key})
	writes := []string{"PutObject", "CreateMultipartUpload"}
	wire.demand(t, "X-Amz-Server-Side-Encryption", "aws:kms", writes...)
	wire.demand(t, "X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id", key, writes...)
	wire.demand(t, "X-Amz-Request-Payer", "requester", "HeadObject", "GetObject", "ListObjectsV2", "PutObject", "CreateMultipartUpload",
		"UploadPart", "CompleteMultipartUpload", "AbortMultipartUpload", "DeleteObjects")
	// What is sent has a checksum, which the service verifies, and what is read
	// is asked for one.
	wire.demandChecksums(t, "PutObject", "UploadPart", "DeleteObjects")
	wire.demand(t, "X-Amz-Checksum-Mode", "ENABLED", "GetObject")
	// Ranges keep to the version that was found.
	wire.mu.Lock()
	defer wire.mu.Unlock()
	if !slices.ContainsFunc(wire.sent["GetObject"], func(r *http.Request) bool { return r.Header.Get("If-Match") != "" && r.Header.Get("Range") != "" }) {
		t.Error("no GET with If-Match and Range")
	}
	for _, req := range wire.sent["CompleteMultipartUpload"] {
		if late := strings.HasSuffix(req.URL.Path, "/z"); late != (req.Header.Get("If-None-Match") == "*") {
			t.Errorf("%s: If-None-Match is %q", req.URL.Path, req.Header.Get("If-None-Match"))
		}
	}
}

// Without the options none of their headers is sent.
func TestS3HeadersByDefault(t *testing.T) {
	t.Parallel()
	server, wire := recorder(t, s3test.Start(t))
	exercise(t, server, blob.S3Options{})
	wire.demand(t, "Authorization", "*", "PutObject", "GetObject", "HeadBucket")
	for _, header := range []string{"X-Amz-Server-Side-Encryption", "X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id", "X-Amz-Request-Payer"} {
		wire.demand(t, header, "", "PutObject", "CreateMultipartUpload", "GetObject", "ListObjectsV2")
	}
}

// A public bucket is read without credentials: no request is signed, although
// the environment has a key.
func TestS3Anonymous(t *testing.T) {
	t.Parallel()
	origin := s3test.Start(t)
	origin.Put(t, "open/a.csv", []byte("id\n1\n"))
	origin.MakePublic(t)
	server, wire := recorder(t, origin)
	ctx := server.Context(t.Context(), blob.S3Options{NoSignRequest: true})
	found, err := blob.Expand(ctx, []string{server.Location("open/")})
	if err != nil || len(found) != 1 {
		t.Fatal(found, err)
	}
	r, err := blob.Open(ctx, found[0], 0)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if data, err := io.ReadAll(r); err != nil || string(data) != "id\n1\n" {
		t.Errorf("%q, %v", data, err)
	}
	wire.demand(t, "Authorization", "", "GetObject", "ListObjectsV2", "HeadBucket")
}
