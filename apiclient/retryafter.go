package apiclient

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// retryAfter reads Retry-After (RFC 9110, 10.2.3): seconds or a date. A date
// is checked against the answer's own Date, so that a clock that is wrong here
// does no harm. 0: absent, past, or neither of the two.
func retryAfter(h http.Header, now time.Time) time.Duration {
	value := strings.TrimSpace(h.Get("Retry-After"))
	if value == "" {
		return 0
	}
	if seconds, err := strconv.ParseFloat(value, 64); err == nil {
		if !(seconds > 0) {
			return 0
		}
		return time.Duration(min(seconds, retryAfterMax.Seconds()) * float64(time.Second))
	}
	date, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	if sent, err := http.ParseTime(h.Get("Date")); err == nil {
		now = sent
	}
	return min(max(date.Sub(now), 0), retryAfterMax)
}
