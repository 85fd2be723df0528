package readers

import (
	"errors"

	"github.com/parquet-go/parquet-go/format"

	"pushbatch/batch"
)

const (
	// blockValues is how many values become text at a time. The texts of a
	// block share memory, which lives as long as a row that holds one of them.
	blockValues = 256
	// maxRowValues bounds the elements of one row's list.
	maxRowValues = 4 << 20
	// faulty marks, inside a cursor, values that have no text; the fault is
	// added to it.
	faulty = batch.Kind(0xf0)
)

var errNoPage = errors.New("no page is left")

// leafCursor walks the values of one leaf column through one row group.
type leafCursor struct {
	pageStream
	rows       int64 // of the row group, not yet in a page that was read
	dictionary []batch.Value

	reps, defs []uint8
	at         int // next level of the page
	levels     int // of the page
	stored     storedValues
	next       int  // next stored value that becomes text
	whole      bool // the page ends with the end of a row

	block []batch.Value
	taken int
	arena []byte
	bad   bool // some value was marked faulty

	entries []entry // of one row, where the column is nested
	entry   int
}

// entry is one place of a nested column in a row.
type entry struct {
	rep, def uint8
	value    batch.Value
}

func newLeafCursor(f *parquetFile, leaf *parquetLeaf, tools *pageTools) *leafCursor {
	return &leafCursor{pageStream: pageStream{file: f, leaf: leaf, tools: tools}}
}

// open moves the cursor to a row of a row group.
func (c *leafCursor) open(chunk *parquetChunk, row int64) error {
	c.chunk, c.pageStream.at = chunk, chunk.start
	c.rows, c.dictionary = chunk.rows, nil
	c.at, c.levels = 0, 0
	c.block, c.taken = c.block[:0], 0
	if chunk.rows == 0 {
		return nil
	}
	h, err := c.header()
	if err != nil {
		return err
	}
	if h.Type == format.DictionaryPage {
		if err := c.readDictionary(h); err != nil {
			return err
		}
	}
	first, err := c.seek(row)
	if err != nil {
		return err
	}
	c.rows -= first
	return c.skip(row - first)
}

func (c *leafCursor) readDictionary(h *pageHead) error {
	page, err := c.body(h)
	if err != nil {
		return err
	}
	c.pageStream.at = h.next
	d := &h.DictionaryPageHeader.V
	if d.Encoding != format.Plain && d.Encoding != plainDictionary {
		return damaged("the dictionary of column %s has encoding %s", c.leaf.path, d.Encoding)
	}
	if err := c.stored.decode(c.leaf, format.Plain, page, int(d.NumValues), c.tools); err != nil {
		return err
	}
	c.dictionary = make([]batch.Value, 0, c.stored.count)
	for c.next = 0; c.next < c.stored.count; {
		c.dictionary = c.convert(c.dictionary)
	}
	return nil
}

// nextPage reads the next data page. errNoPage: there is none.
func (c *leafCursor) nextPage() error {
	for c.more() {
		h, err := c.header()
		if err != nil {
			return err
		}
		switch {
		case h.Type == format.DictionaryPage && c.dictionary == nil:
			err = c.readDictionary(h)
		case h.isData() && h.values() > 0:
			return c.readPage(h)
		}
		if err != nil {
			return err
		}
		c.pageStream.at = h.next
	}
	return errNoPage
}

func (c *leafCursor) readPage(h *pageHead) error {
	flat := c.leaf.maxRep == 0
	if flat && h.values() > c.rows {
		return damaged("column %s has more values than its row group has rows", c.leaf.path)
	}
	page, err := c.body(h)
	if err != nil {
		return err
	}
	count := int(h.values())
	c.reps, c.defs = levelsFor(c.reps, c.leaf.maxRep, count), levelsFor(c.defs, c.leaf.maxDef, count)
	rest, err := c.pageStream.levels(h, page, c.reps, c.defs)
	if err != nil {
		return err
	}
	enc := h.DataPageHeader.V.Encoding
	if h.Type == format.DataPageV2 {
		enc = h.DataPageHeaderV2.V.Encoding
	}
	if err := c.stored.decode(c.leaf, enc, rest, c.defined(0, count), c.tools); err != nil {
		return err
	}
	c.whole = flat || h.Type == format.DataPageV2 || c.chunk.index > 0
	c.at, c.levels, c.next = 0, count, 0
	c.block, c.taken = c.block[:0], 0
	c.rows -= int64(count) // means something in flat columns only
	c.pageStream.at = h.next
	return nil
}

func levelsFor(levels []uint8, maxLevel uint8, count int) []uint8 {
	if maxLevel == 0 {
		return nil
	}
	return resize(levels, int64(count))
}

// defined counts the values that are not null among levels from to to.
func (c *leafCursor) defined(from, to int) int {
	if c.leaf.maxDef == 0 {
		return to - from
	}
	n := 0
	for _, def := range c.defs[from:to] {
		if def == c.leaf.maxDef {
			n++
		}
	}
	return n
}

// need makes sure that the page has a level left.
func (c *leafCursor) need() error {
	if c.at < c.levels {
		return nil
	}
	err := c.nextPage()
	if errors.Is(err, errNoPage) {
		return damaged("column %s ends before its row group does", c.leaf.path)
	}
	return err
}

