package simulator_test

import (
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"pushbatch/apiclient/simulator"
)

// send asks for a registration at each time (milliseconds since a full second)
// and returns which requests were refused.
func send(t *testing.T, cfg simulator.Config, at []int) (refused []int, last reply) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(time.Now().Truncate(time.Second).Add(time.Second)))
		start := time.Now()
		call := newCaller(t, simulator.New(cfg))
		for i, ms := range at {
			time.Sleep(time.Until(start.Add(time.Duration(ms) * time.Millisecond)))
			if r := call.do("GET", pushPath+"d", ""); r.status == 429 {
				refused, last = append(refused, i), r
			}
		}
	})
	return refused, last
}

func TestWindows(t *testing.T) {
	t.Parallel()
	limits := simulator.PushLimits(3, 1)
	cases := []struct {
		name    string
		at      []int
		fixed   int // refused
		sliding int
		both    int
	}{
		{"spaced", []int{0, 400, 800, 1000, 1400, 1800}, 0, 0, 0},
		{"four in a second", []int{0, 100, 200, 300}, 1, 1, 1},
		{"across the second", []int{800, 900, 950, 1000, 1100, 1200}, 0, 3, 3},
		{"exactly a second later", []int{500, 600, 700, 1500, 1600, 1700}, 0, 0, 0},
		{"refused ones do not count", []int{0, 0, 0, 0, 0, 1000, 1000, 1000}, 2, 2, 2},
	}
	for _, c := range cases {
		for window, want := range map[simulator.Window]int{simulator.Fixed: c.fixed, simulator.Sliding: c.sliding, simulator.Both: c.both} {
			t.Run(c.name+" "+strconv.Itoa(int(window)), func(t *testing.T) {
				t.Parallel()
				refused, _ := send(t, simulator.Config{Limits: limits, Window: window}, c.at)
				if len(refused) != want {
					t.Errorf("refused %v, want %d of them", refused, want)
				}
			})
		}
	}
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	limits := simulator.PushLimits(1, 1)
	refused, last := send(t, simulator.Config{Limits: limits}, []int{300, 400, 500})
	if got := last.header.Get("Retry-After"); len(refused) != 2 || last.code() != "TOO_MANY_REQUESTS" || got != "1" {
		t.Errorf("refused %v with %s, Retry-After %q", refused, last.body, got)
	}
}

func TestPublishedLimitsAreTheDefault(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(time.Now().Truncate(time.Second).Add(time.Second)))
		sim := simulator.New(simulator.Config{})
		call := newCaller(t, sim)
		for range 60 {
			call.do("GET", pushPath+"d", "")
			call.do("PATCH", pushPath+"d", "{}")
			call.do("POST", pushPath+"d/depersonalize", "")
			call.personalize("d", "", `{"identity":{"externalId":"x"}}`)
			call.do("GET", personsPath, "")
		}
		stats := sim.Stats()
		for op, want := range map[string]int64{"get": 50, "update": 50, "depersonalize": 50, "personalize": 50, "list-persons": 5} {
			if got := stats.ByOp[op][200]; got != want || stats.ByOp[op][429] != 60-want {
				t.Errorf("%s: %v, want %d answered 200", op, stats.ByOp[op], want)
			}
			if stats.PerWall[op] != 60 || stats.PerSlide[op] != 60 {
				t.Errorf("%s: saw %d and %d in a second, want 60", op, stats.PerWall[op], stats.PerSlide[op])
			}
		}
	})
}

func TestNoLimit(t *testing.T) {
	t.Parallel()
	refused, _ := send(t, simulator.Config{Limits: &simulator.Limits{}}, make([]int, 200))
	if len(refused) > 0 {
		t.Errorf("refused %d requests without a limit", len(refused))
	}
}
