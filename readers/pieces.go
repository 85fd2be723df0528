package readers

import (
	"context"
	"io"

	"pushbatch/batch"
)

// pieces reads text piece by piece; each is a string of its own, whose rows share
// it. Every piece begins with what the piece before left over.
type pieces struct {
	ctx    context.Context
	r      io.ReadCloser
	buffer []byte
	err    error // why reading ended; io.EOF at the proven end
}

func newPieces(ctx context.Context, r io.ReadCloser) pieces { return pieces{ctx: ctx, r: r} }

// more returns rest and what follows it, at least one byte more unless the end
// is reached. What was read before an error is returned first, the error when
// asked again. A long rest is doubled, so that finding the end of a long
// record costs no more than a few passes over it.
func (p *pieces) more(rest string) (text string, end bool, err error) {
	switch {
	case p.err == io.EOF:
		return rest, true, nil
	case p.err != nil:
		return "", false, p.err
	case p.ctx.Err() != nil:
		return "", false, context.Cause(p.ctx)
	}
	want := 1
	if len(rest) > blockSize {
		want = len(rest)
	}
	n := p.read(want)
	if n == 0 {
		return p.more(rest)
	}
	return rest + string(p.buffer[:n]), p.err == io.EOF, nil
}

// read fills the buffer with at least want bytes, fewer only with an error.
func (p *pieces) read(want int) (n int) {
	if size := max(blockSize, want); len(p.buffer) != size {
		p.buffer = make([]byte, size)
	}
	for empty := 0; n < want && p.err == nil; {
		var got int
		got, p.err = p.r.Read(p.buffer[n:])
		if n += got; got > 0 {
			empty = 0
		} else if empty++; empty > 100 && p.err == nil {
			p.err = io.ErrNoProgress
		}
	}
	return n
}

// chunkValues is how many values are allocated at a time: rows of ten columns
// share memory by the hundred.
const chunkValues = 1024

// chunk is memory for the values of the next rows.
type chunk struct{ free []batch.Value }

// reserve returns room for a row of n values; take makes it the row's.
func (c *chunk) reserve(n int) []batch.Value {
	if len(c.free) < n {
		c.free = make([]batch.Value, max(n, chunkValues))
	}
	return c.free[:n:n]
}

func (c *chunk) take(n int) []batch.Value {
	values := c.reserve(n)
	c.free = c.free[n:]
	return values
}
