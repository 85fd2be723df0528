package writers

import (
	"errors"
	"fmt"
	"io"

	"pushbatch/batch"
	"pushbatch/batch/runstore"
	"pushbatch/writers/table"
)

// openGathered opens a file of rows that something is made of when the run ends
// or is stopped: neither a Parquet file nor a compressed one can be cut back to a
// mark. cells lays a result out; false: it has no row.
func openGathered(folder *runstore.Folder, name string, mark batch.Mark, cells func(*batch.Result) ([]batch.Value, bool)) (report, error) {
	file, err := runstore.OpenAppend(folder, name, mark[name])
	if err != nil {
		return report{}, err
	}
	spool, err := table.NewSpool(file)
	return report{file: file, gather: spool.Flush, write: func(r *batch.Result) error {
		if row, has := cells(r); has {
			return spool.Add(row)
		}
		return nil
	}}, err
}

// openRendered opens a results file that is made as a whole of what was gathered.
// What grows as NAME.part are the rows; when the run ends or is stopped, NAME is
// rendered from them, and they stay for a resumed run until Settle.
func openRendered(folder *runstore.Folder, o *ReportOptions, mark batch.Mark) (report, error) {
	name := o.Format.File()
	if mark[name] > 0 && !folder.Exists(name+runstore.PartSuffix) && folder.Exists(name) {
		return endedReport(folder, name, mark[name]), nil
	}
	if folder.Exists(name) { // of a stop; what is there must be whole
		if err := folder.Remove(name); err != nil {
			return report{}, fmt.Errorf("open report: %w", err)
		}
	}
	var layout resultLayout
	r, err := openGathered(folder, name, mark, func(result *batch.Result) ([]batch.Value, bool) {
		return layout.row(o.operation(result), result), true
	})
	r.close = func() error { return errors.Join(r.gather(), r.file.Render(renderResults)) }
	r.cleanUp = func() error { return r.file.RemovePart() }
	return r, err
}

// endedReport is a report of a run that has ended: nothing can be added.
func endedReport(folder *runstore.Folder, name string, length int64) report {
	return report{
		file:  runstore.Complete(folder, name, length),
		write: func(*batch.Result) error { return fmt.Errorf("%s is complete", folder.Path(name)) },
		close: func() error { return nil },
	}
}

// renderResults makes results.parquet of gathered rows. Of them only a row group
// is in memory.
func renderResults(to io.Writer, from io.Reader) error {
	out, err := table.NewParquet(to, resultTable())
	if err != nil {
		return err
	}
	if err := table.ReadRows(from, out.Write); err != nil {
		return err
	}
	return out.Close()
}
