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
		if short > 0 && other.Waiting >= 0.5 && (own.Permits-target > max(1, target/4) || short > other.Permits) {
			return target
		}
	}
	return own.Permits
}

// shareTargets divides permits among processes: who waits more gets more, who
// does not wait gets a little more than it uses. Where there are fewer permits
// than processes they take turns.
func shareTargets(all []*shareHolder, permits int, now time.Time) []int {
	waiting := 0
	for _, h := range all {
		if h.Waiting >= 0.5 {
			waiting++
		}
	}
	if waiting > permits {
		return shareTurns(all, permits, now)
	}
	targets := make([]int, len(all))
	open := make([]int, 0, len(all)) // whose target is not settled
	left := permits
	for i, h := range all {
		if h.Waiting >= 0.5 {
			targets[i] = 1
			left--
		}
		open = append(open, i)
	}
	for left > 0 && len(open) > 0 {
		var weights float64
		for _, i := range open {
			weights += all[i].weight()
		}
		given := 0
		still := open[:0]
		for _, i := range open {
			part := int(float64(left) * all[i].weight() / weights)
			part = min(part, all[i].most()-targets[i])
			targets[i] += max(part, 0)
			given += max(part, 0)
			if targets[i] < all[i].most() {
				still = append(still, i)
			}
		}
		if left -= given; given == 0 {
			break
		}
		open = still
	}
	spreadRest(all, targets, open, left)
	return targets
}

// spreadRest gives what rounding left to those who want more, or to all when nobody
// does, one by one in the order of their names.
func spreadRest(all []*shareHolder, targets, open []int, left int) {
	if len(open) == 0 {
		for i := range all {
			open = append(open, i)
		}
	}
	slices.SortFunc(open, func(a, b int) int { return cmp.Compare(all[a].Token, all[b].Token) })
	for k := 0; left > 0; k++ {
		targets[open[k%len(open)]]++
		left--
	}
}

// weight is what a process counts among the others.
func (h *shareHolder) weight() float64 { return max(h.Waiting, 1) }

// most is what a process could do with.
func (h *shareHolder) most() int {
	if h.Waiting >= 0.5 {
		return math.MaxInt
	}
	return int(math.Ceil(1.25 * h.Used))
}

// shareTurns gives a permit each to those who have it for less than a term, then
// to those who have waited longest.
func shareTurns(all []*shareHolder, permits int, now time.Time) []int {
	order := make([]int, 0, len(all))
	for i, h := range all {
		if h.Waiting >= 0.5 {
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
