package main

import (
	"encoding/json"
	"io"

	"github.com/parquet-go/parquet-go"
)

// ndjsonEncoder writes one object a line, with the column names as keys.
type ndjsonEncoder struct{ *json.Encoder }

func newNDJSON(w io.Writer) encoder {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return ndjsonEncoder{e}
}

func (e ndjsonEncoder) encode(d *device) error { return e.Encode(d) }
func (ndjsonEncoder) close() error             { return nil }

// parquetEncoder hands the rows on in batches: the writer's cost is a call's.
type parquetEncoder struct {
	w     *parquet.GenericWriter[device]
	batch []device
}

func newParquet(w io.Writer, rowsPerGroup int64) encoder {
	return &parquetEncoder{
		w: parquet.NewGenericWriter[device](w,
			parquet.Compression(&parquet.Zstd),
			parquet.MaxRowsPerRowGroup(rowsPerGroup),
			parquet.DataPageStatistics(true),
		),
		batch: make([]device, 0, 1000),
	}
}

func (e *parquetEncoder) encode(d *device) error {
	e.batch = append(e.batch, *d)
	if len(e.batch) < cap(e.batch) {
		return nil
	}
	return e.flush()
}

func (e *parquetEncoder) flush() error {
	_, err := e.w.Write(e.batch)
	e.batch = e.batch[:0]
	return err
}

func (e *parquetEncoder) close() error {
	if err := e.flush(); err != nil {
		return err
	}
	return e.w.Close()
}
