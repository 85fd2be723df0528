package inventory

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"pushbatch/batch"
	"pushbatch/batch/blob"
	"pushbatch/readers"
	"pushbatch/writers/table"
)

// BenchmarkChanges compares two days of as many devices as DEVICES says, of which
// one in fifty came, went or changed. FEED_FOLDER keeps the days for the next time,
// so that the memory of a process that only compares can be looked at.
func BenchmarkChanges(b *testing.B) {
	devices := 100_000
	if n, err := strconv.Atoi(os.Getenv("DEVICES")); err == nil {
		devices = n
	}
	folder := os.Getenv("FEED_FOLDER")
	if folder == "" {
		folder = b.TempDir()
	}
	var days [2]batch.Source
	for i := range days {
		path := filepath.Join(folder, fmt.Sprintf("day-%d-%d.parquet", devices, i))
		if _, err := os.Stat(path); err != nil {
			if err := makeDay(path, devices, i); err != nil {
				b.Fatal(err)
			}
		}
		var err error
		if days[i], err = open(b.Context(), path); err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = days[i].Close() })
	}
	var changes *Changes
	for b.Loop() {
		var err error
		if changes, err = compare(b.Context(), days[0], days[1], b.TempDir(), io.Discard); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(2*devices)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
	if want := int64(devices / 100); changes.Appeared != want || changes.Vanished != want || changes.Changed < want/2 {
		b.Fatalf("%+v", changes)
	}
}

func makeDay(path string, devices, day int) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer file.Close()
	layout := NewLayout(true, false)
	var columns []table.Column
	for _, c := range layout.Columns() {
		columns = append(columns, table.Column{Name: c.Name, Type: c.Type})
	}
	w, err := table.NewParquet(file, columns)
	if err != nil {
		return err
	}
	for n := range devices {
		if n%100 == day { // who vanishes, and who appears
			continue
		}
		row := make([]batch.Value, len(columns))
		for i, c := range columns {
			switch {
			case c.Name == idColumn:
				row[i] = batch.TextValue(fmt.Sprintf("0c2e7f1a-91b3-4d52-8e6f-%012d", n*7919))
			case c.Type == table.Boolean:
				row[i] = batch.BoolValue((n+i)%3 > 0)
			case c.Type == table.Timestamp:
				row[i] = batch.Value{Kind: batch.Timestamp, Text: fmt.Sprintf("2026-01-%02dT12:%02d:00.000Z", 1+n%28, n%60)}
			case c.Name == "app_version" && n%101 == 5:
				row[i] = batch.TextValue(fmt.Sprint("6.", day))
			case c.Type == table.Text && i%4 != 3:
				row[i] = batch.TextValue(fmt.Sprint("value ", n%(i*i+1)))
			}
		}
		if err := w.Write(row); err != nil {
			return err
		}
	}
	return w.Close()
}

func open(ctx context.Context, path string) (batch.Source, error) {
	info, err := blob.Stat(ctx, path)
	if err != nil {
		return nil, err
	}
	return readers.Open(ctx, info, readers.Options{})
}
