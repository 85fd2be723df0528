package csvfile

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
	"unique"

	"pushbatch/batch"
	"pushbatch/readers/inputerror"
	"pushbatch/readers/textfile"
)

// source is a CSV input with its header read.
//
// It reads what encoding/csv reads in its strict mode, RFC 4180 that is, and
// beyond it: what is quoted stays exactly as it stands (CRLF too); a quote in
// the middle of an unquoted cell is an ordinary character (6" pipe); text
// after a closing quote is a problem of its row only, and the cell is kept
// raw; a carriage return alone ends a record where the first record ends with
// one. Lines with nothing on them are passed over. A header that ends with
// delimiters has so many columns fewer; rows may have those cells, empty.
type source struct {
	textfile.Source
	dialect dialect
	unnamed int // empty cells at the end of the header
}

// Open finds out the dialect by a sample, the text's beginning, and reads the
// header. The delimiter is one character of ASCII or its name; empty or auto: it
// is detected.
func Open(ctx context.Context, in textfile.Input, delimiter, sample string) (batch.Source, error) {
	d, err := findDialect(delimiter, sample)
	if err != nil {
		return nil, err
	}
	s := &source{Source: textfile.Source{Input: in, Dialect: "CSV, " + d.described()}, dialect: d}
	s.Read = func(ctx context.Context, from batch.Position) (textfile.Reading, error) {
		return s.newReading(ctx, from)
	}
	begin := batch.Position{Line: 1, Offset: in.Text.Start()}
	if d.sepLine != "" {
		begin.Line, begin.Offset = 2, begin.Offset+in.Text.Length(d.sepLine)
	}
	return s, s.readHeader(ctx, begin)
}

// inHeader takes the row number from an error: a header has none.
func inHeader(err error) error {
	found := new(inputerror.Error)
	if !errors.As(err, &found) {
		return err
	}
	found.Row = 0
	return found
}

func (s *source) readHeader(ctx context.Context, begin batch.Position) error {
	r, err := s.newReading(ctx, begin)
	if err != nil {
		return err
	}
	defer r.Close()
	cells, problem, err := r.record()
	if err != nil {
		return textfile.EmptyInput(inHeader(err))
	}
	if problem != nil {
		return headerProblem(r.Pos.Line, problem)
	}
	named := len(cells)
	for named > 1 && strings.TrimSpace(cells[named-1].Text) == "" {
		named--
	}
	header, refusal := newHeader(cells[:named])
	if refusal != nil {
		refusal.Line = r.Pos.Line
		return refusal
	}
	s.Columns, s.unnamed = header, len(cells)-named
	s.First = r.Next
	s.First.Row = 0
	return nil
}

// headerProblem makes the error of a header that has the problem of a row. It
// names the line once.
func headerProblem(line int64, p *batch.Problem) *inputerror.Error {
	where := "the header"
	if p.Column != "" {
		where += ", column " + p.Column
	}
	message := strings.TrimPrefix(p.Message, fmt.Sprintf("line %d: ", line))
	return &inputerror.Error{Code: p.Code, Line: line, Err: fmt.Errorf("%s: %s", where, message)}
}

// newHeader checks the names: each column has one, and no two the same.
func newHeader(cells []batch.Value) (batch.Header, *inputerror.Error) {
	if len(cells) > textfile.MaxColumns {
		return nil, textfile.TooManyColumns(len(cells))
	}
	header := make(batch.Header, len(cells))
	seen := make(map[string]int, len(cells))
	for i, cell := range cells {
		name := unique.Make(cell.Text).Value() // it must not keep the piece of text that it lies in; thousands of parts share it
		if strings.TrimSpace(name) == "" {
			return nil, inputerror.New(inputerror.CodeHeader, "column %d of %d has no name in the header: name it or remove it", i+1, len(cells))
		}
		if at, ok := seen[name]; ok {
			return nil, inputerror.New(inputerror.CodeHeaderRepeat, "columns %d and %d have the same name %q: rename or remove one", at, i+1, name)
		}
		seen[name] = i + 1
		header[i] = batch.Column{Name: name, Kind: batch.Text, Type: "text"}
	}
	return header, nil
}

// Row implements textfile.Reading.
func (r *reading) Row(row *batch.Row) error {
	cells, problem, err := r.record()
	if err != nil {
		return err
	}
	columns := len(r.source.Columns)
	if n := len(cells); n > columns && n <= r.source.width() && allEmpty(cells[columns:]) {
		cells = cells[:columns:columns]
	}
	row.Pos, row.Next = r.Pos, r.Next
	row.Values, row.Err = cells, problem
	row.Faults = r.faults
	if len(cells) != columns {
		fit(row, columns)
	} else if row.Err == nil && r.source.isHeader(cells) {
		row.Err = &batch.Problem{
			Code:    inputerror.CodeRepeatedRow,
			Message: fmt.Sprintf("line %d: the header stands here once more, as after joining files: remove the line", row.Pos.Line),
		}
	}
	return nil
}

// width is how many cells a row may have.
func (s *source) width() int { return len(s.Columns) + s.unnamed }

func allEmpty(cells []batch.Value) bool {
	return !slices.ContainsFunc(cells, func(v batch.Value) bool { return v.Text != "" })
}

// isHeader reports whether a row has the names of the columns for its cells.
func (s *source) isHeader(cells []batch.Value) bool {
	for i, cell := range cells {
		if !sameName(cell.Text, s.Columns[i].Name) {
			return false
		}
	}
	return len(cells) > 0
}

// sameName reports whether two texts name the same column: letter case, spaces, -
// and _ do not count, nor does what a file that was joined had around its header.
func sameName(a, b string) bool {
	for {
		var x, y rune
		if x, a = cutCounted(a); x < 0 {
			y, _ = cutCounted(b)
			return y < 0
		}
		if y, b = cutCounted(b); x != y {
			return false
		}
	}
}

// cutCounted cuts the first letter that counts off a name; -1: there is none.
func cutCounted(s string) (lower rune, rest string) {
	for s != "" {
		r, size := utf8.DecodeRuneInString(s)
		s = s[size:]
		switch r {
		case ' ', '-', '_', '\u00a0', '\ufeff', '"':
		default:
			return unicode.ToLower(r), s
		}
	}
	return -1, ""
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
			Code:    inputerror.CodeFieldCount,
			Message: fmt.Sprintf("line %d: expected %d cells as in the header, found %d", row.Pos.Line, columns, found),
		}
	}
}
