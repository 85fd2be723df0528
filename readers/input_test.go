package readers

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"golang.org/x/text/encoding/htmlindex"

	"pushbatch/batch"
	"pushbatch/batch/blob"
	"pushbatch/readers/inputerror"
	"pushbatch/testdata/readertest"
	"pushbatch/testdata/thorough"
)

const (
	sampleCSV    = "id;name\n1;Željka\n2;\"Đuro;\r\nx\"\n3;ok\n"
	sampleNDJSON = `{"id":"1","name":"Željka"}` + "\n" + `{"id":"2"}` + "\n" + `{"id":"3","name":"x"}` + "\n"
)

func gzipped(tb testing.TB, members ...string) string {
	tb.Helper()
	var b bytes.Buffer
	for _, member := range members {
		w := gzip.NewWriter(&b)
		w.Name, w.Comment = "rows.csv", "a comment"
		if _, err := w.Write([]byte(member)); err != nil {
			tb.Fatal(err)
		}
		if err := w.Close(); err != nil {
			tb.Fatal(err)
		}
	}
	return b.String()
}

func zstandard(tb testing.TB, frames ...string) string {
	tb.Helper()
	w, err := zstd.NewWriter(nil)
	if err != nil {
		tb.Fatal(err)
	}
	var packed []byte
	for _, frame := range frames {
		packed = w.EncodeAll([]byte(frame), packed)
	}
	return string(packed)
}

func utf16Text(text string, order binary.AppendByteOrder) string {
	var b []byte
	for _, unit := range utf16.Encode([]rune(text)) {
		b = order.AppendUint16(b, unit)
	}
	return string(b)
}

func encoded(tb testing.TB, name, text string) string {
	tb.Helper()
	enc, err := htmlindex.Get(name)
	if err != nil {
		tb.Fatal(err)
	}
	stored, err := enc.NewEncoder().String(text)
	if err != nil {
		tb.Fatal(err)
	}
	return stored
}

