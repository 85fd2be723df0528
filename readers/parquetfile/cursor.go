package parquetfile

import (
	"errors"
	"io"

	"github.com/parquet-go/parquet-go/format"

	"pushbatch/batch"
	"pushbatch/readers/inputerror"
)

const (
	// blockValues is how many levels and values are decoded at a time. The texts of
	// a block share memory, which lives as long as a row that holds one of them.
	blockValues = 256
	// maxRowValues bounds the values of one column in one row: the elements of its
	// lists.
	maxRowValues = 1 << 18
)

var errNotInDictionary = errors.New("it names a value that is not in its dictionary")

// level says where a value stands in its row, or what of it is null (the Dremel
// paper's repetition and definition level).
type level struct{ rep, def uint8 }

// cursor walks the values of one leaf column through one row group, page by page
// and block by block: memory follows what is read, not what a page claims.
type cursor struct {
	pageReader
	dictionary *dictionary

	page       []byte
	encoding   format.Encoding
	stored     []byte // the page's values
	values     decoder
	reps, defs runReader
	unread     int64 // levels of the page that are in no block yet
	wholeRows  bool  // no row goes on after the page

	levels  []level // of the block
	next    int     // the first of them that was not taken
	pending int     // values of the block that are not decoded yet
	cells   []batch.Value
	faults  []valueFault // of the cells; shorter where the rest have none
	taken   int          // of the cells
	err     error        // after the last of them
}

// open moves the cursor to a row of a row group.
func (c *cursor) open(chunk *chunk, row int64) error {
	*c = cursor{
		pageReader: pageReader{scan: c.scan, leaf: c.leaf, chunk: chunk, at: chunk.start, left: chunk.values, held: c.held},
		page:       c.page, levels: c.levels[:0], cells: c.cells[:0],
	}
	if chunk.rows == 0 || row == 0 {
		return nil
	}
	h, err := c.header()
	if err != nil {
		return err
	}
	if h.kind == format.DictionaryPage {
		if err := c.readDictionary(h); err != nil {
			return err
		}
	}
	first, err := c.seek(row)
	if err != nil {
		return err
	}
	for range row - first {
		if err := c.skipRow(); err != nil {
			return err
		}
	}
	return nil
}

func (c *cursor) readDictionary(h *locatedPage) error {
	if h.encoding != format.Plain && h.encoding != plainDictionary {
		return damaged("the dictionary of column %s has encoding %s", c.leaf.path, h.encoding)
	}
	if err := c.hold(int64(cap(c.page)) + 2*h.size); err != nil {
		return err
	}
	page, err := c.body(h, nil)
	if err != nil {
		return err
	}
	c.pass(h)
	if c.dictionary, err = newDictionary(c.leaf, page, h.values); err != nil {
		return damaged("the dictionary of column %s: %w", c.leaf.path, err)
	}
	return nil
}

// nextPage reads the next data page; io.EOF: there is none.
func (c *cursor) nextPage() error {
	for c.more() {
		h, err := c.header()
		if err != nil {
			return err
		}
		switch {
		case h.kind == format.DictionaryPage && c.dictionary == nil:
			err = c.readDictionary(h)
		case h.isData():
			return c.readPage(h)
		default:
			c.pass(h)
		}
		if err != nil {
			return err
		}
	}
	return io.EOF
}

func (c *cursor) readPage(h *locatedPage) error {
	if err := c.hold(c.dictionary.size() + max(h.size, int64(cap(c.page)))); err != nil {
		return err
	}
	page, err := c.body(h, c.page)
	if err != nil {
		return err
	}
	c.page = page
	c.reps, c.defs, c.stored, err = c.pageReader.levels(h, page)
	c.encoding, c.values, c.unread = h.encoding, nil, h.values
	c.pass(h)
	c.wholeRows = h.kind == format.DataPageV2
	return err
}

// fill decodes the levels of the next block.
func (c *cursor) fill() error {
	if c.unread == 0 {
		if err := c.nextPage(); err != nil {
			return err
		}
	}
	var memory [blockValues]uint8
	block := memory[:min(c.unread, blockValues)]
	c.unread -= int64(len(block))
	c.levels, c.next, c.pending = c.levels[:0], 0, 0
	if err := c.read(&c.defs, block, c.leaf.maxDef); err != nil {
		return err
	}
	for _, def := range block {
		c.levels = append(c.levels, level{def: def})
		if def == c.leaf.maxDef {
			c.pending++
		}
	}
	if c.leaf.maxRep == 0 {
		return nil
	}
	if err := c.read(&c.reps, block, c.leaf.maxRep); err != nil {
		return err
	}
	for i, rep := range block {
		c.levels[i].rep = rep
	}
	return nil
}

