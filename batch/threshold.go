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

// wholePercent is 1 % in the unit of Threshold.share.
const wholePercent = 1_000_000

// Threshold is how many errors a run tolerates: a number of rows, or a share
// of the rows that are finished, which counts from 100 rows on. The zero
// Threshold tolerates any number.
type Threshold struct {
	set   bool
	ratio bool
	count int64 // when not ratio
	share int64 // when ratio, in millionths of a percent: whole, so that 29 of 100 rows are not more than 29 %
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
		return Threshold{set: true, ratio: true, share: int64(math.Round(share * wholePercent))}, nil
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
		return strconv.FormatFloat(float64(t.share)/wholePercent, 'f', -1, 64) + "%"
	}
	return strconv.FormatInt(t.count, 10)
}

// ExceededBy reports whether some of many are more than t tolerates, however few
// the many are.
func (t Threshold) ExceededBy(some, many int64) bool {
	return t.Exceeded(some, many) || t.ratio && some*100*wholePercent > t.share*many
}

// Exceeded reports whether bad rows among done finished ones are more than t
// tolerates.
func (t Threshold) Exceeded(bad, done int64) bool {
	switch {
	case !t.set:
		return false
	case t.ratio:
		return done >= shareFrom && bad*100*wholePercent > t.share*done
	}
	return bad > t.count
}
