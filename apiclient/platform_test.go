package apiclient

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"sync"
	"testing"
	"time"
)

// platform answers requests in virtual time, without sockets.
type platform struct {
	late   func() time.Duration                                 // before a request is written
	delay  func() time.Duration                                 // before a request counts as arrived
	answer func(n int, r *http.Request) (*http.Response, error) // n: number of the request, from 0
	work   time.Duration                                        // before the answer goes out

	mu       sync.Mutex
	arrivals []time.Time
	refused  []time.Time
	paths    []string // paths in order of arrival
}

// arrived is the number of requests that have arrived.
func (p *platform) arrived() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.arrivals)
}

func (p *platform) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		_, _ = io.Copy(io.Discard, r.Body)
		_ = r.Body.Close()
	}
	if err := p.takes(r, p.late); err != nil {
		return nil, err
	}
	if trace := httptrace.ContextClientTrace(r.Context()); trace != nil && p.late != nil {
		trace.WroteRequest(httptrace.WroteRequestInfo{})
	}
	if err := p.takes(r, p.delay); err != nil {
		return nil, err
	}
	p.mu.Lock()
	n := len(p.arrivals)
	p.arrivals = append(p.arrivals, time.Now())
	p.paths = append(p.paths, r.URL.Path)
	resp, err := p.answer(n, r)
	if err == nil && resp.StatusCode == http.StatusTooManyRequests {
		p.refused = append(p.refused, time.Now())
	}
	p.mu.Unlock()
	if err := sleep(r.Context(), p.work); err != nil {
		return nil, err
	}
	return resp, err
}

// takes waits for as long as a request takes.
func (p *platform) takes(r *http.Request, length func() time.Duration) error {
	if length == nil {
		return nil
	}
	p.mu.Lock()
	d := length()
	p.mu.Unlock()
	return sleep(r.Context(), d)
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// reply makes an answer. headers come in pairs.
func reply(status int, body string, headers ...string) *http.Response {
	h := http.Header{"Content-Type": {"application/json"}}
	for i := 0; i < len(headers); i += 2 {
		h.Set(headers[i], headers[i+1])
	}
	return &http.Response{
		StatusCode: status, Header: h, ContentLength: int64(len(body)),
		Body: io.NopCloser(bytes.NewReader([]byte(body))),
	}
}

func succeed(int, *http.Request) (*http.Response, error) { return reply(200, "{}"), nil }

// windows refuses what exceeds limit in any sliding second or any second by
// the clock; what it refused does not count.
type windows struct {
	limit      int
	retryAfter string
	passed     []time.Time
	second     int64
	inSecond   int
}

func (w *windows) answer(int, *http.Request) (*http.Response, error) {
	now := time.Now()
	if now.Unix() != w.second {
		w.second, w.inSecond = now.Unix(), 0
	}
	n := len(w.passed)
	sliding := n >= w.limit && now.Sub(w.passed[n-w.limit]) < time.Second
	if sliding || w.inSecond >= w.limit {
		resp := reply(429, `{"errorCode":"E429","description":"slow down"}`)
		if w.retryAfter != "" {
			resp.Header.Set("Retry-After", w.retryAfter)
		}
		return resp, nil
	}
	w.inSecond++
	w.passed = append(w.passed, now)
	return reply(200, "{}"), nil
}

// most returns the most times that lie within any sliding second.
func most(times []time.Time) int { return mostWithin(times, time.Second) }

func mostWithin(times []time.Time, window time.Duration) int {
	most, from := 0, 0
	for i, t := range times {
		for t.Sub(times[from]) >= window {
			from++
		}
		most = max(most, i-from+1)
	}
	return most
}

const secret = "s3cr3t-key&<value>"

func newClient(t testing.TB, p http.RoundTripper, change func(*Config)) *Client {
	t.Helper()
	cfg := Config{BaseURL: "https://test.example", AppCode: "app", Auth: AppKey(secret), Transport: p}
	if change != nil {
		change(&cfg)
	}
	c, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// load keeps n callers busy until the time is over and returns how many calls
// succeeded. Errors other than the end of ctx are reported.
func load(t *testing.T, c *Client, n int, length time.Duration) int {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), length)
	defer cancel()
	var mu sync.Mutex
	var group sync.WaitGroup
	done := 0
	for i := range n {
		group.Go(func() {
			for k := 0; ; k++ {
				_, err := c.Do(ctx, GetCall(fmt.Sprintf("%d-%d", i, k)))
				if ctx.Err() != nil {
					return
				}
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				done++
				mu.Unlock()
			}
		})
	}
	group.Wait()
	return done
}

// asError returns err as an *Error, nil if it is none.
func asError(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return nil
}
