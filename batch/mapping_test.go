package batch_test

import (
	"errors"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"pushbatch/batch"
)

// counting is a mapper that uses its memory again and counts the rows it got. Of
// every hundred rows one is rejected.
func counting(rows *int64) batch.Mapper {
	var payload []byte
	var out batch.Outcome
	return func(row *batch.Row) (batch.Request, *batch.Outcome) {
		*rows++
		payload = strconv.AppendInt(payload[:0], row.Num, 10)
		out = batch.Outcome{Status: batch.Skipped, Payload: payload}
		if row.Num%100 == 0 {
			out.Status = batch.Rejected
		}
		return nil, &out
	}
}

// payloadSink wants each row's own payload, in order.
type payloadSink struct {
	nowhere
	t    *testing.T
	rows int64
}

func (s *payloadSink) Write(r *batch.Result) error {
	s.rows++
	if want := strconv.FormatInt(s.rows, 10); r.Row.Num != s.rows || string(r.Payload) != want {
		s.t.Errorf("row %s is number %d, with the payload %s", want, r.Row.Num, r.Payload)
	}
	return nil
}

// Several mappers share the rows, each in one goroutine, and nothing of it shows:
// order, limit and threshold are those of one mapper.
func TestMoreMappers(t *testing.T) {
	t.Parallel()
	threshold, err := batch.ParseThreshold("5")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		cfg  batch.Config
		rows int64
		err  error
	}{
		{"all", batch.Config{}, 20_000, nil},
		{"limit", batch.Config{Limit: 7_001}, 7_001, nil},
		{"too many errors", batch.Config{MaxErrors: threshold}, 600, batch.ErrTooManyErrors},
		{"canary", batch.Config{Canary: 550}, 100, batch.ErrCanary},
		{"canary that lives", batch.Config{Canary: 99}, 20_000, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var mapped [3]int64
			sink := &payloadSink{t: t}
			cfg := tt.cfg
			cfg.Sink = sink
			cfg.Inputs = []batch.Input{{
				Source: endless{20_000}, Map: counting(&mapped[0]),
				More: []batch.Mapper{counting(&mapped[1]), counting(&mapped[2])},
			}}
			if err := batch.New(cfg).Run(t.Context()); !errors.Is(err, tt.err) || sink.rows != tt.rows {
				t.Errorf("%d rows, %v; want %d, %v", sink.rows, err, tt.rows, tt.err)
			}
			for i, n := range mapped {
				if n == 0 {
					t.Errorf("mapper %d got no row", i)
				}
			}
		})
	}
}

// unhurriedSink takes a millisecond for a row.
type unhurriedSink struct{ nowhere }

func (unhurriedSink) Write(*batch.Result) error { time.Sleep(time.Millisecond); return nil }

// Rows that need no request stand in no checkpoint, however many wait to be
// recorded: a resumed run finds again what became of them.
func TestMappedRowsAreNotCarried(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var mapped, saves int64
		cfg := batch.Config{
			Sink: unhurriedSink{}, Inputs: []batch.Input{{Source: endless{5_000}, Map: counting(&mapped)}},
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
