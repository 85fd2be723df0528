package writers

import (
	"errors"
	"fmt"
	"io"
	"strconv"

	"pushbatch/batch"
	"pushbatch/batch/runstore"
	"pushbatch/writers/table"
)

// ReportOptions says which reports a run writes.
type ReportOptions struct {
	Operation string
	Others    map[int]string // operations of inputs that have another one
	Format    ResultFormat   // of the results file
	Columns   [][]string     // names of the columns of every input, for failed.csv
	Requests  bool           // write requests.ndjson from the payloads (dry run)

	// Shown returns what reports show of a result in place of it; the inventory is
	// gathered of the result itself. nil: results are shown as they are.
	Shown func(*batch.Result) *batch.Result

	// Kept names files of the folder that grow below LocalPath by other hands, each
	// durable before rows made of it are written: marks count them.
	Kept []string

	// Gather lays a result out as a row of GatheredFile; false: it has none. nil: no
	// such file.
	Gather func(*batch.Result) ([]batch.Value, bool)
}

func (o *ReportOptions) operation(r *batch.Result) string {
	if other := o.Others[r.Row.Input]; other != "" {
		return other
	}
	return o.Operation
}

// report is one growing file of a run.
type report struct {
	file    *runstore.AppendFile
	write   func(*batch.Result) error
	close   func() error // publishes it; nil: the file as it grew
	gather  func() error // hands over what is held back, before a flush; may be nil
	cleanUp func() error // removes what it was made of; may be nil
	whole   bool         // takes results as they are, not as they are shown
}

func (r *report) handOver() error {
	if r.gather == nil {
		return nil
	}
	return r.gather()
}

// GatheredFile is where an export gathers its rows until they are published. It
// is gone when they are.
const GatheredFile = runstore.GatheredFile

// Reports is the sink of a run: results, failed rows and, for a dry run, the
// requests that would have been sent. It implements batch.Sink.
type Reports struct {
	reports []report
	folder  *runstore.Folder
	shown   func(*batch.Result) *batch.Result
	kept    []string
}

// OpenReports opens the reports of a run at a mark: nil for a new run, or what
// a checkpoint holds, to go on as if the run had never stopped.
func OpenReports(folder *runstore.Folder, o ReportOptions, mark batch.Mark) (*Reports, error) {
	s := &Reports{folder: folder, kept: o.Kept, shown: o.Shown}
	opens := []func() (report, error){
		func() (report, error) { return openResults(folder, &o, mark) },
		func() (report, error) { return openFailed(folder, o.Columns, o.Shown != nil, mark) },
	}
	if o.Requests {
		opens = append(opens, func() (report, error) { return openRequests(folder, mark) })
	}
	if o.Gather != nil {
		opens = append(opens, func() (report, error) {
			r, err := openGathered(folder, GatheredFile, mark, o.Gather)
			r.whole = true
			return r, err
		})
	}
	for _, open := range opens {
		r, err := open()
		if err != nil {
			return nil, errors.Join(err, s.abandon())
		}
		s.reports = append(s.reports, r)
	}
	return s, nil
}

func openResults(folder *runstore.Folder, o *ReportOptions, mark batch.Mark) (report, error) {
	if o.Format.rendered {
		return openRendered(folder, o, mark)
	}
	file, err := runstore.OpenAppend(folder, o.Format.File(), mark[o.Format.File()])
	if err != nil {
		return report{}, err
	}
	encoder := o.Format.encoder()
	if file.Size() == 0 {
		err = file.Grow(encoder.AppendHeader)
	}
	line := o.Format.append
	if line == nil {
		var layout resultLayout
		line = func(dst []byte, operation string, r *batch.Result) []byte {
			return encoder.AppendRow(dst, layout.row(operation, r))
		}
	}
	return report{file: file, write: func(r *batch.Result) error {
		return file.Grow(func(dst []byte) []byte { return line(dst, o.operation(r), r) })
	}}, err
}

// openRequests opens requests.ndjson: a line a row that would be sent, the
// request after the row's number.
func openRequests(folder *runstore.Folder, mark batch.Mark) (report, error) {
	file, err := runstore.OpenAppend(folder, runstore.RequestsFile, mark[runstore.RequestsFile])
	return report{file: file, write: func(r *batch.Result) error {
		if len(r.Payload) == 0 {
			return nil
		}
		return file.Grow(func(dst []byte) []byte {
			dst = strconv.AppendInt(append(dst, `{"row":`...), r.Row.Num, 10)
			dst = append(append(dst, ','), r.Payload[1:]...)
			return append(dst, '\n')
		})
	}}, err
}

// Write implements batch.Sink.
func (s *Reports) Write(r *batch.Result) error {
	shown := r
	if s.shown != nil {
		shown = s.shown(r)
	}
	for _, rep := range s.reports {
		result := shown
		if rep.whole {
			result = r
		}
		if err := rep.write(result); err != nil {
			return err
		}
	}
	return nil
}

// Flush implements batch.Sink: the mark holds each report's length in bytes.
func (s *Reports) Flush() (batch.Mark, error) {
	mark := make(batch.Mark, len(s.reports))
	for _, rep := range s.reports {
		if err := rep.handOver(); err != nil {
			return nil, err
		}
		n, err := rep.file.Flush()
		if err != nil {
			return nil, err
		}
		mark[rep.file.Name()] = n
	}
	for _, name := range s.kept {
		if size, ok := s.folder.PartSize(name); ok {
			mark[name] = size
		}
	}
	return mark, nil
}

// Close publishes every report.
func (s *Reports) Close() error {
	var all error
	for _, rep := range s.reports {
		if rep.close != nil {
			all = errors.Join(all, rep.close())
		} else {
			all = errors.Join(all, rep.handOver(), rep.file.Close())
		}
	}
	return all
}

// CleanUp removes what reports were made of. It is called after Close, when a
// checkpoint says that the run has ended: such a run is not opened for writing
// again.
func (s *Reports) CleanUp() (all error) {
	for _, rep := range s.reports {
		if rep.cleanUp != nil {
			all = errors.Join(all, rep.cleanUp())
		}
	}
	return all
}

// abandon closes the files without publishing anything.
func (s *Reports) abandon() (all error) {
	for _, rep := range s.reports {
		all = errors.Join(all, rep.file.Abandon())
	}
	return all
}

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
