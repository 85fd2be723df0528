package s3test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
)

// Refusal is an answer of S3 in the place of the server's.
type Refusal struct {
	Status int
	Code   string
	Region string // that the answer names as the bucket's

	Location string // of a redirect
	Late     bool   // the server has done what it was asked; only its answer is lost
}

// Faults is a layer in front of a server. It counts requests.
type Faults struct {
	// Refuse answers a request itself; nil lets it through.
	Refuse func(*http.Request) *Refusal

	mu     sync.Mutex
	counts map[string]int
}

// Behind returns a server that is reached through the faults.
func (s *Server) Behind(tb testing.TB, f *Faults) *Server {
	tb.Helper()
	target, err := url.Parse(s.Endpoint)
	if err != nil {
		tb.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.Out.URL.Scheme, r.Out.URL.Host = target.Scheme, target.Host
		r.Out.Host = r.In.Host // it is signed
	}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.count(r)
		if f.Refuse != nil {
			if refusal := f.Refuse(r); refusal != nil {
				if refusal.Late {
					proxy.ServeHTTP(httptest.NewRecorder(), r)
				}
				refusal.write(w)
				return
			}
		}
		proxy.ServeHTTP(w, r)
	}))
	tb.Cleanup(server.Close)
	behind := *s
	behind.Endpoint = server.URL
	return &behind
}

func (f *Faults) count(r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.counts == nil {
		f.counts = make(map[string]int)
	}
	name := r.Method
	if r.Method == http.MethodGet && strings.Count(r.URL.Path, "/") < 2 || r.URL.Query().Has("list-type") {
		name = "LIST"
	}
	f.counts[name]++
}

// Count is how many requests of a method came by; listings are LIST.
func (f *Faults) Count(method string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.counts[method]
}

func (r *Refusal) write(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/xml")
	if r.Region != "" {
		w.Header().Set("X-Amz-Bucket-Region", r.Region)
	}
	if r.Location != "" {
		w.Header().Set("Location", r.Location)
	}
	w.WriteHeader(r.Status)
	fmt.Fprintf(w, `<?xml version="1.0" encoding="UTF-8"?><Error><Code>%s</Code><Message>refused by the test</Message></Error>`, r.Code)
}

// Wire says what befalls the connections of a TCP proxy.
type Wire struct {
	// CutAfter is how many bytes of answers a connection brings before it is
	// cut; it is asked once a connection. 0: it is not cut.
	CutAfter func() int64
	// Opened is told of every connection from a client, so that it can be
	// closed at any time; nil: nobody is told.
	Opened func(net.Conn)
	// Piece is the most bytes that go on at a time; 0: as they come.
	Piece int
}

// Through returns a server that is reached through a TCP proxy.
func (s *Server) Through(tb testing.TB, wire Wire) *Server {
	tb.Helper()
	l, err := new(net.ListenConfig).Listen(tb.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	var open sync.WaitGroup
	tb.Cleanup(func() { _ = l.Close(); open.Wait() })
	open.Go(func() { // ends with the listener
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := new(net.Dialer).DialContext(context.Background(), "tcp", strings.TrimPrefix(s.Endpoint, "http://"))
			if err != nil {
				_ = in.Close()
				continue
			}
			if wire.Opened != nil {
				wire.Opened(in)
			}
			go wire.carry(in, out) // ends with the connections
		}
	})
	through := *s
	through.Endpoint = "http://" + l.Addr().String()
	return &through
}

func (w *Wire) carry(in, out net.Conn) {
	defer in.Close()
	defer out.Close()
	go func() { // ends with the connections
		_, _ = io.Copy(out, in)
		_ = out.Close()
	}()
	left, piece := int64(1)<<62, 32<<10
	if w.CutAfter != nil {
		if n := w.CutAfter(); n > 0 {
			left = n
		}
	}
	if w.Piece > 0 {
		piece = w.Piece
	}
	for buf := make([]byte, piece); left > 0; {
		n, err := out.Read(buf[:min(int64(piece), left)])
		if _, failed := in.Write(buf[:n]); failed != nil || err != nil {
			return
		}
		left -= int64(n)
	}
	if tcp, ok := in.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // a reset, not an orderly end
	}
}
