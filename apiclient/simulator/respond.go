package simulator

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"syscall"
)

// deliver answers over a socket.
func deliver(w http.ResponseWriter, a answer) {
	if a.ending != whole {
		breakOff(w, a)
		return
	}
	a.header(w.Header())
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body) // the client may have left
}

func (a *answer) header(h http.Header) {
	h["Content-Length"] = []string{strconv.Itoa(len(a.body))}
	if len(a.body) > 0 {
		h["Content-Type"] = []string{cmp.Or(a.contentType, "application/json")}
	}
	if a.retryAfter != "" {
		h["Retry-After"] = []string{a.retryAfter}
	}
}

// breakOff ends the handling without a whole answer: with a reset, or after
// half a body.
func breakOff(w http.ResponseWriter, a answer) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler) // net/http closes the connection then
	}
	defer conn.Close()
	if a.ending == cutBody {
		fmt.Fprintf(conn, "HTTP/1.1 %d %s\r\n", a.status, http.StatusText(a.status))
		h := http.Header{}
		a.header(h)
		_ = h.Write(conn) // the client may have left
		fmt.Fprintf(conn, "\r\n%s", a.body[:len(a.body)/2])
		return
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // closing sends a reset
	}
}

// RoundTripper returns a transport that hands requests to the simulator
// without sockets, in the caller's goroutine: it works in the virtual time of
// testing/synctest. Broken connections surface as connection resets, cut
// bodies as io.ErrUnexpectedEOF, and a client that stops waiting gets its
// context's error.
func (s *Simulator) RoundTripper() http.RoundTripper { return roundTripper{s} }

type roundTripper struct{ sim *Simulator }

func (t roundTripper) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		defer r.Body.Close()
	}
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	a := t.sim.handle(r)
	if a.ending == clientGone && r.Context().Err() != nil {
		return nil, r.Context().Err()
	}
	if a.ending == cutConnection || a.ending == clientGone {
		return nil, &net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", syscall.ECONNRESET)}
	}
	var body io.Reader = bytes.NewReader(a.body)
	if a.ending == cutBody {
		body = io.MultiReader(bytes.NewReader(a.body[:len(a.body)/2]), cutReader{})
	}
	head := http.Header{}
	a.header(head)
	return &http.Response{
		Status: strconv.Itoa(a.status) + " " + http.StatusText(a.status), StatusCode: a.status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: head, Body: io.NopCloser(body), ContentLength: int64(len(a.body)), Request: r,
	}, nil
}

// cutReader is where an answer was cut.
type cutReader struct{}

func (cutReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
