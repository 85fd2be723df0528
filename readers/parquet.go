package readers

import (
	"context"
	"io"
	"iter"
	"slices"

	"pushbatch/batch"
)

const (
	// chunkCells is how many cells of rows share one piece of memory (192 KiB): a
	// column's turn is worth its call, and the rows still lie in the cache.
	chunkCells   = 6144
	chunkRowsMin = 16
	chunkRowsMax = 512
)

// parquetSource is a Parquet file. Only the columns that Select names are
// read, page by page; rows are put together a chunk at a time.
//
// A Position's Row is the row in the file; its other fields are not used. Rows
// from a position on finds the row group, and in it the page, without reading
// what came before: by the offset index, else by the page headers. (A column
// with lists in the old data pages and without an index is the exception: its
// rows are counted from the start of the row group.)
//
// Numbers keep their digits: a decimal has as many behind the point as its
// scale says. Times are text (HH:MM:SS), as are UUIDs; timestamps that are
// not adjusted to UTC, and INT96 ones, come without a zone; intervals are ISO
// 8601 durations. Bytes without an annotation are text if they are UTF-8, else
// the row has the problem encoding_invalid; fixed-size bytes, BSON and
// geometry are hexadecimal digits. A struct named identity, attributes or
// systemData gives one column a field (identity.email); other structs and
// maps are objects.
type parquetSource struct {
	name     string
	identity batch.Identity
	file     *parquetFile
	columns  []parquetColumn
	header   batch.Header
	selected []bool
	closing  func() error
}

// newParquet opens a Parquet file of size bytes. It reads the footer only;
// files that could be read wrongly or not at all (LZ4 or LZO, encryption, a cut
// or contradictory footer) are refused here. closing is called once, by Close,
// or here when the file is refused; it may be nil.
func newParquet(name string, id batch.Identity, r io.ReaderAt, size int64, closing func() error) (batch.Source, error) {
	s := &parquetSource{name: name, identity: id, closing: closing}
	err := s.open(r, size)
	if err != nil {
		_ = s.Close() // the refusal says more
		return nil, located(context.Background(), name, 0, 0, err)
	}
	return s, nil
}

func (s *parquetSource) open(r io.ReaderAt, size int64) (err error) {
	if s.file, err = openParquetFile(r, size); err != nil {
		return err
	}
	if s.columns, err = s.file.columns(); err != nil {
		return err
	}
	for _, c := range s.columns {
		s.header = append(s.header, batch.Column{Name: c.name, Kind: c.node.kind(), Type: c.node.typeName()})
		s.selected = append(s.selected, true)
	}
	return nil
}

// Name implements batch.Source.
func (s *parquetSource) Name() string { return s.name }

// Header implements batch.Source.
func (s *parquetSource) Header() batch.Header { return s.header }

// Identity implements batch.Source.
func (s *parquetSource) Identity() batch.Identity { return s.identity }

// Close implements batch.Source.
func (s *parquetSource) Close() error {
	closing := s.closing
	s.closing = nil
	if closing == nil {
		return nil
	}
	return closing()
}

// Select says which header columns are needed; the others are not read and
// their values are Null from the next call of Rows on. Without Select every
// column is read. A caller that gives rows back as they were (failed.csv)
// must not deselect a column.
func (s *parquetSource) Select(columns []int) {
	for i := range s.selected {
		s.selected[i] = slices.Contains(columns, i)
	}
}

// RowCount is the number of rows in the file.
func (s *parquetSource) RowCount() int64 { return s.file.rows }

// Rows implements batch.Source.
func (s *parquetSource) Rows(ctx context.Context, from batch.Position) iter.Seq2[batch.Row, error] {
	return func(yield func(batch.Row, error) bool) {
		scan := s.newScan()
		defer scan.tools.close()
		for row := from.Row; ; {
			b, err := scan.next(ctx, row)
			for i := range b.rows {
				if !yield(b.row(i, row), nil) {
					return
				}
				row++
			}
			if err != nil {
				yield(batch.Row{}, aborted(located(ctx, s.name, 0, row+1, err)))
				return
			}
			if b.rows == 0 {
				return
			}
		}
	}
}

// parquetScan is one iteration over a source.
type parquetScan struct {
	source  *parquetSource
	tools   pageTools
	readers []*columnReader
	group   int   // index of the open row group; -1: none
	end     int64 // first row behind it
	chunk   int   // rows read at a time
}

func (s *parquetSource) newScan() *parquetScan {
	scan := &parquetScan{source: s, group: -1}
	for i, c := range s.columns {
		if s.selected[i] {
			scan.readers = append(scan.readers, newColumnReader(s.file, c, i, &scan.tools))
		}
	}
	scan.chunk = min(max(chunkCells/max(1, len(s.columns)), chunkRowsMin), chunkRowsMax)
	return scan
}

// next reads the rows from row on, as many as are read at a time. Both rows
// and an error are possible; no row and no error mean the end of the file.
func (s *parquetScan) next(ctx context.Context, row int64) (rowBatch, error) {
	file := s.source.file
	if err := ctx.Err(); err != nil {
		return rowBatch{}, err
	}
	if row < 0 || row > file.rows {
		return rowBatch{}, failure(CodeChanged, "there is no row %d: the file has %d", row+1, file.rows)
	}
	if row == file.rows {
		return rowBatch{}, nil
	}
	if s.group < 0 || row >= s.end {
		if err := s.openGroup(row); err != nil {
			return rowBatch{}, err
		}
	}
	return s.fill(int(min(int64(s.chunk), s.end-row)))
}

// openGroup moves every column to a row.
func (s *parquetScan) openGroup(row int64) error {
	file := s.source.file
	s.group = file.groupOf(row)
	g := &file.groups[s.group]
	s.end = g.first + g.rows
	for _, r := range s.readers {
		if err := r.open(g, row-g.first); err != nil {
			return err
		}
	}
	return nil
}

func (s *parquetScan) fill(n int) (rowBatch, error) {
	b := rowBatch{rows: n, width: len(s.source.columns)}
	b.values = make([]batch.Value, n*b.width)
	var failed error
	for _, r := range s.readers {
		filled, err := r.fill(&b, b.rows)
		if err != nil {
			b.rows, failed = filled, err
		}
	}
	return b, failed
}

// rowBatch is a chunk of rows.
type rowBatch struct {
	rows, width int
	values      []batch.Value     // row by row
	faults      [][]batch.Problem // by row; nil: none
}

func (b *rowBatch) put(row, column int, v batch.Value) { b.values[row*b.width+column] = v }

// fault notes the problem of a value that has no text, one a column, and returns
// what is shown in its place.
func (b *rowBatch) fault(row int, column string, v batch.Value) batch.Value {
	if b.faults == nil {
		b.faults = make([][]batch.Problem, b.rows)
	}
	if n := len(b.faults[row]); n == 0 || b.faults[row][n-1].Column != column {
		b.faults[row] = append(b.faults[row], *valueFault(v.Kind - faulty).problem(column))
	}
	return batch.TextValue(v.Text)
}

// row returns row i, which is row num (from 0) of the file.
func (b *rowBatch) row(i int, num int64) batch.Row {
	row := batch.Row{Pos: batch.Position{Row: num}, Next: batch.Position{Row: num + 1}}
	row.Values = b.values[i*b.width : (i+1)*b.width : (i+1)*b.width]
	if b.faults != nil && len(b.faults[i]) > 0 {
		row.Faults, row.Err = b.faults[i], &b.faults[i][0]
	}
	return row
}
