package csvfile

import (
	"fmt"
	"strings"

	"pushbatch/batch"
	"pushbatch/readers/inputerror"
)

// checked returns the cells of rec, and its problem if it has one.
func (r *reading) checked(rec *record) ([]batch.Value, *batch.Problem) {
	r.faults = nil
	switch {
	case rec.stray > 0:
		return rec.cells, r.strayProblem(rec)
	case strings.IndexByte(rec.text, 0) >= 0, r.source.Text.InvalidAt(rec.text) >= 0:
		if r.faults = r.cellFaults(rec); len(r.faults) == 0 {
			return rec.cells, r.encodingFault(0, 0, rec.text)
		}
		return rec.cells, &r.faults[0]
	}
	return rec.cells, nil
}

func (r *reading) tooLarge() *batch.Problem {
	return &batch.Problem{
		Code:    inputerror.CodeTooLarge,
		Message: fmt.Sprintf("line %d: the record has more than %d bytes%s", r.Pos.Line, r.source.Limit, r.lines()),
	}
}

// cellFaults are the cells of rec that have a NUL or are not text in the input's
// encoding.
func (r *reading) cellFaults(rec *record) (faults []batch.Problem) {
	for i, cell := range rec.cells {
		if strings.IndexByte(cell.Text, 0) >= 0 {
			faults = append(faults, batch.Problem{
				Code: inputerror.CodeNUL, Column: r.columnName(i),
				Message: fmt.Sprintf("line %d: the cell has a NUL character: remove it, or name the encoding if the file is UTF-16", r.Pos.Line),
			})
		} else if at := r.source.Text.InvalidAt(cell.Text); at >= 0 {
			faults = append(faults, *r.encodingFault(i, at, cell.Text))
		}
	}
	return faults
}

func (r *reading) encodingFault(column, at int, text string) *batch.Problem {
	return &batch.Problem{
		Code: inputerror.CodeEncoding, Column: r.columnName(column),
		Message: fmt.Sprintf("line %d: the cell is not valid %s at byte %d%s", r.Pos.Line, r.source.Text.EncodingName(), at+1, r.source.Text.Hint(text)),
	}
}

func (r *reading) strayProblem(rec *record) *batch.Problem {
	return &batch.Problem{
		Code: inputerror.CodeStrayQuote, Column: r.columnName(rec.stray - 1),
		Message: fmt.Sprintf("line %d: text follows the closing quote of the cell: double the quotes inside it%s", r.Pos.Line, r.lines()),
	}
}

// lines says so when a record spans lines, which a quote that is not closed
// where it should be makes it do.
func (r *reading) lines() string {
	if r.Next.Line-r.Pos.Line <= 1 {
		return ""
	}
	return fmt.Sprintf(" (the record goes on to line %d)", r.Next.Line-1)
}

// columnName names a column by the header, or by its number where there is no
// name.
func (r *reading) columnName(i int) string {
	if i < len(r.source.Columns) {
		return r.source.Columns[i].Name
	}
	return fmt.Sprintf("%d", i+1)
}
