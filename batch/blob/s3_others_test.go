package blob_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"pushbatch/batch/blob"
	"pushbatch/testdata/s3test"
	"pushbatch/testdata/thorough"
)

// A store that is not AWS keeps to the same suite, whatever it lacks beside
// conditional writes.
func TestOtherStores(t *testing.T) {
	t.Parallel()
	for _, store := range thorough.Sample([]struct {
		name string
		is   *s3test.Store
	}{
		{"version 1 of the listing", &s3test.Store{ListV1: true, Page: 2}},
		{"the same token", &s3test.Store{SameToken: true, Page: 2}},
		{"pages", &s3test.Store{Page: 1}},
		{"no DeleteObjects", &s3test.Store{RefuseDeletes: true}},
	}, 4) {
		server := store.is.Serve(t)
		for i, tt := range storeTests {
			t.Run(store.name+"/"+tt.name, func(t *testing.T) {
				t.Parallel()
				tt.test(server.Context(t.Context(), blob.S3Options{}), t, server.Location(fmt.Sprintf("store-%d/", i)))
			})
		}
	}
}

// A listing ends with an error where a service does not give what it promises, and
// never in part.
func TestListingIsNeverInPart(t *testing.T) {
	t.Parallel()
	contents := func(from, to int) (b string) {
		for i := from; i < to; i++ {
			b += fmt.Sprintf(`<Contents><Key>in/%03d.csv</Key><Size>1</Size><LastModified>2026-01-01T00:00:00Z</LastModified></Contents>`, i)
		}
		return b
	}
	page := func(rest string) string {
		return "<ListBucketResult><Name>bucket</Name>" + rest + "</ListBucketResult>"
	}
	for name, answer := range map[string]func(asked int, r *http.Request) string{
		"always the first page": func(int, *http.Request) string { return page("<IsTruncated>true</IsTruncated>" + contents(0, 3)) },
		"a new token, the same page": func(n int, _ *http.Request) string {
			return page(fmt.Sprintf("<IsTruncated>true</IsTruncated><NextContinuationToken>%d</NextContinuationToken>", n) + contents(0, 3))
		},
		"tokens in a circle": func(n int, _ *http.Request) string {
			return page(fmt.Sprintf("<IsTruncated>true</IsTruncated><NextContinuationToken>%d</NextContinuationToken>", n%2))
		},
		"more, but nothing":           func(int, *http.Request) string { return page("<IsTruncated>true</IsTruncated>") },
		"a page of something between": func(int, *http.Request) string { return "<html><body>please log in</body></html>" },
		"a full page without a word":  func(int, *http.Request) string { return page("<MaxKeys>3</MaxKeys>" + contents(0, 3)) },
		"a key of a page elsewhere": func(int, *http.Request) string {
			return page(`<Contents><Key>../../etc/x.csv</Key><Size>1</Size></Contents>`)
		},
		"a page of a short key": func(int, *http.Request) string { return page(`<Contents><Key>x</Key><Size>1</Size></Contents>`) },
		"a page without a size": func(int, *http.Request) string { return page(`<Contents><Key>in/a.csv</Key></Contents>`) },
		"an object twice": func(n int, _ *http.Request) string {
			return page(fmt.Sprintf("<IsTruncated>%t</IsTruncated><NextContinuationToken>%d</NextContinuationToken>", n < 2, n) + contents(2-n, 5-n))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			asked := 0
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodGet {
					asked++
					fmt.Fprint(w, answer(asked, r))
				}
			}))
			defer server.Close()
			ctx := blob.WithS3(t.Context(), blob.S3Options{EndpointURL: server.URL, PathStyle: true})
			found, err := blob.Expand(ctx, []string{"s3://bucket/in/"})
			if err == nil {
				t.Errorf("%d objects were found, and nothing is wrong", len(found))
			}
			if strings.Contains(name, "tokens") || strings.Contains(name, "page") {
				if names, err := blob.Names(ctx, "s3://bucket/in/"); err == nil {
					t.Errorf("%d names were found, and nothing is wrong", len(names))
				}
			}
			if asked > 250 {
				t.Errorf("%d pages were asked for", asked)
			}
		})
	}
}

