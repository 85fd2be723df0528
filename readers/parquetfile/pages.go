package parquetfile

import (
	"context"
	"encoding/binary"
	"errors"
	"hash/crc32"

	"github.com/parquet-go/parquet-go/format"

	"pushbatch/readers/inputerror"
)

const (
	// maxPage is the largest page that is read, in bytes. The format allows
	// 2 GiB; writers end pages at about 1 MiB, DuckDB at 100 MB at most.
	maxPage = 128 << 20
	// maxOpenPages bounds what all columns of a file hold at once.
	maxOpenPages = 256 << 20
	// maxPageValues bounds the values of one page.
	maxPageValues = 1 << 30
	// headerGuess is read for a page's header; most are shorter.
	headerGuess = 256
	maxHeader   = 1 << 20
)

// pageReader reads the pages of one chunk after the other. It can pass over
// pages by their headers alone.
type pageReader struct {
	scan  *scan
	leaf  *leaf
	chunk *chunk
	at    int64 // where the next page begins
	left  int64 // levels of the chunk that are in no page before it
	held  int64 // bytes counted in scan.open
}

func (p *pageReader) more() bool { return p.left > 0 && p.at < p.chunk.end }

// pass moves on after a page.
func (p *pageReader) pass(h *pageHeader) {
	if h.isData() {
		p.left -= h.values
	}
	p.at = h.next
}

// header reads the header of the next page without moving on.
func (p *pageReader) header() (*pageHeader, error) {
	if err := context.Cause(p.scan.ctx); err != nil {
		return nil, err
	}
	room := p.chunk.end - p.at
	for size := min(int64(headerGuess), room); ; size = min(size*8, room) {
		head := p.scan.read(size)
		if err := readFull(p.scan.file.r, head, p.at); err != nil {
			return nil, err
		}
		var stored storedPageHeader
		n, err := readThrift(head, &stored)
		if errors.Is(err, errThriftShort) && size < min(room, maxHeader) {
			continue
		}
		if err != nil {
			return nil, damaged("a page header of column %s cannot be decoded: %w", p.leaf.path, err)
		}
		h := stored.header()
		h.body = p.at + int64(n)
		h.next = h.body + h.compressed
		return h, p.check(h)
	}
}

func (p *pageReader) check(h *pageHeader) error {
	data := h.kind == format.DataPage || h.kind == format.DataPageV2
	known := data || h.kind == format.DictionaryPage
	switch {
	case h.compressed > maxPage || h.size > maxPage:
		return inputerror.New(inputerror.CodeBound, "column %s has a page of %d MiB, and at most %d are read: write the file with smaller pages or row groups",
			p.leaf.path, max(h.compressed, h.size)>>20, maxPage>>20)
	case h.compressed < 0 || h.size < 0 || h.next > p.chunk.end:
		return damaged("a page of column %s claims more bytes than there are", p.leaf.path)
	case known && (!h.detailed || h.values < 0):
		return damaged("a page of column %s has no header of its own kind", p.leaf.path)
	case known && h.values > maxPageValues, data && h.values > p.left:
		return damaged("a page of column %s claims %d values", p.leaf.path, h.values)
	}
	return nil
}

// isData reports whether a page holds values: index pages and pages of kinds to
// come are passed over.
func (h *pageHeader) isData() bool {
	return (h.kind == format.DataPage || h.kind == format.DataPageV2) && h.values > 0
}

// hold counts bytes that a column keeps, instead of those it kept before.
func (p *pageReader) hold(bytes int64) error {
	p.scan.open += bytes - p.held
	p.held = bytes
	if p.scan.open > maxOpenPages {
		return inputerror.New(inputerror.CodeBound, "column %s: the open pages of all columns take more than %d MiB: write the file with smaller pages or row groups, or fewer columns",
			p.leaf.path, maxOpenPages>>20)
	}
	return nil
}

