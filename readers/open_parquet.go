package readers

import (
	"context"
	"errors"
	"io"
	"os"

	"pushbatch/batch"
	"pushbatch/batch/blob"
)

// openParquet reads the file by ranges. What comes through a pipe is put into
// a temporary file first, mode 0600, gone with the source.
func openParquet(ctx context.Context, o *opening) (batch.Source, error) {
	if o.text.compression != nil {
		return nil, failure(CodeFormat, "it is Parquet inside %s: decompress it (Parquet is compressed inside)", o.text.compression.name)
	}
	if !o.info.Rereadable() {
		return spoolParquet(ctx, o)
	}
	r, err := blob.OpenAt(ctx, o.info)
	if err != nil {
		return nil, err
	}
	return newParquet(o.info.Location, o.identity, r, o.info.Size, r.Close)
}

func spoolParquet(ctx context.Context, o *opening) (batch.Source, error) {
	stream, err := o.text.input.open(ctx, 0)
	if err != nil {
		return nil, err
	}
	file, err := os.CreateTemp("", "pushbatch-*.parquet")
	if err != nil {
		return nil, err
	}
	release := func() error { return errors.Join(file.Close(), os.Remove(file.Name()), o.text.close()) }
	size, err := io.Copy(file, stream)
	if err != nil {
		return nil, errors.Join(err, release())
	}
	return newParquet(o.info.Location, o.identity, file, size, release)
}

// Detected implements Described.
func (s *parquetSource) Detected() string { return "Parquet" }
