package apiclient

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
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
	for _, retryAfter := range []string{"", "1"} {
		for _, work := range []time.Duration{time.Millisecond, 300 * time.Millisecond} {
			for _, delay := range []time.Duration{0, 20 * time.Millisecond} {
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

	// It survives in a checkpoint, and the limit is found again when it rises.
	state := c.Learned()
	again := newClient(t, p, nil)
	if err := again.Restore(state); err != nil {
		t.Fatal(err)
	}
	if got, want := again.Stats().Ops[OpGet].Rate, c.Stats().Ops[OpGet].Rate; got != want {
		t.Errorf("restored %v, want %v", got, want)
	}
	w.limit = 60
	load(t, again, 64, 8*time.Minute)
	if rate := again.Stats().Ops[OpGet].Rate; rate != 50 {
		t.Errorf("8 minutes after the limit rose the rate is %v, want 50", rate)
	}
	if got := string(again.Learned()); got != "{}" {
		t.Errorf("learned %s, want nothing", got)
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

func TestRestoreRefusesGarbage(t *testing.T) {
	t.Parallel()
	c := newClient(t, &platform{answer: succeed}, nil)
	for _, state := range []string{"", "{}", `{"fly":{"rate":1}}`, `{"get":{"rate":-4}}`, `{"get":{"rate":900}}`} {
		if err := c.Restore([]byte(state)); err != nil {
			t.Errorf("restore %q: %v", state, err)
		}
	}
	if err := c.Restore([]byte("[")); err == nil {
		t.Error("broken JSON was taken")
	}
	if rate := c.Stats().Ops[OpGet].Rate; rate != 50 {
		t.Errorf("rate is %v", rate)
	}
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

// randomly refuses a share of the requests whatever the rate is.
type randomly struct {
	share      float64
	retryAfter string
	until      time.Time // zero: it goes on
	chance     func() time.Duration
	passed     []time.Time
	refusedAt  []time.Time
}

func (s *randomly) answer(int, *http.Request) (*http.Response, error) {
	over := !s.until.IsZero() && time.Now().After(s.until)
	if over || s.chance() >= time.Duration(s.share*1e9) {
		s.passed = append(s.passed, time.Now())
		return reply(200, "{}"), nil
	}
	s.refusedAt = append(s.refusedAt, time.Now())
	if s.retryAfter == "" {
		return reply(429, ""), nil
	}
	return reply(429, "", "Retry-After", s.retryAfter), nil
}

// left is how much of a time the pauses leave that were asked for.
func (s *randomly) left(length time.Duration) time.Duration {
	pause, err := time.ParseDuration(s.retryAfter + "s")
	if err != nil {
		return length
	}
	var until time.Time
	for _, at := range s.refusedAt {
		from := at
		if from.Before(until) {
			from = until
		}
		until = at.Add(pause)
		length -= until.Sub(from)
	}
	return length
}

// Refusals that do not depend on the rate cost the pauses that the platform asks
// for and hardly more.
func TestRefusalsThatDoNotDependOnTheRateKeepIt(t *testing.T) {
	t.Parallel()
	tests := []struct {
		share      float64
		retryAfter string
		rate       float64
		work       time.Duration
	}{
		{0.02, "1", 200, 20 * time.Millisecond},
		{0.02, "1", 50, 20 * time.Millisecond},
		{0.02, "", 200, 20 * time.Millisecond},
		{0.02, "", 50, 200 * time.Millisecond},
		{0.05, "1", 200, time.Millisecond},
		{0.10, "", 50, 20 * time.Millisecond},
		{0.01, "2", 1000, 20 * time.Millisecond},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprint(tt), func(t *testing.T) {
			t.Parallel()
			var got, want float64
			for seed := range uint64(8) { // one course of chance says little
				synctest.Test(t, func(t *testing.T) {
					s := &randomly{share: tt.share, retryAfter: tt.retryAfter, chance: uniform(seed+1, time.Second)}
					p := &platform{answer: s.answer, work: tt.work}
					c := newClient(t, p, func(cfg *Config) { cfg.Rate = tt.rate })
					load(t, c, 32, 2*time.Minute)
					got += float64(len(s.passed))
					want += 0.9 * tt.rate * (1 - tt.share) * s.left(2*time.Minute).Seconds()
				})
			}
			if got < want {
				t.Errorf("%v answered, want %.0f: nine tenths of what the pauses leave", got, want)
			}
		})
	}
}

// A burst of refusals that ends by itself is forgotten within 20 seconds.
func TestRateRecoversFromABurst(t *testing.T) {
	t.Parallel()
	for _, retryAfter := range []string{"", "1"} {
		for _, rate := range []float64{5, 50, 200, 2000} {
			for _, burst := range []time.Duration{time.Second / 4, 3 * time.Second} {
				t.Run(fmt.Sprintf("%v/s, Retry-After %q, %v", rate, retryAfter, burst), func(t *testing.T) {
					t.Parallel()
					synctest.Test(t, func(t *testing.T) {
						s := &randomly{retryAfter: retryAfter, chance: func() time.Duration { return 0 }}
						p := &platform{answer: s.answer, work: 20 * time.Millisecond}
						c := newClient(t, p, func(cfg *Config) { cfg.Rate = rate })
						load(t, c, 64, 10*time.Second)
						s.share, s.until = 1, time.Now().Add(burst)
						load(t, c, 64, burst+300*time.Millisecond)
						before := c.Stats().Ops[OpGet].Rate
						load(t, c, 64, 20*time.Second)
						if got := c.Stats().Ops[OpGet].Rate; got < 0.95*rate || before >= rate {
							t.Errorf("20 s after the burst the rate is %v, want 95 %% of %v (it had fallen to %v)", got, rate, before)
						}
					})
				})
			}
		}
	}
}

// The rate climbs back to where it is not paced while requests are under way.
func TestClimbToUnlimited(t *testing.T) {
	t.Parallel()
	for _, rate := range []float64{150_000, 200_000, 1_000_000, 1e19, Unlimited} {
		t.Run(fmt.Sprint(rate), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := &platform{work: 20 * time.Millisecond, answer: func(n int, _ *http.Request) (*http.Response, error) {
					if n < 360 && n%40 == 7 {
						return reply(429, "", "Retry-After", "1"), nil
					}
					return reply(200, "{}"), nil
				}}
				c := newClient(t, p, func(cfg *Config) { cfg.Rate = rate })
				load(t, c, 16, time.Minute)
				if s := c.Stats(); !math.IsInf(s.Ops[OpGet].Rate, 1) || s.Throttled != 9 {
					t.Errorf("the rate is %v after %d refusals", s.Ops[OpGet].Rate, s.Throttled)
				}
			})
		})
	}
}

// A platform that answers every request with a 429 is given up like an outage.
func TestEndlessRefusals(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name       string
		retryAfter string
		longest    time.Duration
		most       time.Duration
	}{
		{"without Retry-After", "", 3 * time.Second, 5 * time.Second},
		{"for long", "", 10 * time.Minute, 11 * time.Minute},
		{"Retry-After", "1", 3 * time.Second, 5 * time.Second},
		{"a long pause is kept", "60", 3 * time.Second, 61 * time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := &randomly{share: 2, retryAfter: tt.retryAfter, chance: func() time.Duration { return 0 }}
				c := newClient(t, &platform{answer: s.answer}, func(cfg *Config) { cfg.MaxOutage = tt.longest })
				start := time.Now()
				var group sync.WaitGroup
				for range 3 {
					group.Go(func() {
						_, err := c.Do(t.Context(), DepersonalizeCall("1"))
						if !errors.Is(err, ErrOutage) || strings.Contains(err.Error(), "Retry-After") {
							t.Errorf("got %v", err)
						}
					})
				}
				time.Sleep(2500 * time.Millisecond)
				if why := c.Stats().Waiting; (why == WaitRetryAfter) != (tt.retryAfter != "") {
					t.Errorf("waiting for %q with Retry-After %q", why, tt.retryAfter)
				}
				group.Wait()
				if took := time.Since(start); took < tt.longest || took > tt.most {
					t.Errorf("given up after %v, want %v", took, tt.longest)
				}
			})
		})
	}
}
