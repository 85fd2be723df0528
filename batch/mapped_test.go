package batch_test

import (
	"testing"
	"testing/synctest"
	"time"

	"pushbatch/batch"
)

func skipped(*batch.Row) (batch.Request, *batch.Outcome) {
	return nil, &batch.Outcome{Status: batch.Skipped}
}

// unhurriedSink takes a millisecond for a row.
type unhurriedSink struct{ nowhere }

func (unhurriedSink) Write(*batch.Result) error { time.Sleep(time.Millisecond); return nil }

// Rows that need no request stand in no checkpoint, however many wait to be
// recorded: a resumed run finds again what became of them.
func TestMappedRowsAreNotCarried(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var saves int64
		cfg := batch.Config{
			Sink: unhurriedSink{}, Inputs: []batch.Input{{Source: endless{5_000}, Map: skipped}},
			Save: func(c *batch.Checkpoint) error {
				if saves++; len(c.Waiting) > 0 {
					t.Errorf("the checkpoint at row %d carries %d rows", c.Rows, len(c.Waiting))
				}
				return nil
			},
		}
		if err := batch.New(cfg).Run(t.Context()); err != nil || saves < 4 {
			t.Errorf("%d checkpoints, %v", saves, err)
		}
	})
}