// TestStored reads the same rows however they are stored.
func TestStored(t *testing.T) {
	t.Parallel()
	want := [][]string{{"id", "name"}, {"1", "Željka"}, {"2", "Đuro;\r\nx"}, {"3", "ok"}}
	const japanese = "id,name\n1,日本\n2,\"東,京\"\n"
	for _, tt := range []struct {
		name, data string
		options    Options
		want       [][]string
		detected   string
	}{
		{"gzip", gzipped(t, sampleCSV), Options{}, want, "CSV, semicolon, UTF-8, gzip"},
		{"gzip members", gzipped(t, sampleCSV[:9], "", sampleCSV[9:]), Options{Compression: "gzip"}, want, "CSV, semicolon, UTF-8, gzip"},
		{"zstd", zstandard(t, sampleCSV), Options{}, want, "CSV, semicolon, UTF-8, zstd"},
		{"zstd frames", zstandard(t, sampleCSV[:9], sampleCSV[9:]), Options{Compression: "zstd"}, want, "CSV, semicolon, UTF-8, zstd"},
		{"UTF-16LE with BOM", utf16Text("\uFEFF"+sampleCSV, binary.LittleEndian), Options{}, want, "CSV, semicolon, UTF-16LE with BOM"},
		{"UTF-16BE with BOM", utf16Text("\uFEFF"+sampleCSV, binary.BigEndian), Options{Encoding: "utf-16"}, want, "CSV, semicolon, UTF-16BE with BOM"},
		{"UTF-16LE", utf16Text(sampleCSV, binary.LittleEndian), Options{}, want, "CSV, semicolon, UTF-16LE"},
		{"UTF-16BE", utf16Text(sampleCSV, binary.BigEndian), Options{}, want, "CSV, semicolon, UTF-16BE"},
		{"UTF-16LE with BOM in gzip", gzipped(t, utf16Text("\uFEFF"+sampleCSV, binary.LittleEndian)), Options{}, want, "CSV, semicolon, UTF-16LE with BOM, gzip"},
		{"UTF-16LE with sep line", utf16Text("\uFEFFsep=;\r\n"+sampleCSV, binary.LittleEndian), Options{}, want, "CSV, semicolon (sep= line), UTF-16LE with BOM"},
		{"windows-1250", encoded(t, "windows-1250", sampleCSV), Options{Encoding: "windows-1250"}, want, "CSV, semicolon, windows-1250"},
		{"Windows-1250 in gzip", gzipped(t, encoded(t, "windows-1250", sampleCSV)), Options{Encoding: "Windows-1250"}, want, "CSV, semicolon, windows-1250, gzip"},
		{"shift_jis", encoded(t, "shift_jis", japanese), Options{Encoding: "shift_jis"}, [][]string{{"id", "name"}, {"1", "日本"}, {"2", "東,京"}}, "CSV, comma, shift_jis"},
		{"beyond the basic plane", utf16Text("\uFEFFid,name\n1,😀\n2,😀x\n3,\n", binary.LittleEndian), Options{}, [][]string{{"id", "name"}, {"1", "😀"}, {"2", "😀x"}, {"3", ""}}, ""},
		{"NDJSON in zstd", zstandard(t, sampleNDJSON), Options{}, [][]string{{"id", "name"}, {"1", "Željka"}, {"2", ""}, {"3", "x"}}, "NDJSON, UTF-8, zstd"},
		{"NDJSON in UTF-16", utf16Text("\uFEFF"+sampleNDJSON, binary.LittleEndian), Options{}, [][]string{{"id", "name"}, {"1", "Željka"}, {"2", ""}, {"3", "x"}}, "NDJSON, UTF-16LE with BOM"},
		{"half a surrogate pair", "\xff\xfei\x00d\x00\n\x00\x00\xd8\n\x001\x00\n\x00", Options{}, [][]string{{"id"}, {"\xed\xa0\x80", "!encoding_invalid id"}, {"1"}}, ""},
		{"hole of windows-1252", "id,x\n1,\x81\n2,\x80\n", Options{Encoding: "windows-1252"}, [][]string{{"id", "x"}, {"1", "\xed\xb2\x81", "!encoding_invalid x"}, {"2", "€"}}, ""},
		{"not shift_jis", "id,x\n1,\x81\n2,y\n3,z\n", Options{Encoding: "shift_jis"}, [][]string{{"id", "x"}, {"1", "\uFFFD", "!encoding_invalid x"}, {"2", "y"}, {"3", "z"}}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			path := write(t, "rows", tt.data)
			source := openFile(t, path, tt.options)
			if diff := cmp.Diff(tt.want, table(source.Header(), readertest.Read(t, source))); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
			if tt.detected != "" && Detected(source) != tt.detected {
				t.Errorf("detected %q, want %q", Detected(source), tt.detected)
			}
			readertest.TestSource(t, func() batch.Source { return openFile(t, path, tt.options) })
		})
	}
}

func TestEncodingErrors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, data, encoding, code, say string
	}{
		{"mark against option", "\xef\xbb\xbfid\n1\n", "windows-1250", inputerror.CodeOption, "byte order mark of UTF-8"},
		{"UTF-32", "\xff\xfe\x00\x00i\x00\x00\x00", "", inputerror.CodeFormat, "UTF-32LE"},
		{"replacement", "id\n", "iso-2022-cn", inputerror.CodeOption, "--encoding"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := tryOpen(t, write(t, "rows.csv", tt.data), Options{Encoding: tt.encoding})
			wantError(t, err, tt.code, 0, 0, tt.say)
		})
	}
}

