package textfile

import (
	"context"
	"io"

	"pushbatch/batch"
)

// Pieces reads text piece by piece; each is a string of its own, whose rows share
// it. Every piece begins with what the piece before left over.
type Pieces struct {
	ctx    context.Context
	r      io.ReadCloser
	buffer []byte
	err    error // why reading ended; io.EOF at the proven end
}

// OpenPieces reads the text of an input from an offset on.
func OpenPieces(ctx context.Context, in *Input, offset int64) (Pieces, error) {
	r, err := in.Text.OpenText(ctx, offset)
	return Pieces{ctx: ctx, r: r}, err
}

// Close ends the reading.
func (p *Pieces) Close() error { return p.r.Close() }

// More returns rest and what follows it, at least one byte more unless the end
// is reached. What was read before an error is returned first, the error when
// asked again. A long rest is doubled, so that finding the end of a long
// record costs no more than a few passes over it.
func (p *Pieces) More(rest string) (text string, end bool, err error) {
	switch {
	case p.err == io.EOF:
		return rest, true, nil
	case p.err != nil:
		return "", false, p.err
	case p.ctx.Err() != nil:
		return "", false, context.Cause(p.ctx)
	}
	want := 1
	if len(rest) > BlockSize {
		want = len(rest)
	}
	n := p.read(want)
	if n == 0 {
		return p.More(rest)
	}
	return rest + string(p.buffer[:n]), p.err == io.EOF, nil
}

// read fills the buffer with at least want bytes, fewer only with an error.
func (p *Pieces) read(want int) (n int) {
	if size := max(BlockSize, want); len(p.buffer) != size {
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

// Chunk is memory for the values of the next rows.
type Chunk struct{ free []batch.Value }

// Reserve returns room for a row of n values; Take makes it the row's.
func (c *Chunk) Reserve(n int) []batch.Value {
	if len(c.free) < n {
		c.free = make([]batch.Value, max(n, chunkValues))
	}
	return c.free[:n:n]
}

// Take returns the room that Reserve would, as that of a row.
func (c *Chunk) Take(n int) []batch.Value {
	values := c.Reserve(n)
	c.free = c.free[n:]
	return values
}
