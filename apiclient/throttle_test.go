package apiclient

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pushbatch/testdata/thorough"
)

// Every caller is held back by Retry-After, those too that were already
// waiting for their turn, and the refused call goes first.
func TestRetryAfterHoldsEveryCaller(t *testing.T) {
	t.Parallel()
	date := time.Date(2000, 1, 1, 0, 0, 20, 0, time.UTC) // virtual time begins at midnight
	tests := []struct {
		name, retryAfter string
		status           int
		least            time.Duration
	}{
		{"seconds", "7", 429, 7 * time.Second},
		{"date", date.Format(http.TimeFormat), 429, 19 * time.Second},
		{"503", "5", 503, 5 * time.Second},
		{"absurd", "999999999999", 429, time.Hour},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := &platform{work: time.Millisecond}
				p.answer = func(n int, _ *http.Request) (*http.Response, error) {
					if n == 10 {
						return reply(tt.status, "", "Retry-After", tt.retryAfter), nil
					}
					return reply(200, "{}"), nil
				}
				c := newClient(t, p, nil)
				load(t, c, 40, tt.least+5*time.Second)
				if gap := p.arrivals[11].Sub(p.arrivals[10]); gap < tt.least || gap > tt.least+2*time.Second {
					t.Errorf("the next request came %v after the refusal, want %v", gap, tt.least)
				}
				if tt.status == 429 && p.paths[11] != p.paths[10] {
					t.Errorf("after the refused call %s another went first: %s", p.paths[10], p.paths[11])
				}
			})
		})
	}
}

func TestRefusalsUseNoAttempt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &platform{answer: func(n int, _ *http.Request) (*http.Response, error) {
			if n < 25 {
				return reply(429, `{"requestError":{"serviceException":{"messageId":"TOO_MANY_REQUESTS","text":"slow"}}}`), nil
			}
			return reply(200, "{}"), nil
		}}
		c := newClient(t, p, func(cfg *Config) { cfg.MaxAttempts = 1 })
		resp, err := c.Do(t.Context(), GetCall("1"))
		if err != nil || resp.Attempts != 1 || resp.Throttled != 25 {
			t.Errorf("got %+v, %v; want 1 attempt, 25 refusals", resp, err)
		}
		// Without Retry-After the pauses grow.
		early, late := p.arrivals[1].Sub(p.arrivals[0]), p.arrivals[20].Sub(p.arrivals[19])
		if early > time.Second || late < 10*time.Second {
			t.Errorf("pauses are %v at first and %v later", early, late)
		}
	})
}

// The platform's limit is lower than the configured rate.
func TestLowerLimitIsLearned(t *testing.T) {
	t.Parallel()
	for _, retryAfter := range thorough.Sample([]string{"", "1"}, 2) {
		for _, work := range []time.Duration{time.Millisecond, 300 * time.Millisecond} {
			for _, delay := range thorough.Of([]time.Duration{20 * time.Millisecond}, []time.Duration{0, 20 * time.Millisecond}) {
				name := fmt.Sprintf("Retry-After %q, answers in %v, delay %v", retryAfter, work, delay)
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					synctest.Test(t, func(t *testing.T) { testLowerLimit(t, retryAfter, work, delay) })
				})
			}
		}
	}
}

func testLowerLimit(t *testing.T, retryAfter string, work, delay time.Duration) {
	w := &windows{limit: 20, retryAfter: retryAfter}
	p := &platform{answer: w.answer, work: work, delay: uniform(3, delay)}
	var log bytes.Buffer
	c := newClient(t, p, func(cfg *Config) { cfg.Log = slog.New(slog.NewTextHandler(&log, nil)) })
	start := time.Now()
	load(t, c, 64, 5*time.Minute)
	first, _ := slices.BinarySearchFunc(w.passed, start.Add(10*time.Second), time.Time.Compare)
	if got := float64(len(w.passed)-first) / 290; got < 19 {
		t.Errorf("%.2f answered a second after the first ten seconds, want at least 19\n%s", got, &log)
	}
	if share := float64(len(p.refused)) / float64(len(p.arrivals)); share >= 0.05 {
		t.Errorf("%.1f %% refused, want under 5 %%", 100*share)
	}
	if rate := c.Stats().Ops[OpGet].Rate; rate < 19 || rate > 25 {
		t.Errorf("settled on %v a second", rate)
	}

	// It is found again when it rises.
	w.limit = 60
	load(t, c, 64, 8*time.Minute)
	if rate := c.Stats().Ops[OpGet].Rate; rate != 50 {
		t.Errorf("8 minutes after the limit rose the rate is %v, want 50", rate)
	}
}

func TestUnlimitedLearnsTheLimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := &windows{limit: 100, retryAfter: "1"}
		p := &platform{answer: w.answer, work: 10 * time.Millisecond}
		c := newClient(t, p, func(cfg *Config) { cfg.Rate = Unlimited })
		load(t, c, 16, 2*time.Minute)
		if got := float64(len(w.passed)) / 120; got < 90 {
			t.Errorf("%.1f answered a second at a limit of 100", got)
		}
		if n := len(p.refused); n > 100 {
			t.Errorf("%d refused", n)
		}
	})
}

func TestStatsNameTheWait(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		answer *http.Response
		err    error
		rate   float64
		want   Waiting
	}{
		{"retry-after", reply(429, "", "Retry-After", "60"), nil, 50, WaitRetryAfter},
		{"backoff", reply(500, ""), nil, 50, WaitBackoff},
		{"limit", reply(200, "{}"), nil, 0.001, WaitLimit},
		{"outage", nil, errors.New("broken"), 50, WaitOutage},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := &platform{answer: func(int, *http.Request) (*http.Response, error) { return tt.answer, tt.err }}
				c := newClient(t, p, func(cfg *Config) {
					cfg.Rate, cfg.BackoffBase, cfg.BackoffCap, cfg.MaxAttempts = tt.rate, time.Hour, time.Hour, 3
					if tt.err != nil {
						cfg.BackoffBase = time.Second
					}
				})
				stop := make(chan struct{})
				ctx := WithDrain(t.Context(), stop)
				for i := range 3 {
					go func() { _, _ = c.Do(ctx, GetCall(fmt.Sprint(i))) }()
				}
				time.Sleep(10 * time.Second)
				s := c.Stats()
				if s.Waiting != tt.want {
					t.Errorf("waiting for %q, want %q", s.Waiting, tt.want)
				}
				if tt.want != WaitBackoff && !s.Until.After(time.Now()) {
					t.Errorf("until %v", s.Until)
				}
				close(stop)
				synctest.Wait()
				if s := c.Stats(); s.Calls != 0 {
					t.Errorf("%d calls left", s.Calls)
				}
			})
		})
	}
}
