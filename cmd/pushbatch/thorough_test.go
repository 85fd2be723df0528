package main

import (
	"slices"
	"testing"

	"pushbatch/testdata/thorough"
)

// A sample has one number of each group; all are all.
func TestThoroughSome(t *testing.T) {
	for _, n := range []int{0, 1, 4, 5, 6, 23} {
		t.Setenv("FULL_TESTS", "")
		sample := slices.Collect(thorough.Some(n, 5))
		if len(sample) != (n+4)/5 {
			t.Errorf("%d of %d: %v", len(sample), n, sample)
		}
		for i, at := range sample {
			if at/5 != i || at >= n {
				t.Errorf("of %d: %v", n, sample)
			}
		}
		t.Setenv("FULL_TESTS", "1")
		if all := slices.Collect(thorough.Some(n, 5)); len(all) != n || n > 0 && all[n-1] != n-1 {
			t.Errorf("all of %d: %v", n, all)
		}
	}
	t.Setenv("FULL_TESTS", "")
	if some := thorough.Sample([]string{"a", "b", "c"}, 2); len(some) != 2 || some[0] == "c" || some[1] != "c" {
		t.Errorf("one of each two: %q", some)
	}
}
