package batch

import (
	"hash/maphash"
	"slices"
	"sync"
)

// slot holds one unfinished row.
type slot struct {
	result  Result
	request Request // nil: the row needs none
	size    int64   // bytes of its values
	earlier bool    // an earlier execution finished the row

	// Guarded by window.mu.
	finished  bool
	waits     int32 // unfinished predecessors
	keys      []uint64
	followers []*slot // rows that wait for this one
}

// local reports whether the row needed no request, in this execution or before.
func (s *slot) local() bool { return s.request == nil && !s.earlier }

// window is the unfinished rows: those between the last one that is recorded
// (head) and the last one that is mapped (tail), which are row numbers. It gives
// the order of reports, the watermark of checkpoints and the bound of memory at
// once. The recorder alone moves head, the mapper alone moves tail.
type window struct {
	mu         sync.Mutex
	slots      []*slot // row n is at n % len(slots)
	head, tail int64
	bytes      int64 // of the values of its rows
	locks      keyLocks
	payload    int64   // bytes of the answers that rows have and no recorder has taken
	delayed    []*slot // rows that may be sent when there is room for their answers
}

// maxPayload is how many bytes of answers, and how many of values, wait for the row at
// the head, beside those that are on their way: the number of rows alone does not bound
// memory where one may have megabytes, to which a few bytes of an input may unpack.
const maxPayload = 64 << 20

func newWindow(size int) *window {
	return &window{slots: make([]*slot, size), locks: keyLocks{last: make(map[uint64]*slot)}}
}

func (w *window) at(num int64) *slot { return w.slots[num%int64(len(w.slots))] }

// space is how many rows may be put in; up to canary rows none that follows them,
// until they are recorded.
func (w *window) space(canary int64) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.bytes >= maxPayload {
		return 0
	}
	last := w.head + int64(len(w.slots))
	if w.head < canary {
		last = min(last, canary)
	}
	return int(max(last-w.tail, 0))
}

// push puts rows in and returns those that may be sent at once.
func (w *window) push(slots []*slot) (ready []*slot) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range slots {
		w.tail++
		w.bytes += s.size
		w.slots[w.tail%int64(len(w.slots))] = s
		if !s.finished && w.locks.acquire(s) {
			ready = append(ready, s)
		}
	}
	return ready
}

// finish gives a row its outcome. Its key locks stay until release.
func (w *window) finish(s *slot, out *Outcome) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s.result.Outcome, s.finished = *out, true
	w.payload += int64(len(out.Payload))
}

// hold keeps a row back while too many bytes wait for the head, and reports whether
// it did. The row at the head always goes: it makes room.
func (w *window) hold(s *slot) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.payload <= maxPayload || s.result.Row.Num == w.head+1 {
		return false
	}
	w.delayed = append(w.delayed, s)
	return true
}

// release gives up the key locks of a finished row and returns the rows that may
// go now.
func (w *window) release(s *slot) []*slot {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.locks.release(s)
}

// next returns the finished rows at the head, at most most.
func (w *window) next(most int64) (slots []*slot) {
	w.mu.Lock()
	defer w.mu.Unlock()
	slots = make([]*slot, 0, most)
	for num := w.head + 1; num <= min(w.tail, w.head+most) && w.at(num).finished; num++ {
		slots = append(slots, w.at(num))
	}
	return slots
}

// drop forgets n rows at the head and returns the delayed rows that may go now.
func (w *window) drop(n int64) (ready []*slot) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for ; n > 0; n-- {
		w.head++
		s := w.at(w.head)
		w.bytes -= s.size
		if !s.local() && !s.earlier {
			w.payload -= int64(len(s.result.Payload))
		}
		w.slots[w.head%int64(len(w.slots))] = nil
	}
	goes := func(s *slot) bool { return w.payload <= maxPayload || s.result.Row.Num == w.head+1 }
	w.delayed = slices.DeleteFunc(w.delayed, func(s *slot) bool {
		if goes(s) {
			ready = append(ready, s)
		}
		return goes(s)
	})
	return ready
}

// afterHead returns the finished rows after an unfinished one, and the tail.
func (w *window) afterHead() (slots []*slot, tail int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for num := w.head + 1; num <= w.tail; num++ {
		if s := w.at(num); s.finished {
			slots = append(slots, s)
		}
	}
	return slots, w.tail
}

func (w *window) empty() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.head == w.tail
}

// keyLocks keeps requests that share a key in input order: every row waits for
// the last unfinished row of each of its keys, so that a slow call holds back
// only what depends on it. window.mu guards it. Keys are hashes: two that have one wait
// for one another, which does no harm, and with strings a job takes 4 % more CPU.
type keyLocks struct{ last map[uint64]*slot }

var keySeed = maphash.MakeSeed()

func hashed(keys []string) []uint64 {
	hashes := make([]uint64, len(keys))
	for i, key := range keys {
		hashes[i] = maphash.String(keySeed, key)
	}
	return hashes
}

// acquire enters s after the last row of each of its keys and reports whether
// it may go at once.
func (l *keyLocks) acquire(s *slot) bool {
	for _, key := range s.keys {
		if before := l.last[key]; before != nil && before != s {
			before.followers = append(before.followers, s)
			s.waits++
		}
		l.last[key] = s
	}
	return s.waits == 0
}

// release returns the rows that waited for s alone.
func (l *keyLocks) release(s *slot) (free []*slot) {
	for _, key := range s.keys {
		if l.last[key] == s {
			delete(l.last, key)
		}
	}
	for _, next := range s.followers {
		if next.waits--; next.waits == 0 {
			free = append(free, next)
		}
	}
	return free
}
