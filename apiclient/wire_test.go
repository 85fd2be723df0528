package apiclient

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// wire serves handler on loopback and returns a client for it that makes two
// attempts and hardly waits between them.
func wire(t *testing.T, handler http.HandlerFunc, change func(*Config)) (*Client, *httptest.Server) {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	c := newClient(t, nil, func(cfg *Config) {
		cfg.BaseURL, cfg.Rate, cfg.MaxAttempts, cfg.BackoffBase = server.URL, Unlimited, 2, time.Nanosecond
		if change != nil {
			change(cfg)
		}
	})
	return c, server
}

func TestRequestsOnTheWire(t *testing.T) {
	t.Parallel()
	var got []string
	c, _ := wire(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got = append(got, fmt.Sprintf("%s %s %s appcode=%s type=%s length=%d %s", r.Method, r.RequestURI,
			r.Header.Get("Authorization"), r.Header.Get("AppCode"), r.Header.Get("Content-Type"), r.ContentLength, body))
		_, _ = io.WriteString(w, "{}")
	}, func(cfg *Config) { cfg.Auth = AppKey("k"); cfg.BaseURL += "/prefix/" })
	ctx := t.Context()
	update := Update{IsPrimary: Bool(true)}
	person := Personalize{Identity: Identity{Email: "a@example.com"}}
	for _, call := range []Call{
		GetCall("a/b c%"),
		UpdateCall("1", update.AppendJSON(nil)),
		PersonalizeCall("1", person.AppendJSON(nil), PersonalizeOptions{KeepAsLead: true, ReturnPush: true}),
		DepersonalizeCall("1"),
		ListPersonsCall(ListPersonsOptions{Limit: 1000, Page: 2, IncludeTotal: true, OrderBy: "createdAt:asc", Filter: `{"#gt":{"a":"b"}}`}),
		ApplicationsCall(),
	} {
		if _, err := c.Do(ctx, call); err != nil {
			t.Fatal(err)
		}
	}
	const path = "/prefix/people/2/contactInformation/push/"
	want := []string{
		"GET " + path + "a%2Fb%20c%25 App k appcode=app type= length=0 ",
		"PATCH " + path + `1 App k appcode=app type=application/json length=18 {"isPrimary":true}`,
		"POST " + path + `1/personalize?keepAsLead=true&returnPush=true App k appcode=app type=application/json length=38 {"identity":{"email":"a@example.com"}}`,
		"POST " + path + "1/depersonalize App k appcode=app type= length=0 ",
		"GET /prefix/people/2/persons?filter=%7B%22%23gt%22%3A%7B%22a%22%3A%22b%22%7D%7D&includeTotalCount=true&limit=1000&orderBy=createdAt%3Aasc&page=2 App k appcode=app type= length=0 ",
		"GET /prefix/push/1/applications App k appcode=app type= length=0 ",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// writeCounter counts the system calls that write to a connection.
type writeCounter struct {
	net.Conn
	writes *atomic.Int32
}

func (c writeCounter) Write(p []byte) (int, error) {
	c.writes.Add(1)
	return c.Conn.Write(p)
}

// A request is one write, body and all: net/http sends the header of a body that
// it does not know to be in memory on its own.
func TestRequestIsOneWrite(t *testing.T) {
	t.Parallel()
	var writes atomic.Int32
	c, _ := wire(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "{}") }, func(cfg *Config) {
		transport := newRoundTripper()
		transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := new(net.Dialer).DialContext(ctx, network, address)
			return writeCounter{conn, &writes}, err
		}
		cfg.Transport = transport
	})
	const requests = 3
	for range requests {
		if _, err := c.Do(t.Context(), UpdateCall("1", []byte(`{"isPrimary":true}`))); err != nil {
			t.Fatal(err)
		}
	}
	if n := writes.Load(); n != requests {
		t.Errorf("%d requests took %d writes", requests, n)
	}
}

func hijack(w http.ResponseWriter, text string) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		panic(err)
	}
	_, _ = io.WriteString(conn, text)
	_ = conn.Close()
}

// What can happen to an answer on its way: the first attempt meets it, the
// second succeeds.
func TestFaultsOnTheWire(t *testing.T) {
	t.Parallel()
	write := func(text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { hijack(w, text) }
	}
	tests := []struct {
		name, code string
		fault      http.HandlerFunc
	}{
		{"cut before the headers", CodeConnectionBroken, write("")},
		{"cut in the headers", CodeConnectionBroken, write("HTTP/1.1 200 OK\r\nContent-")},
		{"no HTTP", CodeConnectionBroken, write("SSH-2.0-x\r\n")},
		{"cut body", CodeAnswerCut, write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"a\":1}")},
		{"cut chunks", CodeAnswerCut, write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7\r\n{\"a\":1}\r\n")},
		{"cut body without length", CodeAnswerInvalid, write("HTTP/1.1 200 OK\r\n\r\n{\"a\":")},
		{"cut error", "http_502", write("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 1000\r\n\r\n<html>")},
		{"page", "http_502", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(http.StatusBadGateway)
			_, _ = io.WriteString(w, "<html>")
		}},
		{"error longer than the cap", "http_500", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusInternalServerError)
			_, _ = io.WriteString(w, strings.Repeat("x", errorBodyMax+1000))
		}},
	}
	for _, tt := range tests {
		for _, call := range []Call{GetCall("1"), PersonalizeCall("1", []byte(`{"identity":{"externalId":"1"}}`), PersonalizeOptions{})} {
			t.Run(tt.name+" of "+call.Op.String(), func(t *testing.T) {
				t.Parallel()
				var requests atomic.Int32
				var codes []string
				c, _ := wire(t, func(w http.ResponseWriter, r *http.Request) {
					_, _ = io.Copy(io.Discard, r.Body)
					if requests.Add(1) == 2 {
						tt.fault(w, r)
						return
					}
					_, _ = io.WriteString(w, "{}")
				}, func(cfg *Config) {
					cfg.OnAttempt = func(a Attempt) {
						code := ""
						if a.Err != nil {
							code = a.Err.Code
						}
						codes = append(codes, code)
					}
				})
				mustGet(t, c) // so that the fault meets a used connection
				resp, err := c.Do(t.Context(), call)
				if err != nil || resp.Attempts != 2 {
					t.Errorf("got %+v, %v", resp, err)
				}
				// One request for each attempt: nothing repeats beside the limiter.
				if diff := cmp.Diff([]string{"", tt.code, ""}, codes); diff != "" || requests.Load() != 3 {
					t.Errorf("%d requests\n%s", requests.Load(), diff)
				}
			})
		}
	}
}

