package writers

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"

	"pushbatch/batch"
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
func openRendered(folder *Folder, o *ReportOptions, mark batch.Mark) (report, error) {
	name := o.Format.File()
	if mark[name] > 0 && !folder.Exists(name+PartSuffix) && folder.Exists(name) {
		return settledReport(folder, name, mark[name]), nil
	}
	if folder.Exists(name) { // of a stop; what is there must be whole
		if err := folder.Remove(name); err != nil {
			return report{}, fmt.Errorf("open report: %w", err)
		}
	}
	file, err := openAppend(folder, name, mark[name])
	if err != nil {
		return report{}, err
	}
	common := &resultContext{operation: o.Operation}
	write := func(r *batch.Result) error {
		return file.grow(func(dst []byte) []byte { return o.Format.line(dst, common, r) })
	}
	return report{file: file, write: write, close: func() error { return file.render(o.Format.render) }, settle: file.removePart}, nil
}

// settledReport is a report of a run that has ended: nothing can be added.
func settledReport(folder *Folder, name string, length int64) report {
	return report{
		file:  &appendFile{folder: folder, name: name, size: length, synced: length},
		write: func(*batch.Result) error { return fmt.Errorf("%s is complete", folder.Path(name)) },
		close: func() error { return nil },
	}
}

// render publishes what render makes of the lines of the file, which stays.
func (a *appendFile) render(render func(to io.Writer, from io.Reader) error) error {
	_, err := a.flush()
	if err = errors.Join(err, a.file.Close()); err != nil {
		return err
	}
	from, err := a.folder.fs.OpenFile(a.folder.file(a.name+PartSuffix), os.O_RDONLY, 0)
	if err != nil {
		return err
	}
	defer from.Close()
	temp := a.folder.file(a.name + ".tmp")
	to, err := a.folder.fs.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, fileMode)
	if err != nil {
		return err
	}
	if err = render(to, from); err == nil {
		err = to.Sync()
	}
	if err = errors.Join(err, to.Close()); err != nil {
		return fmt.Errorf("write %s: %w", a.folder.Path(a.name), err)
	}
	return a.folder.publish(temp, a.folder.file(a.name))
}

func (a *appendFile) removePart() error {
	return a.folder.fs.Remove(a.folder.file(a.name + PartSuffix))
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
