package csvfile

import (
	"context"
	"fmt"
	"io"

	"pushbatch/batch"
	"pushbatch/readers/inputerror"
	"pushbatch/readers/textfile"
)

// reading is one pass over the records of a CSV input.
type reading struct {
	source *source
	pieces textfile.Pieces
	scan   scan
	at     int // index in scan.text of the next record
	nul    int // first NUL at or after the last position asked for, or len(scan.text)
	rec    record
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
	return &reading{source: s, pieces: pieces, scan: scan{dialect: s.dialect}, next: from}, nil
}

func (r *reading) Close() error { return r.pieces.Close() }

func (r *reading) Position() batch.Position { return r.next }

// record reads the next record that is no empty line. The error is io.EOF
// after the last one; a problem concerns this record only.
func (r *reading) record() ([]batch.Value, *batch.Problem, error) {
	for {
		rec, ok := &r.rec, r.scanNext()
		switch {
		case !ok && len(r.scan.text)-r.at > r.source.Limit+1: // one more: a CR whose LF is still to come
			return r.skipOversized()
		case !ok:
			if err := r.more(); err != nil {
				return nil, nil, err
			}
		case rec.open >= 0:
			breaks := r.scan.lineBreaks(rec.begin, rec.open)
			return nil, nil, unclosed(r.next.Line+breaks, r.next.Row+1)
		case rec.blank:
			r.advance(rec)
		default:
			r.pos = r.next
			r.next.Row++
			r.advance(rec)
			return r.checked(rec)
		}
	}
}

// scanNext scans onto the values of the chunk that no row has yet.
func (r *reading) scanNext() bool {
	if r.at == len(r.scan.text) {
		return false
	}
	return r.scan.record(&r.rec, r.at, r.values.Reserve(r.source.width())[:0])
}

// advance moves the next position after rec.
func (r *reading) advance(rec *record) {
	r.next.Offset += r.source.Text.Length(r.scan.text[rec.begin:rec.next])
	r.next.Line++
	if !rec.plain {
		r.next.Line += r.scan.lineBreaks(rec.begin, rec.end)
	}
	r.at = rec.next
}

// more reads on, keeping the record that is not complete yet.
func (r *reading) more() error {
	if r.scan.end {
		return io.EOF
	}
	text, end, err := r.pieces.More(r.scan.text[r.at:])
	if err != nil {
		return err
	}
	r.restart(text, end)
	return nil
}

func (r *reading) restart(text string, end bool) {
	r.scan.reset(text, end)
	r.at, r.nul = 0, -1
}

func unclosed(line, row int64) error {
	return &inputerror.Error{
		Code: inputerror.CodeQuote, Line: line, Row: row,
		Err: fmt.Errorf("the quote that opens a cell in line %d is never closed: close it, or double it where it belongs to the text", line),
	}
}

// skipOversized passes over the rest of a record that is too large without keeping it.
func (r *reading) skipOversized() ([]batch.Value, *batch.Problem, error) {
	leading := r.leading(r.scan.text[r.at:])
	end := recordEnd{dialect: r.source.dialect, line: r.next.Line}
	r.pos = r.next
	text, last := r.scan.text[r.at:], false
	for {
		n := end.feed(text)
		r.next.Offset += r.source.Text.Length(text[:n])
		text = text[n:]
		if end.found || last {
			break
		}
		var err error
		if text, last, err = r.pieces.More(""); err != nil {
			return nil, nil, err
		}
	}
	if end.state == inQuotes {
		return nil, nil, unclosed(end.opened, r.pos.Row+1)
	}
	r.next.Row++
	r.next.Line = end.line
	r.restart(text, last)
	return leading, r.tooLarge(), nil
}

// leading is the cells at the beginning of a record that is too large.
func (r *reading) leading(text string) []batch.Value {
	scan := scan{dialect: r.source.dialect}
	scan.reset(string([]byte(text[:min(len(text), textfile.LeadingBytes)])), true) // a copy, to let the record go
	var rec record
	scan.record(&rec, 0, nil)
	cells := rec.cells
	if rec.open < 0 {
		cells = cells[:max(len(cells)-1, 0)] // the last one is cut
	}
	return cells[:min(len(cells), max(len(r.source.Columns), 1))]
}