// TestCut cuts inputs at every byte. Where the end is stored a cut is noticed;
// UTF-16 that is cut in the middle of a character as well.
func TestCut(t *testing.T) {
	t.Parallel()
	oneByte := utf16Text("\uFEFF"+sampleCSV, binary.LittleEndian)
	for _, tt := range []struct {
		name, data string
		proven     func(cut int) bool // a cut there is a complete input
	}{
		{"gzip", gzipped(t, sampleCSV), nil},
		{"gzip members", gzipped(t, sampleCSV[:20], sampleCSV[20:]), func(cut int) bool { return cut == len(gzipped(t, sampleCSV[:20])) }},
		{"zstd", zstandard(t, sampleCSV), nil},
		{"zstd frames", zstandard(t, sampleCSV[:20], sampleCSV[20:]), func(cut int) bool { return cut == len(zstandard(t, sampleCSV[:20])) }},
		{"UTF-16", oneByte, func(cut int) bool { return cut%2 == 0 }},
		{"NDJSON in gzip", gzipped(t, sampleNDJSON), nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			whole := readertest.Read(t, openFile(t, write(t, "rows", tt.data), Options{}))
			for cut := range len(tt.data) {
				if tt.proven != nil && tt.proven(cut) {
					continue
				}
				path := write(t, "rows", tt.data[:cut])
				err := readertest.TestBroken(t, whole, func() (batch.Source, error) { return tryOpen(t, path, Options{}) })
				if found := new(inputerror.Error); !errors.As(err, &found) {
					t.Errorf("cut at %d of %d: %v is no Error", cut, len(tt.data), err)
				}
			}
		})
	}
}

// TestDamaged changes a byte of the packed data, whose check must notice.
func TestDamaged(t *testing.T) {
	t.Parallel()
	rows := "id,name\n" + strings.Repeat("1,some text that packs\n", 50_000)
	for name, data := range map[string]string{"gzip": gzipped(t, rows), "zstd": zstandard(t, rows), "garbage behind gzip": gzipped(t, rows) + "garbage behind"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			damaged, say := []byte(data), "follow the end of the gzip stream"
			if name == "gzip" || name == "zstd" {
				damaged[len(damaged)-3] ^= 0x55
				say = "damaged"
			}
			source := openFile(t, write(t, "rows", string(damaged)), Options{})
			rows, err := readertest.ReadFrom(t.Context(), source, batch.Position{})
			wantError(t, err, inputerror.CodeCorrupt, int64(len(rows))+2, int64(len(rows))+1, say)
			if len(rows) < 40_000 {
				t.Errorf("%d rows before the damage", len(rows))
			}
		})
	}
}

// TestFailingRead has the bytes refused at every place.
func TestFailingRead(t *testing.T) {
	t.Parallel()
	for name, data := range map[string]string{"csv": sampleCSV, "ndjson": sampleNDJSON, "gzip": gzipped(t, sampleCSV), "zstd": zstandard(t, sampleCSV)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			whole := readertest.Read(t, openStdin(t, strings.NewReader(data), Options{}))
			refused := errors.New("the disk is gone")
			for cut := range len(data) {
				err := readertest.TestBroken(t, whole, func() (batch.Source, error) {
					in := io.MultiReader(strings.NewReader(data[:cut]), iotest.ErrReader(refused))
					return Open(t.Context(), blob.Info{Location: blob.Stdin, Size: -1}, Options{Stdin: in})
				})
				if !errors.Is(err, refused) {
					t.Errorf("refused at %d: %v", cut, err)
				}
			}
		})
	}
}

func openStdin(tb testing.TB, in io.Reader, options Options) batch.Source {
	tb.Helper()
	options.Stdin = in
	source, err := Open(tb.Context(), blob.Info{Location: blob.Stdin, URI: blob.Stdin, Size: -1}, options)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { source.Close() })
	return source
}

