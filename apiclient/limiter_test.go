package apiclient

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pushbatch/testdata/thorough"
)

func uniform(seed uint64, longest time.Duration) func() time.Duration {
	rng := rand.New(rand.NewPCG(seed, 1))
	var mu sync.Mutex
	return func() time.Duration {
		mu.Lock()
		defer mu.Unlock()
		return time.Duration(rng.Int64N(int64(longest) + 1))
	}
}

// The limit of a server that refuses the (limit+1)st request in any second,
// sliding or by the clock: how much of it is used, and what is refused.
func TestPacingAgainstWindows(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		rate    int
		delay   time.Duration // 0 to it, before a request arrives
		work    time.Duration
		least   float64 // answered a second
		refused int     // a minute, at most
	}{
		{"at 50, no delay", 50, 0, 300 * time.Microsecond, 49.5, 0},
		{"at 50, slow answers", 50, 0, 900 * time.Millisecond, 49.5, 0},
		{"at 50, 0 to 10 ms", 50, 10 * time.Millisecond, time.Millisecond, 49.5, 0},
		{"at 2000, no delay", 2000, 0, 10 * time.Millisecond, 1960, 0},
		{"at 2000, 0 to 5 ms", 2000, 5 * time.Millisecond, 0, 1960, 0},
		{"at 5, 0 to 40 ms", 5, 40 * time.Millisecond, 0, 4.88, 0},
		{"at 1", 1, 0, 0, 0.98, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := &windows{limit: tt.rate, retryAfter: "1"}
				p := &platform{answer: w.answer, work: tt.work, delay: uniform(7, tt.delay)}
				c := newClient(t, p, func(cfg *Config) { cfg.Rate = float64(tt.rate) })
				length := time.Duration(min(120, thorough.Of(8_000, 20_000)/tt.rate)) * time.Second
				got := float64(load(t, c, 128, length)) / length.Seconds()
				if got < tt.least {
					t.Errorf("%.2f answered a second, want at least %.2f", got, tt.least)
				}
				if float64(len(p.refused)) > float64(tt.refused)*length.Minutes() {
					t.Errorf("%d refused in %v, want at most %d a minute", len(p.refused), length, tt.refused)
				}
			})
		})
	}
}

// 0 to 40 ms of delay under a limit of 50, over many courses of chance: one
// course says nothing, since a single early refusal shows in one of sixteen. A
// permit comes back a second and 20 ms on the average after it was taken, so 50
// permits can carry 50/1.02 = 49.02 requests a second and no more; what is
// missing to it is under way at both ends of the two minutes. A refusal costs
// a second's pause, and so would show in the rate as well.
func TestPacingUnderJitter(t *testing.T) {
	t.Parallel()
	for _, work := range []time.Duration{0, 3 * time.Millisecond} {
		for seed := range uint64(thorough.Of(2, 16)) {
			t.Run(fmt.Sprintf("answers in %v, seed %d", work, seed), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					time.Sleep(time.Duration(seed) * 61 * time.Millisecond) // out of step with the clock's seconds
					w := &windows{limit: 50, retryAfter: "1"}
					p := &platform{answer: w.answer, work: work, delay: uniform(seed+100, 40*time.Millisecond)}
					got := float64(load(t, newClient(t, p, nil), 64, 2*time.Minute)) / 120
					if got < 48.95 || len(p.refused) > 2 {
						t.Errorf("%.2f answered a second, %d refused in two minutes", got, len(p.refused))
					}
				})
			})
		}
	}
}

// A request that is written long after it was allowed to (a connection is made first,
// or the machine is busy) leaves no room for one too many, though its answer is quick.
func TestLateWritesKeepTheLimit(t *testing.T) {
	t.Parallel()
	for seed := range thorough.Some(8, 4) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := &windows{limit: 50, retryAfter: "1"}
				rng := rand.New(rand.NewPCG(uint64(seed), 7))
				late := func() time.Duration {
					if rng.IntN(10) > 0 {
						return time.Millisecond
					}
					return time.Duration(rng.IntN(600)) * time.Millisecond
				}
				p := &platform{answer: w.answer, work: 3 * time.Millisecond, late: late}
				got := float64(load(t, newClient(t, p, nil), 64, 2*time.Minute)) / 120
				if len(p.refused) > 0 || got < 46 {
					t.Errorf("%.2f answered a second, %d refused in two minutes", got, len(p.refused))
				}
			})
		})
	}
}

