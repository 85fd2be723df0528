package readers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"

	"pushbatch/batch"
)

// csvSource is a CSV input with its header read.
//
// It reads what encoding/csv reads in its strict mode, RFC 4180 that is, and
// beyond it: what is quoted stays exactly as it stands (CRLF too); a quote in
// the middle of an unquoted cell is an ordinary character (6" pipe); text
// behind a closing quote is a problem of its row only, and the cell is kept
// raw; a carriage return alone ends a record where the first record ends with
// one. Lines with nothing on them are passed over.
type csvSource struct {
	name     string
	identity batch.Identity
	text     text
	dialect  dialect
	limit    int // MaxRecord
	said     string
	header   batch.Header
	first    batch.Position // of the row behind the header
}

func openCSV(ctx context.Context, o *opening) (batch.Source, error) {
	d, err := findDialect(o.options.Delimiter, o.sample)
	if err != nil {
		return nil, err
	}
	s := &csvSource{
		name: o.info.Location, identity: o.identity, text: o.text, dialect: d, limit: o.options.MaxRecord,
		said: o.described("CSV", d.described()),
	}
	begin := batch.Position{Line: 1, Offset: o.text.start()}
	if d.sepLine != "" {
		begin.Line, begin.Offset = 2, begin.Offset+o.text.length(d.sepLine)
	}
	return s, s.readHeader(ctx, begin)
}

// inHeader takes the row number from an error: a header has none.
func inHeader(err error) error {
	found := new(Error)
	if !errors.As(err, &found) {
		return err
	}
	found.Row = 0
	return found
}

func (s *csvSource) readHeader(ctx context.Context, begin batch.Position) error {
	r, err := s.read(ctx, begin)
	if err != nil {
		return err
	}
	defer r.close()
	cells, problem, err := r.record()
	if err == io.EOF {
		return failure(CodeEmpty, "it has no header")
	}
	if err != nil {
		return inHeader(err)
	}
	if problem != nil {
		return &Error{Code: problem.Code, Line: r.pos.Line, Err: fmt.Errorf("header: %w%s", problem, s.encodingHint(problem))}
	}
	if s.header, err = csvHeader(cells); err != nil {
		return &Error{Code: codeIn(err), Line: r.pos.Line, Err: err}
	}
	s.first = r.next
	s.first.Row = 0
	return nil
}

// encodingHint tells what to try when a header is no UTF-8.
func (s *csvSource) encodingHint(p *batch.Problem) string {
	if p.Code != CodeEncoding || s.text.decode != nil {
		return ""
	}
	return "; if the file was saved by Excel as plain CSV, name its code page, for example --encoding windows-1252"
}

// csvHeader checks the names: each column has one, and no two the same.
func csvHeader(cells []batch.Value) (batch.Header, error) {
	header := make(batch.Header, len(cells))
	seen := make(map[string]int, len(cells))
	for i, cell := range cells {
		name := cell.Text
		if strings.TrimSpace(name) == "" {
			return nil, failure(CodeHeader, "column %d of %d has no name in the header: name it or remove it", i+1, len(cells))
		}
		if at, ok := seen[name]; ok {
			return nil, failure(CodeHeaderRepeat, "columns %d and %d have the same name %q: rename or remove one", at, i+1, name)
		}
		seen[name] = i + 1
		header[i] = batch.Column{Name: name, Kind: batch.Text, Type: "text"}
	}
	return header, nil
}

// Name implements batch.Source.
func (s *csvSource) Name() string { return s.name }

// Header implements batch.Source.
func (s *csvSource) Header() batch.Header { return s.header }

// Identity implements batch.Source.
func (s *csvSource) Identity() batch.Identity { return s.identity }

// Detected implements Described.
func (s *csvSource) Detected() string { return s.said }

// Close implements batch.Source.
func (s *csvSource) Close() error { return s.text.close() }

// Rows implements batch.Source.
func (s *csvSource) Rows(ctx context.Context, from batch.Position) iter.Seq2[batch.Row, error] {
	return func(yield func(batch.Row, error) bool) {
		from, err := startOf(s.text.input, from, s.first)
		if err != nil {
			yield(batch.Row{}, aborted(located(ctx, s.name, 0, 0, err)))
			return
		}
		r, err := s.read(ctx, from)
		if err != nil {
			yield(batch.Row{}, aborted(located(ctx, s.name, from.Line, from.Row+1, err)))
			return
		}
		defer r.close()
		for {
			cells, problem, err := r.record()
			if err == io.EOF {
				return
			}
			if err != nil {
				yield(batch.Row{}, aborted(located(ctx, s.name, r.pos.Line, r.pos.Row+1, err)))
				return
			}
			if !yield(s.row(r, cells, problem), nil) {
				return
			}
		}
	}
}

// startOf turns the zero position into that of the first row, and refuses to
// go on in the middle of what can be read only once.
func startOf(in *input, from, first batch.Position) (batch.Position, error) {
	if in.stream != nil && from.Row > 0 {
		return from, failure(CodeNotRereadable, "a stream cannot be read again from row %d on: save it to a file and start from that", from.Row+1)
	}
	if from.Row == 0 {
		return first, nil
	}
	return from, nil
}

// row makes a row of the record that was read last.
func (s *csvSource) row(r *csvReading, cells []batch.Value, problem *batch.Problem) batch.Row {
	row := batch.Row{Pos: r.pos, Next: r.next, Values: cells, Err: problem}
	if columns := len(s.header); len(cells) != columns {
		s.fit(&row, columns)
	}
	return row
}

// fit gives a ragged row its problem and as many values as there are columns.
func (s *csvSource) fit(row *batch.Row, columns int) {
	found := len(row.Values)
	if found > columns {
		row.Values, row.Excess = row.Values[:columns:columns], row.Values[columns:]
	}
	for len(row.Values) < columns {
		row.Values = append(row.Values, batch.Value{})
	}
	if row.Err == nil {
		row.Err = &batch.Problem{
			Code:    CodeFieldCount,
			Message: fmt.Sprintf("line %d: expected %d cells as in the header, found %d", row.Pos.Line, columns, found),
		}
	}
}
