package simulator

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"syscall"
)

// breaker is a response writer without a socket, which breaks connections in
// its own way.
type breaker interface {
	http.ResponseWriter
	breakOff(o outcome)
}

func deliver(w http.ResponseWriter, o outcome) {
	switch o.ending {
	case clientGone:
		breakOff(w, o)
	case cutConnection, cutBody:
		breakOff(w, o)
	default:
		o.header(w.Header())
		w.WriteHeader(o.status)
		_, _ = w.Write(o.body) // the client may have left
	}
}

func (a *answer) header(h http.Header) {
	h["Content-Length"] = []string{strconv.Itoa(len(a.body))}
	if len(a.body) > 0 {
		h["Content-Type"] = []string{a.mediaType()}
	}
	if a.retryAfter != "" {
		h["Retry-After"] = []string{a.retryAfter}
	}
}

func (a *answer) mediaType() string {
	if a.contentType != "" {
		return a.contentType
	}
	return "application/json"
}

// breakOff ends the handling without a whole answer: with a reset, or after
// half a body.
func breakOff(w http.ResponseWriter, o outcome) {
	if b := breakerOf(w); b != nil {
		b.breakOff(o)
		return
	}
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler) // net/http closes the connection then
	}
	defer conn.Close()
	if o.ending == cutBody {
		fmt.Fprintf(conn, "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s",
			o.status, http.StatusText(o.status), o.mediaType(), len(o.body), o.body[:len(o.body)/2])
		return
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // closing sends a reset
	}
}

// breakerOf looks below writers that wrap others.
func breakerOf(w http.ResponseWriter) breaker {
	for {
		if b, ok := w.(breaker); ok {
			return b
		}
		u, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			return nil
		}
		w = u.Unwrap()
	}
}

// RoundTripper returns a transport that hands requests to the simulator
// without sockets, in the caller's goroutine: it works in the virtual time of
// testing/synctest. Broken connections surface as connection resets, cut
// bodies as io.ErrUnexpectedEOF, and a client that stops waiting gets its
// context's error.
func (s *Simulator) RoundTripper() http.RoundTripper { return memoryTransport{s} }

type memoryTransport struct {
	handler http.Handler
}

func (t memoryTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		closeBody(r)
		return nil, err
	}
	w := &memoryWriter{head: http.Header{}}
	t.handler.ServeHTTP(w, withLength(r))
	closeBody(r)
	if w.ending == clientGone && r.Context().Err() != nil {
		return nil, r.Context().Err()
	}
	return w.response(r)
}

// withLength marks an unknown length as servers do; clients write 0 for it.
func withLength(r *http.Request) *http.Request {
	if r.ContentLength != 0 || r.Body == nil || r.Body == http.NoBody {
		return r
	}
	arrived := *r
	arrived.ContentLength = -1
	return &arrived
}

func closeBody(r *http.Request) {
	if r.Body != nil {
		_ = r.Body.Close()
	}
}

// memoryWriter is the response writer of a transport without sockets.
type memoryWriter struct {
	head   http.Header
	status int
	body   bytes.Buffer
	length int // announced
	ending ending
}

func (w *memoryWriter) Header() http.Header { return w.head }

func (w *memoryWriter) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
}

func (w *memoryWriter) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	w.length += len(p)
	return w.body.Write(p)
}

func (w *memoryWriter) breakOff(o outcome) {
	w.ending = o.ending
	if o.ending == cutBody {
		o.header(w.head)
		w.status, w.length = o.status, len(o.body)
		w.body.Write(o.body[:len(o.body)/2])
	}
}

func (w *memoryWriter) response(r *http.Request) (*http.Response, error) {
	if w.ending == cutConnection || w.ending == clientGone {
		return nil, &net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", syscall.ECONNRESET)}
	}
	var body io.Reader = &w.body
	if w.ending == cutBody {
		body = io.MultiReader(body, cutReader{})
	}
	return &http.Response{
		Status: strconv.Itoa(w.status) + " " + http.StatusText(w.status), StatusCode: w.status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: w.head, Body: io.NopCloser(body), ContentLength: int64(w.length), Request: r,
	}, nil
}

// cutReader is where an answer was cut.
type cutReader struct{}

func (cutReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
