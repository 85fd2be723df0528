package parquetfile

import (
	"cmp"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"slices"

	"github.com/parquet-go/parquet-go/format"

	"pushbatch/readers/inputerror"
)

const (
	parquetMagic   = "PAR1"
	encryptedMagic = "PARE"
	maxFooter      = 64 << 20 // bytes of metadata; a chunk of a column takes about 100 of it
	maxElements    = 100_000  // of a schema, a row group, the row groups
	maxChunks      = 2 << 20  // of all row groups: three times what a footer has place for; 150 bytes of memory each
)

// file is what the footer says, checked.
type file struct {
	r      io.ReaderAt
	root   *node
	leaves []*leaf
	groups []group
	rows   int64
}

// group is a row group.
type group struct {
	first, rows int64
	chunks      []chunk // one a leaf
}

// chunk is the part of a leaf column that lies in one row group.
type chunk struct {
	start  int64 // of its pages
	end    int64 // of its pages, as far as the footer knows; other things begin there
	values int64
	rows   int64
	codec  format.CompressionCodec
}

// damaged makes the error of a file that contradicts itself or the format.
func damaged(msg string, args ...any) error {
	return inputerror.New(inputerror.CodeCorrupt, "the Parquet file is damaged: "+msg, args...)
}

// readFull reads exactly len(p) bytes at off.
func readFull(r io.ReaderAt, p []byte, off int64) error {
	n, err := r.ReadAt(p, off)
	if n == len(p) {
		return nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		return inputerror.New(inputerror.CodeTruncated, "the file ends %d bytes before it should", len(p)-n)
	}
	return err
}

// openFile reads and checks the footer, and nothing else.
func openFile(r io.ReaderAt, size int64) (*file, error) {
	footer, err := readFooter(r, size)
	if err != nil {
		return nil, err
	}
	meta := new(fileMetadata)
	n, err := readThrift(footer, meta)
	switch {
	case errors.Is(err, errThriftList):
		return nil, inputerror.New(inputerror.CodeBound, "its schema has more than %d elements, or its row groups more than %d columns together: write fewer columns, or larger row groups", maxElements, maxChunks)
	case err != nil:
		return nil, damaged("its footer cannot be decoded: %w", err)
	case meta.Encryption.Valid:
		return nil, errEncrypted()
	case n < len(footer):
		return nil, damaged("%d bytes follow the metadata in its footer", len(footer)-n)
	}
	f := &file{r: r}
	if err := f.readSchema(meta.Schema); err != nil {
		return nil, err
	}
	return f, f.readGroups(meta.Groups, size-8-int64(len(footer)))
}

func errEncrypted() error {
	return inputerror.New(inputerror.CodeFormat, "the Parquet file is encrypted: write it without encryption")
}

func readFooter(r io.ReaderAt, size int64) ([]byte, error) {
	var head [4]byte
	var tail [8]byte
	if size < 12 {
		return nil, inputerror.New(inputerror.CodeFormat, "%d bytes are no Parquet file", size)
	}
	if err := readFull(r, head[:], 0); err != nil {
		return nil, err
	}
	if err := readFull(r, tail[:], size-8); err != nil {
		return nil, err
	}
	switch {
	case string(head[:]) == encryptedMagic || string(tail[4:]) == encryptedMagic:
		return nil, errEncrypted()
	case string(head[:]) != parquetMagic:
		return nil, inputerror.New(inputerror.CodeFormat, "not a Parquet file: it does not begin with %s", parquetMagic)
	case string(tail[4:]) != parquetMagic:
		return nil, inputerror.New(inputerror.CodeTruncated, "the file begins as Parquet but has no footer: it was cut off, or is still being written")
	}
	length := int64(binary.LittleEndian.Uint32(tail[:]))
	if length > size-12 {
		return nil, damaged("its footer claims %d bytes of %d", length, size)
	}
	if length > maxFooter {
		return nil, inputerror.New(inputerror.CodeBound, "its footer takes %d MiB, and at most %d are read: write larger row groups, or fewer columns", length>>20, maxFooter>>20)
	}
	footer := make([]byte, length)
	return footer, readFull(r, footer, size-8-length)
}

// readGroups checks what the footer says of the row groups. How many rows the
// file has is what they have: the footer's own number is not used, as some
// writers leave it zero.
func (f *file) readGroups(groups []groupMetadata, dataEnd int64) error {
	f.groups = make([]group, len(groups))
	for i := range groups {
		from, to := &groups[i], &f.groups[i]
		if from.Rows < 0 || from.Rows > math.MaxInt64-f.rows {
			return damaged("row group %d claims %d rows", i, from.Rows)
		}
		if len(from.Chunks) != len(f.leaves) {
			return damaged("row group %d has %d columns, the schema %d", i, len(from.Chunks), len(f.leaves))
		}
		to.first, to.rows = f.rows, from.Rows
		f.rows += from.Rows
		to.chunks = make([]chunk, len(from.Chunks))
		for j := range from.Chunks {
			if err := f.leaves[j].readChunk(&to.chunks[j], &from.Chunks[j], to.rows, dataEnd); err != nil {
				return err
			}
		}
	}
	return f.checkOverlaps(dataEnd)
}

// readChunk checks what the footer says of a chunk. Every chunk is checked,
// wanted or not: a codec that cannot be read is refused before the first row.
func (l *leaf) readChunk(c *chunk, from *chunkMetadata, rows, dataEnd int64) error {
	switch {
	case from.Crypto.Valid || from.Encrypted != nil:
		return errEncrypted()
	case from.File != "":
		return inputerror.New(inputerror.CodeFormat, "column %s lies in another file, which is not read", l.path)
	}
	said := &from.Column
	if err := checkCodec(said.Codec, l.path); err != nil {
		return err
	}
	*c = chunk{codec: said.Codec, values: said.Values, rows: rows, start: said.Data}
	if d := said.Dictionary; d > 0 && d < c.start {
		c.start = d
	}
	c.end = c.start + said.Size
	switch {
	case rows == 0:
		*c = chunk{}
	case !said.Type.Valid || said.Type.V != l.physical:
		return damaged("column %s has two physical types", l.path)
	case c.start < 4 || said.Size < 0 || c.end < c.start || c.end > dataEnd:
		return damaged("column %s is said to lie where no column can be", l.path)
	case c.values < rows || l.maxRep == 0 && c.values != rows:
		return damaged("column %s claims %d values for %d rows", l.path, c.values, rows)
	}
	return nil
}

// checkOverlaps refuses chunks that share bytes: one page that many columns name
// would be unpacked for each of them. Some writers count too few bytes of a chunk:
// its pages may lie in all that is there before the next one.
func (f *file) checkOverlaps(dataEnd int64) error {
	type located struct {
		*chunk
		leaf *leaf
	}
	var all []located
	for i := range f.groups {
		for j := range f.groups[i].chunks {
			if c := &f.groups[i].chunks[j]; c.rows > 0 {
				all = append(all, located{c, f.leaves[j]})
			}
		}
	}
	slices.SortFunc(all, func(a, b located) int { return cmp.Compare(a.start, b.start) })
	for i, c := range all {
		next := dataEnd
		if i+1 < len(all) {
			next = all[i+1].start
		}
		if c.end > next {
			return damaged("the columns %s and %s share bytes", c.leaf.path, all[i+1].leaf.path)
		}
		c.end = next
	}
	return nil
}

// groupOf returns the index of the row group that holds row.
func (f *file) groupOf(row int64) int {
	for i := range f.groups {
		if g := &f.groups[i]; row < g.first+g.rows {
			return i
		}
	}
	return len(f.groups)
}
