package readers

import (
	"context"
	"errors"
	"io"
	"os"

	"pushbatch/batch"
	"pushbatch/batch/blob"
	"pushbatch/readers/inputerror"
	"pushbatch/readers/parquetfile"
)

// openParquet reads the file by ranges. What comes through a pipe is put into
// a temporary file first, mode 0600, gone with the source.
func openParquet(ctx context.Context, o *opening) (batch.Source, error) {
	if o.text.compression != nil {
		return nil, inputerror.New(inputerror.CodeFormat, "it is Parquet inside %s: decompress it (Parquet is compressed inside)", o.text.compression.name)
	}
	in := parquetfile.Input{Name: o.info.Location, Identity: o.identity}
	if !o.info.Rereadable() {
		if err := spoolParquet(ctx, o, &in); err != nil {
			return nil, err
		}
		return parquetfile.Open(ctx, in)
	}
	info := o.info
	in.Open = func(ctx context.Context) (io.ReaderAt, int64, func() error, error) {
		r, err := blob.OpenAt(ctx, info)
		if err != nil {
			return nil, 0, nil, err
		}
		return r, info.Size, r.Close, nil
	}
	return parquetfile.Open(ctx, in)
}

func spoolParquet(ctx context.Context, o *opening, in *parquetfile.Input) error {
	stream, err := o.text.input.open(ctx, 0)
	if err != nil {
		return err
	}
	file, err := os.CreateTemp("", "pushbatch-*.parquet")
	if err != nil {
		return err
	}
	kept := os.Remove(file.Name()) != nil // a system that removes no open file
	in.Close = func() error {
		err := errors.Join(file.Close(), o.text.close())
		if kept {
			err = errors.Join(err, os.Remove(file.Name()))
		}
		return err
	}
	size, err := io.Copy(file, stream)
	if err != nil {
		return errors.Join(err, in.Close())
	}
	in.Open = func(context.Context) (io.ReaderAt, int64, func() error, error) {
		return file, size, func() error { return nil }, nil
	}
	return nil
}
