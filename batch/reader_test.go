package batch_test

import (
	"context"
	"iter"
	"slices"
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
	row   batch.Row
	given atomic.Int64
}

func (h *heavy) Rows(_ context.Context, _ batch.Position) iter.Seq2[batch.Row, error] {
	return func(yield func(batch.Row, error) bool) {
		for n := range h.rows {
			h.given.Add(1)
			row := h.row
			row.Pos, row.Next = batch.Position{Row: n}, batch.Position{Row: n + 1}
			if !yield(row, nil) {
				return
			}
		}
	}
}

// heavyRows are rows of 100 KiB each, which lie in one cell, in many empty ones of a
// list or of an object, or in no column.
func heavyRows() map[string]batch.Row {
	text := batch.TextValue(strings.Repeat("x", 100<<10))
	empty := make([]batch.Value, 100<<10/32)
	names := slices.Repeat([]string{strings.Repeat("n", 16)}, 100<<10/64)
	return map[string]batch.Row{
		"text":   {Values: []batch.Value{text}},
		"list":   {Values: []batch.Value{{Kind: batch.List, Nested: &batch.Nested{Values: empty}}}},
		"object": {Values: []batch.Value{{Kind: batch.Object, Nested: &batch.Nested{Names: names, Values: empty[:len(names)]}}}},
		"excess": {Excess: []batch.Value{text}},
	}
}

// Large rows are read ahead by their size, not by their number: twice half a
// megabyte of them.
func TestLargeRowsAhead(t *testing.T) {
	t.Parallel()
	for name, row := range heavyRows() {
		synctest.Test(t, func(t *testing.T) {
			source := &heavy{endless: endless{200}, row: row}
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
				t.Fatalf("%s: %d rows, %v", name, mapped, err)
			}
			if most > 2*6+1 || most < 6 {
				t.Errorf("%s: %d rows of 100 KiB were read ahead", name, most)
			}
		})
	}
}

// slowCall takes a second.
type slowCall struct{ sent *atomic.Int64 }

func (slowCall) Keys() []string { return nil }

func (c slowCall) Send(context.Context) (batch.Outcome, error) {
	time.Sleep(time.Second)
	c.sent.Add(1)
	return batch.Outcome{Status: batch.Succeeded}, nil
}

// Large rows that are not finished are bounded by their size, too: 64 MiB of them
// wait, and what is read ahead.
func TestLargeRowsWaiting(t *testing.T) {
	t.Parallel()
	for name, row := range heavyRows() {
		synctest.Test(t, func(t *testing.T) {
			source := &heavy{endless: endless{2000}, row: row}
			var sent atomic.Int64
			var most int64
			job := batch.New(batch.Config{Sink: nowhere{}, MaxInFlight: 1, Inputs: []batch.Input{{
				Source: source, Map: func(*batch.Row) (batch.Request, *batch.Outcome) {
					most = max(most, source.given.Load()-sent.Load())
					return slowCall{&sent}, nil
				},
			}}})
			if err := job.Run(t.Context()); err != nil || sent.Load() != 2000 {
				t.Fatalf("%s: %d rows, %v", name, sent.Load(), err)
			}
			if want := int64(64 << 20 / (100 << 10)); most < want || most > want+3*6 {
				t.Errorf("%s: %d rows of 100 KiB waited, want %d and those that are read ahead", name, most, want)
			}
		})
	}
}