// body reads what follows the header and decompresses it into dst, which is made
// larger where it must be: the levels, then the values.
func (p *pageReader) body(h *pageHeader, dst []byte) ([]byte, error) {
	packed := p.scan.read(h.compressed)
	if err := readFull(p.scan.file.r, packed, h.body); err != nil {
		return nil, err
	}
	if h.crc.Valid && crc32.ChecksumIEEE(packed) != uint32(h.crc.V) {
		return nil, damaged("a page of column %s does not match its checksum", p.leaf.path)
	}
	levels, codec := int64(0), p.chunk.codec
	if h.kind == format.DataPageV2 {
		levels = h.repBytes + h.defBytes
		if h.repBytes < 0 || h.defBytes < 0 || levels > int64(len(packed)) || levels > h.size {
			return nil, damaged("a page of column %s claims more levels than it has", p.leaf.path)
		}
		if h.isPlain {
			codec = format.Uncompressed
		}
	}
	if int64(cap(dst)) < h.size {
		dst = make([]byte, h.size)
	}
	dst = dst[:h.size]
	copy(dst, packed[:levels])
	packed = packed[levels:]
	if len(packed) == 0 && h.kind == format.DataPageV2 {
		return dst[:levels], nil // nothing but nulls
	}
	if err := p.scan.tools.expand(dst[levels:], codec, packed); err != nil {
		return nil, damaged("a page of column %s cannot be decompressed: %w", p.leaf.path, err)
	}
	return dst, nil
}

// seek moves to the page that holds a row of the row group and returns that
// page's first row. It passes over pages by their headers, where these say how
// many rows a page has; else it stays at the first page. (The offset index could
// tell too, but nothing keeps it from being wrong.)
func (p *pageReader) seek(row int64) (first int64, err error) {
	for row > 0 && p.more() {
		h, err := p.header()
		if err != nil {
			return 0, err
		}
		rows := int64(0)
		switch {
		case !h.isData():
		case p.leaf.maxRep == 0:
			rows = h.values
		case h.kind == format.DataPageV2 && h.rows >= 0:
			rows = h.rows
		default:
			return first, nil
		}
		if h.kind == format.DictionaryPage || first+rows > row {
			break
		}
		first += rows
		p.pass(h)
	}
	return first, nil
}

// levels cuts the repetition and definition levels off the front of a data page.
func (p *pageReader) levels(h *pageHeader, page []byte) (reps, defs runReader, rest []byte, err error) {
	repBytes, defBytes := h.repBytes, h.defBytes
	if h.kind == format.DataPage {
		repBytes, defBytes = -1, -1
		if p.leaf.maxRep > 0 && h.repEncoding == format.BitPacked || p.leaf.maxDef > 0 && h.defEncoding == format.BitPacked {
			return reps, defs, nil, inputerror.New(inputerror.CodeFormat,
				"column %s uses the bit-packed levels of writers before 2013, which are not read: write the file again", p.leaf.path)
		}
	}
	if reps, page, err = p.cutLevels(page, p.leaf.maxRep, repBytes); err != nil {
		return reps, defs, nil, err
	}
	defs, page, err = p.cutLevels(page, p.leaf.maxDef, defBytes)
	return reps, defs, page, err
}

// cutLevels cuts off one kind of level. size -1: four bytes in front say how long
// it is, when there are levels at all (data page v1).
func (p *pageReader) cutLevels(page []byte, maxLevel uint8, size int64) (levels runReader, rest []byte, err error) {
	if size < 0 {
		if maxLevel == 0 {
			return levels, page, nil
		}
		if len(page) < 4 {
			return levels, nil, damaged("a page of column %s ends in its levels", p.leaf.path)
		}
		size = int64(binary.LittleEndian.Uint32(page))
		page = page[4:]
	}
	if size > int64(len(page)) {
		return levels, nil, damaged("a page of column %s ends in its levels", p.leaf.path)
	}
	return newRunReader(page[:size], levelWidth(maxLevel)), page[size:], nil
}
