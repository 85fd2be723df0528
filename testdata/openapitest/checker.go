package openapitest

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"
)

// Option changes what is a failure.
type Option func(*checker)

// Refusals allows requests that break the description, provided that they are
// answered 4xx (or 5xx by a declared fault). It is for tests of the simulator's
// own checks.
func Refusals() Option { return func(j *checker) { j.refusals = true } }

// Wrap returns h with every request and answer checked against the description.
func Wrap(t testing.TB, h http.Handler, opts ...Option) http.Handler {
	t.Helper()
	return checked{newChecker(t, opts), h}
}

// Transport returns rt with every request and answer checked against the
// description. The whole answer is read before it is handed on.
func Transport(t testing.TB, rt http.RoundTripper, opts ...Option) http.RoundTripper {
	t.Helper()
	return transport{newChecker(t, opts), rt}
}

type checker struct {
	t        testing.TB
	doc      *document
	refusals bool
}

func newChecker(t testing.TB, opts []Option) *checker {
	t.Helper()
	doc, err := loaded()
	if err != nil {
		t.Fatalf("openapitest: %v", err)
	}
	j := &checker{t: t, doc: doc}
	for _, o := range opts {
		o(j)
	}
	return j
}

// exchange checks a request and its answer together.
func (j *checker) exchange(r *http.Request, sent []byte, status int, header http.Header, got []byte) {
	input, err := j.doc.request(r, sent)
	if err != nil && (!j.refusals || status < 400) {
		j.t.Errorf("openapitest: %s %s, answered %d: request: %v", r.Method, r.URL.EscapedPath(), status, err)
		return
	}
	if input == nil || status >= 400 && !isPlatforms(header) {
		return
	}
	if err := j.doc.answer(input, status, header, got); err != nil {
		j.t.Errorf("openapitest: %s %s, answered %d: answer: %v", r.Method, r.URL.EscapedPath(), status, err)
	}
}

// isPlatforms tells the platform's errors from those of a proxy in between.
func isPlatforms(h http.Header) bool {
	return strings.HasPrefix(h.Get("Content-Type"), "application/json")
}

// requestOnly checks a request whose answer never came.
func (j *checker) requestOnly(r *http.Request, sent []byte) {
	if _, err := j.doc.request(r, sent); err != nil && !j.refusals {
		j.t.Errorf("openapitest: %s %s, not answered: request: %v", r.Method, r.URL.EscapedPath(), err)
	}
}

// take reads a body and puts it back.
func take(body *io.ReadCloser) ([]byte, error) {
	if *body == nil || *body == http.NoBody {
		return nil, nil
	}
	raw, err := io.ReadAll(*body)
	_ = (*body).Close()
	*body = io.NopCloser(bytes.NewReader(raw))
	return raw, err
}

type checked struct {
	*checker
	next http.Handler
}

func (h checked) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	sent, err := take(&r.Body)
	if err != nil {
		h.t.Errorf("openapitest: read the request: %v", err)
	}
	rec := &recorder{ResponseWriter: w}
	defer func() {
		if rec.status == 0 { // cut, or the handler panicked
			h.requestOnly(r, sent)
			return
		}
		h.exchange(r, sent, rec.status, w.Header(), rec.body.Bytes())
	}()
	h.next.ServeHTTP(rec, r)
}

// recorder keeps what is answered while it passes it on.
type recorder struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
}

// Unwrap lets http.ResponseController reach the connection.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(p []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	r.body.Write(p)
	return r.ResponseWriter.Write(p)
}

type transport struct {
	*checker
	next http.RoundTripper
}

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	copied := r.Clone(r.Context()) // a transport must not change its request
	sent, err := take(&copied.Body)
	if err != nil {
		return nil, err
	}
	resp, err := t.next.RoundTrip(copied)
	if err != nil {
		t.requestOnly(r, sent)
		return nil, err
	}
	got, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	resp.Body = io.NopCloser(io.MultiReader(bytes.NewReader(got), ending{err}))
	if err != nil {
		t.requestOnly(r, sent)
	} else {
		t.exchange(r, sent, resp.StatusCode, resp.Header, got)
	}
	return resp, nil
}

// ending is where an answer ends: as it did for us, whole or cut.
type ending struct{ err error }

func (e ending) Read([]byte) (int, error) {
	if e.err != nil {
		return 0, e.err
	}
	return 0, io.EOF
}