func TestStdin(t *testing.T) {
	t.Parallel()
	long := "id;name\n" + strings.Repeat("1;Željka\n", thorough.Of(10_000, 30_000))
	for name, data := range map[string]string{
		"csv": sampleCSV, "long": long, "gzip": gzipped(t, long), "zstd": zstandard(t, long),
		"utf-16": utf16Text(long, binary.LittleEndian), "ndjson": strings.Repeat(sampleNDJSON, thorough.Of(3_000, 10_000)),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := readertest.Read(t, openFile(t, write(t, "rows", data), Options{}))
			for how, in := range map[string]io.Reader{"at once": strings.NewReader(data), "in halves": iotest.HalfReader(strings.NewReader(data)), "end with data": iotest.DataErrReader(strings.NewReader(data))} {
				source := openStdin(t, in, Options{})
				if diff := difference(want, readertest.Read(t, source)); diff != "" {
					t.Fatalf("%s (-file +stream):\n%s", how, diff)
				}
				_, err := readertest.ReadFrom(t.Context(), source, batch.Position{})
				wantError(t, err, inputerror.CodeNotRereadable, 0, 0, "only once")
				_, err = readertest.ReadFrom(t.Context(), source, want[1].Pos)
				wantError(t, err, inputerror.CodeNotRereadable, 0, 0, "from row 2 on")
				if source.Identity().Size != -1 || source.Identity().Fingerprint != "" {
					t.Errorf("identity of a stream: %+v", source.Identity())
				}
			}
		})
	}
}

// TestStdinBlocks ends the context while nothing comes.
func TestStdinBlocks(t *testing.T) {
	t.Parallel()
	r, w := io.Pipe()
	defer w.Close()
	go func() { _, _ = w.Write([]byte(sampleCSV + strings.Repeat("4;x\n", sampleSize))) }()
	source := openStdin(t, r, Options{})
	ctx, cancel := context.WithCancelCause(t.Context())
	cause := errors.New("stopped by the test")
	defer cancel(nil)
	var last error
	for _, err := range source.Rows(ctx, batch.Position{}) {
		last = err
		cancel(cause)
	}
	if !errors.Is(last, cause) {
		t.Errorf("got %v, want the cause of the context", last)
	}
}

