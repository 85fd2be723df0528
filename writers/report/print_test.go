package report

import (
	"strings"
	"testing"
	"time"
)

// The terminal tells how long an execution took where that is more than its rows took.
func TestPrintInAll(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		executions int
		all        time.Duration
		want       string
	}{
		{1, 17 * time.Second, "20 rows in 12.9 s, 17.0 s in all (1.6 rows/s)\n"},
		{1, 13100 * time.Millisecond, "20 rows in 12.9 s (1.6 rows/s)\n"},
		{2, time.Hour, "20 rows in 12.9 s (1.6 rows/s)\n"}, // with the time between them
	} {
		s := Summary{Operation: "update", Rows: 20, Elapsed: 12.9, RowsPerSec: 1.6, Executions: tt.executions}
		s.EndedAt = s.StartedAt.Add(tt.all)
		var said strings.Builder
		s.Print(&said)
		if !strings.Contains(said.String(), tt.want) {
			t.Errorf("%d executions, %v: %s", tt.executions, tt.all, &said)
		}
	}
}
