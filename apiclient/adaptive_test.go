package apiclient

import (
	"testing"
	"time"
)

// Refusals that come at any rate (a gateway that drops some requests) must not
// bring a run to a stand, and what they took comes back when they end.
func TestRateHasAFloor(t *testing.T) {
	t.Parallel()
	a := adaptive{configured: 50, rate: 50}
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
