package batch

import (
	"math"
	"math/bits"
	"time"
)

// subBits sets a histogram's precision: 32 buckets for each power of two, so
// that a quantile is at most 1/32 too high.
const subBits = 5

// Histogram counts durations in buckets of about 3 % width. Its size does not
// grow with the number of values, and it can be saved in a checkpoint. The zero
// Histogram is empty and ready.
type Histogram struct {
	Counts  map[int]int64 `json:"counts,omitempty"` // by bucket, see Buckets
	Longest time.Duration `json:"max_ns"`           // the largest value, exactly
	Sum     time.Duration `json:"sum_ns"`           // of all values, exactly
}

// Add counts d. Negative durations count as zero.
func (h *Histogram) Add(d time.Duration) {
	if d < 0 {
		d = 0
	}
	if h.Counts == nil {
		h.Counts = make(map[int]int64)
	}
	h.Counts[bucketOf(d.Microseconds())]++
	h.Longest = max(h.Longest, d)
	h.Sum += d
}

// Merge adds the values of another histogram.
func (h *Histogram) Merge(o *Histogram) {
	if h.Counts == nil {
		h.Counts = make(map[int]int64, len(o.Counts))
	}
	for bucket, n := range o.Counts {
		h.Counts[bucket] += n
	}
	h.Sum += o.Sum
	h.Longest = max(h.Longest, o.Longest)
}

// Count is the number of values.
func (h *Histogram) Count() (n int64) {
	for _, count := range h.Counts {
		n += count
	}
	return n
}

// Quantile returns the smallest value at or below which the share q (0 to 1) of
// all values lies, at most 1/32 too high and less than 1 µs too low. It is 0
// when nothing was counted.
func (h *Histogram) Quantile(q float64) time.Duration {
	n := h.Count()
	rank := int64(math.Ceil(q*float64(n) - 1e-9)) // 0.07 x 100 is 7, not 8
	rank = max(1, min(rank, n))
	var seen int64
	for _, b := range sortedKeys(h.Counts) {
		if seen += h.Counts[b]; seen >= rank {
			return min(time.Duration(bucketTop(b))*time.Microsecond, h.Longest)
		}
	}
	return 0
}

// Buckets calls yield with the upper bound and the count of every bucket that
// is not empty, in rising order.
func (h *Histogram) Buckets(yield func(upTo time.Duration, count int64) bool) {
	for _, b := range sortedKeys(h.Counts) {
		if !yield(time.Duration(bucketTop(b))*time.Microsecond, h.Counts[b]) {
			return
		}
	}
}

func bucketOf(us int64) int {
	if us < 1<<subBits {
		return int(us)
	}
	shift := bits.Len64(uint64(us)) - 1 - subBits
	return (shift+1)<<subBits | int(us>>shift)&(1<<subBits-1)
}

// bucketTop is the largest number of microseconds that falls into bucket b.
func bucketTop(b int) int64 {
	if b < 1<<subBits {
		return int64(b)
	}
	shift := b>>subBits - 1
	return (int64(b&(1<<subBits-1))+1<<subBits+1)<<shift - 1
}
