package textfile

import (
	"context"
	"io"
	"iter"

	"pushbatch/batch"
	"pushbatch/readers/inputerror"
)

// Source is a batch.Source but for its name in the table of formats: the format
// fills in Columns, First and Read before Rows is called.
type Source struct {
	Input
	Dialect string // the format, as people are told
	Columns batch.Header
	First   batch.Position // of the first row
	Read    func(context.Context, batch.Position) (Reading, error)
}

// Reading is one pass over the rows of a text.
type Reading interface {
	// Row reads the next row into what it is given, a zero Row. The error is
	// io.EOF after the last row.
	Row(*batch.Row) error
	// Position is where the next row starts.
	Position() batch.Position
	Close() error
}

// Name implements batch.Source.
func (s *Source) Name() string { return s.Input.Name }

// Header implements batch.Source.
func (s *Source) Header() batch.Header { return s.Columns }

// Identity implements batch.Source.
func (s *Source) Identity() batch.Identity { return s.Input.Identity }

// Detected says what the input was found to be, for people.
func (s *Source) Detected() string { return s.Dialect + ", " + s.Stored }

// Close implements batch.Source.
func (s *Source) Close() error { return s.Text.Close() }

// Decoded is the text below the rows.
func (s *Source) Decoded() Text { return s.Text }

// Rows implements batch.Source.
func (s *Source) Rows(ctx context.Context, from batch.Position) iter.Seq2[batch.Row, error] {
	return func(yield func(batch.Row, error) bool) {
		r, err := s.start(ctx, from)
		if err != nil {
			yield(batch.Row{}, inputerror.Abort(inputerror.Locate(ctx, s.Input.Name, 0, 0, err)))
			return
		}
		defer r.Close()
		var row batch.Row // once: it lies on the heap
		for {
			row = batch.Row{}
			err := r.Row(&row)
			if err == io.EOF {
				return
			}
			if err != nil {
				at := r.Position()
				yield(batch.Row{}, inputerror.Abort(inputerror.Locate(ctx, s.Input.Name, at.Line, at.Row+1, err)))
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
func (s *Source) start(ctx context.Context, from batch.Position) (Reading, error) {
	if from.Row > 0 && s.Once {
		return nil, inputerror.New(inputerror.CodeNotRereadable, "a stream cannot be read from row %d on: save it to a file and start from that", from.Row+1)
	}
	if from.Row == 0 {
		from = s.First
	}
	return s.Read(ctx, from)
}
