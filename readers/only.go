package readers

import (
	"context"
	"fmt"
	"iter"

	"pushbatch/batch"
	"pushbatch/readers/inputerror"
)

// Only returns source with only some of its rows. wanted yields their 1-based
// numbers in the source, rising; it is asked anew for every reading. Positions
// stay those of the source, so that a run over some rows can be resumed.
func Only(source batch.Source, wanted func(context.Context) iter.Seq2[int64, error]) batch.Source {
	return &only{source, wanted}
}

type only struct {
	batch.Source
	wanted func(context.Context) iter.Seq2[int64, error]
}

func (o *only) unwrap() batch.Source { return o.Source }

// Rows implements batch.Source.
func (o *only) Rows(ctx context.Context, from batch.Position) iter.Seq2[batch.Row, error] {
	return func(yield func(batch.Row, error) bool) {
		next, stop := iter.Pull2(o.wanted(ctx))
		defer stop()
		want, err, more := next()
		for more && err == nil && want <= from.Row {
			want, err, more = next()
		}
		for row, rowErr := range o.Source.Rows(ctx, from) {
			if err != nil || !more {
				break
			}
			if rowErr == nil && row.SourceNum() != want {
				continue
			}
			if !yield(row, rowErr) || rowErr != nil {
				return
			}
			want, err, more = next()
		}
		o.end(want, err, more, yield)
	}
}

// end reports what made the reading end before every wanted row was found.
func (o *only) end(want int64, err error, more bool, yield func(batch.Row, error) bool) {
	if err == nil && more {
		err = &batch.Abort{Code: inputerror.CodeChanged, Err: fmt.Errorf("read %s: row %d is not there any more", o.Name(), want)}
	}
	if err != nil {
		yield(batch.Row{}, err)
	}
}
