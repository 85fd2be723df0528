package batch

import (
	"encoding/json"
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
	counts map[int]int64 // bucket -> count
	n      int64
	max    time.Duration
	sum    time.Duration
}

// Add counts d. Negative durations count as zero.
func (h *Histogram) Add(d time.Duration) {
	if d < 0 {
		d = 0
	}
	if h.counts == nil {
		h.counts = make(map[int]int64)
	}
	h.counts[bucketOf(d.Microseconds())]++
	h.n++
	h.max = max(h.max, d)
	h.sum += d
}

// Merge adds the values of another histogram.
func (h *Histogram) Merge(o *Histogram) {
	if h.counts == nil {
		h.counts = make(map[int]int64, len(o.counts))
	}
	for bucket, n := range o.counts {
		h.counts[bucket] += n
	}
	h.n += o.n
	h.sum += o.sum
	h.max = max(h.max, o.max)
}

// Count is the number of values.
func (h *Histogram) Count() int64 { return h.n }

// Max is the largest value, exactly.
func (h *Histogram) Max() time.Duration { return h.max }

// Sum is the sum of all values, exactly.
func (h *Histogram) Sum() time.Duration { return h.sum }

// Quantile returns the smallest value at or below which the share q (0 to 1) of
// all values lies, at most 1/32 too high and less than 1 µs too low. It is 0
// when nothing was counted.
func (h *Histogram) Quantile(q float64) time.Duration {
	rank := int64(math.Ceil(q*float64(h.n) - 1e-9)) // 0.07 x 100 is 7, not 8
	rank = max(1, min(rank, h.n))
	var seen int64
	for _, b := range sortedKeys(h.counts) {
		if seen += h.counts[b]; seen >= rank {
			return min(time.Duration(bucketTop(b))*time.Microsecond, h.max)
		}
	}
	return 0
}

// Buckets calls yield with the upper bound and the count of every bucket that
// is not empty, in rising order.
func (h *Histogram) Buckets(yield func(upTo time.Duration, count int64) bool) {
	for _, b := range sortedKeys(h.counts) {
		if !yield(time.Duration(bucketTop(b))*time.Microsecond, h.counts[b]) {
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

type histogramJSON struct {
	Counts map[int]int64 `json:"counts,omitempty"`
	Max    time.Duration `json:"max_ns"`
	Sum    time.Duration `json:"sum_ns"`
}

// MarshalJSON implements json.Marshaler.
func (h Histogram) MarshalJSON() ([]byte, error) {
	return json.Marshal(histogramJSON{h.counts, h.max, h.sum})
}

// UnmarshalJSON implements json.Unmarshaler.
func (h *Histogram) UnmarshalJSON(data []byte) error {
	var j histogramJSON
	if err := json.Unmarshal(data, &j); err != nil {
		return err
	}
	*h = Histogram{counts: j.Counts, max: j.Max, sum: j.Sum}
	for _, c := range j.Counts {
		h.n += c
	}
	return nil
}