func TestConnectionsAreReused(t *testing.T) {
	t.Parallel()
	var opened atomic.Int32
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if strings.Contains(r.URL.Path, "bad") {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, strings.Repeat("x", errorBodyMax+100))
			return
		}
		_, _ = io.WriteString(w, `{"a":1}`)
	}))
	server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			opened.Add(1)
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	c := newClient(t, nil, func(cfg *Config) { cfg.BaseURL, cfg.Rate = server.URL, Unlimited })
	var group sync.WaitGroup
	for range 32 {
		group.Go(func() {
			for range 5 {
				mustGet(t, c)
				if _, err := c.Do(t.Context(), GetCall("bad")); err == nil {
					t.Error("no error")
				}
			}
		})
	}
	group.Wait()
	// net/http may dial once more for a caller who came just before a
	// connection was put back.
	if n := opened.Load(); n > 2*32 {
		t.Errorf("%d connections for 32 callers", n)
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	t.Parallel()
	var reached atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Add(1) }))
	t.Cleanup(other.Close)
	tests := []struct{ to, want string }{
		{"https://evil.example/x?y=z", "host evil.example;"},
		{"/elsewhere", "the same host;"},
		{"https://127.0.0.1/x", "the same host by https;"},
		{"", "somewhere unknown;"},
		{other.URL, "the same host;"},
	}
	for _, status := range []int{301, 302, 303, 307, 308} {
		for _, tt := range tests {
			c, _ := wire(t, func(w http.ResponseWriter, _ *http.Request) {
				if tt.to != "" {
					w.Header().Set("Location", tt.to)
				}
				w.WriteHeader(status)
			}, nil)
			resp, err := c.Do(t.Context(), DepersonalizeCall("1"))
			e := asError(err)
			if e == nil || e.Code != CodeRedirected || !e.FatalFor(&Call{}) || !strings.Contains(e.Message, tt.want) || resp.Attempts != 1 {
				t.Errorf("%d to %q: %+v, %v", status, tt.to, resp, err)
			}
		}
	}
	if reached.Load() != 0 {
		t.Error("a redirect was followed")
	}
}

func TestTLS(t *testing.T) {
	t.Parallel()
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "{}") }))
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	t.Cleanup(server.Close)
	_, err := newClient(t, nil, func(cfg *Config) { cfg.BaseURL = server.URL }).Do(t.Context(), GetCall("1"))
	if e := asError(err); e == nil || e.Code != CodeTLSCertificate || !e.FatalFor(&Call{}) {
		t.Errorf("unknown certificate: %v", err)
	}
	mustGet(t, newClient(t, server.Client().Transport, func(cfg *Config) { cfg.BaseURL = server.URL }))

	plain := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(plain.Close)
	_, err = newClient(t, nil, func(cfg *Config) {
		cfg.BaseURL, cfg.MaxAttempts = strings.Replace(plain.URL, "http:", "https:", 1), 1
	}).Do(t.Context(), GetCall("1"))
	if e := asError(err); e == nil || e.Code != CodeTLSHandshake {
		t.Errorf("plain server: %v", err)
	}
}

func TestNobodyListens(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	_, err := newClient(t, nil, func(cfg *Config) { cfg.BaseURL, cfg.MaxAttempts = server.URL, 1 }).Do(t.Context(), GetCall("1"))
	if e := asError(err); e == nil || e.Code != CodeConnectionRefused || !e.Temporary() {
		t.Errorf("got %v", err)
	}
}

func TestUnknownHost(t *testing.T) {
	t.Parallel()
	known := false
	transport := roundTripper(func(*http.Request) (*http.Response, error) {
		if known {
			known = false
			return reply(200, "{}"), nil
		}
		return nil, &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: "test.example", IsNotFound: true}}
	})
	c := newClient(t, transport, func(cfg *Config) { cfg.MaxAttempts = 1 })
	_, err := c.Do(t.Context(), GetCall("1"))
	if e := asError(err); e == nil || e.Code != CodeHostUnknown || !e.FatalFor(&Call{}) {
		t.Errorf("before any answer: %v", err)
	}
	known = true
	mustGet(t, c)
	_, err = c.Do(t.Context(), GetCall("1"))
	if e := asError(err); e == nil || e.Code != CodeHostUnknown || !e.Temporary() {
		t.Errorf("after an answer: %v", err)
	}
}

func TestAnswerTooLarge(t *testing.T) {
	t.Parallel()
	c, _ := wire(t, func(w http.ResponseWriter, _ *http.Request) {
		chunk := bytes.Repeat([]byte("x"), 1<<20)
		for range 10 {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	}, nil)
	_, err := c.Do(t.Context(), GetCall("1"))
	if e := asError(err); e == nil || e.Code != CodeAnswerTooLarge || e.Temporary() {
		t.Errorf("got %v", err)
	}
}
