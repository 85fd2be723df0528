package readers

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pushbatch/batch"
	"pushbatch/testdata/readertest"
)

// TestLargeRecords has records that are far larger than a block and than a
// record may be, so that their end is looked for without keeping them. What
// follows must be found at the right line and offset.
func TestLargeRecords(t *testing.T) {
	t.Parallel()
	fill := strings.Repeat("0123456,89\n", 30_000) // 330 kB
	plain := strings.ReplaceAll(fill, "\n", "")
	options := Options{MaxRecord: 1000}
	for _, tt := range []struct {
		name, begin, record, end string
		want                     []string // cells of the large row, then its problem
	}{
		{"plain", "id,a\n", "1,2," + plain, "\n", []string{"1", "2", "!record_too_large"}},
		{"plain, CRLF", "id,a\r\n", "1,2," + plain, "\r\n", []string{"1", "2", "!record_too_large"}},
		{"plain, CR", "id,a\r", "1,2," + plain, "\r", []string{"1", "2", "!record_too_large"}},
		{"quoted lines", "id,a\n", "1,\"" + fill + "\"", "\n", []string{"1", "", "!record_too_large"}},
		{"quoted lines, CRLF", "id,a\r\n", "1,\"" + fill + "\"", "\r\n", []string{"1", "", "!record_too_large"}},
		{"quoted lines, CR", "id,a\r", "1,\"" + strings.ReplaceAll(fill, "\n", "\r\n") + "\"", "\r", []string{"1", "", "!record_too_large"}},
		{"quotes inside", "id,a\n", "1,\"" + strings.ReplaceAll(fill, "6", `""`) + "\",\"x\"", "\n", []string{"1", "", "!record_too_large"}},
		{"quote in the middle of a cell", "id,a\n", "1,x\"" + plain, "\n", []string{"1", `x"0123456`, "!record_too_large"}},
		{"text behind a quote", "id,a\n", "1,\"" + fill + "\"x,\"y\n\"\rz", "\n", []string{"1", "", "!record_too_large"}},
		{"beyond ASCII", "id,a\n", "1,\"" + strings.Repeat("Ž😀\n", 50_000) + "\"", "\n", []string{"1", "", "!record_too_large"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			line := strings.TrimPrefix(tt.begin, "id,a")
			path := write(t, "rows.csv", tt.begin+"0,x"+line+tt.record+tt.end+"2,\"y\""+line+"3,z")
			source := openFile(t, path, options)
			rows := readertest.Read(t, source)
			want := [][]string{{"id", "a"}, {"0", "x"}, tt.want, {"2", "y"}, {"3", "z"}}
			if diff := cmp.Diff(want, table(source.Header(), rows)); diff != "" {
				t.Fatalf("rows (-want +got):\n%s", diff)
			}
			at := int64(len(tt.begin + "0,x" + line + tt.record + tt.end))
			text := strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(tt.record)
			if line == "\n" {
				text = tt.record
			}
			lines := int64(4 + strings.Count(text, "\n"))
			if rows[2].Pos.Offset != at || rows[2].Pos.Line != lines {
				t.Errorf("the row behind stands at %+v, want offset %d, line %d", rows[2].Pos, at, lines)
			}
			readertest.TestSource(t, func() batch.Source { return openFile(t, path, options) })
		})
	}
}

// TestLargeAtTheEnd has the large record last, with and without a line end.
func TestLargeAtTheEnd(t *testing.T) {
	t.Parallel()
	for name, data := range map[string]string{
		"csv":           "id\n1\n" + strings.Repeat("x", 200_000),
		"csv, line end": "id\n1\n" + strings.Repeat("x", 200_000) + "\n",
		"csv, CR":       "id\r1\r" + strings.Repeat("x", 200_000) + "\r",
		"ndjson":        "{\"id\":1}\n{\"id\":\"" + strings.Repeat("x", 200_000),
		"ndjson, lines": "{\"id\":1}\n{\"id\":\"" + strings.Repeat("x", 200_000) + "\n\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := write(t, "rows", data)
			open := func() batch.Source { return openFile(t, path, Options{MaxRecord: 100}) }
			rows := readertest.Read(t, open())
			if len(rows) != 2 || rows[0].Err != nil || rows[1].Err == nil || rows[1].Err.Code != CodeTooLarge {
				t.Fatalf("rows: %+v", rows)
			}
			readertest.TestSource(t, open)
		})
	}
}

// TestLargeInTheMiddle does the same for NDJSON with rows after it.
func TestLargeInTheMiddle(t *testing.T) {
	t.Parallel()
	path := write(t, "rows.ndjson", "{\"id\":1}\n{\"id\":\""+strings.Repeat("Ž", 100_000)+"\"}\r\n{\"id\":3}\n")
	open := func() batch.Source { return openFile(t, path, Options{MaxRecord: 100}) }
	source := open()
	want := [][]string{{"id"}, {"1"}, {"", "!record_too_large"}, {"3"}}
	if diff := cmp.Diff(want, table(source.Header(), readertest.Read(t, source))); diff != "" {
		t.Fatalf("rows (-want +got):\n%s", diff)
	}
	readertest.TestSource(t, open)
}

func TestManyNames(t *testing.T) {
	t.Parallel()
	var object strings.Builder
	for i := range 50 {
		fmt.Fprintf(&object, `"n%d":%d,`, i, i)
	}
	source := openFile(t, write(t, "rows.ndjson", `{"a":{`+object.String()+`"x":1}}`+"\n"+`{"a":{`+object.String()+`"n40":1}}`+"\n"), Options{})
	rows := readertest.Read(t, source)
	if n := len(rows[0].Values[0].Nested.Names); n != 51 || rows[0].Err != nil {
		t.Errorf("%d names, %v", n, rows[0].Err)
	}
	if rows[1].Err == nil || rows[1].Err.Code != CodeJSONRepeat {
		t.Errorf("got %v, want %s", rows[1].Err, CodeJSONRepeat)
	}
}

func TestTraits(t *testing.T) {
	t.Parallel()
	text := openFile(t, write(t, "rows.csv", "a,b\n1,2\n"), Options{})
	if _, known := RowCount(text); known {
		t.Error("the number of rows of a text is known without reading")
	}
	parquet := withPartitions(openFile(t, "parquetfile/testdata/duckdb/people-zstd-v2.parquet", Options{}), nil)
	count, known := RowCount(parquet)
	if rows := readertest.Read(t, parquet); !known || count != int64(len(rows)) || len(rows) == 0 {
		t.Errorf("count %d (%t) of %d rows", count, known, len(rows))
	}
	if Detected(parquet) != "Parquet" {
		t.Errorf("detected %q", Detected(parquet))
	}
}
