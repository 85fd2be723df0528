package readers

import (
	"context"
	"io"
)

// blocks reads text piece by piece. Every piece is a string of its own that
// rows may keep; it begins with what the piece before left over.
type blocks struct {
	ctx context.Context
	r   io.ReadCloser
	buf []byte
	err error // why reading ended; io.EOF at the proven end
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
	b.buf = append(b.buf[:0], rest...)
	want := 1
	if len(rest) > blockSize {
		want = len(rest)
	}
	b.read(want)
	if n := len(b.buf); n == len(rest) && b.err != nil {
		return b.more(rest)
	}
	return string(b.buf), b.err == io.EOF, nil
}

// read appends at least want bytes to buf, fewer only with an error.
func (b *blocks) read(want int) {
	have := len(b.buf)
	if need := have + max(blockSize, want); cap(b.buf) < need {
		grown := make([]byte, have, need)
		copy(grown, b.buf)
		b.buf = grown
	}
	for empty := 0; len(b.buf)-have < want && b.err == nil; {
		n, err := b.r.Read(b.buf[len(b.buf):cap(b.buf)])
		b.buf, b.err = b.buf[:len(b.buf)+n], err
		if n > 0 {
			empty = 0
		} else if empty++; empty > 100 && err == nil {
			b.err = io.ErrNoProgress
		}
	}
}
