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
	// smallHeap is what is collected soon: half of it may gather again. It costs
	// next to nothing, and a long run takes no more than a short one.
	smallHeap    = 16 << 20
	smallPercent = 50
)

// garbage is how much may gather where less is in use, in bytes, if that is more
// than leastGarbage.
var garbage atomic.Uint64

// garbagePercent is how much may gather, in percent of what is in use.
func garbagePercent(inUse, allowed uint64) uint64 {
	least := uint64(100)
	if inUse < smallHeap {
		least = smallPercent
	}
	return min(max(least, 100*allowed/inUse), mostPercent)
}

// holdMemory keeps the memory of the process at what is in use, as much again of
// garbage (half as much where little is in use), or as much as garbage allows.
// Without it a run of hours takes a fifth more than one of seconds, from rare
// moments in which the collector came late. Whoever sets GOMEMLIMIT or GOGC
// decides alone. It ends with the process.
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
				percent := garbagePercent(inUse, allowed)
				debug.SetGCPercent(int(percent))
				debug.SetMemoryLimit(int64(inUse + max(inUse*percent/100, allowed) + memoryBeside))
			}
		}
	}()
}
