package readers

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"sort"

	"github.com/parquet-go/parquet-go/format"
)

const (
	// maxPageValues bounds the values of one page: what the largest row group
	// that is in use (64 Mi rows) gives when a column of it is all null.
	maxPageValues = 64 << 20
	// headerGuess is read for a page's header; most are shorter.
	headerGuess = 256
	maxHeader   = 16 << 20
)

// pageStream reads the pages of one chunk in turn. It does what parquet-go's
// page reader does, but never reserves memory that the file does not back,
// and can pass over pages by their headers alone.
type pageStream struct {
	file  *parquetFile
	leaf  *parquetLeaf
	tools *pageTools
	chunk *parquetChunk
	at    int64 // where the next page begins
	head  []byte
	raw   []byte // the page as stored, without its header
}

// pageTools is what the columns of one scan share; only one column uses it at
// a time.
type pageTools struct {
	decompressor
	packed []byte
	ints   []int64
}

// pageHead is a page's header, checked, and where its bytes lie.
type pageHead struct {
	format.PageHeader
	body, next int64
}

func (s *pageStream) more() bool { return s.at < s.chunk.end }

// header reads the header of the next page without moving on.
func (s *pageStream) header() (*pageHead, error) {
	h := new(pageHead)
	size := int64(headerGuess)
	for {
		room := s.chunk.end - s.at
		s.head = resize(s.head, min(size, room))
		if err := readFull(s.file.r, s.head, s.at); err != nil {
			return nil, err
		}
		h.PageHeader = format.PageHeader{}
		n, err := decodeThrift(s.head, &h.PageHeader)
		if errors.Is(err, errThriftShort) && size < min(room, maxHeader) {
			size *= 8
			continue
		}
		if err != nil {
			return nil, damaged("a page header of column %s cannot be decoded: %w", s.leaf.path, err)
		}
		h.body = s.at + int64(n)
		h.next = h.body + int64(h.CompressedPageSize)
		return h, s.check(h)
	}
}

func resize(b []byte, n int64) []byte {
	if int64(cap(b)) >= n {
		return b[:n]
	}
	return make([]byte, n)
}

func (s *pageStream) check(h *pageHead) error {
	values := h.values()
	switch {
	case h.CompressedPageSize > maxPage || h.UncompressedPageSize > maxPage:
		return failure(CodeTooLarge, "column %s: %w", s.leaf.path, errPageTooLarge)
	case h.CompressedPageSize < 0 || h.UncompressedPageSize < 0 || h.next > s.chunk.end:
		return damaged("a page of column %s claims more bytes than there are", s.leaf.path)
	case values < 0:
		return damaged("a page of column %s has no header of its own kind", s.leaf.path)
	case values > maxPageValues || values > s.chunk.values:
		return damaged("a page of column %s claims %d values", s.leaf.path, values)
	}
	return nil
}

// values is the number of values and nulls of the page; -1: its header lacks
// what its type needs; 0 for pages that hold none.
func (h *pageHead) values() int64 {
	switch h.Type {
	case format.DataPage:
		if h.DataPageHeader.Valid {
			return int64(h.DataPageHeader.V.NumValues)
		}
		return -1
	case format.DataPageV2:
		if h.DataPageHeaderV2.Valid {
			return int64(h.DataPageHeaderV2.V.NumValues)
		}
		return -1
	case format.DictionaryPage:
		if h.DictionaryPageHeader.Valid {
			return int64(h.DictionaryPageHeader.V.NumValues)
		}
		return -1
	}
	return 0
}

func (h *pageHead) isData() bool { return h.Type == format.DataPage || h.Type == format.DataPageV2 }

// body reads and decompresses what follows the header: the levels as far as
// they stand in front of the compressed part, then the rest.
func (s *pageStream) body(h *pageHead) ([]byte, error) {
	t := s.tools
	t.packed = resize(t.packed, int64(h.CompressedPageSize))
	if err := readFull(s.file.r, t.packed, h.body); err != nil {
		return nil, err
	}
	if h.CRC != 0 && crc32.ChecksumIEEE(t.packed) != uint32(h.CRC) {
		return nil, damaged("a page of column %s does not match its checksum", s.leaf.path)
	}
	plain, codec := 0, s.chunk.codec
	if h.Type == format.DataPageV2 {
		v2 := &h.DataPageHeaderV2.V
		plain = int(v2.RepetitionLevelsByteLength) + int(v2.DefinitionLevelsByteLength)
		if v2.RepetitionLevelsByteLength < 0 || v2.DefinitionLevelsByteLength < 0 || plain > len(t.packed) {
			return nil, damaged("a page of column %s claims more levels than it has", s.leaf.path)
		}
		if !v2IsCompressed(v2) {
			codec = format.Uncompressed
		}
	}
	return s.expand(codec, t.packed[:plain], t.packed[plain:])
}

func v2IsCompressed(v2 *format.DataPageHeaderV2) bool {
	return !v2.IsCompressed.Valid || v2.IsCompressed.V
}