func (c *leafCursor) skip(rows int64) error {
	for rows > 0 {
		if c.leaf.maxRep > 0 {
			if err := c.readRow(); err != nil {
				return err
			}
			rows--
			continue
		}
		if err := c.need(); err != nil {
			return err
		}
		n := min(int(rows), c.levels-c.at)
		c.next += c.defined(c.at, c.at+n)
		c.at += n
		rows -= int64(n)
	}
	return nil
}

// value takes the next value that is not null.
func (c *leafCursor) value() (batch.Value, error) {
	if c.taken == len(c.block) {
		c.block, c.taken = c.convert(c.block[:0]), 0
		if len(c.block) == 0 {
			return batch.Value{}, c.notInDictionary()
		}
	}
	c.taken++
	return c.block[c.taken-1], nil
}

// rewind gives the values back that were converted and not taken.
func (c *leafCursor) rewind() {
	c.next -= len(c.block) - c.taken
	c.block, c.taken = c.block[:0], 0
}

func (c *leafCursor) notInDictionary() error {
	return damaged("column %s names a value that is not in its dictionary", c.leaf.path)
}

// convert appends the values of the next block. It ends early, possibly with
// none, at an index that the dictionary does not have.
func (c *leafCursor) convert(dst []batch.Value) []batch.Value {
	count := min(blockValues, c.stored.count-c.next)
	at := len(dst)
	dst = append(dst, make([]batch.Value, count)...)
	return dst[:at+c.place(dst[at:], 1, nil, count)]
}

// place puts the next count (at most blockValues) values into dst: value i at
// places[i]*stride, without places at i*stride. It returns how many it placed
// before an index that the dictionary does not have.
func (c *leafCursor) place(dst []batch.Value, stride int, places []uint16, count int) int {
	switch {
	case count == 0: // the page may hold nothing but nulls
		return 0
	case !c.stored.indexed:
		c.render(dst, stride, places, count)
		return count
	}
	for i, index := range c.stored.index[c.next : c.next+count] {
		if int64(index) >= int64(len(c.dictionary)) {
			return i
		}
		if places != nil {
			i = int(places[i])
		}
		dst[i*stride] = c.dictionary[index]
		c.next++
	}
	return count
}

// render makes text of the next values and places it. The texts of a block
// are parts of one string.
func (c *leafCursor) render(dst []batch.Value, stride int, places []uint16, count int) {
	if typ := &c.leaf.typ; typ.text && c.stored.width == 0 && c.stored.areTexts(c.next, count) {
		c.placeTexts(dst, stride, places, count)
	} else {
		c.placeSpans(dst, stride, places, count)
	}
	c.next += count
}

// placeTexts places texts that lie in the page as they are.
func (c *leafCursor) placeTexts(dst []batch.Value, stride int, places []uint16, count int) {
	stretch, base := c.stored.stretch(c.next, count)
	text, kind := string(stretch), c.leaf.typ.kind
	for i := range count {
		from, to := c.stored.span(c.next + i)
		if places != nil {
			i = int(places[i])
		}
		dst[i*stride] = batch.Value{Kind: kind, Text: text[from-base : to-base]}
	}
}

// span is the text of one value in the string of its block.
type span struct {
	from, to uint32
	fault    valueFault
}

func (c *leafCursor) placeSpans(dst []batch.Value, stride int, places []uint16, count int) {
	var memory [blockValues]span
	spans := memory[:count]
	c.arena = c.arena[:0]
	for i := range spans {
		s := &spans[i]
		s.from = uint32(len(c.arena))
		c.arena, s.fault = c.leaf.typ.append(c.arena, c.stored.raw(c.next+i))
		s.to = uint32(len(c.arena))
	}
	text := string(c.arena)
	for i, s := range spans {
		kind := c.leaf.typ.kind
		if s.fault != noFault {
			kind, c.bad = faulty+batch.Kind(s.fault), true
		}
		if places != nil {
			i = int(places[i])
		}
		dst[i*stride] = batch.Value{Kind: kind, Text: text[s.from:s.to]}
	}
}

// readRow collects the entries of the next row.
func (c *leafCursor) readRow() error {
	c.entries, c.entry = c.entries[:0], 0
	for first := true; ; first = false {
		if !first && c.at == c.levels && (c.whole || !c.more()) {
			return nil
		}
		if err := c.need(); err != nil {
			return err
		}
		e := entry{def: c.leaf.maxDef}
		if c.leaf.maxRep > 0 {
			e.rep = c.reps[c.at]
		}
		if first != (e.rep == 0) {
			if first {
				return damaged("column %s continues a row where one should begin", c.leaf.path)
			}
			return nil
		}
		if err := c.take(&e); err != nil {
			return err
		}
	}
}

func (c *leafCursor) take(e *entry) (err error) {
	if len(c.entries) == maxRowValues {
		return failure(CodeTooLarge, "column %s has a row of more than %d values", c.leaf.path, maxRowValues)
	}
	if c.leaf.maxDef > 0 {
		e.def = c.defs[c.at]
	}
	if e.def == c.leaf.maxDef {
		if e.value, err = c.value(); err != nil {
			return err
		}
	}
	c.at++
	c.entries = append(c.entries, *e)
	return nil
}
