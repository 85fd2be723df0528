package readers

import (
	"context"
	"errors"
	"fmt"
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
	textSource
	dialect dialect
}

func openCSV(ctx context.Context, o *opening) (batch.Source, error) {
	d, err := findDialect(o.options.Delimiter, o.sample)
	if err != nil {
		return nil, err
	}
	s := &csvSource{textSource: newTextSource(o), dialect: d}
	s.said = o.described("CSV", d.described())
	s.read = func(ctx context.Context, from batch.Position) (textReading, error) { return s.newReading(ctx, from) }
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
	r, err := s.newReading(ctx, begin)
	if err != nil {
		return err
	}
	defer r.close()
	cells, problem, err := r.record()
	if err != nil {
		return emptyInput(inHeader(err))
	}
	if problem != nil {
		return headerProblem(r.pos.Line, problem)
	}
	header, refusal := csvHeader(cells)
	if refusal != nil {
		refusal.Line = r.pos.Line
		return refusal
	}
	s.header = header
	s.first = r.next
	s.first.Row = 0
	return nil
}

// headerProblem makes the error of a header that has the problem of a row. It
// names the line once.
func headerProblem(line int64, p *batch.Problem) *Error {
	where := "the header"
	if p.Column != "" {
		where += ", column " + p.Column
	}
	said := strings.TrimPrefix(p.Message, fmt.Sprintf("line %d: ", line))
	return &Error{Code: p.Code, Line: line, Err: fmt.Errorf("%s: %s", where, said)}
}

// maxColumns is how many columns an input may have: as many as a spreadsheet.
const maxColumns = 16_384

func tooManyColumns(columns int) *Error {
	return failure(CodeHeader, "it has %d columns, at most %d can be read: remove those that are not needed, or look for a wrong delimiter", columns, maxColumns)
}

// csvHeader checks the names: each column has one, and no two the same.
func csvHeader(cells []batch.Value) (batch.Header, *Error) {
	if len(cells) > maxColumns {
		return nil, tooManyColumns(len(cells))
	}
	header := make(batch.Header, len(cells))
	seen := make(map[string]int, len(cells))
	for i, cell := range cells {
		name := strings.Clone(cell.Text) // it must not keep the piece of text that it lies in
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

// row implements textReading.
func (r *csvReading) row(row *batch.Row) error {
	cells, problem, err := r.record()
	if err != nil {
		return err
	}
	columns := len(r.source.header)
	r.values.take(columns) // where the cells lie, unless they are too many
	row.Pos, row.Next = r.pos, r.next
	row.Values, row.Err = cells, problem
	row.Faults = r.faults
	if len(cells) != columns {
		fit(row, columns)
	} else if row.Err == nil && r.source.isHeader(cells) {
		row.Err = &batch.Problem{
			Code:    CodeRepeatedRow,
			Message: fmt.Sprintf("line %d: the header stands here once more, as after joining files: remove the line", row.Pos.Line),
		}
	}
	return nil
}

// isHeader reports whether a row has the names of the columns for its cells; a
// byte order mark may stand before the first one.
func (s *csvSource) isHeader(cells []batch.Value) bool {
	for i, cell := range cells {
		if text := cell.Text; text != s.header[i].Name && (i > 0 || strings.TrimPrefix(text, "\ufeff") != s.header[i].Name) {
			return false
		}
	}
	return len(cells) > 0
}

// fit gives a ragged row its problem and as many values as there are columns.
func fit(row *batch.Row, columns int) {
	found := len(row.Values)
	if found > columns {
		row.Values, row.Excess = row.Values[:columns:columns], row.Values[columns:]
	}
	for len(row.Values) < columns {
		row.Values = append(row.Values, batch.Value{})
	}
	row.Faults = nil // which column a cell belongs to is not known
	if row.Err == nil {
		row.Err = &batch.Problem{
			Code:    CodeFieldCount,
			Message: fmt.Sprintf("line %d: expected %d cells as in the header, found %d", row.Pos.Line, columns, found),
		}
	}
}
