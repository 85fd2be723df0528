package jsonlines

import (
	"context"
	"fmt"
	"io"
	"strings"

	"pushbatch/batch"
	"pushbatch/readers/inputerror"
	"pushbatch/readers/textfile"
)

// reading is one pass over the lines of an NDJSON input.
type reading struct {
	source *source
	pieces textfile.Pieces
	text   string
	end    bool // nothing follows text
	at     int  // index in text of the next line
	chunk  textfile.Chunk

	pos  batch.Position // of the line read last
	next batch.Position // of the one after it

	record  record
	values  []batch.Value   // of the row being read
	seen    []int64         // for each column the row, from 1, that had it last
	guess   int             // the column that comes next if names come in the usual order
	unknown string          // the first name that is no column
	faults  []batch.Problem // values that are no text in the encoding, though the line can be read
}

func (s *source) newReading(ctx context.Context, from batch.Position) (*reading, error) {
	pieces, err := textfile.OpenPieces(ctx, &s.Input, from.Offset)
	if err != nil {
		return nil, err
	}
	r := &reading{source: s, pieces: pieces, next: from, seen: make([]int64, len(s.Columns))}
	r.record.field = r.field
	return r, nil
}

func (r *reading) Close() error { return r.pieces.Close() }

func (r *reading) Position() batch.Position { return r.next }

// line reads the next line that is not blank. It reports false for one that is
// too large, which is passed over.
func (r *reading) line() (line string, ok bool, err error) {
	for {
		rest := r.text[r.at:]
		i := strings.IndexByte(rest, '\n')
		switch {
		case i < 0 && len(rest) > r.source.Limit+1:
			return "", false, r.skipOversized()
		case i < 0 && !r.end:
			if err := r.more(rest); err != nil {
				return "", false, err
			}
			continue
		case i < 0 && rest == "":
			return "", false, io.EOF
		case i < 0:
			line, i = rest, len(rest)-1
		default:
			line = rest[:i]
		}
		r.pos = r.next
		r.advance(rest[:i+1])
		r.next.Line++
		line = strings.TrimSuffix(line, "\r")
		if ok = len(line) <= r.source.Limit; ok && strings.TrimLeft(line, " \t\r") == "" {
			continue
		}
		r.next.Row++
		return line, ok, nil
	}
}

// more reads on after rest.
func (r *reading) more(rest string) (err error) {
	r.text, r.end, err = r.pieces.More(rest)
	if err == nil {
		r.at = 0
	}
	return err
}

func (r *reading) advance(read string) {
	r.next.Offset += r.source.Text.Length(read)
	r.at += len(read)
}

// skipOversized passes over a line that is too large without keeping it.
func (r *reading) skipOversized() error {
	r.pos = r.next
	for {
		rest := r.text[r.at:]
		if i := strings.IndexByte(rest, '\n'); i >= 0 {
			r.advance(rest[:i+1])
			break
		}
		r.advance(rest)
		if r.end {
			break
		}
		if err := r.more(""); err != nil {
			return err
		}
	}
	r.next.Row++
	r.next.Line++
	return nil
}

// Row implements textfile.Reading.
func (r *reading) Row(row *batch.Row) error {
	line, ok, err := r.line()
	if err != nil {
		return err
	}
	r.values = r.chunk.Take(len(r.source.Columns))
	row.Pos, row.Next, row.Values = r.pos, r.next, r.values
	if !ok {
		row.Err = &batch.Problem{
			Code:    inputerror.CodeTooLarge,
			Message: fmt.Sprintf("line %d: the record has more than %d bytes", r.pos.Line, r.source.Limit),
		}
		return nil
	}
	if row.Err = r.decode(line); row.Err != nil {
		row.Excess = leadingText(line)
	} else if len(r.faults) > 0 {
		row.Err, row.Faults = &r.faults[0], r.faults
	}
	return nil
}

// leadingText is a line that could not be made a row, or its beginning, so that
// it can be mended where the rows are given back.
func leadingText(line string) []batch.Value {
	cut := line
	if len(line) > textfile.LeadingBytes {
		cut = strings.ToValidUTF8(line[:textfile.LeadingBytes], "") + "…"
	}
	return []batch.Value{batch.TextValue(strings.Clone(cut))}
}

func (r *reading) decode(line string) *batch.Problem {
	r.guess, r.unknown, r.faults = 0, "", nil
	r.record.jsonText = jsonText{line: line, stored: r.source.Text}
	if fault := r.record.read(); fault != nil {
		return r.problem(fault, "")
	}
	if r.unknown != "" {
		return &batch.Problem{
			Code: inputerror.CodeUnknownField, Column: r.unknown,
			Message: fmt.Sprintf("line %d: the first records do not have this field: add it to the first record (null will do) or remove it", r.pos.Line),
		}
	}
	return nil
}

func (r *reading) problem(fault *jsonFault, column string) *batch.Problem {
	return &batch.Problem{Code: fault.code, Column: column, Message: fmt.Sprintf("line %d, byte %d: %s", r.pos.Line, fault.at+1, fault.say)}
}

// field puts a value into its column.
func (r *reading) field(f fieldName, value batch.Value) *jsonFault {
	at := r.guess
	if at >= len(r.source.fields) || r.source.fields[at] != f {
		var known bool
		if at, known = r.source.columns[f]; !known {
			r.noColumn(f, value)
			return nil
		}
	}
	if r.seen[at] == r.next.Row {
		return &jsonFault{code: inputerror.CodeJSONRepeat, at: r.record.at, say: "the record has the same name twice"}
	}
	r.seen[at], r.guess = r.next.Row, at+1
	r.values[at] = value
	if flaw := r.record.flaw; flaw != nil {
		r.record.flaw = nil
		r.faults = append(r.faults, *r.problem(flaw, r.source.Columns[at].Name))
	}
	return nil
}

// noColumn remembers a field that would be lost. An object that is flattened
// loses nothing by being null.
func (r *reading) noColumn(f fieldName, value batch.Value) {
	name := f.String()
	r.record.flaw = nil
	if r.unknown != "" || strings.HasPrefix(name, "_") || value.Kind == batch.Null && batch.Flattened(name) {
		return
	}
	r.unknown = name
}
