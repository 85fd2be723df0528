package readers

import (
	"context"
	"io"

	"pushbatch/batch"
)

// blocks reads text piece by piece. Every piece begins with what the piece
// before left over, and stays valid while it is the last one or rows of its
// block are not released.
type blocks struct {
	ctx   context.Context
	r     io.ReadCloser
	store *batch.Blocks
	block *batch.Block // of the last piece; nil: it has none, rows may keep its texts
	spare *batch.Block // empty
	err   error        // why reading ended; io.EOF at the proven end
}

func newBlocks(ctx context.Context, r io.ReadCloser) blocks {
	return blocks{ctx: ctx, r: r, store: batch.NewBlocks(blockSize + blockRest)}
}

const (
	// blockRest is room for the beginning of a record in front of a block.
	blockRest = 4 << 10
	// fewBytes is how little text is copied: rows that come slowly, one at a time,
	// must not keep a block each.
	fewBytes = blockSize / 8
)

// rowMemory is where a reading of a text has the values of its rows from.
type rowMemory struct {
	slabs   *batch.Slabs
	slab    *batch.Slab
	columns int
}

// newRowMemory is for rows of some columns; overwritten is as in NewSlabs.
func newRowMemory(columns int, overwritten bool) rowMemory {
	m := rowMemory{slabs: batch.NewSlabs(overwritten), columns: columns}
	m.slab = m.slabs.Take(columns, nil)
	return m
}

// room returns a slab with room for a row whose texts lie in a block: a slab has
// texts of one block only.
func (m *rowMemory) room(block *batch.Block) *batch.Slab {
	if len(m.slab.Free()) < m.columns || m.slab.Block() != block {
		m.slab.Done()
		m.slab = m.slabs.Take(m.columns, block)
	}
	return m.slab
}

// more returns rest and what follows it, at least one byte more unless the end
// is reached. What was read before an error is returned first, the error when
// asked again. A long rest is doubled, so that finding the end of a long
// record costs no more than a few passes over it.
func (b *blocks) more(rest string) (text string, end bool, err error) {
	switch {
	case b.err == io.EOF:
		return rest, true, nil
	case b.err != nil:
		return "", false, b.err
	case b.ctx.Err() != nil:
		return "", false, context.Cause(b.ctx)
	}
	want := 1
	if len(rest) > blockSize {
		want = len(rest)
	}
	next := b.take(len(rest) + max(blockSize, want))
	next.Bytes = append(next.Bytes, rest...)
	b.read(next, want)
	if len(next.Bytes) == len(rest) && b.err != nil {
		return b.more(rest)
	}
	if len(next.Bytes) < fewBytes {
		text = string(next.Bytes)
		b.use(nil)
		return text, b.err == io.EOF, nil
	}
	b.use(next)
	return next.Text(), b.err == io.EOF, nil
}

// take returns an empty block that is not in use, and keeps it as the spare one.
func (b *blocks) take(bytes int) *batch.Block {
	if b.spare == nil || cap(b.spare.Bytes) < bytes {
		b.spare = b.store.Take(bytes)
	}
	b.spare.Bytes = b.spare.Bytes[:0]
	return b.spare
}

// use makes a block that of the last piece.
func (b *blocks) use(block *batch.Block) {
	if b.block != nil {
		b.block.Done()
	}
	b.block = block
	if block != nil {
		b.spare = nil
	}
}

// read appends at least want bytes to a block, fewer only with an error.
func (b *blocks) read(block *batch.Block, want int) {
	buf, have := block.Bytes, len(block.Bytes)
	for empty := 0; len(buf)-have < want && b.err == nil; {
		n, err := b.r.Read(buf[len(buf):min(cap(buf), have+max(blockSize, want))])
		buf, b.err = buf[:len(buf)+n], err
		if n > 0 {
			empty = 0
		} else if empty++; empty > 100 && err == nil {
			b.err = io.ErrNoProgress
		}
	}
	block.Bytes = buf
}
