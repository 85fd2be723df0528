package batch

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// shareFrom is the number of finished rows from which on a share of errors
// says something (contract: --max-errors).
const shareFrom = 100

// Threshold is how many errors a run tolerates: a number of rows, or a share
// of the rows that are finished, which counts from 100 rows on. The zero
// Threshold tolerates any number.
type Threshold struct {
	set   bool
	count int64
	share float64 // 0 to 1; only when isShare
	ratio bool
}

// ParseThreshold reads "20" (at most 20 bad rows) or "2.5%" (at most that
// share of the finished rows). The empty string tolerates any number.
func ParseThreshold(text string) (Threshold, error) {
	if text == "" {
		return Threshold{}, nil
	}
	if p, ok := strings.CutSuffix(text, "%"); ok {
		share, err := strconv.ParseFloat(p, 64)
		if err != nil || !(share >= 0 && share <= 100) {
			return Threshold{}, fmt.Errorf("%q is not a share between 0%% and 100%%", text)
		}
		return Threshold{set: true, ratio: true, share: share / 100}, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return Threshold{}, fmt.Errorf("%q is neither a number of rows (20) nor a share (5%%)", text)
	}
	return Threshold{set: true, count: n}, nil
}

// String returns the threshold as ParseThreshold reads it.
func (t Threshold) String() string {
	switch {
	case !t.set:
		return ""
	case t.ratio:
		return strconv.FormatFloat(math.Round(t.share*1e8)/1e6, 'f', -1, 64) + "%"
	}
	return strconv.FormatInt(t.count, 10)
}

// Exceeded reports whether bad rows among done finished ones are more than t
// tolerates.
func (t Threshold) Exceeded(bad, done int64) bool {
	switch {
	case !t.set:
		return false
	case t.ratio:
		return done >= shareFrom && float64(bad) > t.share*float64(done)
	}
	return bad > t.count
}
