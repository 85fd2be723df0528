package main

import (
	"os"
	"runtime/debug"
	rtmetrics "runtime/metrics"
	"time"
)

const (
	// garbage is how much may gather before it is collected. The collector's own
	// rule is as much as is in use, which here is little: half of the work would
	// be collecting.
	garbage = 16 << 20
	// memoryBeside is what the program takes beside that: the runtime's own memory
	// and what the allocator holds ready.
	memoryBeside = 8 << 20
	memoryEvery  = 250 * time.Millisecond
	// startPercent makes of the smallest heap that is collected, 4 MiB, as much as
	// garbage.
	startPercent = 400
)

// holdMemory lets some garbage gather, and keeps the memory of the process at
// what that comes to. Without it a run of hours takes a fifth more than one of
// seconds, from rare moments in which the collector came late. Whoever sets
// GOMEMLIMIT or GOGC decides alone. It ends with the process.
func holdMemory() {
	if os.Getenv("GOMEMLIMIT") != "" || os.Getenv("GOGC") != "" {
		return
	}
	debug.SetGCPercent(startPercent)
	go func() {
		live := []rtmetrics.Sample{{Name: "/gc/heap/live:bytes"}}
		before := uint64(0)
		for range time.Tick(memoryEvery) {
			rtmetrics.Read(live)
			inUse := live[0].Value.Uint64()
			if inUse == 0 || inUse == before {
				continue
			}
			before = inUse
			debug.SetGCPercent(int(min(max(100, 100*garbage/inUse), startPercent)))
			debug.SetMemoryLimit(int64(inUse + max(inUse, garbage) + memoryBeside))
		}
	}()
}
