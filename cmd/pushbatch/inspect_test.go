package main

import (
	"bytes"
	"runtime"
	"strings"
	"testing"
)

// The share of empty cells is one that people read, and never 0 % of a column that has some.
func TestShareOfEmptyCells(t *testing.T) {
	t.Parallel()
	for share, want := range map[float64]string{0: "0%", 0.0006667: "< 0.1%", 1.0 / 3: "33.3%", 0.9999: "> 99.9%", 1: "100%"} {
		in := &inputInspection{Name: "a.csv", Columns: []columnInspection{{Name: "phone", Type: "text", EmptyShare: share}}}
		var said bytes.Buffer
		err := show(&said, "inspection", &inspection{Inputs: []*inputInspection{in}, Devices: &duplicateReport{}, Persons: &duplicateReport{}}, false)
		if err != nil || !strings.Contains(said.String(), " "+want+" ") {
			t.Errorf("%v is not said as %q: %v\n%s", share, want, err, &said)
		}
	}
}

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
