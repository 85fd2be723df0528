package main

import (
	"os"
	"runtime/debug"
	rtmetrics "runtime/metrics"
	"sync/atomic"
	"time"
)

const (
	// sendingGarbage is how much may gather before it is collected while requests
	// are sent. The collector's own rule is as much as is in use, which here is
	// little: a quarter of the work would be collecting.
	sendingGarbage = 16 << 20
	// memoryBeside is what the program takes beside what is in use and garbage: the
	// runtime's own memory and what the allocator holds ready.
	memoryBeside = 8 << 20
	memoryEvery  = 250 * time.Millisecond
	// leastGarbage is how much may gather at any time: what is in use is known as
	// of the last collection, which may be long ago.
	leastGarbage = 4 << 20
	// mostPercent makes of the smallest heap that is collected, 4 MiB, as much as
	// sendingGarbage.
	mostPercent = 400
)

// garbage is how much may gather where less is in use, in bytes, if that is more
// than leastGarbage.
var garbage atomic.Uint64

// holdMemory keeps the memory of the process at what is in use, as much again of
// garbage, or as much as garbage allows. Without it a run of hours takes a fifth
// more than one of seconds, from rare moments in which the collector came late.
// Whoever sets GOMEMLIMIT or GOGC decides alone. It ends with the process.
func holdMemory() {
	if os.Getenv("GOMEMLIMIT") != "" || os.Getenv("GOGC") != "" {
		return
	}
	debug.SetGCPercent(mostPercent) // the start is short and makes little
	go func() {
		live := []rtmetrics.Sample{{Name: "/gc/heap/live:bytes"}}
		var before [2]uint64
		for range time.Tick(memoryEvery) {
			rtmetrics.Read(live)
			inUse, allowed := live[0].Value.Uint64(), max(garbage.Load(), leastGarbage)
			if now := [2]uint64{inUse, allowed}; inUse > 0 && now != before {
				before = now
				debug.SetGCPercent(int(min(max(100, 100*allowed/inUse), mostPercent)))
				debug.SetMemoryLimit(int64(inUse + max(inUse, allowed) + memoryBeside))
			}
		}
	}()
}