// What a service does not know is named for what it is.
func TestNotImplemented(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		store *s3test.Store
		want  string
	}{
		{&s3test.Store{Conditions: s3test.RefuseConditions}, "does not know conditional writes"},
		{&s3test.Store{NoChecksums: true}, "AWS_REQUEST_CHECKSUM_CALCULATION=when_required"},
	} {
		server := tt.store.Serve(t)
		ctx := server.Context(t.Context(), blob.S3Options{})
		_, err := blob.Put(ctx, "s3://bucket/x", []byte("x"), blob.Absent)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%v, want %q", err, tt.want)
		}
		if keys := server.Keys(t, ""); len(keys) != 0 {
			t.Errorf("left: %q", keys)
		}
	}
}

// Where checksums are to be sent when required only, none is, by uploads neither.
func TestChecksumsWhenRequired(t *testing.T) {
	t.Setenv("AWS_REQUEST_CHECKSUM_CALCULATION", "when_required")
	store := &s3test.Store{NoChecksums: true}
	ctx := store.Serve(t).Context(t.Context(), blob.S3Options{})
	if _, err := blob.Put(ctx, "s3://bucket/x", []byte("x"), blob.Absent); err != nil {
		t.Error(err)
	}
	for _, size := range []int{10, inParts} {
		if err := blob.Copy(ctx, "s3://bucket/y", strings.NewReader(strings.Repeat("y", size)), blob.CreateOptions{}); err != nil {
			t.Error(err)
		}
	}
}

// Redirects are followed to the same host and no further, whatever came before: what
// is sent may hold rows and a session token.
func TestRedirectsStayWithTheirHost(t *testing.T) {
	t.Parallel()
	store := &s3test.Store{}
	server := store.Serve(t)
	var other []string
	thief := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { other = append(other, r.Method) }))
	defer thief.Close()
	store.Refuse = func(r *http.Request) *s3test.Refusal {
		switch {
		case r.Method == http.MethodHead:
			return nil
		case r.URL.Path == "/bucket/x":
			return &s3test.Refusal{Status: http.StatusTemporaryRedirect, Code: "TemporaryRedirect", Location: server.Endpoint + "/bucket/y"}
		}
		return &s3test.Refusal{Status: http.StatusTemporaryRedirect, Code: "TemporaryRedirect", Location: thief.URL + "/bucket/z"}
	}
	_, err := blob.Get(server.Context(t.Context(), blob.S3Options{}), "s3://bucket/x")
	if err == nil || !strings.Contains(err.Error(), "the service redirects") || len(other) != 0 {
		t.Errorf("%v; the other host saw %q", err, other)
	}
	if !slices.ContainsFunc(store.Requests(), func(r string) bool { return strings.HasPrefix(r, "GET /bucket/y") }) {
		t.Error("the redirect to the same host was not followed")
	}
}

// A write that is redirected is not done, not even where a page of the same host
// answers 200 to the GET that it would become.
func TestRedirectedWritesFail(t *testing.T) {
	t.Parallel()
	writes := map[string]func(context.Context) error{
		"put": func(ctx context.Context) error {
			_, err := blob.Put(ctx, "s3://bucket/x", []byte("x"), blob.AnyVersion)
			return err
		},
		"copy": func(ctx context.Context) error {
			return blob.Copy(ctx, "s3://bucket/x", strings.NewReader("x"), blob.CreateOptions{})
		},
		"copy in parts": func(ctx context.Context) error {
			return blob.Copy(ctx, "s3://bucket/x", strings.NewReader(strings.Repeat("x", inParts)), blob.CreateOptions{})
		},
		"delete": func(ctx context.Context) error { return blob.RemoveBelow(ctx, "s3://bucket", []string{"x"}) },
	}
	for _, status := range thorough.Of([]int{302, 307}, []int{301, 302, 303, 307, 308}) {
		for _, parts := range []bool{false, true} { // the upload is begun, and its parts are redirected
			if parts && status != http.StatusFound {
				continue
			}
			store := &s3test.Store{}
			server := store.Serve(t)
			server.Put(t, "login", []byte("log in"))
			store.Refuse = func(r *http.Request) *s3test.Refusal {
				switch {
				case r.Method == http.MethodHead || r.Method == http.MethodGet, parts && !r.URL.Query().Has("uploadId"):
					return nil
				}
				return &s3test.Refusal{Status: status, Code: "Found", Location: "/bucket/login"}
			}
			ctx := server.Context(t.Context(), blob.S3Options{})
			for name, write := range writes {
				if parts && name != "copy in parts" {
					continue
				}
				if err := write(ctx); err == nil || !strings.Contains(err.Error(), "the service redirects") {
					t.Errorf("%s, %d, parts %t: %v", name, status, parts, err)
				}
			}
		}
	}
}

