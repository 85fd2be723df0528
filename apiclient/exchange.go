package apiclient

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"
)

// exchanger sends one request and reads its answer. It uses the transport
// itself, not a http.Client: nothing may follow redirects or repeat requests
// beside the limiter.
type exchanger struct {
	transport http.RoundTripper
	timeout   time.Duration
	buffers   sync.Pool // of *bytes.Buffer
	reached   atomic.Bool

	mu       sync.Mutex
	secrets  []string
	scrubber atomic.Pointer[scrubber]
}

// message is a request with all that belongs to it.
type message struct {
	op     Op
	method string
	url    *url.URL
	header http.Header
	body   []byte
	keep   bool // the answer's body is wanted
	empty  bool // the answer needs no body
}

// answer is what came of a message: err is nil for a 2xx with a whole body.
type answer struct {
	status  int
	body    []byte
	latency time.Duration
	err     *Error
}

const (
	bodyMax      = 8 << 20  // of a success
	errorBodyMax = 64 << 10 // of anything else
	drainMax     = 64 << 10 // read beyond it so that the connection can be used again
	bufferMax    = 64 << 10 // larger buffers are not kept
	baseSecrets  = 8        // secrets that are never forgotten (tokens come and go)
)

var (
	errNotJSON  = errors.New("not JSON")
	errTooLarge = errors.New("more than 8 MiB")
)

func newExchanger(cfg *Config) *exchanger {
	x := &exchanger{transport: cfg.Transport, timeout: cfg.Timeout}
	x.buffers.New = func() any { return new(bytes.Buffer) }
	x.hide(cfg.Auth.secrets()...)
	return x
}

// hide adds secrets to what is masked in errors. Of old tokens only the last
// few are remembered.
func (x *exchanger) hide(secrets ...string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.secrets = append(x.secrets, secrets...)
	if n := len(x.secrets) - 2*baseSecrets; n > 0 {
		x.secrets = append(x.secrets[:baseSecrets:baseSecrets], x.secrets[baseSecrets+n:]...)
	}
	s := newScrubber(x.secrets)
	x.scrubber.Store(&s)
}

// send makes one attempt. Its time limit is the exchanger's; the end of ctx
// itself is an error like any other here, the caller knows better.
func (x *exchanger) send(ctx context.Context, m message) (a answer) {
	ctx, cancel := context.WithTimeout(ctx, x.timeout)
	defer cancel()
	start := time.Now()
	resp, err := x.transport.RoundTrip(m.request(ctx))
	if err != nil {
		a.latency = time.Since(start)
		a.err = x.transportError(ctx, m.op, err)
		return a
	}
	x.reached.Store(true)
	a.status = resp.StatusCode
	buf := x.buffers.Get().(*bytes.Buffer)
	buf.Reset()
	err = readBody(buf, resp)
	a.latency = time.Since(start)
	a.err = x.judge(ctx, &m, resp, buf.Bytes(), err)
	if m.keep && a.err == nil {
		a.body = bytes.Clone(buf.Bytes())
	}
	if buf.Cap() <= bufferMax {
		x.buffers.Put(buf)
	}
	return a
}

func (m *message) request(ctx context.Context) *http.Request {
	req := &http.Request{
		Method: m.method, URL: m.url, Host: m.url.Host, Header: m.header,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}
	switch {
	case m.body != nil:
		req.ContentLength = int64(len(m.body))
		req.Body = bodyReader(m.body)
		req.GetBody = func() (io.ReadCloser, error) { return bodyReader(m.body), nil }
	case m.method == http.MethodGet:
		req.Body, req.ContentLength = unrepeatable{}, -1
	}
	return req.WithContext(ctx)
}

// bodyReader reads a body. It must be made of types that net/http knows to be in
// memory: before a body of any other it sends the header alone, so that every
// request costs a second system call and a second packet.
func bodyReader(body []byte) io.ReadCloser { return io.NopCloser(bytes.NewReader(body)) }

// unrepeatable is an empty body of a get. The transport of net/http sends a
// get without a body again by itself when a used connection breaks: a request
// that no limiter has granted and nobody has counted.
type unrepeatable struct{}

func (unrepeatable) Read([]byte) (int, error) { return 0, io.EOF }
func (unrepeatable) Close() error             { return nil }

// readBody reads a body within the limits and leaves the connection fit for
// another request where that costs little.
func readBody(buf *bytes.Buffer, resp *http.Response) error {
	limit := int64(errorBodyMax)
	if success(resp.StatusCode) {
		limit = bodyMax
	}
	n, err := buf.ReadFrom(io.LimitReader(resp.Body, limit))
	if err == nil && n == limit {
		var beyond int64
		beyond, err = io.CopyN(io.Discard, resp.Body, drainMax)
		if errors.Is(err, io.EOF) {
			err = nil
		}
		if beyond > 0 && success(resp.StatusCode) {
			err = errTooLarge
		}
	}
	if closed := resp.Body.Close(); err == nil && closed != nil {
		err = closed
	}
	if err == nil && resp.ContentLength > n && n < limit {
		err = io.ErrUnexpectedEOF
	}
	return err
}

func success(status int) bool { return status >= 200 && status < 300 }

// judge returns what is wrong with an answer, nil when nothing is.
func (x *exchanger) judge(ctx context.Context, m *message, resp *http.Response, body []byte, err error) *Error {
	e := &Error{Op: m.op, Status: resp.StatusCode, Class: Temporary, cause: err}
	switch {
	case resp.StatusCode >= 300 && resp.StatusCode < 400:
		return x.redirected(m, resp)
	case !success(resp.StatusCode):
		return x.scrubber.Load().errorFrom(m.op, resp, body, time.Now())
	case errors.Is(err, errTooLarge):
		e.Code, e.Message, e.Class = CodeAnswerTooLarge, "the answer has more than 8 MiB", Final
	case err != nil && ctx.Err() != nil:
		e.Code, e.Message = CodeTimeout, fmt.Sprintf("the answer was not complete within %v", x.timeout)
	case err != nil:
		e.Code, e.Message = CodeAnswerCut, fmt.Sprintf("the answer was cut after %d bytes", len(body))
	case !m.complete(resp.StatusCode, body):
		e.Code, e.Message = CodeAnswerInvalid, x.scrubber.Load().excerpt(resp, body)
	default:
		return nil
	}
	return e
}

func (x *exchanger) redirected(m *message, resp *http.Response) *Error {
	to := "somewhere unknown"
	if u, err := resp.Location(); err == nil {
		to = "the same host"
		if u.Hostname() != m.url.Hostname() {
			to = "host " + x.scrubber.Load().line(u.Hostname(), 100)
		} else if u.Scheme != m.url.Scheme {
			to = "the same host by " + x.scrubber.Load().line(u.Scheme, 16)
		}
	}
	return &Error{
		Op: m.op, Status: resp.StatusCode, Code: CodeRedirected, Class: Fatal,
		Message: "the answer redirects to " + to + "; redirects are not followed, mend the base URL",
	}
}
