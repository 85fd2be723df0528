package parquetfile

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pushbatch/batch"
)

// TestParquetFromDuckDB compares every value of files that DuckDB wrote with
// what DuckDB itself says of them (testdata/duckdb/generate.mjs).
func TestParquetFromDuckDB(t *testing.T) {
	t.Parallel()
	for pattern, told := range map[string]string{
		"types-*.parquet":  "types.ndjson",
		"people-*.parquet": "people.ndjson.gz",
	} {
		files, err := filepath.Glob(filepath.Join("testdata", "duckdb", pattern))
		if err != nil || len(files) < 2 {
			t.Fatalf("%s: %d files, %v", pattern, len(files), err)
		}
		want := duckTold(t, filepath.Join("testdata", "duckdb", told))
		for _, file := range files {
			t.Run(filepath.Base(file), func(t *testing.T) {
				t.Parallel()
				compareWithDuck(t, openParquetTest(t, file), want)
			})
		}
	}
}

// duckTold reads the texts of DuckDB's values, row by row.
func duckTold(t *testing.T, name string) []map[string]*string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var r io.Reader = bytes.NewReader(data)
	if strings.HasSuffix(name, ".gz") {
		if r, err = gzip.NewReader(r); err != nil {
			t.Fatal(err)
		}
	}
	var rows []map[string]*string
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		row := make(map[string]*string)
		if err := json.Unmarshal(lines.Bytes(), &row); err != nil {
			t.Fatal(err)
		}
		rows = append(rows, row)
	}
	if err := lines.Err(); err != nil || len(rows) == 0 {
		t.Fatal(len(rows), err)
	}
	return rows
}

func openParquetTest(t testing.TB, name string) *Source {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return openParquetBytes(t, data)
}

// openReader opens a file that lies in memory.
func openReader(r io.ReaderAt, size int64, closing func() error) (*Source, error) {
	return Open(context.Background(), Input{Name: "in.parquet", Close: closing, Open: func(context.Context) (io.ReaderAt, int64, func() error, error) {
		return r, size, func() error { return nil }, nil
	}})
}

func openParquetBytes(t testing.TB, data []byte) *Source {
	t.Helper()
	src, err := openReader(bytes.NewReader(data), int64(len(data)), nil)
	if err != nil {
		t.Fatal(err)
	}
	return src
}

func allRows(t testing.TB, src batch.Source, from int64) []batch.Row {
	t.Helper()
	var rows []batch.Row
	for row, err := range src.Rows(context.Background(), batch.Position{Row: from}) {
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, row)
	}
	return rows
}

func compareWithDuck(t *testing.T, src *Source, want []map[string]*string) {
	t.Helper()
	rows := allRows(t, src, 0)
	if len(rows) != len(want) || len(src.Header()) != len(want[0]) {
		t.Fatalf("%d rows of %d columns, want %d of %d", len(rows), len(src.Header()), len(want), len(want[0]))
	}
	for i, row := range rows {
		if row.Err != nil {
			t.Fatalf("row %d: %v", i, row.Err)
		}
		for c, column := range src.Header() {
			told, known := want[i][column.Name]
			if !known {
				t.Fatalf("DuckDB does not know column %s", column.Name)
			}
			if diff := diffDuck(row.Values[c], column.Type, told); diff != "" {
				t.Errorf("row %d, column %s (%s): %s", i, column.Name, column.Type, diff)
			}
		}
	}
}

// diffDuck compares a value with DuckDB's text for it.
func diffDuck(got batch.Value, typ string, told *string) string {
	if told == nil || got.Kind == batch.Null {
		if told == nil && got.Kind == batch.Null {
			return ""
		}
		return "null on one side: " + got.String()
	}
	want := *told
	switch got.Kind {
	case batch.List, batch.Object:
		return diffJSON(got.String(), want)
	case batch.Timestamp:
		want = strings.Replace(want, " ", "T", 1)
		want = strings.Replace(want, "+00", "Z", 1)
	case batch.Number:
		if (typ == "float" || typ == "double") && sameFloat(got.Text, want) {
			return ""
		}
	}
	return cmp.Diff(want, got.Text)
}

// sameFloat compares floats, which DuckDB writes as 1.0, 1e+30 and nan. Ours
// must be as short.
func sameFloat(got, want string) bool {
	a, errA := strconv.ParseFloat(got, 64)
	b, errB := strconv.ParseFloat(want, 64)
	same := a == b && math.Signbit(a) == math.Signbit(b) || math.IsNaN(a) && math.IsNaN(b)
	return errA == nil && errB == nil && same && (a > 1e6 || len(got) <= max(4, len(want)))
}

func diffJSON(got, want string) string {
	var a, b any
	for text, v := range map[string]*any{got: &a, want: &b} {
		d := json.NewDecoder(strings.NewReader(text))
		d.UseNumber()
		if err := d.Decode(v); err != nil {
			return err.Error()
		}
	}
	if got == want {
		return ""
	}
	return cmp.Diff(b, a)
}
