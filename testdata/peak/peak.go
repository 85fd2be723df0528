// Package peak measures, for tests, the most memory that the heap has.
package peak

import (
	"runtime/metrics"
	"testing"
	"time"
)

// AtMost fails the test when its heap has more bytes at any moment until it ends,
// garbage that was not yet collected included. The heap is looked at every
// millisecond; a test in which no more than that was allocated at all passes anyway.
// Tests that run beside it are measured with it.
func AtMost(tb testing.TB, bytes uint64) {
	tb.Helper()
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	most := uint64(0)
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() { // ends with the test, below
		defer close(stopped)
		for tick := time.NewTicker(time.Millisecond); ; {
			metrics.Read(sample)
			most = max(most, sample[0].Value.Uint64())
			select {
			case <-stop:
				tick.Stop()
				return
			case <-tick.C:
			}
		}
	}()
	allocated := allocs()
	tb.Cleanup(func() {
		allocated = allocs() - allocated
		close(stop)
		if <-stopped; most > bytes && allocated > bytes/2 {
			tb.Errorf("the heap had %d MiB, want at most %d", most>>20, bytes>>20)
		}
	})
}

func allocs() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
