package readers

import (
	"bytes"
	"context"
	"io"

	"pushbatch/batch"
	"pushbatch/batch/blob"
	"pushbatch/readers/inputerror"
	"pushbatch/readers/textfile"
)

// input is the stored bytes of one blob. Those of a stream are recorded while
// Open looks at them, so that Rows can read them again, once.
type input struct {
	info   blob.Info
	stream *stream // nil when the blob can be opened again
}

// stream is an input that can be read only once.
type stream struct {
	rest   *interruptible
	close  func() error
	head   bytes.Buffer // what was read while opening
	opened bool         // Open is done: the next reading is the last
	spent  bool
}

func newInput(ctx context.Context, info blob.Info, stdin io.Reader) (*input, error) {
	if info.Rereadable() {
		return &input{info: info}, nil
	}
	var rest io.ReadCloser
	if info.Location == blob.Stdin && stdin != nil {
		rest = io.NopCloser(stdin)
	} else {
		var err error
		if rest, err = blob.Open(ctx, info, 0); err != nil {
			return nil, err
		}
	}
	return &input{info: info, stream: &stream{rest: &interruptible{r: rest}, close: rest.Close}}, nil
}

// open reads from a stored byte offset on. An offset into a stream is reached
// by reading up to it.
func (in *input) open(ctx context.Context, offset int64) (io.ReadCloser, error) {
	if in.stream == nil {
		return blob.Open(ctx, in.info, offset)
	}
	r, err := in.stream.open(ctx)
	if err != nil {
		return nil, err
	}
	return r, skip(ctx, r, offset)
}

// close releases a stream; other inputs hold nothing between readings.
func (in *input) close() error {
	if in.stream == nil || in.stream.close == nil {
		return nil
	}
	release := in.stream.close
	in.stream.close, in.stream.spent = nil, true
	return release()
}

// open starts again from what was recorded.
func (s *stream) open(ctx context.Context) (io.ReadCloser, error) {
	if s.spent {
		return nil, inputerror.New(inputerror.CodeNotRereadable, "a stream can be read only once: save it to a file first")
	}
	s.rest.ctx = ctx
	head := bytes.NewReader(bytes.Clone(s.head.Bytes()))
	if s.opened {
		s.spent = true
		s.head = bytes.Buffer{}
		return io.NopCloser(io.MultiReader(head, s.rest)), nil
	}
	return io.NopCloser(io.MultiReader(head, io.TeeReader(s.rest, &s.head))), nil
}

// interruptible gives up waiting for a reader that blocks, such as a terminal,
// when its context ends.
type interruptible struct {
	ctx  context.Context
	r    io.Reader
	left []byte
	err  error
}

func (i *interruptible) Read(p []byte) (int, error) {
	if len(i.left) == 0 && i.err == nil {
		i.fill()
	}
	n := copy(p, i.left)
	i.left = i.left[n:]
	if n == 0 && len(p) > 0 {
		return 0, i.err
	}
	return n, nil
}

// fill reads in a goroutine that belongs to this call. When the context ends
// first the goroutine stays until its read returns, which for standard input
// may be the end of the process; nothing can be done with what it then reads.
func (i *interruptible) fill() {
	buf, n, done := make([]byte, textfile.BlockSize), 0, make(chan error, 1)
	batch.Go(func() (err error) { n, err = i.r.Read(buf); return err }, func(err error) { done <- err })
	select {
	case i.err = <-done:
		i.left = buf[:n]
	case <-i.ctx.Done():
		i.err = context.Cause(i.ctx)
	}
}

// skip reads n bytes and forgets them.
func skip(ctx context.Context, r io.Reader, n int64) error {
	for n > 0 {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		step := min(n, 1<<20)
		done, err := io.CopyN(io.Discard, r, step)
		n -= done
		if err == io.EOF {
			return inputerror.New(inputerror.CodeChanged, "it ends before the position to go on at: %w", io.ErrUnexpectedEOF)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
