package batch_test

import (
	"context"
	"iter"
	"strconv"
	"testing"
	"time"

	"pushbatch/batch"
)

// endless yields the same row over and over, as quickly as can be.
type endless struct{ rows int64 }

func (endless) Name() string             { return "endless" }
func (endless) Header() batch.Header     { return nil }
func (endless) Identity() batch.Identity { return batch.Identity{} }
func (endless) Close() error             { return nil }

func (e endless) Rows(_ context.Context, from batch.Position) iter.Seq2[batch.Row, error] {
	values := []batch.Value{batch.TextValue("device"), batch.TextValue("Ana")}
	return func(yield func(batch.Row, error) bool) {
		for n := from.Row; n < e.rows; n++ {
			if !yield(batch.Row{Pos: batch.Position{Row: n}, Next: batch.Position{Row: n + 1}, Values: values}, nil) {
				return
			}
		}
	}
}

// nowhere is a sink that forgets.
type nowhere struct{}

func (nowhere) Write(*batch.Result) error  { return nil }
func (nowhere) Flush() (batch.Mark, error) { return nil, nil }
func (nowhere) Close() error               { return nil }

// BenchmarkJob measures the engine alone: rows that are settled without a
// request, and requests that return at once, each with a key of its own. The
// floor is the same rows through one channel from one goroutine to another.
func BenchmarkJob(b *testing.B) {
	settled := batch.Outcome{Status: batch.Skipped}
	mappers := map[string]batch.Mapper{
		"settled": func(*batch.Row) (batch.Request, *batch.Outcome) { return nil, &settled },
		"sent": func(row *batch.Row) (batch.Request, *batch.Outcome) {
			return keyed(strconv.FormatInt(row.Num, 10)), nil
		},
	}
	for _, name := range []string{"settled", "sent"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			job := batch.New(batch.Config{
				Inputs: []batch.Input{{Source: endless{int64(b.N)}, Map: mappers[name]}}, Sink: nowhere{},
			})
			if err := job.Run(b.Context()); err != nil {
				b.Fatal(err)
			}
			took := b.Elapsed()
			b.StopTimer()
			b.ReportMetric(float64(b.N)/took.Seconds(), "rows/s")
			b.ReportMetric(float64(took)/float64(floor(b.Context(), int64(b.N))), "x_floor")
		})
	}
}

// keyed is a request that succeeds at once.
type keyed string

func (k keyed) Keys() []string { return []string{string(k)} }

func (keyed) Send(context.Context) (batch.Outcome, error) {
	return batch.Outcome{Status: batch.Succeeded, Attempts: 1}, nil
}

// floor is how long the rows take through a channel.
func floor(ctx context.Context, rows int64) time.Duration {
	began := time.Now()
	through := make(chan batch.Result, 1024)
	go func() { // ends with the rows
		defer close(through)
		for row := range (endless{rows}).Rows(ctx, batch.Position{}) {
			through <- batch.Result{Row: row, Outcome: batch.Outcome{Status: batch.Skipped}}
		}
	}()
	var tally batch.Tally
	for r := range through {
		tally.Rows += int64(r.Status) / int64(batch.Skipped)
	}
	return max(1, time.Since(began))
}
