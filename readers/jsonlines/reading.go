package jsonlines

import (
	"context"
	"fmt"
	"strings"

	"pushbatch/batch"
	"pushbatch/readers/inputerror"
	"pushbatch/readers/textfile"
)

// reading is one pass over the lines of an NDJSON input.
type reading struct {
	textfile.Records
	source *source
	chunk  textfile.Chunk

	record  record
	values  []batch.Value   // of the row being read
	seen    []int64         // for each column the row, from 1, that had it last
	guess   int             // the column that comes next if names come in the usual order
	unknown string          // the first name that is no column
	faults  []batch.Problem // values that are no text in the encoding, though the line can be read
}

func (s *source) newReading(ctx context.Context, from batch.Position) (*reading, error) {
	records, err := textfile.OpenRecords(ctx, &s.Input, from)
	r := &reading{source: s, Records: records, seen: make([]int64, len(s.Columns))}
	r.record.field = r.field
	return r, err
}

// line reads the next line that is not blank. It reports false for one that is
// too large, which is passed over.
func (r *reading) line() (line string, ok bool, err error) {
	for {
		if line, ok, err = r.Take(lineEnd); err != nil {
			return "", false, err
		}
		r.Next.Line++
		line = strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r")
		if ok = ok && len(line) <= r.source.Limit; ok && strings.TrimLeft(line, " \t\r") == "" {
			continue
		}
		r.Next.Row++
		return line, ok, nil
	}
}

func lineEnd(text string) (bytes int, found bool) {
	if i := strings.IndexByte(text, '\n'); i >= 0 {
		return i + 1, true
	}
	return len(text), false
}

// Row implements textfile.Reading.
func (r *reading) Row(row *batch.Row) error {
	line, ok, err := r.line()
	if err != nil {
		return err
	}
	r.values = r.chunk.Take(len(r.source.Columns), len(line))
	row.Pos, row.Next, row.Values = r.Pos, r.Next, r.values
	if !ok {
		row.Err = &batch.Problem{
			Code:    inputerror.CodeTooLarge,
			Message: fmt.Sprintf("line %d: the record has more than %d bytes", r.Pos.Line, r.source.Limit),
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
// it can be fixed where the rows are given back.
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
			Message: fmt.Sprintf("line %d: the first records do not have this field: add it to the first record (null will do) or remove it", r.Pos.Line),
		}
	}
	return nil
}

func (r *reading) problem(fault *jsonFault, column string) *batch.Problem {
	return &batch.Problem{Code: fault.code, Column: column, Message: fmt.Sprintf("line %d, byte %d: %s", r.Pos.Line, fault.at+1, fault.say)}
}

// field puts a value into its column.
func (r *reading) field(name []byte, value batch.Value) *jsonFault {
	at := r.guess
	if at >= len(r.source.Columns) || r.source.Columns[at].Name != string(name) {
		var known bool
		if at, known = r.source.columns[string(name)]; !known {
			r.noColumn(string(name), value)
			return nil
		}
	}
	if r.seen[at] == r.Next.Row {
		return &jsonFault{code: inputerror.CodeJSONRepeat, at: r.record.at, say: "the record has the same name twice"}
	}
	r.seen[at], r.guess = r.Next.Row, at+1
	r.values[at] = value
	if flaw := r.record.flaw; flaw != nil {
		r.record.flaw = nil
		r.faults = append(r.faults, *r.problem(flaw, r.source.Columns[at].Name))
	}
	return nil
}

// noColumn remembers a field that would be lost. An object that is flattened
// loses nothing by being null.
func (r *reading) noColumn(name string, value batch.Value) {
	r.record.flaw = nil
	if r.unknown != "" || strings.HasPrefix(name, "_") || value.Kind == batch.Null && batch.Flattened(name) {
		return
	}
	r.unknown = name
}
