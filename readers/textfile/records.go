package textfile

import (
	"context"
	"io"
	"strings"

	"pushbatch/batch"
)

// Records cuts the text of an input into records. It is read piece by piece; each
// is a string of its own, whose rows share it.
type Records struct {
	Pos  batch.Position // of the record read last
	Next batch.Position // of the one after it; Take moves its offset, the format the rest

	ctx    context.Context //nolint:containedctx // of one iteration: looked at before every piece
	input  *Input
	r      io.ReadCloser
	buffer []byte
	err    error  // why reading ended; io.EOF at the proven end
	text   string // from the next record on
}

// OpenRecords reads an input from a position on.
func OpenRecords(ctx context.Context, in *Input, from batch.Position) (Records, error) {
	r, err := in.Text.OpenText(ctx, from.Offset)
	return Records{Next: from, ctx: ctx, input: in, r: r}, err
}

// Close ends the reading.
func (r *Records) Close() error { return r.r.Close() }

// Position is where the next record starts.
func (r *Records) Position() batch.Position { return r.Next }

// Take reads the next record, its line end included. feed reads on in the text of the
// record and returns how many bytes belong to it, and whether these are its last. Of
// a record that is too large, which is not whole, only the beginning is returned. The
// error is io.EOF after the last record.
func (r *Records) Take(feed func(text string) (bytes int, found bool)) (text string, whole bool, err error) {
	begin := r.Next
	read := 0 // bytes of r.text
	whole = true
	for {
		n, found := feed(r.text[read:])
		if read += n; found || r.err == io.EOF {
			break
		}
		if whole && len(r.text) > r.input.Limit+1 { // one more: a CR whose LF is still to come
			text, whole = strings.Clone(r.text[:min(len(r.text), LeadingBytes)]), false
		}
		if !whole {
			r.advance(read)
			read = 0
		}
		if err := r.more(); err != nil {
			return "", false, err
		}
	}
	if whole && read == 0 {
		return "", false, io.EOF
	}
	if whole {
		text = r.text[:read]
	}
	r.advance(read)
	r.Pos = begin
	return text, whole, nil
}

// advance passes over bytes of the text.
func (r *Records) advance(bytes int) {
	r.Next.Offset += r.input.Text.Length(r.text[:bytes])
	r.text = r.text[bytes:]
}

// more reads on behind the text, at least one byte unless the end is reached. What
// was read before an error counts, the error comes when asked again. A long text is
// doubled, so that finding the end of a long record costs no more than a few passes
// over it.
func (r *Records) more() error {
	if r.err != nil {
		return r.err
	}
	if r.ctx.Err() != nil {
		return context.Cause(r.ctx)
	}
	have, want := len(r.text), 1
	if have > BlockSize {
		want = have
	}
	if size := max(BlockSize, 2*have); len(r.buffer) != size {
		r.buffer = make([]byte, size)
	}
	copy(r.buffer, r.text)
	n := r.read(r.buffer[have:], want)
	r.text = string(r.buffer[:have+n])
	if n == 0 && r.err != io.EOF {
		return r.err
	}
	return nil
}

// read reads at least want bytes behind the text, fewer only with an error.
func (r *Records) read(into []byte, want int) (n int) {
	for empty := 0; n < want && r.err == nil; {
		var got int
		got, r.err = r.r.Read(into[n:])
		if n += got; got > 0 {
			empty = 0
		} else if empty++; empty > 100 && r.err == nil {
			r.err = io.ErrNoProgress
		}
	}
	return n
}

// chunkValues is how many values are allocated at a time: rows of ten columns
// share memory by the hundred.
const chunkValues = 1024

// Chunk is memory for the values of the next rows. Rows that have more than a block of
// text share none: one that is kept would keep all that the others unpacked to.
type Chunk struct {
	free []batch.Value
	text int // of the rows that lie in it
}

// Take returns room for a row of n values that has so many bytes of text.
func (c *Chunk) Take(n, text int) []batch.Value {
	if len(c.free) < n || c.text > BlockSize {
		*c = Chunk{free: make([]batch.Value, max(n, chunkValues))}
	}
	values := c.free[:n:n]
	c.free, c.text = c.free[n:], c.text+text
	return values
}
