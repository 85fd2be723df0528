package parquetfile

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"

	"pushbatch/batch"
	"pushbatch/readers/inputerror"
	"pushbatch/testdata/peak"
)

// mostFuzzHeap is more than the bound for all open pages and what the collector has
// not taken yet.
const mostFuzzHeap = 768 << 20

// FuzzParquet opens and reads whatever bytes there are: no panic, no hang, no
// memory that the bytes do not back, and either rows or an *inputerror.Error.
func FuzzParquet(f *testing.F) {
	files, err := filepath.Glob(filepath.Join("testdata", "duckdb", "*.parquet"))
	if err != nil || len(files) < 10 {
		f.Fatal(len(files), err)
	}
	files = append(files, arrowFiles(f)...)
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add(writeParquet(f, devices(30), smallPages(12)...))
	f.Add(writeParquet(f, devices(30), smallPages(12, parquet.DataPageVersion(1), parquet.Compression(&parquet.Zstd))...))
	runs := rawFile{roots: 4, rows: 64 << 20} // a few hundred bytes that claim millions of values
	for i := range runs.roots {
		body := append([]byte{1}, append(binary.AppendUvarint(nil, 64<<21), 0)...)
		runs.schema = append(runs.schema, element(string('a'+i), format.ByteArray))
		runs.chunks = append(runs.chunks, rawChunk{
			typ: format.ByteArray, values: runs.rows, pages: []rawPage{dictionaryPage(1, strs("a")), v1Page(int32(runs.rows), format.RLEDictionary, body)},
		})
	}
	f.Add(runs.bytes(f))
	f.Fuzz(func(t *testing.T, data []byte) {
		peak.AtMost(t, mostFuzzHeap)
		src, err := openReader(bytes.NewReader(data), int64(len(data)), nil)
		if err != nil {
			mustBeError(t, err)
			return
		}
		n := int64(0)
		for row, err := range src.Rows(context.Background(), batch.Position{}) {
			if err != nil {
				mustBeError(t, err)
				return
			}
			if row.Pos.Row != n || len(row.Values) != len(src.Header()) {
				t.Fatalf("row %d: %+v", n, row)
			}
			// Rows of nulls cost no bytes: a file can claim any number of them.
			if n++; n == 100_000 {
				return
			}
		}
		if rows := src.RowCount(); n != rows {
			t.Fatalf("%d rows of %d, and no error", n, rows)
		}
	})
}

func mustBeError(t *testing.T, err error) {
	t.Helper()
	if found := new(inputerror.Error); !errors.As(err, &found) || found.Code == "" || found.Source == "" {
		t.Fatalf("%v is no Error with a code and a source", err)
	}
}

func FuzzParquetThrift(f *testing.F) {
	f.Add([]byte{0x15, 0x02, 0x19, 0x2c, 0x00, 0x00, 0x00})
	f.Add([]byte{0x1b, 0xff, 0xff, 0xff, 0xff, 0x0f, 0x8c})
	f.Fuzz(func(t *testing.T, data []byte) {
		if n, err := readThrift(data, new(fileMetadata)); err == nil && n == 0 {
			t.Fatal("a structure of no bytes")
		}
	})
}