// A request now and then is held up by far more than the others, also so that its
// answer comes after its permit would be due.
func TestRareDelaysKeepTheLimit(t *testing.T) {
	t.Parallel()
	for _, work := range []time.Duration{3 * time.Millisecond, 900 * time.Millisecond} {
		for seed := range thorough.Some(8, 4) {
			t.Run(fmt.Sprintf("answers in %v, seed %d", work, seed), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					w := &windows{limit: 50, retryAfter: "1"}
					rng := rand.New(rand.NewPCG(uint64(seed), 8))
					p := &platform{answer: w.answer, work: work, delay: func() time.Duration {
						if rng.IntN(100) > 0 {
							return time.Duration(rng.IntN(2000)) * time.Microsecond
						}
						return time.Duration(rng.IntN(200)) * time.Millisecond
					}}
					got := float64(load(t, newClient(t, p, nil), 64, 2*time.Minute)) / 120
					if len(p.refused) > 1 || got < 48.5 {
						t.Errorf("%.2f answered a second, %d refused in two minutes", got, len(p.refused))
					}
				})
			})
		}
	}
}

func TestRateIsNeverExceeded(t *testing.T) {
	t.Parallel()
	for _, rate := range []float64{0.5, 1, 2.5, 7, 50, 333, 2000} {
		t.Run(fmt.Sprint(rate), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := &platform{answer: succeed, work: 5 * time.Millisecond}
				c := newClient(t, p, func(cfg *Config) { cfg.Rate = rate })
				load(t, c, 64, 10*time.Second)
				if got := most(p.arrivals); float64(got) > max(rate, 1) {
					t.Errorf("%d requests in a second", got)
				}
				if least := int(9.5 * wholeRate(rate)); len(p.arrivals) < least {
					t.Errorf("%d requests in 10 s, want at least %d", len(p.arrivals), least)
				}
			})
		})
	}
}

func TestGrantsAreEven(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &platform{answer: succeed}
		c := newClient(t, p, func(cfg *Config) { cfg.Rate = 10 })
		load(t, c, 8, 3*time.Second)
		time.Sleep(time.Minute) // an idle time earns nothing
		before := len(p.arrivals)
		load(t, c, 8, 3*time.Second)
		for i := 1; i < len(p.arrivals); i++ {
			if gap := p.arrivals[i].Sub(p.arrivals[i-1]); gap < 95*time.Millisecond {
				t.Errorf("request %d came %v after the one before", i, gap)
			}
		}
		if n := len(p.arrivals) - before; n < 29 || n > 31 {
			t.Errorf("%d requests in 3 s at 10/s", n)
		}
	})
}

func TestGrantsAreInOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &platform{answer: succeed}
		c := newClient(t, p, nil)
		var group sync.WaitGroup
		for i := range 100 {
			group.Go(func() {
				time.Sleep(time.Duration(i)) // one after the other
				if _, err := c.Do(t.Context(), GetCall(fmt.Sprintf("%03d", i))); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		for i, path := range p.paths {
			if want := registrationPath + fmt.Sprintf("%03d", i); path != want {
				t.Fatalf("request %d was for %s, want %s", i, path, want)
			}
		}
	})
}

func TestUnlimited(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &platform{answer: succeed}
		c := newClient(t, p, func(cfg *Config) { cfg.Rate = Unlimited })
		start := time.Now()
		for range 1000 {
			if _, err := c.Do(t.Context(), GetCall("1")); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(start); took != 0 {
			t.Errorf("1000 calls waited for %v", took)
		}
	})
}

func TestWaitingCallsEndWithTheirContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &platform{answer: succeed}
		c := newClient(t, p, func(cfg *Config) { cfg.Rate = 0.01 })
		if _, err := c.Do(t.Context(), GetCall("1")); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, fmt.Errorf("the run stopped"))
		defer cancel()
		resp, err := c.Do(ctx, GetCall("2"))
		if err == nil || err.Error() != "the run stopped" || resp.Attempts != 0 {
			t.Errorf("got %+v, %v", resp, err)
		}
	})
}
