package blob

import (
	"context"
	"fmt"
	"io"
	"slices"
	"sync"
)

// The block cache below the ranges of one object: at most 32 MiB, 8 MiB where it is
// read from front to back.
const (
	cacheBlock  = 512 << 10
	cacheBlocks = 64
	longestRun  = 8 // blocks that one GET brings
)

func (s *s3Store) openAt(ctx context.Context, in Info) (ReaderAt, error) {
	return s.blocks(ctx, in, cacheBlocks)
}

// open reads an object from front to back over its blocks, each GET at once: no
// connection waits for a slow consumer, however long it takes.
func (s *s3Store) open(ctx context.Context, in Info, offset int64) (io.ReadCloser, error) {
	if offset > in.Size {
		return nil, fmt.Errorf("read %s: %w: it ends before byte %d", in.Location, ErrChanged, offset)
	}
	c, err := s.blocks(ctx, in, 2*longestRun)
	if err != nil {
		return nil, err
	}
	return struct {
		io.Reader
		io.Closer
	}{io.NewSectionReader(c, offset, in.Size-offset), c}, nil
}

func (s *s3Store) blocks(ctx context.Context, in Info, most int) (*s3Blocks, error) {
	t, err := s.target(ctx, in.URI)
	if err != nil {
		return nil, err
	}
	c := &s3Blocks{object: &s3Object{t, in}, most: most, run: longestRun}
	c.ctx, c.cancel = context.WithCancel(ctx)
	return c, nil
}

// s3Blocks serves ranges of an object from aligned blocks, the least recently
// used of which go first. Where blocks are read one after the other a GET
// brings several: as many as the cache has shown it can keep until they are
// wanted.
type s3Blocks struct {
	object *s3Object
	ctx    context.Context //nolint:containedctx // of OpenAt: an io.ReaderAt takes none
	cancel context.CancelFunc
	most   int // blocks that are kept

	mu     sync.Mutex
	blocks []*block // the last used in front
	run    int64
}

type block struct {
	index int64
	data  []byte
	used  bool
}

// ReadAt implements io.ReaderAt. Calls are served one at a time.
func (c *s3Blocks) ReadAt(p []byte, off int64) (n int, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if off < 0 {
		return 0, io.ErrUnexpectedEOF
	}
	for n < len(p) {
		at := off + int64(n)
		if at >= c.object.in.Size {
			return n, io.EOF
		}
		b, err := c.block(at/cacheBlock, (off+int64(len(p))-1)/cacheBlock)
		if err != nil {
			return n, err
		}
		n += copy(p[n:], b.data[at%cacheBlock:])
	}
	return n, nil
}

// find is where a block is, or -1.
func (c *s3Blocks) find(index int64) int {
	return slices.IndexFunc(c.blocks, func(b *block) bool { return b.index == index })
}

// block returns a block; last is the last one that the caller wants.
func (c *s3Blocks) block(index, last int64) (*block, error) {
	at := c.find(index)
	if at < 0 {
		at = 0
		if err := c.load(index, last); err != nil {
			return nil, err
		}
	}
	b := c.blocks[at]
	b.used = true
	c.blocks = slices.Insert(slices.Delete(c.blocks, at, at+1), 0, b)
	return b, nil
}

// load fetches a run of missing blocks with one GET.
func (c *s3Blocks) load(index, last int64) error {
	count := last - index + 1
	if c.find(index-1) >= 0 {
		count = max(count, c.run)
	}
	end := (c.object.in.Size + cacheBlock - 1) / cacheBlock
	count = min(count, longestRun, end-index)
	for n := range count {
		if n > 0 && c.find(index+n) >= 0 {
			count = n
			break
		}
	}
	first := index * cacheBlock
	data := make([]byte, min(count*cacheBlock, c.object.in.Size-first))
	if err := c.object.fetch(c.ctx, data, first); err != nil {
		return err
	}
	for n := count - 1; n >= 0; n-- {
		// A block of its own, so that a run is not kept whole by one of its blocks.
		part := append([]byte(nil), data[n*cacheBlock:min((n+1)*cacheBlock, int64(len(data)))]...)
		c.blocks = slices.Insert(c.blocks, 0, &block{index: index + n, data: part})
	}
	c.evict()
	return nil
}

// evict keeps the cache within its size. Blocks that go unused were fetched
// for nothing: runs become shorter.
func (c *s3Blocks) evict() {
	kept := min(c.most, len(c.blocks))
	for _, b := range c.blocks[kept:] {
		if !b.used {
			c.run = max(1, c.run/2)
		}
	}
	c.blocks = slices.Delete(c.blocks, kept, len(c.blocks))
}

func (c *s3Blocks) Close() error {
	c.cancel()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.blocks = nil
	return nil
}
