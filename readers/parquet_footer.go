package readers

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/parquet-go/parquet-go/format"
)

const (
	parquetMagic     = "PAR1"
	parquetEncrypted = "PARE"
	// maxFooter bounds the metadata that is read. A chunk of a column takes
	// about 100 bytes of it.
	maxFooter = 256 << 20
	// maxIndex bounds the page index of one chunk that is read.
	maxIndex = 64 << 20
)

var errPageTooLarge = fmt.Errorf("a page is larger than %d MiB: write the file with smaller pages", maxPage>>20)

// parquetFile is what the footer says, checked.
type parquetFile struct {
	r      io.ReaderAt
	root   *parquetNode
	leaves []*parquetLeaf
	groups []parquetGroup
	rows   int64
}

// parquetGroup is a row group.
type parquetGroup struct {
	first, rows int64
	chunks      []parquetChunk // one a leaf
}

// parquetChunk is the part of a leaf column that lies in one row group.
type parquetChunk struct {
	start, end      int64 // its pages
	values          int64
	codec           format.CompressionCodec
	index, indexLen int64 // its offset index; zero: none
	rows            int64
}

// damaged makes the error of a file that contradicts itself or the format.
func damaged(msg string, args ...any) *Error {
	return failure(CodeCorrupt, "the Parquet file is damaged: "+msg, args...)
}

// panicked turns a panic of a library that met damaged bytes into an error.
func panicked(err *error) {
	if p := recover(); p != nil {
		*err = damaged("%v", p)
	}
}

// readFull reads exactly len(p) bytes at off.
func readFull(r io.ReaderAt, p []byte, off int64) error {
	n, err := r.ReadAt(p, off)
	if n == len(p) {
		return nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		return failure(CodeTruncated, "the file ends %d bytes before it should", len(p)-n)
	}
	return err
}

// openParquetFile reads and checks the footer, and nothing else.
func openParquetFile(r io.ReaderAt, size int64) (f *parquetFile, err error) {
	defer panicked(&err)
	footer, err := readFooter(r, size)
	if err != nil {
		return nil, err
	}
	meta := new(format.FileMetaData)
	n, err := decodeThrift(footer, meta)
	if err != nil {
		return nil, damaged("its footer cannot be decoded: %w", err)
	}
	if meta.EncryptionAlgorithm.Value != nil {
		return nil, errParquetEncrypted()
	}
	if n != len(footer) {
		return nil, damaged("%d bytes follow the metadata in its footer", len(footer)-n)
	}
	f = &parquetFile{r: r}
	if err := f.readSchema(meta.Schema); err != nil {
		return nil, err
	}
	return f, f.readGroups(meta, size-8-int64(len(footer)))
}

func errParquetEncrypted() *Error {
	return failure(CodeFormat, "the Parquet file is encrypted: write it without encryption")
}

func readFooter(r io.ReaderAt, size int64) ([]byte, error) {
	var head [4]byte
	var tail [8]byte
	if size < 12 {
		return nil, failure(CodeFormat, "%d bytes are no Parquet file", size)
	}
	if err := readFull(r, head[:], 0); err != nil {
		return nil, err
	}
	if err := readFull(r, tail[:], size-8); err != nil {
		return nil, err
	}
	switch {
	case string(head[:]) == parquetEncrypted:
		return nil, errParquetEncrypted()
	case string(head[:]) != parquetMagic:
		return nil, failure(CodeFormat, "not a Parquet file: it does not begin with %s", parquetMagic)
	case string(tail[4:]) == parquetEncrypted:
		return nil, errParquetEncrypted()
	case string(tail[4:]) != parquetMagic:
		return nil, failure(CodeTruncated, "the file begins as Parquet but has no footer: it was cut off, or is still being written")
	}
	length := int64(binary.LittleEndian.Uint32(tail[:]))
	if length > size-12 || length > maxFooter {
		return nil, damaged("its footer claims %d bytes of %d", length, size)
	}
	footer := make([]byte, length)
	return footer, readFull(r, footer, size-8-length)
}

func (f *parquetFile) readGroups(meta *format.FileMetaData, dataEnd int64) error {
	f.groups = make([]parquetGroup, len(meta.RowGroups))
	for i := range meta.RowGroups {
		from, to := &meta.RowGroups[i], &f.groups[i]
		if from.NumRows < 0 || from.NumRows > math.MaxInt64-f.rows {
			return damaged("row group %d claims %d rows", i, from.NumRows)
		}
		if len(from.Columns) != len(f.leaves) {
			return damaged("row group %d has %d columns, the schema %d", i, len(from.Columns), len(f.leaves))
		}
		to.first, to.rows = f.rows, from.NumRows
		f.rows += from.NumRows
		to.chunks = make([]parquetChunk, len(from.Columns))
		for j := range from.Columns {
			if err := f.leaves[j].readChunk(&to.chunks[j], &from.Columns[j], to.rows, dataEnd); err != nil {
				return err
			}
		}
	}
	if f.rows != meta.NumRows {
		return damaged("it claims %d rows, its row groups %d", meta.NumRows, f.rows)
	}
	return nil
}

// readChunk checks what the footer says of a chunk. Every chunk is checked,
// wanted or not: a codec that cannot be read is refused before the first row.
func (l *parquetLeaf) readChunk(c *parquetChunk, from *format.ColumnChunk, rows, dataEnd int64) error {
	m := &from.MetaData
	if from.CryptoMetadata.Value != nil || len(from.EncryptedColumnMetadata) > 0 {
		return errParquetEncrypted()
	}
	if from.FilePath != "" {
		return failure(CodeFormat, "column %s lies in another file, which is not read", l.path)
	}
	if err := checkCodec(m.Codec, l.path); err != nil {
		return err
	}
	*c = parquetChunk{codec: m.Codec, values: m.NumValues, rows: rows, start: m.DataPageOffset}
	if d := m.DictionaryPageOffset; d > 0 && d < c.start {
		c.start = d
	}
	c.end = c.start + m.TotalCompressedSize
	if rows == 0 {
		return nil
	}
	if m.Type != l.physical {
		return damaged("column %s has two physical types", l.path)
	}
	if c.start < 4 || m.TotalCompressedSize < 0 || c.end < c.start || c.end > dataEnd {
		return damaged("column %s is said to lie where no column can be", l.path)
	}
	if c.values < rows || l.maxRep == 0 && c.values != rows {
		return damaged("column %s claims %d values for %d rows", l.path, c.values, rows)
	}
	if n := int64(from.OffsetIndexLength); from.OffsetIndexOffset >= 4 && n > 0 && n <= maxIndex && from.OffsetIndexOffset <= dataEnd-n {
		c.index, c.indexLen = from.OffsetIndexOffset, n
	}
	return nil
}

// groupOf returns the index of the row group that holds row.
func (f *parquetFile) groupOf(row int64) int {
	for i := range f.groups {
		if g := &f.groups[i]; row < g.first+g.rows {
			return i
		}
	}
	return len(f.groups)
}
