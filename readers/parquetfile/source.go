package parquetfile

import (
	"context"
	"io"
	"iter"

	"pushbatch/batch"
	"pushbatch/readers/inputerror"
)

const (
	// chunkCells is how many cells of rows are allocated at once (64 KiB), and
	// chunkBytes what the rows that lie in them may take: one that is kept keeps all.
	chunkCells = 2048
	chunkBytes = 256 << 10
	// maxRowBytes bounds what a row takes: a small page may name a large text many times.
	maxRowBytes = 64 << 20
	valueBytes  = 64 // of one value, beside its text
)

// Input is a Parquet file to read.
type Input struct {
	Name     string
	Identity batch.Identity
	// Open opens the file's bytes. It is called by Open and again by every Rows, so
	// that a source that is not being read holds no file. done is called once.
	Open func(context.Context) (r io.ReaderAt, size int64, done func() error, err error)
	// Close releases what lies below Open; nil: nothing does.
	Close func() error
}

// Source is a Parquet file. Only the columns that Select names are read, page by
// page.
//
// A Position's Row is the row in the file; its other fields are not used. Rows
// from a position on finds the row group, and in it the page, without reading what
// came before. (A column with lists in the old data pages is the exception: its
// rows are counted from the start of the row group.)
//
// Numbers keep their digits: a decimal has as many after the point as its scale
// says. Times are text (HH:MM:SS), as are UUIDs; timestamps that are not adjusted
// to UTC, and INT96 ones, come without a zone; intervals are ISO 8601 durations.
// Bytes without an annotation are text if they are UTF-8, else the row has the
// problem encoding_invalid; fixed-size bytes are hexadecimal digits. A VARIANT is
// its JSON value. A struct named identity, attributes or systemData gives one
// column a field (identity.email); other structs and maps are objects. A column
// with an annotation that is not decoded has batch.Column.Undecoded set, and its
// values as they are stored.
type Source struct {
	input  Input
	header batch.Header
	rows   int64
}

// Open reads the footer only. Files that could be read wrongly or not at all
// (LZO, encryption, a cut or contradictory footer) are refused here, and the input
// is closed.
func Open(ctx context.Context, input Input) (*Source, error) {
	s := &Source{input: input}
	f, done, err := s.open(ctx)
	if err != nil {
		_ = s.Close() // the refusal says more
		return nil, inputerror.Locate(ctx, input.Name, 0, 0, err)
	}
	defer func() { _ = done() }()
	columns, err := f.columns()
	if err != nil {
		_ = s.Close()
		return nil, inputerror.Locate(ctx, input.Name, 0, 0, err)
	}
	s.rows = f.rows
	for _, c := range columns {
		s.header = append(s.header, c.header())
	}
	return s, nil
}

func (s *Source) open(ctx context.Context) (f *file, done func() error, err error) {
	r, size, done, err := s.input.Open(ctx)
	if err != nil {
		return nil, nil, err
	}
	if f, err = openFile(r, size); err != nil {
		_ = done()
		return nil, nil, err
	}
	return f, done, nil
}

// Name implements batch.Source.
func (s *Source) Name() string { return s.input.Name }

// Header implements batch.Source.
func (s *Source) Header() batch.Header { return s.header }

// Identity implements batch.Source.
func (s *Source) Identity() batch.Identity { return s.input.Identity }

// Detected says what the input was found to be, for people.
func (s *Source) Detected() string { return "Parquet" }

// Close implements batch.Source.
func (s *Source) Close() error {
	closing := s.input.Close
	s.input.Close = nil
	if closing == nil {
		return nil
	}
	return closing()
}

// RowCount is the number of rows in the file.
func (s *Source) RowCount() int64 { return s.rows }

