package blob

import (
	"context"
	"errors"
	"io"
	"os"
)

// stdin is the store of one input: the process's standard input.
type stdin struct{}

func (stdin) stat(context.Context, string) (Info, error) {
	return Info{Location: Stdin, URI: Stdin, Size: -1}, nil
}

func (s stdin) expand(ctx context.Context, arg string) ([]Info, error) {
	in, err := s.stat(ctx, arg)
	return []Info{in}, err
}

func (stdin) open(_ context.Context, _ Info, offset int64) (io.ReadCloser, error) {
	if offset != 0 {
		return nil, errors.New("open standard input: it cannot be read from the middle")
	}
	return io.NopCloser(os.Stdin), nil
}

func (stdin) openAt(context.Context, Info) (ReaderAt, error) {
	return nil, errors.New("open standard input: a stream has no ranges to read")
}