// An answer's length is not believed: memory follows what comes.
func TestContentLengthIsNotBelieved(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			w.Header().Set("Content-Length", "1099511627776")
			fmt.Fprint(w, "x")
		}
	}))
	defer server.Close()
	_, err := blob.Get(blob.WithS3(t.Context(), blob.S3Options{EndpointURL: server.URL, PathStyle: true}), "s3://bucket/x")
	if err == nil || !strings.Contains(err.Error(), "more than 64 MiB") {
		t.Error("an object of a terabyte was read:", err)
	}
}

// A plain http endpoint is used, with one warning.
func TestPlainEndpointIsWarnedOf(t *testing.T) {
	t.Parallel()
	var warned []string
	ctx := blob.WithS3(t.Context(), blob.S3Options{
		EndpointURL: "http://s3.invalid", PathStyle: true, Region: "us-east-1", Warn: func(m string) { warned = append(warned, m) },
	})
	for range 2 {
		if _, err := blob.Stat(ctx, "s3://bucket/x"); !errors.As(err, new(*blob.S3Error)) {
			t.Errorf("it was not tried: %v", err)
		}
	}
	if len(warned) != 1 || !strings.Contains(warned[0], "plain http") {
		t.Errorf("warned: %q", warned)
	}
}

// An address that never answers as HTTP is a mistake, not an outage: it is told after
// three tries, with what came instead.
func TestEndpointThatNeverAnswers(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		panic(http.ErrAbortHandler)
	}))
	t.Cleanup(server.Close)
	for url, want := range map[string]string{
		server.URL: "the service cannot be reached (EOF)",
		strings.Replace(server.URL, "http:", "https:", 1): "the service cannot be reached (http: server gave HTTP response to HTTPS client)",
	} {
		_, err := blob.Stat(blob.WithS3(t.Context(), blob.S3Options{EndpointURL: url, PathStyle: true}), "s3://bucket/x")
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "10 attempts") {
			t.Errorf("%v, without %q", err, want)
		}
	}
	if n := asked.Load(); n != 3 {
		t.Errorf("asked %d times", n)
	}
}

// A service that refuses for a while is told of rather than waited for in silence.
func TestRefusalsAreTold(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if asked.Add(1) <= 3 {
			w.WriteHeader(http.StatusServiceUnavailable)
			fmt.Fprint(w, "<Error><Code>SlowDown</Code></Error>")
		}
	}))
	t.Cleanup(server.Close)
	var warned []string
	ctx := blob.WithS3(t.Context(), blob.S3Options{
		EndpointURL: server.URL, PathStyle: true, Region: "us-east-1", Warn: func(m string) { warned = append(warned, m) },
	})
	if _, err := blob.Get(ctx, "s3://bucket/x"); err != nil {
		t.Error(err)
	}
	want := []string{"the S3 endpoint is plain http", "S3: the service asks to slow down: trying again"}
	if len(warned) != 2 || !strings.HasPrefix(warned[0], want[0]) || warned[1] != want[1] {
		t.Errorf("warned: %q, not: %q", warned, want)
	}
}

// An object whose length is not told is read up to the bound and no further.
func TestObjectOfNoLengthIsBounded(t *testing.T) {
	t.Parallel()
	const most = 160 << 20
	var sent atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet {
			return
		}
		for piece := make([]byte, 1<<20); sent.Load() < most; sent.Add(int64(len(piece))) {
			if _, err := w.Write(piece); err != nil {
				return
			}
		}
	}))
	_, err := blob.Get(blob.WithS3(t.Context(), blob.S3Options{EndpointURL: server.URL, PathStyle: true}), "s3://bucket/x")
	server.Close() // waits for the handler
	if err == nil || !strings.Contains(err.Error(), "more than 64 MiB") || sent.Load() == most {
		t.Errorf("%d MiB were read: %v", sent.Load()>>20, err)
	}
}
