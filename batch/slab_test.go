package batch_test

import (
	"context"
	"iter"
	"strconv"
	"testing"

	"pushbatch/batch"
)

// slabbed is a source whose rows lie in slabs, a few to each.
type slabbed struct {
	endless
	taken map[*batch.Slab]bool
}

func (s *slabbed) Rows(_ context.Context, from batch.Position) iter.Seq2[batch.Row, error] {
	return func(yield func(batch.Row, error) bool) {
		const columns = 100 // ten rows a slab
		slabs := batch.NewSlabs(false)
		slab := slabs.Take(columns, nil)
		for n := from.Row; n < s.rows; n++ {
			if len(slab.Free()) < columns {
				slab.Done()
				slab = slabs.Take(columns, nil)
			}
			s.taken[slab] = true
			row := batch.Row{Pos: batch.Position{Row: n}, Next: batch.Position{Row: n + 1}}
			row.Values = slab.Cut(&row, columns)
			if row.Values[0].Kind != batch.Null || row.Values[columns-1].Kind != batch.Null {
				panic("a slab that is used again still has values")
			}
			row.Values[0] = batch.IntValue(n + 1)
			row.Values[columns-1] = batch.IntValue(-n - 1)
			if !yield(row, nil) {
				return
			}
		}
	}
}

// valueSink holds the values of each row to its number.
type valueSink struct {
	nowhere
	t    *testing.T
	rows int64
}

func (s *valueSink) Write(r *batch.Result) error {
	s.rows++
	first, last := r.Row.Values[0].Text, r.Row.Values[len(r.Row.Values)-1].Text
	if want := strconv.FormatInt(r.Row.Num, 10); r.Row.Num != s.rows || first != want || last != "-"+want {
		s.t.Errorf("row %d, the %dth, holds %s and %s", r.Row.Num, s.rows, first, last)
	}
	return nil
}

// The memory of rows is used again only when they are recorded, whatever order
// they end in, and a run needs no more of it than its window holds.
func TestSlabsAreUsedAgain(t *testing.T) {
	t.Parallel()
	const rows, window = 20_000, 64
	source := &slabbed{endless{rows}, make(map[*batch.Slab]bool)}
	sink := &valueSink{t: t}
	job := batch.New(batch.Config{
		Inputs: []batch.Input{{Source: source, Map: func(row *batch.Row) (batch.Request, *batch.Outcome) {
			if row.Num%3 == 0 {
				return nil, &batch.Outcome{Status: batch.Skipped}
			}
			return keyed(strconv.FormatInt(row.Num%7, 10)), nil
		}}},
		Sink: sink, Window: window,
	})
	if err := job.Run(t.Context()); err != nil || sink.rows != rows {
		t.Fatalf("%d rows, %v", sink.rows, err)
	}
	// Beside the window: what is read ahead, twice 2048 rows, and what waits to be
	// used again.
	if most := (window+2*2048)/10 + 64; len(source.taken) > most {
		t.Errorf("%d slabs for %d rows, at most %d were expected", len(source.taken), rows, most)
	}
}

// A row that is not released keeps its values, whatever is read behind it.
func TestRowsThatAreNotReleased(t *testing.T) {
	t.Parallel()
	source := &slabbed{endless{1000}, make(map[*batch.Slab]bool)}
	var kept []batch.Row
	for row := range source.Rows(t.Context(), batch.Position{}) {
		if row.Pos.Row%2 == 0 {
			kept = append(kept, row)
			continue
		}
		row.Release()
	}
	for _, row := range kept {
		if row.Values[0].Text != strconv.FormatInt(row.SourceNum(), 10) {
			t.Fatalf("row %d holds %s", row.SourceNum(), row.Values[0].Text)
		}
	}
}
