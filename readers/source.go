package readers

import (
	"context"
	"io"
	"iter"

	"pushbatch/batch"
)

// textSource is what the sources of text formats have in common: everything
// but how text becomes rows.
type textSource struct {
	name     string
	identity batch.Identity
	text     text
	limit    int // MaxRecord
	said     string
	header   batch.Header
	first    batch.Position // of the first row
	read     func(context.Context, batch.Position) (textReading, error)
}

// textReading is one pass over the rows of a text.
type textReading interface {
	// row reads the next row into what it is given, a zero Row. The error is
	// io.EOF behind the last row.
	row(*batch.Row) error
	// position is where the next row starts.
	position() batch.Position
	close() error
}

func newTextSource(o *opening) textSource {
	return textSource{name: o.info.Location, identity: o.identity, text: o.text, limit: o.options.MaxRecord}
}

// Name implements batch.Source.
func (s *textSource) Name() string { return s.name }

// Header implements batch.Source.
func (s *textSource) Header() batch.Header { return s.header }

// Identity implements batch.Source.
func (s *textSource) Identity() batch.Identity { return s.identity }

// Detected implements Described.
func (s *textSource) Detected() string { return s.said }

// Close implements batch.Source.
func (s *textSource) Close() error { return s.text.close() }

// Rows implements batch.Source.
func (s *textSource) Rows(ctx context.Context, from batch.Position) iter.Seq2[batch.Row, error] {
	return func(yield func(batch.Row, error) bool) {
		r, err := s.start(ctx, from)
		if err != nil {
			yield(batch.Row{}, aborted(located(ctx, s.name, 0, 0, err)))
			return
		}
		defer r.close()
		var row batch.Row // once: it lies on the heap
		for {
			row = batch.Row{}
			err := r.row(&row)
			if err == io.EOF {
				return
			}
			if err != nil {
				at := r.position()
				yield(batch.Row{}, aborted(located(ctx, s.name, at.Line, at.Row+1, err)))
				return
			}
			if !yield(row, nil) {
				return
			}
		}
	}
}

// start opens a reading. The zero position is that of the first row; a stream
// cannot be entered anywhere else.
func (s *textSource) start(ctx context.Context, from batch.Position) (textReading, error) {
	if from.Row > 0 && s.text.stream != nil {
		return nil, failure(CodeNotRereadable, "a stream cannot be read from row %d on: save it to a file and start from that", from.Row+1)
	}
	if from.Row == 0 {
		from = s.first
	}
	return s.read(ctx, from)
}

// emptyInput turns the end of an input that had nothing into an error.
func emptyInput(err error) error {
	if err == io.EOF {
		return failure(CodeEmpty, "it has no header and no record")
	}
	return err
}
