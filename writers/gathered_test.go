package writers

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"

	"pushbatch/batch"
	"pushbatch/testdata/writertest"
	"pushbatch/writers/table"
)

// parquetResult is a row of results.parquet.
type parquetResult struct {
	Row       int64     `parquet:"row,optional"`
	Source    string    `parquet:"source,optional"`
	SourceRow int64     `parquet:"source_row,optional"`
	ID        string    `parquet:"registration_id,optional"`
	Operation string    `parquet:"operation,optional"`
	Status    string    `parquet:"status,optional"`
	HTTP      int64     `parquet:"http_status,optional"`
	Code      string    `parquet:"error_code,optional"`
	Message   string    `parquet:"error_message,optional"`
	Attempts  int64     `parquet:"attempts,optional"`
	Latency   float64   `parquet:"latency_ms,optional"`
	Finished  time.Time `parquet:"finished_at,optional,timestamp(millisecond)"`
}

func readResults(data []byte) ([]parquetResult, error) {
	return parquet.Read[parquetResult](bytes.NewReader(data), int64(len(data)))
}

// What is a formula in a spreadsheet is none here: texts stand as they are.
func TestResultsParquet(t *testing.T) {
	t.Parallel()
	f := newFolder(t)
	s := open(t, f, options("parquet", "registrationId"), nil)
	write(t, s,
		result(1, batch.Outcome{Status: batch.Succeeded, RegistrationID: "d,1", HTTPStatus: 200, Attempts: 2, Latency: 12345678}),
		result(2, batch.Outcome{Status: batch.Rejected, Code: "phone_invalid;email_invalid", Message: "=1\r\n"}, "x"),
	)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	got, err := readResults([]byte(content(t, f, "results.parquet")))
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 23, 9, 20, 30, 123e6, time.UTC)
	want := []parquetResult{
		{Row: 1, Source: "in.csv", SourceRow: 1, ID: "d,1", Operation: "personalize", Status: "succeeded", HTTP: 200, Attempts: 2, Latency: 12.345, Finished: at},
		{Row: 2, Source: "in.csv", SourceRow: 2, Operation: "personalize", Status: "rejected", Code: "phone_invalid;email_invalid", Message: "=1\r\n", Finished: at},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// A stopped run has a whole file; a resumed one makes it anew of all rows; what
// it was made of goes only when the run has ended.
func TestResultsParquetStoppedAndResumed(t *testing.T) {
	t.Parallel()
	f := newFolder(t)
	s := open(t, f, options("parquet", "id"), nil)
	good := batch.Outcome{Status: batch.Succeeded, HTTPStatus: 200, Attempts: 1}
	write(t, s, result(1, good), result(2, good))
	mark, err := s.Flush()
	if err != nil {
		t.Fatal(err)
	}
	write(t, s, result(4, good)) // after a gap: a resumed run writes it again
	for round, want := range []int{3, 4, 4} {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if round == 1 {
			if mark, err = s.Flush(); err != nil {
				t.Fatal(err)
			}
			if err := s.CleanUp(); err != nil || f.Exists("results.parquet.part") {
				t.Fatalf("settled: %v", err)
			}
		}
		if rows, err := readResults([]byte(content(t, f, "results.parquet"))); err != nil || len(rows) != want {
			t.Fatalf("round %d: %d rows, %v", round, len(rows), err)
		}
		s = open(t, f, options("parquet", "id"), mark)
		if round == 0 {
			if f.Exists("results.parquet") {
				t.Error("an old file is to be seen while the run goes on")
			}
			write(t, s, result(3, good), result(4, good))
		}
	}
	if err := s.Write(result(5, good)); err == nil {
		t.Error("a run that has ended takes a row")
	}
}

// DuckDB finds in results.parquet the types that are meant and the values of
// results.csv.
func TestResultsInDuckDB(t *testing.T) {
	t.Parallel()
	writertest.DuckDB(t)
	dir := t.TempDir()
	const rows = 3000
	for _, format := range []string{"csv", "parquet", "ndjson"} {
		f := newFolder(t)
		s := open(t, f, options(format, "id"), nil)
		for n := range int64(rows) {
			o := batch.Outcome{Status: batch.Succeeded, RegistrationID: fmt.Sprint("d", n), HTTPStatus: 200, Attempts: 1 + int(n%3), Latency: time.Duration(n) * time.Millisecond / 7}
			if n%5 == 0 {
				o = batch.Outcome{Status: batch.Rejected, Code: "phone_invalid", Message: "column phone: \"" + strings.Repeat("é", int(n%7)) + "\""}
			}
			write(t, s, result(n+1, o))
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "results."+format), []byte(content(t, f, "results."+format)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	told := writertest.AskDuckDB(t, "results.mjs", dir, rows)
	for _, c := range resultColumns {
		want := map[string]string{table.Integer: "BIGINT", table.Double: "DOUBLE", table.Timestamp: "TIMESTAMP WITH TIME ZONE", table.Text: "VARCHAR"}[c.typ]
		if told.Types[c.name] != want {
			t.Errorf("column %s is %s, want %s", c.name, told.Types[c.name], want)
		}
	}
}
