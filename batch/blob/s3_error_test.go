package blob_test

import (
	"errors"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"pushbatch/batch/blob"
	"pushbatch/testdata/s3test"
)

// Every refusal names the bucket, the key, what was tried and what to do.
func TestS3Errors(t *testing.T) {
	server := s3test.StartReal(t)
	server.Put(t, "a.csv", []byte("a"))
	for _, tt := range []struct {
		name, location string
		env            map[string]string
		options        blob.S3Options
		refuse         *s3test.Refusal
		noEndpoint     bool // but the environment's
		want           []string
		is             error
	}{
		{
			name: "no such key", location: "s3://bucket/nowhere.csv", is: fs.ErrNotExist,
			want: []string{"s3://bucket/nowhere.csv", "no such object", "HeadObject", "spelling"},
		},
		{name: "no such bucket", location: "s3://nowhere/a.csv", want: []string{"s3://nowhere/", "no such bucket", "HeadBucket", "spelling"}},
		{
			name: "wrong secret", location: "s3://bucket/a.csv", env: map[string]string{"AWS_SECRET_ACCESS_KEY": "wrong"},
			want: []string{"s3://bucket/a.csv", "signature does not match", "AWS_SECRET_ACCESS_KEY"},
		},
		{
			name: "unknown key", location: "s3://bucket/a.csv", env: map[string]string{"AWS_ACCESS_KEY_ID": "unknown"},
			want: []string{"access key is not known", "AWS_ACCESS_KEY_ID"},
		},
		{
			name: "anonymous", location: "s3://bucket/a.csv", options: blob.S3Options{NoSignRequest: true}, is: fs.ErrPermission,
			want: []string{"access denied", "s3:GetObject"},
		},
		{
			name: "no credentials", location: "s3://bucket/a.csv",
			env:  map[string]string{"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""},
			want: []string{"no AWS credentials were found", "AWS_PROFILE", "--s3-no-sign-request"},
		},
		{
			name: "expired token", location: "s3://bucket/a.csv", refuse: &s3test.Refusal{Status: http.StatusBadRequest, Code: "ExpiredToken"},
			want: []string{"s3://bucket/a.csv", "security token has expired", "aws sso login", "GetObject"},
		},
		{
			name: "wrong region", location: "s3://bucket/a.csv", options: blob.S3Options{Region: "eu-west-1"},
			refuse: &s3test.Refusal{Status: http.StatusMovedPermanently, Code: "PermanentRedirect"},
			want:   []string{"another region", "region eu-west-1", "give its region with --s3-region"},
		},
		{
			name: "wrong region, the right one told", location: "s3://bucket/a.csv", options: blob.S3Options{Region: "eu-west-1"},
			refuse: &s3test.Refusal{Status: http.StatusMovedPermanently, Code: "PermanentRedirect", Region: "eu-central-1"},
			want:   []string{"another region", "region eu-west-1", "give --s3-region eu-central-1, or none"},
		},
		{
			name: "unknown profile", location: "s3://bucket/a.csv", env: map[string]string{"AWS_PROFILE": "nonesuch"},
			want: []string{"s3://bucket/a.csv", "profile is not to be found (nonesuch)", "AWS_PROFILE"},
		},
		{
			name: "KMS key", location: "s3://bucket/a.csv", refuse: &s3test.Refusal{Status: http.StatusBadRequest, Code: "KMS.DisabledException"},
			want: []string{"KMS.DisabledException", "--s3-sse-kms-key-id", "kms:GenerateDataKey"},
		},
		{
			name: "no URL", location: "s3://bucket/a.csv", env: map[string]string{"AWS_ENDPOINT_URL_S3": "127.0.0.1:7070"}, noEndpoint: true,
			want: []string{"s3://bucket/a.csv", "the S3 endpoint is no URL", "AWS_ENDPOINT_URL_S3"},
		},
		{
			name: "credentials in the address", location: "s3://bucket/a.csv", env: map[string]string{"AWS_ENDPOINT_URL_S3": "https://key:secret@s3.example"},
			noEndpoint: true, want: []string{"the S3 endpoint holds credentials"},
		},
		{
			name: "nothing listens", location: "s3://bucket/a.csv", env: map[string]string{"AWS_ENDPOINT_URL_S3": "http://127.0.0.1:1"}, noEndpoint: true,
			want: []string{"s3://bucket/a.csv", "cannot be reached", "connection refused", "HeadBucket at http://127.0.0.1:1", "--s3-endpoint-url"},
		},
		{
			name: "archived", location: "s3://bucket/a.csv", refuse: &s3test.Refusal{Status: http.StatusForbidden, Code: "InvalidObjectState"},
			want: []string{"archived", "restore"},
		},
		{name: "no bucket", location: "s3:///a.csv", want: []string{"names no bucket"}},
		{name: "a prefix", location: "s3://bucket/a/", want: []string{"it is a prefix"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for name, value := range tt.env {
				t.Setenv(name, value)
			}
			refusing := server.Behind(t, &s3test.Faults{Refuse: func(*http.Request) *s3test.Refusal { return tt.refuse }})
			ctx := refusing.Context(t.Context(), tt.options)
			if tt.noEndpoint {
				ctx = blob.WithS3(t.Context(), tt.options)
			}
			_, err := blob.Stat(ctx, tt.location)
			if err == nil {
				t.Fatal("no error")
			}
			if strings.Contains(err.Error(), "secret") {
				t.Error("the error tells a secret")
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q has no %q", err, want)
				}
			}
			if tt.is != nil && !errors.Is(err, tt.is) {
				t.Errorf("%q is not %v", err, tt.is)
			}
		})
	}
}

// A bucket is asked for its region, and asked there.
func TestS3RegionIsDiscovered(t *testing.T) {
	t.Parallel()
	var signed []string
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		signed = append(signed, r.URL.Path+" "+strings.Split(r.Header.Get("Authorization")+"////", "/")[2])
		w.Header().Set("X-Amz-Bucket-Region", "eu-central-1")
		if r.URL.Path == "/bucket" {
			w.WriteHeader(http.StatusMovedPermanently)
			return
		}
		w.Header().Set("Etag", `"1"`)
	}))
	defer service.Close()
	server := s3test.Server{Endpoint: service.URL}
	if _, err := blob.Stat(server.Context(t.Context(), blob.S3Options{}), "s3://bucket/a.csv"); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(signed, ", "); got != "/bucket us-east-1, /bucket/a.csv eu-central-1" {
		t.Error(got)
	}
}
