package readers

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"testing"
	"time"

	"pushbatch/batch"
	"pushbatch/batch/blob"
)

// benchmarkRows makes rows as a migration has them: ten columns, about 110
// bytes, some names beyond ASCII, some cells quoted.
func benchmarkRows(n int) []byte {
	var b bytes.Buffer
	b.WriteString("registrationId,externalId,phoneNumber,email,firstName,lastName,gender,tags,customAttributes.score,additionalData.city\n")
	names := []string{"Ana", "Ivan", "Željka", "Marko", "Petra"}
	for i := range n {
		tags := "news"
		if i%10 == 0 {
			tags = `"news,offers"`
		}
		fmt.Fprintf(&b, "%016x%08x,user-%07d,+38591%07d,user%07d@example.com,%s,Horvat,FEMALE,%s,%d.5,Zagreb\n",
			uint64(i)*0x9E3779B97F4A7C15, i, i, i%10000000, i, names[i%len(names)], tags, i%100)
	}
	return b.Bytes()
}

// BenchmarkCSV reads the same rows as encoding/csv with ReuseRecord, the
// floor; "x-floor" is how many times as fast. Rows own their memory, records
// that are reused do not: with the collector's default setting and nothing
// else on the heap it runs every 4 MiB, which is what would be measured.
func BenchmarkCSV(b *testing.B) {
	const rows = 200_000
	data := benchmarkRows(rows)
	path := filepath.Join(b.TempDir(), "rows.csv")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		b.Fatal(err)
	}
	source := openFile(b, path, Options{})
	defer debug.SetGCPercent(debug.SetGCPercent(400))
	var floor, ours time.Duration
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		begin := time.Now()
		readFloor(b, path)
		floor += time.Since(begin)
		b.StartTimer()
		begin = time.Now()
		n := 0
		for row, err := range source.Rows(b.Context(), batch.Position{}) {
			if err != nil || row.Err != nil {
				b.Fatal(err, row.Err)
			}
			n++
		}
		ours += time.Since(begin)
		if n != rows {
			b.Fatalf("read %d rows of %d", n, rows)
		}
	}
	b.ReportMetric(float64(floor)/float64(ours), "x-floor")
	b.ReportMetric(rows*float64(b.N)/ours.Seconds(), "rows/s")
}

func readFloor(b *testing.B, path string) {
	f, err := os.Open(path)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.ReuseRecord = true
	for {
		if _, err := r.Read(); err == io.EOF {
			return
		} else if err != nil {
			b.Fatal(err)
		}
	}
}

// openFile opens a file as a source that is closed with the test.
func openFile(tb testing.TB, path string, options Options) batch.Source {
	tb.Helper()
	info, err := blob.Stat(tb.Context(), path)
	if err != nil {
		tb.Fatal(err)
	}
	source, err := Open(tb.Context(), info, options)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { source.Close() })
	return source
}
