package batch

import (
	"sync"
	"sync/atomic"
)

// The states of a slot. A slot is filled by the feeding goroutine, settled by
// whoever ends its row, and emptied by the recorder.
const (
	slotOpen    int32 = iota // the row is under way, or the slot is empty
	slotSettled              // outcome is complete
	slotUnsent               // given up because the run stops
)

// slot holds one unfinished row. Its memory is used again Window rows later.
type slot struct {
	state   atomic.Int32
	result  Result
	request Request
	carried bool // an earlier sitting finished the row

	// Guarded by chains.mu.
	keys      []string
	waits     int     // unfinished predecessors
	followers []*slot // rows that wait for this one
}

// ring is the window of unfinished rows: at most len(slots) rows lie between
// the oldest row that is not recorded (head) and the newest row that was read
// (tail). It gives report order, the checkpoint's watermark and the memory
// bound at once. head is moved by the recorder only, tail by the feeder only.
type ring struct {
	slots   []slot // a power of two, at least window
	mask    int64
	window  int64
	settled chan struct{} // wakes the recorder; capacity 1
	space   chan struct{} // wakes the feeder; capacity 1

	_     apart
	head  atomic.Int64
	_     apart
	tail  atomic.Int64
	fed   int64 // the tail as the feeder has it: rows behind tail are not shown yet
	freed int64 // head as the feeder saw it last
	_     apart
}

// apart keeps what one goroutine writes all the time off the cache line of what
// another one reads all the time.
type apart [64]byte

func newRing(window int) *ring {
	size := 1
	for size < window {
		size *= 2
	}
	return &ring{
		slots: make([]slot, size), mask: int64(size) - 1, window: int64(window),
		settled: make(chan struct{}, 1), space: make(chan struct{}, 1),
	}
}

func (r *ring) at(n int64) *slot { return &r.slots[n&r.mask] }

// full reports to the feeder whether there is no space for another row.
func (r *ring) full() bool { return r.room(1) == 0 }

// room is how many rows the feeder may put in, at most most.
func (r *ring) room(most int) int {
	if r.window-(r.fed-r.freed) < int64(most) {
		r.freed = r.head.Load()
	}
	return int(min(r.window-(r.fed-r.freed), int64(most)))
}

// next returns the slot behind the tail; push makes it part of the window, which
// the recorder learns from show.
func (r *ring) next() *slot { return r.at(r.fed) }
func (r *ring) push()       { r.fed++ }

func (r *ring) show() {
	if r.tail.Load() != r.fed {
		r.tail.Store(r.fed)
	}
}

// mapped reports whether the row needed no request, in this sitting or before.
func (s *slot) mapped() bool { return s.request == nil && !s.carried }

// setState spares the slots of rows that need no request, which are settled
// before and after, what an atomic store costs.
func (s *slot) setState(state int32) {
	if s.state.Load() != state {
		s.state.Store(state)
	}
}

// free lets go of what a recorded slot keeps alive of its input.
func (s *slot) free() {
	res := &s.result
	res.Row.Values, res.Row.Excess, res.RegistrationID, res.Payload = nil, nil, "", nil
	if s.request != nil {
		s.request, s.keys, s.followers = nil, nil, nil
	}
}

func wake(ch chan struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}

// chains keeps requests that share a key in input order: every row waits for
// the last unfinished row of each of its keys, so that a slow call holds back
// only what depends on it.
type chains struct {
	mu   sync.Mutex
	last map[string]*slot
}

// join enters s behind the last row of each of its keys and reports whether it
// may go at once.
func (c *chains) join(s *slot) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	s.waits = 0
	for _, key := range s.keys {
		if prev := c.last[key]; prev != nil && prev != s {
			prev.followers = append(prev.followers, s)
			s.waits++
		}
		c.last[key] = s
	}
	return s.waits == 0
}

// leave takes s out of its chains, gives it its final state and returns the rows
// that it alone held back. The state is set under the lock: whoever is sent
// after s has found s finished, and so has a checkpoint that finds the other
// finished. s belongs to the recorder from then on.
func (c *chains) leave(s *slot, state int32) []*slot {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, key := range s.keys {
		if c.last[key] == s {
			delete(c.last, key)
		}
	}
	var free []*slot
	for _, f := range s.followers {
		if f.waits--; f.waits == 0 {
			free = append(free, f)
		}
	}
	s.state.Store(state)
	return free
}
