package parquetfile

import (
	"errors"
	"io"

	"github.com/parquet-go/parquet-go/format"

	"pushbatch/batch"
	"pushbatch/readers/inputerror"
)

// maxRowValues bounds the values of one column in one row: the elements of its
// lists.
const maxRowValues = 1 << 18

var errNotInDictionary = errors.New("it names a value that is not in its dictionary")

// level says where a value stands in its row, or what of it is null (the Dremel
// paper's repetition and definition level).
type level struct{ rep, def uint8 }

// cursor walks the values of one leaf column through one row group, page by page
// and value by value: memory follows what is read, not what a page claims.
type cursor struct {
	pageReader
	dictionary *dictionary

	page       []byte
	encoding   format.Encoding
	stored     []byte  // the page's values
	values     decoder // of them; nil: none was read yet
	reps, defs runReader
	unread     int64 // levels of the page that were not read
	wholeRows  bool  // no row goes on after the page

	next    level // read and not taken
	hasNext bool
}

// open moves the cursor to a row of a row group.
func (c *cursor) open(chunk *chunk, row int64) error {
	*c = cursor{
		pageReader: pageReader{scan: c.scan, leaf: c.leaf, chunk: chunk, at: chunk.start, left: chunk.values, held: c.held},
		page:       c.page,
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

func (c *cursor) readDictionary(h *pageHeader) error {
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

func (c *cursor) readPage(h *pageHeader) error {
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

// peek returns the next level; io.EOF: the chunk has no more.
func (c *cursor) peek() (level, error) {
	if c.hasNext {
		return c.next, nil
	}
	if c.unread == 0 {
		if err := c.nextPage(); err != nil {
			return level{}, err
		}
	}
	c.unread--
	var err error
	if c.next.def, err = c.level(&c.defs, c.leaf.maxDef); err == nil {
		c.next.rep, err = c.level(&c.reps, c.leaf.maxRep)
	}
	c.hasNext = err == nil
	return c.next, err
}

func (c *cursor) level(levels *runReader, maxLevel uint8) (uint8, error) {
	if maxLevel == 0 {
		return 0, nil
	}
	l, err := levels.next()
	if err != nil {
		return 0, damaged("the levels of column %s: %w", c.leaf.path, err)
	}
	if l > uint32(maxLevel) {
		return 0, damaged("a level of column %s is above %d", c.leaf.path, maxLevel)
	}
	return uint8(l), nil
}

// goesOn reports whether the row that was begun has more levels, the next of
// which it returns. In old data pages they may be on the next one.
func (c *cursor) goesOn() (level, bool, error) {
	if !c.hasNext && c.unread == 0 && c.wholeRows {
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
	c.hasNext = false
	if l.def < c.leaf.maxDef {
		return batch.Value{}, nil
	}
	raw, err := c.storedValue()
	if err != nil {
		return batch.Value{}, err
	}
	return c.render(raw), nil
}

// early is the error of a chunk that ends where it should go on.
func (c *cursor) early(err error) error {
	if err == io.EOF {
		return damaged("column %s ends before its row group does", c.leaf.path)
	}
	return err
}

// storedValue decodes the page's next value.
func (c *cursor) storedValue() ([]byte, error) {
	if c.values == nil {
		var err error
		if c.values, err = newDecoder(c.leaf, c.encoding, c.stored, c.dictionary); err != nil {
			return nil, err
		}
	}
	raw, err := c.values()
	if err == nil {
		return raw, nil
	}
	if _, named := errors.AsType[*inputerror.Error](err); !named {
		err = damaged("a page of column %s (encoding %s): %w", c.leaf.path, c.encoding, err)
	}
	return nil, err
}

// render makes text of a stored value.
func (c *cursor) render(raw []byte) batch.Value {
	text, fault := "", faultTooLarge
	if len(raw) > maxText {
		text = string(raw[:256])
	} else {
		text, fault = c.leaf.typ.text(raw)
	}
	if fault != noFault {
		return c.scan.fault(fault, text)
	}
	return batch.Value{Kind: c.leaf.typ.kind, Text: text}
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