// TestNotForeign opens text that has something of a binary file.
func TestNotForeign(t *testing.T) {
	t.Parallel()
	for name, data := range map[string]string{
		"Cyrillic UTF-16":     utf16Text("\uFEFFid;имя\n1;Наталья\n2;Щукин\n", binary.LittleEndian),
		"without a mark":      utf16Text("registrationId;name\nr1;Ime\nr2;Prezime\n", binary.BigEndian),
		"a terminal's colour": "id,_x\x1b[31mred\x07\x1b[0m\nr1,x\n",
		"a header of ORC":     "ORC,id\n1,2\n",
		"one NUL":             "id,name\n1,a\x00b\n",
	} {
		if _, err := tryOpen(t, write(t, "rows.csv", data), Options{}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestPadding reads what compressors, tapes and editors put around compressed text.
func TestPadding(t *testing.T) {
	t.Parallel()
	packed := gzipped(t, "id,name\n1,a\n")
	skippable := "\x50\x2a\x4d\x18\x04\x00\x00\x00\x01\x02\x03\x04"
	for name, data := range map[string]string{
		"zeros behind gzip":       packed + strings.Repeat("\x00", 600),
		"a line end behind gzip":  packed + "\r\n",
		"zeros between gzips":     packed + "\x00\x00" + gzipped(t, "2,b\n"),
		"zstd after a skippable":  skippable + zstandard(t, "id,name\n1,a\n"),
		"zstd after two":          skippable + strings.Replace(skippable, "\x50", "\x5f", 1) + zstandard(t, "id,name\n1,a\n"),
		"zstd after a large one":  "\x51\x2a\x4d\x18\x00\x00\x02\x00" + strings.Repeat("x", 0x20000) + zstandard(t, "id,name\n1,a\n"),
		"a skippable behind zstd": zstandard(t, "id,name\n1,a\n") + skippable,
	} {
		for _, compression := range []string{"auto", name[strings.LastIndex(name, " ")+1:]} {
			if compression != "gzip" && compression != "zstd" {
				compression = "auto"
			}
			rows := readertest.Read(t, openFile(t, write(t, "rows.csv", data), Options{Compression: compression}))
			if len(rows) == 0 || rows[0].Values[1].Text != "a" {
				t.Errorf("%s: %v", name, rows)
			}
		}
	}
	_, err := readertest.ReadFrom(t.Context(), openFile(t, write(t, "rows.csv.gz", packed+"id,name\n2,b\n"), Options{}), batch.Position{})
	wantError(t, err, inputerror.CodeCorrupt, 3, 2, "follow the end of the gzip stream")
	_, err = readertest.ReadFrom(t.Context(), openFile(t, write(t, "rows.csv.zst", zstandard(t, "id,name\n1,a\n")+"id,name\n2,b\n"), Options{}), batch.Position{})
	wantError(t, err, inputerror.CodeCorrupt, 3, 2, "follow the end of the zstd stream")
}

// TestWindow: a zstd stream whose window is beyond the bound is not called damaged.
func TestWindow(t *testing.T) {
	t.Parallel()
	frame := "\x28\xb5\x2f\xfd\x00\x98" + "\x01\x00\x00" // a window of 512 MiB, one empty block
	_, err := tryOpen(t, write(t, "rows.csv.zst", frame), Options{})
	wantError(t, err, inputerror.CodeBound, 0, 0, "window of more than 128 MiB")
}

// TestPipe reads Parquet, which needs ranges, from a stream.
func TestParquetStream(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("parquetfile/testdata/duckdb/people-*.parquet")
	if err != nil || len(files) == 0 {
		t.Fatalf("no Parquet file: %v", err)
	}
	data, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	want := readertest.Read(t, openFile(t, files[0], Options{}))
	if diff := cmp.Diff(want, readertest.Read(t, openStdin(t, bytes.NewReader(data), Options{}))); diff != "" {
		t.Errorf("-file +stream:\n%s", diff)
	}
	_, err = tryOpen(t, write(t, "rows.parquet.gz", gzipped(t, string(data))), Options{})
	wantError(t, err, inputerror.CodeFormat, 0, 0, "Parquet inside gzip")
}

// TestChanged changes a file between opening and reading, and while it is
// read.
func TestChanged(t *testing.T) {
	t.Parallel()
	long := "id,name\n" + strings.Repeat("1,some text\n", 50_000)
	for name, change := range map[string]func(path string) error{
		"cut":      func(path string) error { return os.Truncate(path, int64(len(long)/2)) },
		"appended": func(path string) error { return os.WriteFile(path, []byte(long+"2,more\n"), 0o600) },
		"touched":  func(path string) error { return os.Chtimes(path, time.Time{}, time.Unix(1, 0)) },
	} {
		t.Run(name+" before", func(t *testing.T) {
			t.Parallel()
			path := write(t, "rows.csv", long)
			source := openFile(t, path, Options{})
			if err := change(path); err != nil {
				t.Fatal(err)
			}
			_, err := readertest.ReadFrom(t.Context(), source, batch.Position{})
			wantError(t, err, inputerror.CodeChanged, 0, 0, "changed")
		})
		t.Run(name+" while reading", func(t *testing.T) {
			t.Parallel()
			path := write(t, "rows.csv", long)
			var last error
			for row, err := range openFile(t, path, Options{}).Rows(t.Context(), batch.Position{}) {
				last = err
				if row.Num = row.SourceNum(); row.Num == 10 {
					if err := change(path); err != nil {
						t.Fatal(err)
					}
				}
			}
			found := new(inputerror.Error)
			if !errors.As(last, &found) || found.Code != inputerror.CodeChanged || found.Row == 0 {
				t.Errorf("got %v, want %s with a row", last, inputerror.CodeChanged)
			}
		})
	}
}

func TestForeign(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ data, say string }{
		{"PK\x03\x04\x14\x00\x06\x00\x08\x00[Content_Types].xml", "Excel workbook (.xlsx)"},
		{"PK\x03\x04\x14\x00\x00\x00\x08\x00rows.csv", "zip archive"},
		{"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old Excel workbook"},
		{"%PDF-1.7\n", "PDF"},
		{"{\\rtf1\\ansi", "rich text"},
		{"BZh91AY&SY", "bzip2"},
		{"\xfd7zXZ\x00", "xz"},
		{"7z\xbc\xaf\x27\x1c", "7z"},
		{"Obj\x01", "Avro"},
		{"SQLite format 3\x00", "SQLite"},
		{"<!DOCTYPE html><html>", "web page"},
		{"\xef\xbb\xbf \n<HTML lang=en>", "web page"},
		{"<table border=1>", "HTML table"},
		{"<?xml version=\"1.0\"?>", "XML"},
		{"[{\"id\":1}]", "JSON array"},
		{"[\n  1\n]", "JSON array"},
		{"{\n  \"id\": 1\n}\n", "not one object a line"},
		{"PARE", "encrypted"},
		{"ARROW1\x00\x00\xff\xff\xff\xff\x10\x00\x00\x00", "Arrow file (Feather): write it as Parquet"},
		{"\xff\xff\xff\xff\x10\x00\x00\x00", "stream of Arrow records"},
		{"ORC\x08\x03\x10\x00\x18\x04\x22\x03", "ORC"},
		{"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "PNG picture"},
		{"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n", "Git LFS"},
		{gzipped(t, gzipped(t, "id\n1\n")), "gzip inside gzip"},
		{gzipped(t, zstandard(t, "id\n1\n")), "zstd inside gzip"},
		{"\xff\xd8\xff\xe0\x00\x10JFIF", "JPEG picture"},
		{"\x00\x00\x00\x01Bud1\x00\x00", "folder's settings of macOS"},
		{"\x80\x04\x95\x1a\x01\x02\x10\x8c\x06abc\x94", "binary file of another program"},
		{strings.Repeat("\x07\x00\x00\x00", 40), "a binary file of another program"},
		{utf16Text("\uFEFF<html><body>", binary.LittleEndian), "web page"},
	} {
		t.Run(tt.say, func(t *testing.T) {
			t.Parallel()
			_, err := tryOpen(t, write(t, "rows.csv", tt.data), Options{})
			wantError(t, err, inputerror.CodeFormat, 0, 0, tt.say)
		})
	}
	for name, say := range map[string]string{"Thumbs.db": "Windows leaves", "desktop.ini": "settings of Windows", "q.csv.metadata": "Athena"} {
		_, err := tryOpen(t, write(t, name, "\n\x10\x12\x04hive\x1a\x06string"), Options{})
		wantError(t, err, inputerror.CodeFormat, 0, 0, say)
	}
	_, err := tryOpen(t, write(t, "rows.csv", gzipped(t, "a,b\n")), Options{Compression: "none"})
	wantError(t, err, inputerror.CodeFormat, 0, 0, "leave out --compression")
	_, err = tryOpen(t, write(t, "rows.parquet", "a,b\n"), Options{})
	wantError(t, err, inputerror.CodeFormat, 0, 0, "PAR1")
}

func TestPartitions(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "app=shop%20one", "day=__HIVE_DEFAULT_PARTITION__", "id=9")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "rows.csv")
	if err := os.WriteFile(path, []byte("id,name\n1,x\n2\n3,y,z\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	source := openFile(t, path, Options{})
	want := [][]string{{"id", "name", "app", "day"}, {"1", "x", "shop one", ""}, {"2", "", "shop one", "", "!csv_field_count"}, {"3", "y", "shop one", "", "z", "!csv_field_count"}}
	rows := readertest.Read(t, source)
	if diff := cmp.Diff(want, table(source.Header(), rows)); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	if h := source.Header(); h[1].Partition || !h[2].Partition || rows[0].Values[3].Kind != batch.Null {
		t.Errorf("header %+v, values %+v", h, rows[0].Values)
	}
	if Detected(source) != "CSV, comma, UTF-8" {
		t.Errorf("detected %q", Detected(source))
	}
	readertest.TestSource(t, func() batch.Source { return openFile(t, path, Options{}) })
}

func TestNotThere(t *testing.T) {
	t.Parallel()
	path := write(t, "rows.csv", "a\n1\n")
	info, err := blob.Stat(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	_, err = Open(t.Context(), info, Options{})
	wantError(t, err, CodeUnreadable, 0, 0, "no such file")
}
