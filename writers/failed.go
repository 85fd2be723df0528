package writers

import (
	"slices"
	"strconv"

	"pushbatch/batch"
)

// The columns that failed.csv adds behind those of the input. Readers of rows
// pass over columns that begin with an underscore, so that the mended file can
// be given back as it is.
const (
	rowColumn     = "_row"
	statusColumn  = "_status"
	codeColumn    = "_error_code"
	messageColumn = "_error_message"

	// RedactedColumn stands in a failed.csv whose values are not those of the input.
	RedactedColumn = "_redacted"
)

var madeColumns = []string{rowColumn, statusColumn, codeColumn, messageColumn}

// failedReport writes the rows that did not succeed, as they were read. Inputs
// may differ in their columns: the file has those of all of them.
type failedReport struct {
	file    *appendFile
	columns []string // of all inputs, in order of first appearance
	place   [][]int  // input -> its column -> index in columns, -1: left out
	cells   []string // of the current line

	redacted bool
}

// openFailed opens the report for inputs with the given column names.
func openFailed(folder *Folder, inputs [][]string, redacted bool, mark batch.Mark) (report, error) {
	f := &failedReport{redacted: redacted}
	for _, names := range inputs {
		f.place = append(f.place, f.add(names))
	}
	f.cells = make([]string, len(f.columns))
	var err error
	f.file, err = openAppend(folder, FailedFile, mark[FailedFile])
	if err != nil {
		return report{}, err
	}
	if f.file.size == 0 {
		err = f.file.grow(f.appendHeader)
	}
	return report{file: f.file, write: f.write}, err
}

func (f *failedReport) appendHeader(dst []byte) []byte {
	names := slices.Concat(f.columns, madeColumns)
	if f.redacted {
		names = append(names, RedactedColumn)
	}
	return appendLine(dst, names...)
}

// add makes places for the columns of one input. The columns of an earlier
// failed.csv are left out: their new values come behind. So are columns without
// a name: they are not of the file itself.
func (f *failedReport) add(names []string) []int {
	place := make([]int, len(names))
	for i, name := range names {
		place[i] = slices.Index(f.columns, name)
		switch {
		case slices.Contains(madeColumns, name), name == "":
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
	return f.file.grow(func(dst []byte) []byte { return f.appendRow(dst, r) })
}

func (f *failedReport) appendRow(dst []byte, r *batch.Result) []byte {
	clear(f.cells)
	for i, v := range r.Row.Values {
		if at := f.place[r.Row.Input][i]; at >= 0 {
			f.cells[at] = v.String()
		}
	}
	for _, cell := range f.cells {
		dst = append(appendCell(dst, cell), ',')
	}
	dst = append(strconv.AppendInt(dst, r.Row.Num, 10), ',')
	dst = append(append(dst, r.Status.String()...), ',')
	dst = append(appendMade(dst, r.Code), ',')
	dst = appendMade(dst, r.Message+excessNote(r.Row.Excess))
	if f.redacted {
		dst = append(dst, ",true"...)
	}
	return append(dst, '\n')
}

// excessNote gives back the cells of a record that had more than its header:
// the file stays rectangular and no cell is lost. It stands in no other report,
// for the cells may be personal.
func excessNote(values []batch.Value) string {
	if len(values) == 0 {
		return ""
	}
	var line []byte
	for i, v := range values {
		if i > 0 {
			line = append(line, ',')
		}
		line = appendCell(line, v.String())
	}
	return " (surplus cells: " + string(line) + ")"
}
