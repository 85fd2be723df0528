package apiclient

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestWhatIsRetried(t *testing.T) {
	t.Parallel()
	status := func(n int) func() (*http.Response, error) {
		return func() (*http.Response, error) { return reply(n, `{"errorCode":1,"errorMessage":"no"}`), nil }
	}
	body := func(n int, text string) func() (*http.Response, error) {
		return func() (*http.Response, error) { return reply(n, text), nil }
	}
	short := func() (*http.Response, error) {
		r := reply(200, `{"a":1}`)
		r.ContentLength = 100
		return r, nil
	}
	broken := func() (*http.Response, error) { return nil, io.ErrUnexpectedEOF }
	tests := []struct {
		name   string
		call   Call
		answer func() (*http.Response, error)
		code   string // "": succeeds
		again  bool
	}{
		{"200", GetCall("1"), body(200, "{}"), "", false},
		{"depersonalize without body", DepersonalizeCall("1"), body(200, ""), "", false},
		{"depersonalize with an object", DepersonalizeCall("1"), body(200, "{}"), "", false},
		{"depersonalize with a page", DepersonalizeCall("1"), body(200, "<!DOCTYPE html><p>Log in</p>"), "answer_invalid", true},
		{"depersonalize with a word", DepersonalizeCall("1"), body(200, "OK"), "answer_invalid", true},
		{"depersonalize with a page in braces", DepersonalizeCall("1"), body(200, "{{ page }}"), "answer_invalid", true},
		{"depersonalize 204 with a page", DepersonalizeCall("1"), body(204, "<p>"), "answer_invalid", true},
		{"personalize without body", PersonalizeCall("1", []byte("{}"), PersonalizeOptions{}), body(200, " "), "", false},
		{"update with a page, discarded", discard(UpdateCall("1", []byte("{}"))), body(200, "[<html>]"), "answer_invalid", true},
		{"407", GetCall("1"), status(407), "1", false},
		{"update 204", UpdateCall("1", []byte("{}")), body(204, ""), "", false},
		{"discarded, complete", discard(GetCall("1")), body(200, ` {"a":1} `), "", false},
		{"discarded, a list", discard(GetCall("1")), body(200, `[]`), "", false},
		{"discarded, a page", discard(GetCall("1")), body(200, "<html></html>"), "answer_invalid", true},
		{"get without body", GetCall("1"), body(200, ""), "answer_invalid", true},
		{"get with half a body", GetCall("1"), body(200, `{"a":`), "answer_invalid", true},
		{"get with a page", GetCall("1"), body(200, "<html>"), "answer_invalid", true},
		{"shorter than announced", GetCall("1"), short, "answer_cut", true},
		{"broken", GetCall("1"), broken, "connection_broken", true},
		{"400", GetCall("1"), status(400), "1", false},
		{"404", GetCall("1"), status(404), "1", false},
		{"409", GetCall("1"), status(409), "1", false},
		{"422", GetCall("1"), status(422), "1", false},
		{"401", GetCall("1"), status(401), "1", false},
		{"403", GetCall("1"), status(403), "1", false},
		{"302", GetCall("1"), status(302), "redirected", false},
		{"408", GetCall("1"), status(408), "1", true},
		{"425", GetCall("1"), status(425), "1", true},
		{"500", GetCall("1"), status(500), "1", true},
		{"501", GetCall("1"), status(501), "1", false},
		{"505", GetCall("1"), status(505), "1", false},
		{"502", GetCall("1"), status(502), "1", true},
		{"503", GetCall("1"), status(503), "1", true},
		{"504", GetCall("1"), status(504), "1", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := &platform{answer: func(int, *http.Request) (*http.Response, error) { return tt.answer() }}
				c := newClient(t, p, func(cfg *Config) { cfg.MaxAttempts = 2 })
				resp, err := c.Do(t.Context(), tt.call)
				code := ""
				if e := asError(err); e != nil {
					code = e.Code
					if e.Temporary() != tt.again {
						t.Errorf("temporary is %v, want %v", e.Temporary(), tt.again)
					}
				}
				attempts := 1
				if tt.again {
					attempts = 2
				}
				if code != tt.code || resp.Attempts != attempts {
					t.Errorf("code %q after %d attempts, want %q after %d (%v)", code, resp.Attempts, tt.code, attempts, err)
				}
			})
		})
	}
}

func discard(c Call) Call {
	c.Discard = true
	return c
}

func TestEveryAttemptSendsTheWholeBody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var bodies []string
		transport := roundTripper(func(r *http.Request) (*http.Response, error) {
			b, _ := io.ReadAll(r.Body)
			bodies = append(bodies, string(b))
			if len(bodies) < 4 {
				return reply(500, ""), nil
			}
			return reply(200, "{}"), nil
		})
		var seen []Attempt
		c := newClient(t, transport, func(cfg *Config) { cfg.OnAttempt = func(a Attempt) { seen = append(seen, a) } })
		p := Personalize{Identity: Identity{ExternalID: "42"}}
		if _, err := c.Do(t.Context(), PersonalizeCall("1", p.AppendJSON(nil), PersonalizeOptions{})); err != nil {
			t.Fatal(err)
		}
		want := `{"identity":{"externalId":"42"}}`
		if diff := cmp.Diff([]string{want, want, want, want}, bodies); diff != "" {
			t.Error(diff)
		}
		if len(seen) != 4 || seen[0].Err.Code != "http_500" || seen[3].Status != 200 || seen[3].Number != 4 {
			t.Errorf("attempts seen: %+v", seen)
		}
		if s := c.Stats(); s.Requests != 4 || s.Retries != 3 {
			t.Errorf("stats: %+v", s)
		}
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestBackoffGrowsWithJitter(t *testing.T) {
	t.Parallel()
	for n := range 40 {
		full := min(time.Duration(float64(500*time.Millisecond)*float64(int64(1)<<min(n, 30))), 30*time.Second)
		for range 50 {
			if d := backoff(500*time.Millisecond, 30*time.Second, n); d < full/2 || d > full {
				t.Fatalf("backoff %d is %v, want between %v and %v", n, d, full/2, full)
			}
		}
	}
}

