package s3test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"pushbatch/batch/blob"
	"pushbatch/testdata/thorough"
)

// The credentials that servers know.
const (
	AccessKey = "testkey"
	SecretKey = "testsecret123"
	Region    = "us-east-1"
)

// startWithin is how long a server may take to come up, on a busy machine, too: only
// one that never comes up takes so long.
const startWithin = 5 * time.Minute

// Server is one running S3 server, with one bucket to begin with.
type Server struct {
	Endpoint string // http://127.0.0.1:PORT
	Bucket   string
	client   *s3.Client
}

func newServer(endpoint string) *Server {
	return &Server{Endpoint: endpoint, Bucket: "bucket", client: s3.New(s3.Options{
		Region: Region, BaseEndpoint: &endpoint, UsePathStyle: true,
		Credentials: credentials.NewStaticCredentialsProvider(AccessKey, SecretKey, ""),
	})}
}

// Start serves a bucket until the test ends: with FULL_TESTS=1 by a real server, else
// by a Store.
func Start(tb testing.TB) *Server {
	tb.Helper()
	if !thorough.On() {
		return new(Store).Serve(tb)
	}
	return StartReal(tb)
}

// StartReal runs a server that checks signatures until the test ends. Without
// FULL_TESTS=1 the test is skipped.
func StartReal(tb testing.TB) *Server {
	tb.Helper()
	program := find(tb)
	dir := tb.TempDir()
	root, iam := filepath.Join(dir, "root"), filepath.Join(dir, "iam")
	if err := errors.Join(os.Mkdir(root, 0o700), os.Mkdir(iam, 0o700)); err != nil {
		tb.Fatal(err)
	}
	address := freeAddress(tb)
	cmd := exec.CommandContext(context.Background(), program, "--port", address, "--access", AccessKey, "--secret", SecretKey, "--region", Region,
		"--quiet", "--keep-alive", "--health", "/healthz", "--iam-dir", iam, "posix", root)
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	s := newServer("http://" + address)
	if err := s.wait(tb.Context()); err != nil {
		tb.Fatalf("start versitygw: %v\n%s", err, &output)
	}
	s.MakeBucket(tb, s.Bucket)
	return s
}

// find looks for the server in PATH and in the repository's .bin.
func find(tb testing.TB) string {
	tb.Helper()
	thorough.Only(tb)
	if program, err := exec.LookPath("versitygw"); err == nil {
		return program
	}
	_, here, _, _ := runtime.Caller(0)
	program := filepath.Join(filepath.Dir(here), "..", "..", ".bin", "versitygw")
	if _, err := os.Stat(program); err != nil {
		tb.Fatal("versitygw is neither in PATH nor in .bin: .ci/run builds it")
	}
	return program
}

