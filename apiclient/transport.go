package apiclient

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// transport sends one request and reads its answer. It uses the round tripper
// itself, not a http.Client: nothing may follow redirects or repeat requests
// beside the limiter.
type transport struct {
	http    http.RoundTripper
	timeout time.Duration
	reached atomic.Bool // an answer came before

	mu    sync.Mutex
	limit struct { // of the attempts that begin now
		context.Context
		began  time.Time
		ends   <-chan struct{}    // Done of what it was made from
		cancel context.CancelFunc // is left to the deadline: attempts may be under way
	}
	secrets  []string
	scrubber atomic.Pointer[strings.Replacer]
}

// request is what is sent, with what is known of the answer it should have.
type request struct {
	op     Op
	method string
	url    *url.URL
	header http.Header
	body   []byte
	keep   bool // the answer's body is wanted
}

// answer is what came of a request: err is nil for a 2xx with a whole body.
type answer struct {
	status  int
	body    []byte
	latency time.Duration
	written time.Duration // from the beginning until the request was written; 0: it was not, or nobody said
	date    string        // by the server's clock; empty: it did not say
	err     *Error
}

const (
	deviceBodyMax = 1 << 20  // of a success that tells of one device or person
	listBodyMax   = 8 << 20  // of a page of people
	errorBodyMax  = 64 << 10 // of anything else
	drainMax      = 64 << 10 // read beyond it so that the connection can be used again
	baseSecrets   = 8        // secrets that are never forgotten (tokens come and go)
)

var errTooLarge = errors.New("the answer is too large")

func newTransport(cfg *Config) *transport {
	t := &transport{http: cfg.Transport, timeout: cfg.Timeout}
	t.hide(cfg.Auth.secrets()...)
	return t
}

// newRoundTripper differs from the default transport in that it keeps every
// connection it opened (the default closes all but two of a host), and in what
// it says of proxies.
func newRoundTripper() *http.Transport {
	dialer := net.Dialer{Timeout: dialTimeout, KeepAlive: 30 * time.Second}
	return &http.Transport{
		Proxy:                  ProxyOf,
		OnProxyConnectResponse: refusedByProxy,
		DialContext:            dialer.DialContext,
		ForceAttemptHTTP2:      true,
		MaxIdleConnsPerHost:    4096,
		IdleConnTimeout:        90 * time.Second,
		TLSHandshakeTimeout:    dialTimeout,
		ExpectContinueTimeout:  time.Second,
	}
}

// hide adds secrets to what is masked in errors. Of old tokens only the last
// few are remembered.
func (t *transport) hide(secrets ...string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.secrets = append(t.secrets, secrets...)
	if n := len(t.secrets) - 2*baseSecrets; n > 0 {
		t.secrets = append(t.secrets[:baseSecrets:baseSecrets], t.secrets[baseSecrets+n:]...)
	}
	t.scrubber.Store(newScrubber(t.secrets))
}

// limited returns a context that ends with ctx, or when an attempt that begins now has
// taken as long as it may, less at most a hundredth of that. Attempts that begin at about
// the same time share it: with one each a job takes 6 % more CPU.
func (t *transport) limited(ctx context.Context, now time.Time) context.Context {
	t.mu.Lock()
	defer t.mu.Unlock()
	l := &t.limit
	if l.Context == nil || l.ends != ctx.Done() || now.Sub(l.began) > t.timeout/100 {
		l.Context, l.cancel = context.WithDeadline(ctx, now.Add(t.timeout))
		l.began, l.ends = now, ctx.Done()
	}
	return l.Context
}

// send makes one attempt. Its time limit is the transport's; the end of ctx
// itself is an error like any other here, the caller knows better.
func (t *transport) send(ctx context.Context, r request) (a answer) {
	start := time.Now()
	ctx = t.limited(ctx, start)
	var written atomic.Int64
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		WroteRequest: func(httptrace.WroteRequestInfo) { written.Store(int64(time.Since(start))) },
	})
	resp, err := t.http.RoundTrip(r.http(ctx))
	a.written = time.Duration(written.Load())
	if err != nil {
		a.latency = time.Since(start)
		a.err = t.transportError(ctx, &r, err)
		return a
	}
	t.reached.Store(true)
	a.status = resp.StatusCode
	a.date = resp.Header.Get("Date")
	body, err := readBody(resp, r.bodyMax(resp.StatusCode))
	a.latency = time.Since(start)
	if a.err = t.check(ctx, &r, resp, body, err); a.err == nil && r.keep {
		a.body = body
	}
	return a
}

func (r *request) http(ctx context.Context) *http.Request {
	req := &http.Request{
		Method: r.method, URL: r.url, Host: r.url.Host, Header: r.header,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}
	switch {
	case r.body != nil:
		req.ContentLength = int64(len(r.body))
		body := r.body
		req.Body = bodyReader(body)
		req.GetBody = func() (io.ReadCloser, error) { return bodyReader(body), nil }
	case r.method == http.MethodGet:
		// Without a body the transport of net/http sends a get again by itself when a used
		// connection breaks: a request that no limiter has granted and nobody has counted.
		req.Body, req.ContentLength = bodyReader(nil), -1
	}
	return req.WithContext(ctx)
}

// bodyReader reads a body. It must be made of types that net/http knows to be in
// memory: before a body of any other it sends the header alone, so that every
// request costs a second system call and a second packet.
func bodyReader(body []byte) io.ReadCloser { return io.NopCloser(bytes.NewReader(body)) }

// bodyMax is how much of an answer is read.
func (r *request) bodyMax(status int) int64 {
	switch {
	case !success(status):
		return errorBodyMax
	case r.op == OpListPersons || r.op == OpApplications:
		return listBodyMax
	}
	return deviceBodyMax
}

// readBody reads a body up to limit and leaves the connection fit for another
// request where that costs little.
func readBody(resp *http.Response, limit int64) ([]byte, error) {
	if n := resp.ContentLength; n >= 0 && n < 512 { // which io.ReadAll takes at once: 4 % of a job
		body := make([]byte, n+1)
		got, err := io.ReadFull(resp.Body, body)
		if int64(got) == n { // and then the end
			err = nil
		}
		return body[:got], cmp.Or(err, resp.Body.Close())
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, limit))
	n := int64(len(body))
	if err == nil && n == limit {
		beyond, copyErr := io.CopyN(io.Discard, resp.Body, drainMax)
		if copyErr != nil && !errors.Is(copyErr, io.EOF) {
			err = copyErr
		}
		if beyond > 0 && success(resp.StatusCode) {
			err = errTooLarge
		}
	}
	err = cmp.Or(err, resp.Body.Close())
	if err == nil && resp.ContentLength > n && n < limit {
		err = io.ErrUnexpectedEOF
	}
	return body, err
}

func success(status int) bool { return status >= 200 && status < 300 }
