package writers

import (
	"slices"
	"strconv"
	"strings"

	"pushbatch/batch"
	"pushbatch/batch/runstore"
	"pushbatch/writers/table"
)

// RedactedColumn stands in a failed.csv whose values are not those of the input.
const RedactedColumn = "_redacted"

// failedReport writes the rows that did not succeed, as they were read, and
// after them batch.FailedColumns. Readers of rows pass over columns that begin
// with an underscore, so that the fixed file can be given back as it is. Inputs
// may differ in their columns: the file has those of all of them.
type failedReport struct {
	file          *runstore.AppendFile
	columns       []string // of all inputs, in order of first appearance
	place         [][]int  // input -> its column -> index in columns, -1: left out
	messageColumn []int    // input -> its column with an earlier message, -1: none
	cells         []string // of the current line

	redacted bool
}

// openFailed opens the report for inputs with the given column names.
func openFailed(folder *runstore.Folder, inputs [][]string, redacted bool, mark batch.Mark) (report, error) {
	f := &failedReport{redacted: redacted}
	for _, names := range inputs {
		f.place = append(f.place, f.add(names))
		f.messageColumn = append(f.messageColumn, slices.Index(names, batch.MessageColumn))
	}
	f.cells = make([]string, len(f.columns))
	var err error
	f.file, err = runstore.OpenAppend(folder, runstore.FailedFile, mark[runstore.FailedFile])
	if err != nil {
		return report{}, err
	}
	if f.file.Size() == 0 {
		err = f.file.Grow(f.appendHeader)
	}
	return report{file: f.file, write: f.write}, err
}

func (f *failedReport) appendHeader(dst []byte) []byte {
	names := slices.Concat(f.columns, batch.FailedColumns())
	if f.redacted {
		names = append(names, RedactedColumn)
	}
	return table.AppendRecord(dst, names...)
}

// add makes places for the columns of one input. The columns of an earlier
// failed.csv are left out: their new values come after. So are columns without
// a name: they are not of the file itself.
func (f *failedReport) add(names []string) []int {
	place := make([]int, len(names))
	for i, name := range names {
		place[i] = slices.Index(f.columns, name)
		switch {
		case batch.IsFailedColumn(name), name == "":
			place[i] = -1
		case place[i] < 0:
			place[i] = len(f.columns)
			f.columns = append(f.columns, name)
		}
	}
	return place
}

func (f *failedReport) write(r *batch.Result) error {
	if !r.Status.Bad() {
		return nil
	}
	return f.file.Grow(func(dst []byte) []byte { return f.appendRow(dst, r) })
}

func (f *failedReport) appendRow(dst []byte, r *batch.Result) []byte {
	clear(f.cells)
	for i, v := range r.Row.Values {
		if at := f.place[r.Row.Input][i]; at >= 0 {
			f.cells[at] = v.String()
		}
	}
	for _, cell := range f.cells {
		dst = append(table.AppendCell(dst, cell), ',')
	}
	dst = append(strconv.AppendInt(dst, r.Row.Num, 10), ',')
	dst = append(append(dst, r.Status.String()...), ',')
	dst = append(table.AppendSafe(dst, r.Code), ',')
	dst = append(table.AppendSafe(dst, r.ErrorColumns), ',')
	dst = table.AppendSafe(dst, f.message(r))
	if f.redacted {
		dst = append(dst, ",true"...)
	}
	return append(dst, '\n')
}

// lostKind reports whether the row was rejected for the kind of a value that its
// text here does not tell.
func lostKind(r *batch.Result) bool {
	return slices.Contains(r.Codes(), batch.CodeTypeMismatch) && slices.ContainsFunc(r.Row.Values, func(v batch.Value) bool {
		return v.Kind == batch.Bool || v.Kind == batch.List || v.Kind == batch.Object
	})
}

// message is why the row of r stands here. That of a row that could not be read,
// or whose text does not tell what was wrong, is signed, so that the row is known
// again if nobody fixes it; one that came back unfixed keeps the message it had.
func (f *failedReport) message(r *batch.Result) string {
	if at := f.messageColumn[r.Row.Input]; r.Code == batch.CodeUnmodified && at >= 0 {
		return r.Row.Values[at].String()
	}
	if r.Row.Err == nil && !lostKind(r) || f.redacted {
		return r.Message + excessNote(&r.Row)
	}
	var u batch.Unmodified
	for i, cell := range f.cells {
		u.Add(f.columns[i], cell)
	}
	return r.Message + excessNote(&r.Row) + u.Sign()
}

// excessNote gives back what a record has beside its columns: the file stays
// rectangular and nothing is lost. It stands in no other report, for the cells
// may be personal.
func excessNote(row *batch.Row) string {
	values := row.Excess
	if len(values) == 0 {
		return ""
	}
	if row.Err != nil && strings.Contains(row.Err.Code, "json") {
		return " (the line: " + values[0].String() + ")"
	}
	var line []byte
	for i, v := range values {
		if i > 0 {
			line = append(line, ',')
		}
		line = table.AppendCell(line, v.String())
	}
	return " (surplus cells: " + string(line) + ")"
}
