package apiclient

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// However few calls are made, and of whatever kind, an outage is told soon and ends
// them when it has lasted too long.
func TestFewCallersHeedMaxOutage(t *testing.T) {
	t.Parallel()
	failures := []struct {
		name string
		how  func() (*http.Response, error)
		work time.Duration
	}{
		{"refused", refuse, 0},
		{"503", answerer(503, ""), 0},
		{"503 with a long pause", func() (*http.Response, error) { return reply(503, "", "Retry-After", "7200"), nil }, 0},
		{"500", answerer(500, generalError), 0},
		{"cut", answerer(200, "{"), 0},
		{"no answer", refuse, 4 * time.Second},
	}
	kinds := []struct {
		name string
		call Call
		auth Auth
	}{
		{"a row", UpdateCall("1", []byte("{}")), AppKey(secret)},
		{"the people listing", ListPersonsCall(ListPersonsOptions{Page: 1}), AppKey(secret)},
		{"the applications", ApplicationsCall(), AppKey(secret)},
		{"the token", GetCall("1"), OAuth2("id", secret, "")},
	}
	for _, failure := range failures {
		for _, kind := range kinds {
			for _, callers := range []int{1, 5} {
				for _, longest := range []time.Duration{15 * time.Second, time.Minute} {
					t.Run(fmt.Sprintf("%s, %d of %s, %s", failure.name, callers, kind.name, longest), func(t *testing.T) {
						t.Parallel()
						synctest.Test(t, func(t *testing.T) {
							var log bytes.Buffer
							p := &platform{work: failure.work, answer: func(int, *http.Request) (*http.Response, error) { return failure.how() }}
							c := newClient(t, p, func(cfg *Config) {
								cfg.Auth, cfg.MaxOutage, cfg.Log = kind.auth, longest, slog.New(slog.NewTextHandler(&log, nil))
							})
							demandOutage(t, c, kind.call, callers, longest)
							if text := log.String(); !strings.Contains(text, "level=WARN") {
								t.Errorf("log:\n%s", text)
							}
						})
					})
				}
			}
		}
	}
}

// demandOutage lets callers send a call and demands that they give up when an
// outage has lasted as long, or an attempt later.
func demandOutage(t *testing.T, c *Client, call Call, callers int, longest time.Duration) {
	t.Helper()
	start := time.Now()
	var group sync.WaitGroup
	for range callers {
		group.Go(func() {
			if _, err := c.Do(t.Context(), call); !errors.Is(err, ErrOutage) {
				t.Errorf("got %v", err)
			}
		})
	}
	group.Wait()
	if took := time.Since(start); took < longest || took > longest+9*time.Second {
		t.Errorf("given up after %v, want %v", took, longest)
	}
}

// A row that fails while others succeed is no outage when it is the last one left,
// however short an outage may be.
func TestPoisonRowOutlastsMaxOutage(t *testing.T) {
	t.Parallel()
	for _, how := range []func() (*http.Response, error){answerer(500, generalError), answerer(504, ""), answerer(200, "{")} {
		synctest.Test(t, func(t *testing.T) {
			p := &platform{work: time.Millisecond, answer: func(_ int, r *http.Request) (*http.Response, error) {
				if strings.Contains(r.URL.Path, "poison") {
					return how()
				}
				return reply(200, "{}"), nil
			}}
			c := newClient(t, p, func(cfg *Config) { cfg.MaxOutage = 20 * time.Second })
			var group sync.WaitGroup
			group.Go(func() {
				resp, err := c.Do(t.Context(), GetCall("poison"))
				if asError(err) == nil || errors.Is(err, ErrOutage) || resp.Attempts != 10 {
					t.Errorf("got %+v, %v; want 10 attempts", resp, err)
				}
			})
			load(t, c, 4, 5*time.Second)
			group.Wait()
		})
	}
}

// A pause that is asked for is told once, with what was asked for where that is not
// kept to.
func TestLongPauseIsTold(t *testing.T) {
	t.Parallel()
	for status, message := range map[int]string{429: "refused for its limit", 503: "asked to wait"} {
		synctest.Test(t, func(t *testing.T) {
			var log bytes.Buffer
			p := &platform{work: time.Second / 2, answer: func(n int, _ *http.Request) (*http.Response, error) {
				if n < 8 {
					return reply(status, "", "Retry-After", "86400"), nil
				}
				return reply(200, "{}"), nil
			}}
			c := newClient(t, p, func(cfg *Config) {
				cfg.MaxOutage, cfg.Log = 3*time.Hour, slog.New(slog.NewTextHandler(&log, nil))
			})
			load(t, c, 8, 61*time.Minute)
			text := log.String()
			if n := strings.Count(text, message); n != 1 || !strings.Contains(text, "pause=1h0m0s") || !strings.Contains(text, "asked_for=\"24h0m0s, longer than is waited for\"") {
				t.Errorf("log:\n%s", text)
			}
		})
	}
}