func TestTimeoutIsOfOneAttempt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &platform{answer: succeed, delay: func() time.Duration { return time.Hour }}
		c := newClient(t, p, func(cfg *Config) { cfg.Timeout, cfg.MaxAttempts = 3*time.Second, 2 })
		start := time.Now()
		resp, err := c.Do(t.Context(), GetCall("1"))
		e := asError(err)
		if e == nil || e.Code != CodeTimeout || resp.Attempts != 2 || resp.Latency != 3*time.Second {
			t.Errorf("got %+v, %v", resp, err)
		}
		if took := time.Since(start); took < 6*time.Second || took > 8*time.Second {
			t.Errorf("took %v", took)
		}
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v does not unwrap to its cause", err)
		}
	})
}

func TestDrain(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		answer func() (*http.Response, error)
		work   time.Duration
		rate   float64
		want   error
	}{
		{"under way is finished", answerer(200, "{}"), 10 * time.Second, Unlimited, nil},
		{"waiting for the limit", answerer(200, "{}"), 0, 0.01, ErrDrained},
		{"Retry-After", tooMany, 0, 50, ErrDrained},
		{"backoff", answerer(500, ""), 0, 50, ErrDrained},
		{"outage", refuse, 0, Unlimited, ErrDrained},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := &platform{answer: func(int, *http.Request) (*http.Response, error) { return tt.answer() }, work: tt.work}
				c := newClient(t, p, func(cfg *Config) { cfg.Rate = tt.rate; cfg.MaxAttempts = 4 })
				stop := make(chan struct{})
				ctx := WithDrain(t.Context(), stop)
				var group sync.WaitGroup
				var others atomic.Int32 // the limit lets one through
				for range 20 {
					group.Go(func() {
						resp, err := c.Do(ctx, DepersonalizeCall("1"))
						if !errors.Is(err, tt.want) && (err != nil || others.Add(1) > 1) {
							t.Errorf("got %+v, %v; want %v", resp, err, tt.want)
						}
					})
				}
				time.Sleep(5 * time.Second)
				close(stop)
				before := p.arrived()
				start := time.Now()
				group.Wait()
				if now := p.arrived(); now != before {
					t.Errorf("%d attempts began after the drain", now-before)
				}
				if took := time.Since(start); tt.want != nil && took > 0 {
					t.Errorf("calls went on for %v", took)
				}
			})
		})
	}
}

func tooMany() (*http.Response, error) { return reply(429, "", "Retry-After", "600"), nil }

func TestCancelEndsAnAttempt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &platform{answer: succeed, delay: func() time.Duration { return time.Hour }}
		c := newClient(t, p, nil)
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		start := time.Now()
		resp, err := c.Do(ctx, GetCall("1"))
		if !errors.Is(err, context.Canceled) || resp.Attempts != 1 || time.Since(start) != time.Second {
			t.Errorf("got %+v, %v after %v", resp, err, time.Since(start))
		}
	})
}

// A call whose context ends with an answer as its cause ends with that answer: it is
// not one more refusal to be repeated.
func TestContextEndedByAnAnswer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancelCause(t.Context())
		p := &platform{answer: func(int, *http.Request) (*http.Response, error) { return reply(429, ""), nil }}
		c := newClient(t, p, func(cfg *Config) {
			cfg.OnAttempt = func(a Attempt) { stop(a.Err) }
		})
		_, err := c.Do(ctx, GetCall("a"))
		if e := asError(err); e == nil || e.Status != 429 {
			t.Errorf("ended with %v", err)
		}
		if len(p.arrivals) != 1 {
			t.Errorf("%d requests", len(p.arrivals))
		}
	})
}

// The look at the applications is made under the limit of the run's operation: it has
// no body all the same.
func TestContentTypeOnlyWithABody(t *testing.T) {
	t.Parallel()
	look := ApplicationsCall()
	look.Op = OpPersonalize
	for _, call := range []Call{look, GetCall("1"), DepersonalizeCall("1"), UpdateCall("1", []byte("{}")), PersonalizeCall("1", []byte("{}"), PersonalizeOptions{})} {
		for _, code := range []string{"", "own"} {
			var got http.Header
			c := newClient(t, roundTripper(func(r *http.Request) (*http.Response, error) {
				got = r.Header
				return reply(200, "{}"), nil
			}), nil)
			call.AppCode = code
			if _, err := c.Do(t.Context(), call); err != nil {
				t.Fatal(err)
			}
			if with := got.Get("Content-Type") == "application/json"; with != (call.Body != nil) {
				t.Errorf("%s %s: %v", call.Method, call.Path, got)
			}
		}
	}
}
