package writers

import (
	"encoding/binary"
	"fmt"
	"io"

	"pushbatch/batch"
	"pushbatch/batch/runstore"
)

// resultTypes are the types of the columns of results.parquet that are no text.
var resultTypes = map[string]string{
	"row": integerColumn, "source_row": integerColumn, "http_status": integerColumn, "attempts": integerColumn,
	"latency_ms": doubleColumn, "finished_at": timestampColumn,
}

// shownResults are the columns of results.parquet.
func shownResults() []shownColumn {
	columns := make([]shownColumn, len(ResultColumns))
	for i, name := range ResultColumns {
		columns[i] = shownColumn{name: name, typ: textColumn, cell: i}
		if typ, ok := resultTypes[name]; ok {
			columns[i].typ = typ
		}
	}
	return columns
}

// appendResultCells appends a result as a line that eachLine reads back. What is
// empty in the CSV is null.
func appendResultCells(dst []byte, c *resultContext, r *batch.Result) []byte {
	text := func(s string) batch.Value {
		if s == "" {
			return batch.Value{}
		}
		return batch.TextValue(s)
	}
	values := [...]batch.Value{
		batch.IntValue(r.Row.Num), batch.TextValue(r.Row.Source), batch.IntValue(r.Row.SourceNum()), text(r.RegistrationID),
		batch.TextValue(c.operation), batch.TextValue(r.Status.String()),
		{},
		text(r.Code), text(r.Message),
		batch.IntValue(int64(r.Attempts)),
		{},
		batch.TextValue(string(c.stamp.append(nil, r.Finished))),
	}
	if r.HTTPStatus != 0 {
		values[6] = batch.IntValue(int64(r.HTTPStatus))
	}
	if r.Attempts > 0 {
		values[10] = batch.Value{Kind: batch.Number, Text: string(appendMillis(nil, r.Latency))}
	}
	line := batch.AppendCells(nil, values[:])
	return append(binary.AppendUvarint(dst, uint64(len(line))), line...)
}

// openRendered opens a results file that is made as a whole of what was gathered.
// What grows as NAME.part are lines that can be cut back to a mark; when the run
// ends or is stopped, NAME is rendered from them, and they stay for a resumed run
// until Settle.
func openRendered(folder *runstore.Folder, o *ReportOptions, mark batch.Mark) (report, error) {
	name := o.Format.File()
	if mark[name] > 0 && !folder.Exists(name+runstore.PartSuffix) && folder.Exists(name) {
		return settledReport(folder, name, mark[name]), nil
	}
	if folder.Exists(name) { // of a stop; what is there must be whole
		if err := folder.Remove(name); err != nil {
			return report{}, fmt.Errorf("open report: %w", err)
		}
	}
	file, err := runstore.OpenAppend(folder, name, mark[name])
	if err != nil {
		return report{}, err
	}
	common := &resultContext{operation: o.Operation}
	write := func(r *batch.Result) error {
		return file.Grow(func(dst []byte) []byte { return o.Format.line(dst, common, r) })
	}
	return report{file: file, write: write, close: func() error { return file.Render(o.Format.render) }, settle: file.RemovePart}, nil
}

// settledReport is a report of a run that has ended: nothing can be added.
func settledReport(folder *runstore.Folder, name string, length int64) report {
	return report{
		file:  runstore.Complete(folder, name, length),
		write: func(*batch.Result) error { return fmt.Errorf("%s is complete", folder.Path(name)) },
		close: func() error { return nil },
	}
}

// renderResults makes results.parquet of gathered lines. Of the rows only a row
// group is in memory.
func renderResults(to io.Writer, from io.Reader) error {
	out, err := newParquetRenderer(to, shownResults())
	if err != nil {
		return err
	}
	if err := eachLineOf(from, func(cells []batch.Value) error { return out.write(cells) }); err != nil {
		return err
	}
	return out.close()
}