// Rows implements batch.Source.
func (s *Source) Rows(ctx context.Context, from batch.Position) iter.Seq2[batch.Row, error] {
	return func(yield func(batch.Row, error) bool) {
		row := from.Row
		fail := func(err error) {
			yield(batch.Row{}, inputerror.Abort(inputerror.Locate(ctx, s.input.Name, 0, row+1, err)))
		}
		scan, err := s.newScan(ctx)
		if err != nil {
			fail(err)
			return
		}
		defer scan.close()
		if row < 0 || row > s.rows {
			fail(inputerror.New(inputerror.CodeChanged, "there is no row %d: the file has %d", row+1, s.rows))
			return
		}
		for ; row < s.rows; row++ {
			r, err := scan.row(row)
			if err != nil {
				fail(err)
				return
			}
			if !yield(r, nil) {
				return
			}
		}
	}
}

// scan is one iteration over a source.
type scan struct {
	ctx     context.Context //nolint:containedctx // of one iteration: looked at before every page
	file    *file
	done    func() error
	columns []*column
	end     int64
	cells   []batch.Value // for the next rows
	taken   int           // bytes of the rows in the chunk that cells is the rest of
	bytes   int           // of the row being read

	tools  decompressor
	open   int64  // bytes that the open pages take
	packed []byte // the page being read, as stored

	column *column // being read
	faults []batch.Problem
}

func (s *Source) newScan(ctx context.Context) (*scan, error) {
	f, done, err := s.open(ctx)
	if err != nil {
		return nil, err
	}
	sc := &scan{ctx: ctx, file: f, done: done, end: -1}
	columns, err := f.columns()
	if err != nil || f.rows != s.rows || len(columns) != len(s.header) {
		sc.close()
		return nil, inputerror.New(inputerror.CodeChanged, "it is another file than the one that was opened")
	}
	for i, c := range columns {
		if c.header() != s.header[i] {
			sc.close()
			return nil, inputerror.New(inputerror.CodeChanged, "its column %d is another than when it was opened", i+1)
		}
		read := &column{headerColumn: c}
		for _, l := range f.leaves[c.node.lo:c.node.hi] {
			read.cursors = append(read.cursors, &cursor{pageReader: pageReader{scan: sc, leaf: l}})
		}
		sc.columns = append(sc.columns, read)
	}
	return sc, nil
}

func (s *scan) close() {
	s.tools.close()
	_ = s.done() // all that was wanted is read
}

// row reads a row, the one after the last that was read or the first.
func (s *scan) row(num int64) (batch.Row, error) {
	if num >= s.end {
		if err := s.openGroup(num); err != nil {
			return batch.Row{}, err
		}
	}
	width := len(s.columns)
	if s.taken += s.bytes; len(s.cells) < width || s.taken > chunkBytes {
		if err := context.Cause(s.ctx); err != nil {
			return batch.Row{}, err
		}
		rows := max(1, min(int64(chunkCells/width), s.end-num))
		s.cells, s.taken = make([]batch.Value, int64(width)*rows), 0
	}
	row := batch.Row{Pos: batch.Position{Row: num}, Next: batch.Position{Row: num + 1}}
	row.Values, s.cells = s.cells[:width:width], s.cells[width:]
	s.faults, s.bytes = nil, 0
	for i, c := range s.columns {
		s.column = c
		v, err := c.row()
		if err != nil {
			return batch.Row{}, err
		}
		row.Values[i] = v
	}
	if row.Faults = s.faults; len(row.Faults) > 0 {
		row.Err = &row.Faults[0]
	}
	return row, nil
}

// openGroup moves every column to a row.
func (s *scan) openGroup(row int64) error {
	g := &s.file.groups[s.file.groupOf(row)]
	s.end = g.first + g.rows
	for _, s.column = range s.columns {
		for i, c := range s.column.cursors {
			if err := c.open(&g.chunks[s.column.node.lo+i], row-g.first); err != nil {
				return err
			}
		}
	}
	return nil
}

// fault notes the problem of a value that has no text, one a column, and returns
// what is shown in its place.
func (s *scan) fault(f valueFault, shown string) batch.Value {
	if n := len(s.faults); n == 0 || s.faults[n-1].Column != s.column.name {
		s.faults = append(s.faults, f.problem(s.column.name))
	}
	return batch.TextValue(shown)
}

// read returns memory for bytes of the file, until the next call.
func (s *scan) read(size int64) []byte {
	if int64(cap(s.packed)) < size {
		s.packed = make([]byte, size)
	}
	return s.packed[:size]
}
