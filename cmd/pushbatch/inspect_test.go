package main

import (
	"runtime"
	"testing"
)

// What tells inputs apart takes no more for each column than for one: not parallel,
// for it counts what is allocated.
func TestLookOfManyColumns(t *testing.T) { //nolint:paralleltest // see above
	in := &inputInspection{Columns: make([]columnInspection, 10_000)}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	in.look()
	runtime.ReadMemStats(&after)
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 100<<20 {
		t.Errorf("%d bytes were allocated", grown)
	}
}