func freeAddress(tb testing.TB) string {
	tb.Helper()
	l, err := new(net.ListenConfig).Listen(tb.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func (s *Server) wait(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startWithin)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.Endpoint+"/healthz", http.NoBody)
		if err != nil {
			return err
		}
		if resp, err := http.DefaultClient.Do(req); err == nil {
			return resp.Body.Close()
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// MakeBucket makes a bucket.
func (s *Server) MakeBucket(tb testing.TB, name string) {
	tb.Helper()
	if _, err := s.client.CreateBucket(tb.Context(), &s3.CreateBucketInput{Bucket: &name}); err != nil {
		tb.Fatal(err)
	}
}

// Put writes an object into the bucket and returns its location.
func (s *Server) Put(tb testing.TB, key string, data []byte) string {
	tb.Helper()
	if _, err := s.client.PutObject(tb.Context(), &s3.PutObjectInput{Bucket: &s.Bucket, Key: &key, Body: bytes.NewReader(data)}); err != nil {
		tb.Fatal(err)
	}
	return s.Location(key)
}

// Location is the location of a key in the bucket.
func (s *Server) Location(key string) string { return fmt.Sprintf("s3://%s/%s", s.Bucket, key) }

// Get reads an object; ok is false when it is not there.
func (s *Server) Get(tb testing.TB, key string) (data []byte, ok bool) {
	tb.Helper()
	out, err := s.client.GetObject(tb.Context(), &s3.GetObjectInput{Bucket: &s.Bucket, Key: &key})
	if err != nil {
		return nil, false
	}
	defer out.Body.Close()
	var b bytes.Buffer
	if _, err := b.ReadFrom(out.Body); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes(), true
}

// Delete removes an object.
func (s *Server) Delete(tb testing.TB, key string) {
	tb.Helper()
	if _, err := s.client.DeleteObject(tb.Context(), &s3.DeleteObjectInput{Bucket: &s.Bucket, Key: &key}); err != nil {
		tb.Fatal(err)
	}
}

// Keys lists every object below a prefix.
func (s *Server) Keys(tb testing.TB, prefix string) []string {
	tb.Helper()
	var keys []string
	pages := s3.NewListObjectsV2Paginator(s.client, &s3.ListObjectsV2Input{Bucket: &s.Bucket, Prefix: &prefix})
	for pages.HasMorePages() {
		page, err := pages.NextPage(tb.Context())
		if err != nil {
			tb.Fatal(err)
		}
		for i := range page.Contents {
			keys = append(keys, aws.ToString(page.Contents[i].Key))
		}
	}
	return keys
}

// MakePublic lets everybody list and read the bucket.
func (s *Server) MakePublic(tb testing.TB) {
	tb.Helper()
	policy := fmt.Sprintf(`{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Principal":"*","Action":["s3:GetObject"],"Resource":["arn:aws:s3:::%[1]s/*"]},
		{"Effect":"Allow","Principal":"*","Action":["s3:ListBucket"],"Resource":["arn:aws:s3:::%[1]s"]}]}`, s.Bucket)
	if _, err := s.client.PutBucketPolicy(tb.Context(), &s3.PutBucketPolicyInput{Bucket: &s.Bucket, Policy: &policy}); err != nil {
		tb.Fatal(err)
	}
}

// BeginUpload leaves a multipart upload open, as a process does that dies, and
// returns its id.
func (s *Server) BeginUpload(tb testing.TB, key string) (id string) {
	tb.Helper()
	out, err := s.client.CreateMultipartUpload(tb.Context(), &s3.CreateMultipartUploadInput{Bucket: &s.Bucket, Key: &key})
	if err != nil {
		tb.Fatal(err)
	}
	return aws.ToString(out.UploadId)
}

// OpenUploads counts multipart uploads that are neither completed nor aborted.
func (s *Server) OpenUploads(tb testing.TB) int {
	tb.Helper()
	out, err := s.client.ListMultipartUploads(tb.Context(), &s3.ListMultipartUploadsInput{Bucket: &s.Bucket})
	if err != nil {
		tb.Fatal(err)
	}
	return len(out.Uploads)
}

// Environment is what a process needs to reach any server with good
// credentials, and nothing else that the machine may have.
func Environment() []string {
	return []string{
		"AWS_ACCESS_KEY_ID=" + AccessKey, "AWS_SECRET_ACCESS_KEY=" + SecretKey, "AWS_SESSION_TOKEN=", "AWS_REGION=", "AWS_PROFILE=",
		"AWS_EC2_METADATA_DISABLED=true", "AWS_CONFIG_FILE=" + os.DevNull, "AWS_SHARED_CREDENTIALS_FILE=" + os.DevNull,
	}
}

// Setenv sets the Environment for a whole test program: call it in TestMain.
func Setenv() error {
	for _, e := range Environment() {
		name, value, _ := strings.Cut(e, "=")
		if err := os.Setenv(name, value); err != nil {
			return err
		}
	}
	return nil
}

// Run runs the tests of a package with the Environment, for its TestMain, and returns
// the exit code.
func Run(m *testing.M) int {
	if err := Setenv(); err != nil {
		panic(err)
	}
	return m.Run()
}

// Context reaches the server; the options' endpoint is filled in.
func (s *Server) Context(ctx context.Context, o blob.S3Options) context.Context {
	o.EndpointURL, o.PathStyle = s.Endpoint, true
	return blob.WithS3(ctx, o)
}
