package apiclient

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// BenchmarkDo compares a call with a bare http.Client on the same server, in
// the same run. The metric floor-ratio is its time over the floor's.
func BenchmarkDo(b *testing.B) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, `{"externalId":"1"}`)
	}))
	defer server.Close()
	call := PersonalizeCall("device-1", []byte(`{"identity":{"externalId":"1"}}`), PersonalizeOptions{})
	call.Discard = true
	transport := newRoundTripper()
	defer transport.CloseIdleConnections()
	floor := &http.Client{Transport: transport, Timeout: 30 * time.Second}
	bare := func() error { return bareDo(floor, server.URL, &call) }
	c := newClient(b, transport, func(cfg *Config) { cfg.BaseURL, cfg.Rate = server.URL, Unlimited })
	ours := func() error { _, err := c.Do(b.Context(), call); return err }

	b.ReportAllocs()
	var tookBare, tookOurs time.Duration
	for n := b.N; n > 0; n -= 1000 { // in turn, so that both meet the same conditions
		tookBare += spread(b, min(n, 1000), bare)
		tookOurs += spread(b, min(n, 1000), ours)
	}
	b.ReportMetric(float64(tookOurs)/float64(tookBare), "floor-ratio")
	b.ReportMetric(float64(tookOurs.Nanoseconds())/float64(b.N), "ns/call")
	b.ReportMetric(0, "ns/op")
}

func bareDo(client *http.Client, base string, call *Call) error {
	req, err := http.NewRequest(call.Method, base+call.Path, bytes.NewReader(call.Body))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "App k")
	req.Header.Set("AppCode", "app")
	req.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	return err
}

// spread runs n calls over 16 goroutines a processor.
func spread(b *testing.B, n int, call func() error) time.Duration {
	var left atomic.Int64
	left.Store(int64(n))
	var group sync.WaitGroup
	start := time.Now()
	for range 16 * runtime.GOMAXPROCS(0) {
		group.Go(func() {
			for left.Add(-1) >= 0 {
				if err := call(); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	group.Wait()
	return time.Since(start)
}

// BenchmarkGrant is the limiter alone.
func BenchmarkGrant(b *testing.B) {
	for _, tt := range []struct {
		name string
		rate float64
	}{{"unlimited", Unlimited}, {"100000", maxPaced}} {
		b.Run(tt.name, func(b *testing.B) {
			l := newLimiter(clock{time.Now()}, tt.rate)
			b.ReportAllocs()
			for i := range b.N {
				g, err := l.wait(b.Context(), uint64(i))
				if err != nil {
					b.Fatal(err)
				}
				l.ended(g, time.Millisecond, true)
			}
		})
	}
}
