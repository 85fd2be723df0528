package apiclient

import (
	"testing"
	"time"
)

// Refusals that come at any rate (a gateway that drops some requests) must not
// bring a run to a stand, and what they took comes back when they end.
func TestRateHasAFloor(t *testing.T) {
	t.Parallel()
	a := adaptiveRate{configured: 50, rate: 50}
	now := time.Minute
	for range 500 {
		now += time.Second
		a.admitted(now - 500*time.Millisecond)
		a.refused(now, now)
		if a.rate < 5 {
			t.Fatalf("the rate fell to %v of 50 a second", a.rate)
		}
	}
	for range 600 {
		now += time.Second
		a.climb(now)
	}
	if a.rate != 50 {
		t.Errorf("ten minutes without a refusal later the rate is %v, want 50", a.rate)
	}
}

// One request in fifty is refused, at any rate: the rate falls a little, until
// that is known, and comes back although the refusals go on. A real limit below
// it is still found.
func TestRefusalsThatDoNotDependOnTheRate(t *testing.T) {
	t.Parallel()
	a := adaptiveRate{configured: 50, rate: 50}
	now, sent, lowest := time.Minute, 0, 50.0
	send := func(limit float64) {
		now += time.Duration(float64(time.Second) / a.rate)
		sent++
		if sent%50 == 0 || a.passedBefore(now) >= limit {
			a.refused(now, now)
		} else {
			a.admitted(now)
		}
		a.climb(now)
		lowest = min(lowest, a.rate)
	}
	for range 10_000 {
		send(1000)
	}
	if a.rate != 50 || lowest < 40 {
		t.Errorf("the rate is %v of 50 a second, the lowest was %v", a.rate, lowest)
	}
	for range 10_000 {
		send(20)
	}
	if a.rate > 30 || a.rate < 15 { // a quarter may be refused at most: 20/0.75, and a step
		t.Errorf("the platform lets 20 a second through, the rate is %v", a.rate)
	}
}
