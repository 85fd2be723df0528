package inventory

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/parquet-go/parquet-go"

	"pushbatch/batch"
	"pushbatch/batch/blob"
	"pushbatch/writers/table"
)

// snapshot is a table of an earlier day that is read again: flat columns, as
// this package writes them.
type snapshot struct {
	file    *os.File
	parquet *parquet.File
	columns []table.Column
}

// openSnapshot opens a table on this machine.
func openSnapshot(path string) (*snapshot, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	s := &snapshot{file: file}
	info, err := file.Stat()
	if err == nil {
		s.parquet, err = parquet.OpenFile(file, info.Size(), parquet.SkipBloomFilters(true), parquet.ReadBufferSize(64<<10))
	}
	if err == nil {
		err = s.describe()
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("read %s: %w", path, err), file.Close())
	}
	return s, nil
}

func (s *snapshot) close() { _ = s.file.Close() } // it was only read

func (s *snapshot) describe() error {
	for _, f := range s.parquet.Schema().Fields() {
		if !f.Leaf() || f.Repeated() {
			return fmt.Errorf("column %s is nested: it is no table of an export --daily", f.Name())
		}
		c := table.Column{Name: f.Name(), Type: table.Text}
		switch f.Type().Kind() {
		case parquet.Boolean:
			c.Type = table.Boolean
		case parquet.Int64:
			c.Type = table.Timestamp // no column of an inventory is a number
		}
		s.columns = append(s.columns, c)
	}
	return nil
}

// place is the column of a name, -1 where there is none.
func (s *snapshot) place(name string) int {
	return slices.IndexFunc(s.columns, func(c table.Column) bool { return c.Name == name })
}

// readRows is how many rows are decoded at a time.
const readRows = 1024

// eachRow calls fn for every row. The values are those of the file, one a column,
// and used again.
func (s *snapshot) eachRow(ctx context.Context, fn func(row []parquet.Value) error) error {
	for _, group := range s.parquet.RowGroups() {
		if err := eachOfGroup(ctx, group, fn); err != nil {
			return err
		}
	}
	return nil
}

func eachOfGroup(ctx context.Context, group parquet.RowGroup, fn func(row []parquet.Value) error) error {
	readers := make([]*columnReader, 0, len(group.ColumnChunks()))
	defer func() {
		for _, r := range readers {
			r.close()
		}
	}()
	for _, chunk := range group.ColumnChunks() {
		readers = append(readers, &columnReader{pages: chunk.Pages(), values: make([]parquet.Value, readRows)})
	}
	row := make([]parquet.Value, len(readers))
	for n := range group.NumRows() {
		if n%readRows == 0 && ctx.Err() != nil {
			return context.Cause(ctx)
		}
		for i, r := range readers {
			v, err := r.next()
			if err != nil {
				return err
			}
			row[i] = v
		}
		if err := fn(row); err != nil {
			return err
		}
	}
	return nil
}

// columnReader gives the values of one column chunk, one after the other.
type columnReader struct {
	pages  parquet.Pages
	page   parquet.Page
	reader parquet.ValueReader
	values []parquet.Value
	at, n  int
}

func (r *columnReader) next() (parquet.Value, error) {
	for r.at == r.n {
		if err := r.fill(); err != nil {
			return parquet.Value{}, err
		}
	}
	r.at++
	return r.values[r.at-1], nil
}

func (r *columnReader) fill() error {
	if r.reader == nil {
		page, err := r.pages.ReadPage()
		if errors.Is(err, io.EOF) {
			return io.ErrUnexpectedEOF // a column has fewer values than there are rows
		}
		if err != nil {
			return err
		}
		r.page, r.reader = page, page.Values()
	}
	n, err := r.reader.ReadValues(r.values)
	r.at, r.n = 0, n
	if errors.Is(err, io.EOF) {
		r.reader, err = nil, nil
	}
	return err
}

func (r *columnReader) close() { _ = r.pages.Close() }

// valueAs is a value of a column as inventories keep it; it shares no memory.
func valueAs(typ string, v parquet.Value) batch.Value {
	switch {
	case v.IsNull():
		return batch.Value{}
	case typ == table.Boolean:
		return batch.BoolValue(v.Boolean())
	case typ == table.Timestamp:
		return timestamp(time.UnixMilli(v.Int64()))
	case v.Kind() == parquet.ByteArray:
		return batch.TextValue(string(v.ByteArray()))
	}
	return batch.TextValue(v.String())
}

// localCopy brings a table to a path on this machine; one that is there already
// is read where it lies.
func localCopy(ctx context.Context, location, to string) (path string, err error) {
	if !blob.IsS3(location) {
		return location, nil
	}
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return "", err
	}
	_, err = blob.Download(ctx, location, out)
	return to, errors.Join(err, out.Close())
}
