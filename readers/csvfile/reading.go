package csvfile

import (
	"context"
	"fmt"
	"io"
	"strings"

	"pushbatch/batch"
	"pushbatch/readers/inputerror"
	"pushbatch/readers/textfile"
)

// reading is one pass over the records of a CSV input.
type reading struct {
	source *source
	pieces textfile.Pieces
	text   string // from the next record on
	end    bool   // nothing follows text
	values textfile.Chunk
	faults []batch.Problem // of the cells of the record read last

	pos  batch.Position // of the record read last
	next batch.Position // of the one after it
}

func (s *source) newReading(ctx context.Context, from batch.Position) (*reading, error) {
	pieces, err := textfile.OpenPieces(ctx, &s.Input, from.Offset)
	if err != nil {
		return nil, err
	}
	return &reading{source: s, pieces: pieces, next: from}, nil
}

func (r *reading) Close() error { return r.pieces.Close() }

func (r *reading) Position() batch.Position { return r.next }

// record reads the next record that is no empty line. The error is io.EOF
// after the last one; a problem concerns this record only.
func (r *reading) record() ([]batch.Value, *batch.Problem, error) {
	for {
		text, whole, err := r.take()
		if err != nil {
			return nil, nil, err
		}
		rec := r.source.dialect.split(text, r.values.Reserve(r.source.width())[:0])
		if whole && rec.text == "" {
			continue
		}
		r.next.Row++
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
	r.pos, whole = r.next, true
	end := recordEnd{dialect: r.source.dialect, line: r.next.Line}
	read := 0 // bytes of r.text
	for {
		if read += end.feed(r.text[read:]); end.found || r.end {
			break
		}
		if whole && len(r.text) > r.source.Limit+1 { // one more: a CR whose LF is still to come
			text, whole = r.text[:min(len(r.text), textfile.LeadingBytes)], false
		}
		if !whole {
			r.advance(read)
			read = 0
		}
		if r.text, r.end, err = r.pieces.More(r.text); err != nil {
			return "", false, err
		}
	}
	switch {
	case end.found:
	case end.state == inQuotes:
		return "", false, unclosed(end.opened, r.next.Row+1)
	case whole && read == 0:
		return "", false, io.EOF
	case end.state != afterCR:
		end.line++
	}
	if whole {
		text = r.text[:read]
	}
	r.advance(read)
	r.next.Line = end.line
	return text, whole, nil
}

// advance passes over bytes of the text.
func (r *reading) advance(bytes int) {
	r.next.Offset += r.source.Text.Length(r.text[:bytes])
	r.text = r.text[bytes:]
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