func (s *pageStream) expand(codec format.CompressionCodec, plain, packed []byte) ([]byte, error) {
	if len(packed) == 0 { // nothing but nulls
		s.raw = append(s.raw[:0], plain...)
		return s.raw, nil
	}
	if len(plain) == 0 {
		raw, err := s.tools.expand(s.raw, codec, packed)
		if err != nil {
			return nil, s.undecodable(err)
		}
		s.raw = raw
		return raw, nil
	}
	raw, err := s.tools.expand(nil, codec, packed)
	if err != nil {
		return nil, s.undecodable(err)
	}
	s.raw = append(append(s.raw[:0], plain...), raw...)
	return s.raw, nil
}

func (s *pageStream) undecodable(err error) error {
	if errors.Is(err, errPageTooLarge) {
		return failure(CodeTooLarge, "column %s: %w", s.leaf.path, err)
	}
	return damaged("a page of column %s cannot be decompressed: %w", s.leaf.path, err)
}

// seek moves to the page that holds a row of the row group and returns that
// page's first row. It passes over pages by the offset index, or by their
// headers where these say how many rows a page has; else it stays at the first
// page. The dictionary, which comes first, must have been read.
func (s *pageStream) seek(row int64) (first int64, err error) {
	if row == 0 {
		return 0, nil
	}
	if first, ok := s.seekIndex(row); ok {
		return first, nil
	}
	for s.more() {
		h, err := s.header()
		if err != nil {
			return 0, err
		}
		rows, known := s.rowsOf(h)
		if !known || first+rows > row {
			break
		}
		first += rows
		s.at = h.next
	}
	return first, nil
}

func (s *pageStream) rowsOf(h *pageHead) (rows int64, known bool) {
	switch {
	case !h.isData():
		return 0, true
	case s.leaf.maxRep == 0:
		return h.values(), true
	case h.Type == format.DataPageV2:
		return int64(h.DataPageHeaderV2.V.NumRows), h.DataPageHeaderV2.V.NumRows >= 0
	}
	return 0, false
}

// seekIndex uses the chunk's offset index. One that cannot be read, or does
// not fit the chunk, counts as none: it is an aid only.
func (s *pageStream) seekIndex(row int64) (first int64, ok bool) {
	if s.chunk.index == 0 {
		return 0, false
	}
	b := make([]byte, s.chunk.indexLen)
	index := new(format.OffsetIndex)
	if readFull(s.file.r, b, s.chunk.index) != nil {
		return 0, false
	}
	if _, err := decodeThrift(b, index); err != nil {
		return 0, false
	}
	pages := index.PageLocations
	for i := range pages {
		p := &pages[i]
		if p.Offset < s.at || p.Offset >= s.chunk.end || i > 0 && p.FirstRowIndex <= pages[i-1].FirstRowIndex {
			return 0, false
		}
	}
	i := sort.Search(len(pages), func(i int) bool { return pages[i].FirstRowIndex > row }) - 1
	if i < 0 || pages[0].FirstRowIndex != 0 {
		return 0, false
	}
	s.at = pages[i].Offset
	return pages[i].FirstRowIndex, true
}

// levels cuts the repetition and definition levels off the front of a data
// page and decodes them.
func (s *pageStream) levels(h *pageHead, page []byte, reps, defs []uint8) (rest []byte, err error) {
	var repLen, defLen int32 = -1, -1
	if h.Type == format.DataPageV2 {
		repLen, defLen = h.DataPageHeaderV2.V.RepetitionLevelsByteLength, h.DataPageHeaderV2.V.DefinitionLevelsByteLength
	} else if v1 := &h.DataPageHeader.V; s.leaf.maxRep > 0 && v1.RepetitionLevelEncoding == format.BitPacked ||
		s.leaf.maxDef > 0 && v1.DefinitionLevelEncoding == format.BitPacked {
		return nil, failure(CodeFormat, "column %s uses the bit-packed levels of writers before 2013, which are not read", s.leaf.path)
	}
	if page, err = s.cutLevels(page, reps, s.leaf.maxRep, repLen); err != nil {
		return nil, err
	}
	return s.cutLevels(page, defs, s.leaf.maxDef, defLen)
}

// cutLevels decodes one kind of level. size -1: four bytes in front say how
// long it is, when there are levels at all (data page v1).
func (s *pageStream) cutLevels(page []byte, dst []uint8, maxLevel uint8, size int32) ([]byte, error) {
	if size < 0 {
		if maxLevel == 0 {
			return page, nil
		}
		if len(page) < 4 {
			return nil, damaged("a page of column %s ends in its levels", s.leaf.path)
		}
		size = int32(binary.LittleEndian.Uint32(page))
		page = page[4:]
	}
	if size < 0 || int(size) > len(page) {
		return nil, damaged("a page of column %s ends in its levels", s.leaf.path)
	}
	if maxLevel == 0 {
		return page[size:], nil
	}
	if err := decodeHybrid(dst, page[:size], levelWidth(maxLevel)); err != nil {
		return nil, damaged("the levels of column %s: %w", s.leaf.path, err)
	}
	for _, level := range dst {
		if level > maxLevel {
			return nil, damaged("a level of column %s is above %d", s.leaf.path, maxLevel)
		}
	}
	return page[size:], nil
}
