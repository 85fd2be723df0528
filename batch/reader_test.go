package batch_test

import (
	"context"
	"iter"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pushbatch/batch"
)

// heavy is a source of large rows. It counts those it gave.
type heavy struct {
	endless
	offset int64 // that a row moves its position by; 0: the format has none
	given  atomic.Int64
}

func (h *heavy) Rows(_ context.Context, _ batch.Position) iter.Seq2[batch.Row, error] {
	values := []batch.Value{batch.TextValue(strings.Repeat("x", 100<<10))}
	return func(yield func(batch.Row, error) bool) {
		for n := range h.rows {
			h.given.Add(1)
			row := batch.Row{Pos: batch.Position{Row: n, Offset: n * h.offset}, Next: batch.Position{Row: n + 1, Offset: (n + 1) * h.offset}, Values: values}
			if !yield(row, nil) {
				return
			}
		}
	}
}

// Large rows are read ahead by their size, not by their number: twice half a
// megabyte of them.
func TestLargeRowsAhead(t *testing.T) {
	t.Parallel()
	for _, offset := range []int64{0, 100 << 10} {
		synctest.Test(t, func(t *testing.T) {
			source := &heavy{endless: endless{200}, offset: offset}
			var mapped, most int64
			job := batch.New(batch.Config{Sink: nowhere{}, Inputs: []batch.Input{{
				Source: source, Map: func(*batch.Row) (batch.Request, *batch.Outcome) {
					time.Sleep(time.Millisecond) // the reader gets as far as it may
					most = max(most, source.given.Load()-mapped)
					mapped++
					return nil, &batch.Outcome{Status: batch.Skipped}
				},
			}}})
			if err := job.Run(t.Context()); err != nil || mapped != 200 {
				t.Fatalf("%d rows, %v", mapped, err)
			}
			if most > 2*6+1 || most < 6 {
				t.Errorf("%d rows of 100 KiB were read ahead", most)
			}
		})
	}
}
