package apiclient

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pushbatch/testdata/thorough"
)

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
		{0.01, "2", 500, 20 * time.Millisecond},
	}
	for _, tt := range thorough.Sample(tests, 2) {
		t.Run(fmt.Sprint(tt), func(t *testing.T) {
			t.Parallel()
			var got, want float64
			for seed := range uint64(thorough.Of(1, 3)) { // one course of chance says little
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
		for _, rate := range []float64{5, 50, 200} {
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
	for _, rate := range thorough.Of([]float64{Unlimited}, []float64{150_000, 200_000, 1_000_000, 1e19, Unlimited}) {
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
