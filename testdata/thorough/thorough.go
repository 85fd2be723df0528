// Package thorough decides how much tests do: by themselves a sample that takes a
// moment, with FULL_TESTS=1, as .ci/run sets it, all.
//
//	thorough.Only(t)                               // minutes, a browser or a server: not by itself
//	kills := thorough.Of(5, 30)
//	for at := range thorough.Some(calls, 5) { … }  // one call of five, or each
//	for _, c := range thorough.Sample(cases, 3) { … }  // the same of a table
package thorough

import (
	"iter"
	"math/rand/v2"
	"os"
	"testing"
)

// On reports whether tests do all they can.
func On() bool { return os.Getenv("FULL_TESTS") == "1" }

// Only skips a test that takes minutes, or needs a browser, a terminal or a server,
// unless FULL_TESTS=1 asks for it.
func Only(tb testing.TB) {
	tb.Helper()
	if !On() {
		tb.Skip("set FULL_TESTS=1")
	}
}

// Of is how much a test does: few, or all.
func Of[T any](few, all T) T {
	if On() {
		return all
	}
	return few
}

// Some are the numbers below n: one of every few, at random so that many runs see each
// of them, or all. A test that fails names the number it failed at.
func Some(n, few int) iter.Seq[int] {
	return func(yield func(int) bool) {
		for first := 0; first < n; first += Of(few, 1) {
			if !yield(first + rand.IntN(min(Of(few, 1), n-first))) {
				return
			}
		}
	}
}

// Sample are the cases that Some chooses of all.
func Sample[T any](all []T, few int) []T {
	var chosen []T
	for n := range Some(len(all), few) {
		chosen = append(chosen, all[n])
	}
	return chosen
}
