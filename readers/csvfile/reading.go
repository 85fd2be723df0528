package csvfile

import (
	"context"
	"fmt"
	"strings"

	"pushbatch/batch"
	"pushbatch/readers/inputerror"
	"pushbatch/readers/textfile"
)

// reading is one pass over the records of a CSV input.
type reading struct {
	textfile.Records
	source *source
	values textfile.Chunk
	faults []batch.Problem // of the cells of the record read last
}

func (s *source) newReading(ctx context.Context, from batch.Position) (*reading, error) {
	records, err := textfile.OpenRecords(ctx, &s.Input, from)
	return &reading{source: s, Records: records}, err
}

// record reads the next record that is no empty line. The error is io.EOF
// after the last one; a problem concerns this record only.
func (r *reading) record() ([]batch.Value, *batch.Problem, error) {
	for {
		text, whole, err := r.take()
		if err != nil {
			return nil, nil, err
		}
		rec := r.source.dialect.split(text, r.values.Take(r.source.width(), len(text))[:0])
		if whole && rec.text == "" {
			continue
		}
		r.Next.Row++
		if !whole || len(rec.text) > r.source.Limit {
			return r.leading(rec.text), r.tooLarge(), nil
		}
		cells, problem := r.checked(&rec)
		return cells, problem, nil
	}
}

// take reads the next record, with its line end; whole is false for one that is too
// large, of which only the beginning is kept.
func (r *reading) take() (text string, whole bool, err error) {
	end := recordEnd{dialect: r.source.dialect, line: r.Next.Line}
	if text, whole, err = r.Take(end.feed); err != nil {
		return "", false, err
	}
	switch {
	case end.found, end.state == afterCR:
	case end.state == inQuotes:
		return "", false, unclosed(end.opened, r.Next.Row+1)
	default: // the last line has no end
		end.line++
	}
	r.Next.Line = end.line
	return text, whole, nil
}

func unclosed(line, row int64) error {
	return &inputerror.Error{
		Code: inputerror.CodeQuote, Line: line, Row: row,
		Err: fmt.Errorf("the quote that opens a cell in line %d is never closed: close it, or double it where it belongs to the text", line),
	}
}

// leading is the cells at the beginning of a record that is too large.
func (r *reading) leading(text string) []batch.Value {
	rec := r.source.dialect.split(strings.Clone(text[:min(len(text), textfile.LeadingBytes)]), nil)
	cells := rec.cells
	if !rec.open {
		cells = cells[:len(cells)-1] // the last one is cut
	}
	return cells[:min(len(cells), max(len(r.source.Columns), 1))]
}
