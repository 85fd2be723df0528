package blob

import (
	"context"
	"fmt"
	"io"

	"pushbatch/batch"
)

// Bytes of one GET of a sequential reading: few at first, since many readings
// end soon (detection, headers), then up to the most.
const (
	firstChunk   = 256 << 10
	largestChunk = 4 << 20
	chunkGrowth  = 4
)

func (s *s3Store) open(ctx context.Context, in Info, offset int64) (io.ReadCloser, error) {
	o, err := s.object(ctx, in)
	if err != nil {
		return nil, err
	}
	if offset > in.Size {
		return nil, fmt.Errorf("read %s: %w: it ends before byte %d", in.Location, ErrChanged, offset)
	}
	r := &s3Reader{object: o, at: offset, size: firstChunk}
	r.ctx, r.cancel = context.WithCancel(ctx)
	return r, nil
}

// s3Reader reads an object from front to back in chunks, each with a GET that
// is read at once: no connection waits for a slow consumer, however long it
// takes. From the third chunk on the next one is fetched ahead, so that at most
// two are in memory (8 MiB).
type s3Reader struct {
	object *s3Object
	ctx    context.Context //nolint:containedctx // of Open: an io.Reader takes none
	cancel context.CancelFunc
	at     int64        // where the next chunk begins
	size   int64        // of the next chunk
	rest   []byte       // of the current one
	ahead  chan fetched // the next one; nil: it is not fetched yet
	begun  int          // chunks
	err    error
}

// fetched is a chunk that was read ahead.
type fetched struct {
	data []byte
	err  error
}

func (r *s3Reader) Read(p []byte) (int, error) {
	if len(r.rest) == 0 && len(p) > 0 {
		if err := r.advance(); err != nil {
			return 0, err
		}
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

// advance makes the next chunk the current one.
func (r *s3Reader) advance() error {
	if r.err != nil {
		return r.err
	}
	if r.at == r.object.in.Size {
		return io.EOF
	}
	if r.ahead == nil {
		r.fetchAhead()
	}
	got := <-r.ahead
	r.ahead = nil
	r.rest, r.err = got.data, got.err
	if r.err != nil {
		return r.err
	}
	r.at += int64(len(got.data))
	if r.begun++; r.begun > 1 && r.at < r.object.in.Size {
		r.fetchAhead()
	}
	return nil
}

// fetchAhead starts to read the chunk at r.at in a goroutine that belongs to
// the reader and ends with the chunk, or with Close.
func (r *s3Reader) fetchAhead() {
	data, at := make([]byte, min(r.size, r.object.in.Size-r.at)), r.at
	r.size = min(r.size*chunkGrowth, largestChunk)
	ahead := make(chan fetched, 1)
	r.ahead = ahead
	batch.Go(func() error { return r.object.fetch(r.ctx, data, at) }, func(err error) { ahead <- fetched{data, err} })
}

func (r *s3Reader) Close() error {
	r.cancel()
	if r.ahead != nil {
		<-r.ahead
	}
	r.ahead, r.rest, r.err = nil, nil, io.ErrClosedPipe
	return nil
}
