package apiclient

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// nextShare returns the share that the first of all should have, of which it
// may take free ones more.
func nextShare(all []*shareHolder, permits, free int, now time.Time) int {
	own := all[0]
	targets := shareTargets(all, permits, now)
	target := targets[0]
	switch {
	case own.Permits < target:
		return own.Permits + max(0, min(target-own.Permits, free))
	case own.Permits == target || free < 0: // less than 0: the rate that all share fell
		return target
	}
	for i, other := range all[1:] {
		short := targets[i+1] - other.Permits
		// A share that is a little large stays: what moves is of no use for seconds.
		if short > 0 && other.waits() && (own.Permits-target > max(1, target/4) || short > other.Permits) {
			return target
		}
	}
	return own.Permits
}

// shareTargets divides permits among processes, one by one to whoever has the least
// for what it counts: who waits more gets more, who does not wait gets a little more
// than it uses, the rest goes to all. Where there are fewer permits than processes they
// take turns.
func shareTargets(all []*shareHolder, permits int, now time.Time) []int {
	targets := make([]int, len(all))
	left := permits
	for i, h := range all {
		if h.waits() {
			targets[i] = 1
			left--
		}
	}
	if left < 0 {
		return shareTurns(all, permits, now)
	}
	claim := func(h *shareHolder, has int) float64 {
		if !h.waits() && float64(has) >= 1.25*h.Used {
			return math.MaxInt32 + float64(has)
		}
		return float64(has+1) / max(h.Waiting, 1)
	}
	for ; left > 0; left-- {
		first := 0
		for i, h := range all {
			if cmp.Or(cmp.Compare(claim(h, targets[i]), claim(all[first], targets[first])), cmp.Compare(h.Token, all[first].Token)) < 0 {
				first = i
			}
		}
		targets[first]++
	}
	return targets
}

func (h *shareHolder) waits() bool { return h.Waiting >= 0.5 }

// shareTurns gives a permit each to those who have it for less than a term, then
// to those who have waited longest.
func shareTurns(all []*shareHolder, permits int, now time.Time) []int {
	order := make([]int, 0, len(all))
	for i, h := range all {
		if h.waits() {
			order = append(order, i)
		}
	}
	rank := func(h *shareHolder) int {
		switch {
		case h.Permits > 0 && now.Sub(h.Since) < shareTerm:
			return 0
		case h.Permits == 0:
			return 1
		}
		return 2
	}
	slices.SortFunc(order, func(i, j int) int {
		a, b := all[i], all[j]
		return cmp.Or(cmp.Compare(rank(a), rank(b)), a.Since.Compare(b.Since), cmp.Compare(a.Token, b.Token))
	})
	targets := make([]int, len(all))
	for _, i := range order[:permits] {
		targets[i] = 1
	}
	return targets
}