func (c *cursor) read(levels *runReader, block []uint8, maxLevel uint8) error {
	if maxLevel == 0 {
		return nil
	}
	if _, err := readRuns(levels, block); err != nil {
		return damaged("the levels of column %s: %w", c.leaf.path, err)
	}
	for _, l := range block {
		if l > maxLevel {
			return damaged("a level of column %s is above %d", c.leaf.path, maxLevel)
		}
	}
	return nil
}

// peek returns the next level; io.EOF: the chunk has no more.
func (c *cursor) peek() (level, error) {
	for c.next == len(c.levels) {
		if err := c.fill(); err != nil {
			return level{}, err
		}
	}
	return c.levels[c.next], nil
}

// goesOn reports whether the row that was begun has more levels, the next of
// which it returns. In old data pages they may be on the next one.
func (c *cursor) goesOn() (level, bool, error) {
	if c.next == len(c.levels) && c.unread == 0 && c.wholeRows {
		return level{}, false, nil
	}
	l, err := c.peek()
	if err == io.EOF {
		return level{}, false, nil
	}
	return l, err == nil && l.rep > 0, err
}

// take takes the next level and its value, Null where it has none.
func (c *cursor) take() (batch.Value, error) {
	l, err := c.peek()
	if err != nil {
		return batch.Value{}, c.early(err)
	}
	if l.def < c.leaf.maxDef {
		c.next++
		return batch.Value{}, nil
	}
	if c.taken == len(c.cells) {
		if err := c.decode(); err != nil {
			return batch.Value{}, err
		}
	}
	v := c.cells[c.taken]
	if c.taken < len(c.faults) && c.faults[c.taken] != noFault {
		v = c.scan.fault(c.faults[c.taken], v.Text)
	}
	c.taken++
	c.next++
	return v, nil
}

// early is the error of a chunk that ends where it should go on.
func (c *cursor) early(err error) error {
	if err == io.EOF {
		return damaged("column %s ends before its row group does", c.leaf.path)
	}
	return err
}

// decode makes cells of the next stored values.
func (c *cursor) decode() error {
	c.cells, c.faults, c.taken = c.cells[:0], c.faults[:0], 0
	if c.err != nil {
		return c.err
	}
	if c.values == nil {
		if c.values, c.err = newDecoder(c.leaf, c.encoding, c.stored, c.dictionary); c.err != nil {
			return c.err
		}
	}
	b := &c.scan.block
	b.reset()
	err := c.values(b, c.pending)
	c.pending -= len(b.values)
	c.render(b.values)
	if err == nil {
		return nil
	}
	if found := new(inputerror.Error); !errors.As(err, &found) {
		err = damaged("a page of column %s (encoding %s): %w", c.leaf.path, c.encoding, err)
	}
	c.err = err
	if len(c.cells) > 0 {
		return nil // these come first
	}
	return err
}

// render makes text of stored values, all in one string.
func (c *cursor) render(values [][]byte) {
	text, ends := c.scan.text[:0], c.scan.ends[:0]
	for i, raw := range values {
		var fault valueFault
		if len(raw) > maxText {
			text, fault = append(text, raw[:256]...), faultTooLarge
		} else {
			text, fault = c.leaf.typ.append(text, raw)
		}
		ends = append(ends, len(text))
		if fault != noFault {
			c.faults = append(append(c.faults, make([]valueFault, i-len(c.faults))...), fault)
		}
	}
	c.scan.text, c.scan.ends = text, ends
	whole, from := string(text), 0
	for _, end := range ends {
		c.cells = append(c.cells, batch.Value{Kind: c.leaf.typ.kind, Text: whole[from:end]})
		from = end
	}
}

// skipRow passes over the next row.
func (c *cursor) skipRow() error {
	for more := true; more; {
		_, err := c.take()
		if err != nil {
			return err
		}
		if _, more, err = c.goesOn(); err != nil {
			return err
		}
	}
	return nil
}
