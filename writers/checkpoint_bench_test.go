package writers_test

import (
	"context"
	"crypto/sha256"
	"iter"
	"path/filepath"
	"testing"
	"time"

	"pushbatch/batch"
	"pushbatch/batch/runstore"
	"pushbatch/writers"
)

// someRows is a source of equal rows.
type someRows int64

func (someRows) Name() string { return "rows.csv" }
func (someRows) Header() batch.Header {
	return batch.Header{{Name: "registrationId", Kind: batch.Text}}
}
func (someRows) Identity() batch.Identity { return batch.Identity{} }
func (someRows) Close() error             { return nil }

func (n someRows) Rows(context.Context, batch.Position) iter.Seq2[batch.Row, error] {
	values := []batch.Value{batch.TextValue("29f375b1-5b9f-4014-ac6a-87fe70b100e9")}
	return func(yield func(batch.Row, error) bool) {
		for i := range int64(n) {
			if !yield(batch.Row{Pos: batch.Position{Row: i}, Next: batch.Position{Row: i + 1}, Values: values}, nil) {
				return
			}
		}
	}
}

// BenchmarkCheckpoint writes results on a real disk with a checkpoint a second,
// and in turn without any. A row costs as much work as sending a request does.
// "floor-ratio" is the time with checkpoints to the time without.
func BenchmarkCheckpoint(b *testing.B) {
	const rows = 100_000
	var with, without time.Duration
	for b.Loop() {
		with += timeRun(b, rows, time.Second)
		without += timeRun(b, rows, time.Hour)
	}
	b.ReportMetric(float64(with)/float64(without), "floor-ratio")
}

func timeRun(b *testing.B, rows int64, saveEvery time.Duration) time.Duration {
	b.Helper()
	folder, err := runstore.Create(b.Context(), filepath.Join(b.TempDir(), "run"), runstore.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer folder.Close()
	format, err := writers.ResultFormatNamed("csv")
	if err != nil {
		b.Fatal(err)
	}
	sink, err := writers.OpenReports(folder, writers.ReportOptions{Operation: "get", Format: format, Columns: [][]string{{"registrationId"}}}, nil)
	if err != nil {
		b.Fatal(err)
	}
	job := batch.New(batch.Config{
		Inputs: []batch.Input{{Source: someRows(rows), Map: work}}, Sink: sink, Save: folder.SaveCheckpoint, SaveEvery: saveEvery,
	})
	began := time.Now()
	if err := job.Run(b.Context()); err != nil {
		b.Fatal(err)
	}
	return time.Since(began)
}

// work takes some 50 microseconds.
func work(row *batch.Row) (batch.Request, *batch.Outcome) {
	sum := sha256.Sum256(make([]byte, 64<<10))
	return nil, &batch.Outcome{Status: batch.Skipped, RegistrationID: row.Values[0].Text, HTTPStatus: int(sum[0])}
}
