package parquetfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"

	"pushbatch/batch"
)

type benchRow struct {
	RegistrationID string `parquet:"registrationId"`
	ExternalID     string `parquet:"externalId"`
	PhoneNumber    string `parquet:"phoneNumber"`
	Email          string `parquet:"email"`
	FirstName      string `parquet:"firstName,dict"`
	LastName       string `parquet:"lastName,dict"`
	Birthday       int32  `parquet:"birthday,date"`
	Gender         string `parquet:"gender,dict"`
	City           string `parquet:"customAttributes.city,dict"`
	Score          int64  `parquet:"customAttributes.score"`
}

const benchRows = 200_000

func benchFile(b *testing.B) []byte {
	b.Helper()
	rows := make([]benchRow, benchRows)
	for i := range rows {
		rows[i] = benchRow{
			RegistrationID: fmt.Sprintf("%08x-%016x", i*7919, i*104729), ExternalID: fmt.Sprintf("customer-%d", i),
			PhoneNumber: fmt.Sprintf("38591%07d", i), Email: fmt.Sprintf("person%d@example.com", i),
			FirstName: fmt.Sprint("First", i%500), LastName: fmt.Sprint("Last", i%900), Birthday: int32(i % 20000),
			Gender: []string{"MALE", "FEMALE"}[i%2], City: fmt.Sprint("City", i%300), Score: int64(i),
		}
	}
	return writeParquet(b, rows, parquet.Compression(&parquet.Zstd), parquet.MaxRowsPerRowGroup(100_000), parquet.PageBufferSize(256<<10))
}

// BenchmarkParquet reads rows of ten columns. The metrics x_bare_pages and
// x_bare_rows compare, run by run in turn, with parquet-go's column pages (the
// same values, no rows put together, no text made of them) and with its own
// rows: 1 is as fast.
func BenchmarkParquet(b *testing.B) {
	data := benchFile(b)
	src := openParquetBytes(b, data)
	var pages, rows time.Duration
	b.ReportAllocs()
	for b.Loop() {
		readAll(b, src)
		b.StopTimer()
		start := time.Now()
		barePages(b, data, []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9})
		pages += time.Since(start)
		start = time.Now()
		bareRows(b, data)
		rows += time.Since(start)
		b.StartTimer()
	}
	b.ReportMetric(benchRows*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
	b.ReportMetric(float64(pages)/float64(b.Elapsed()), "x_bare_pages")
	b.ReportMetric(float64(rows)/float64(b.Elapsed()), "x_bare_rows")
}

func readAll(b *testing.B, src batch.Source) {
	n := 0
	for _, err := range src.Rows(b.Context(), batch.Position{}) {
		if err != nil {
			b.Fatal(err)
		}
		n++
	}
	if n != benchRows {
		b.Fatal(n)
	}
}

func bareFile(b *testing.B, data []byte) *parquet.File {
	f, err := parquet.OpenFile(bytes.NewReader(data), int64(len(data)), parquet.ReadBufferSize(256<<10))
	if err != nil {
		b.Fatal(err)
	}
	return f
}

func barePages(b *testing.B, data []byte, columns []int) {
	values := make([]parquet.Value, 1024)
	for _, group := range bareFile(b, data).RowGroups() {
		for _, c := range columns {
			pages := group.ColumnChunks()[c].Pages()
			for {
				page, err := pages.ReadPage()
				if errors.Is(err, io.EOF) {
					break
				}
				if err != nil {
					b.Fatal(err)
				}
				for r := page.Values(); err == nil; {
					_, err = r.ReadValues(values)
				}
				parquet.Release(page)
			}
			pages.Close()
		}
	}
}

func bareRows(b *testing.B, data []byte) {
	rows := make([]parquet.Row, 256)
	for _, group := range bareFile(b, data).RowGroups() {
		r := group.Rows()
		for {
			if _, err := r.ReadRows(rows); err != nil {
				if !errors.Is(err, io.EOF) {
					b.Fatal(err)
				}
				break
			}
		}
		r.Close()
	}
}
