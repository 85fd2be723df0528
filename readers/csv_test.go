package readers

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"pushbatch/batch"
	"pushbatch/batch/blob"
	"pushbatch/readers/inputerror"
	"pushbatch/testdata/readertest"
)

// write puts data into a file of the given name and returns its path.
func write(tb testing.TB, name, data string) string {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), name)
	if err := os.WriteFile(path, []byte(data), 0o600); err != nil {
		tb.Fatal(err)
	}
	return path
}

// tryOpen opens a file and closes it with the test.
func tryOpen(tb testing.TB, path string, options Options) (batch.Source, error) {
	tb.Helper()
	info, err := blob.Stat(tb.Context(), path)
	if err != nil {
		tb.Fatal(err)
	}
	source, err := Open(tb.Context(), info, options)
	if err == nil {
		tb.Cleanup(func() { source.Close() })
	}
	return source, err
}

// table is header and rows as text; a row with a problem ends in its code and
// column.
func table(header batch.Header, rows []batch.Row) [][]string {
	var names []string
	for _, column := range header {
		names = append(names, column.Name)
	}
	cells := [][]string{names}
	for _, row := range rows {
		var line []string
		for _, value := range append(row.Values, row.Excess...) {
			line = append(line, value.String())
		}
		if row.Err != nil {
			line = append(line, strings.TrimSuffix("!"+row.Err.Code+" "+row.Err.Column, " "))
		}
		cells = append(cells, line)
	}
	return cells
}

func TestCSVRecords(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, data string
		options    Options
		want       [][]string
		detected   string
	}{
		{name: "plain", data: "id,email\n1,a@b.example\n2,\n", want: [][]string{{"id", "email"}, {"1", "a@b.example"}, {"2", ""}}},
		{name: "no line end at the end", data: "id,email\n1,x", want: [][]string{{"id", "email"}, {"1", "x"}}},
		{name: "empty last cell at the end", data: "id,email\n1,", want: [][]string{{"id", "email"}, {"1", ""}}},
		{
			name: "delimiters at the end of the header", data: "id,email,, \n1,x,,\n2,y\n3,z,,,\n4,v,w\n5\nid,email,,\n6,u,\n",
			want: [][]string{
				{"id", "email"},
				{"1", "x"},
				{"2", "y"},
				{"3", "z", "", "", "", "!csv_field_count"},
				{"4", "v", "w", "!csv_field_count"},
				{"5", "", "!csv_field_count"},
				{"id", "email", "!header_repeated"},
				{"6", "u"},
			},
		},
		{name: "CRLF", data: "id,email\r\n1,x\r\n", want: [][]string{{"id", "email"}, {"1", "x"}}},
		{name: "CR", data: "id,email\r1,x\r2,y", want: [][]string{{"id", "email"}, {"1", "x"}, {"2", "y"}}, detected: "CSV, comma, CR line ends, UTF-8"},
		{name: "CR, CRLF and LF", data: "id,email\r1,x\r\n2,\"y\"\n3,z", want: [][]string{{"id", "email"}, {"1", "x"}, {"2", "y"}, {"3", "z"}}},
		{name: "CR in a file of LF is text", data: "id,email\n1,x\ry\n", want: [][]string{{"id", "email"}, {"1", "x\ry"}}},
		{name: "CR at the end", data: "id,email\n1,x\r", want: [][]string{{"id", "email"}, {"1", "x"}}},
		{name: "quoted", data: "id,name\n1,\"a,b\"\n\"2\",\"say \"\"hi\"\"\"\n3,\"\"\n", want: [][]string{{"id", "name"}, {"1", "a,b"}, {"2", `say "hi"`}, {"3", ""}}},
		{name: "quoted line ends stay", data: "id,name\n1,\"a\r\nb\nc\rd\"\n2,x", want: [][]string{{"id", "name"}, {"1", "a\r\nb\nc\rd"}, {"2", "x"}}},
		{name: "quoted at the end", data: "id,name\n1,\"a\"", want: [][]string{{"id", "name"}, {"1", "a"}}},
		{name: "quoted CR at the end", data: "id,name\n1,\"a\"\r", want: [][]string{{"id", "name"}, {"1", "a"}}},
		{name: "quote inside a cell is text", data: "id,name\n1,6\" pipe\n2,a\"b\"c\n", want: [][]string{{"id", "name"}, {"1", `6" pipe`}, {"2", `a"b"c`}}},
		{name: "text behind a quote", data: "id,name,x\n1,\"a\"b,c\n2,\"a\"\rb,c\n3,y,z\n", want: [][]string{
			{"id", "name", "x"}, {"1", `"a"b`, "c", "!csv_quote name"}, {"2", "\"a\"\rb", "c", "!csv_quote name"}, {"3", "y", "z"},
		}},
		{name: "the header once more", data: "id,email\n1,x\nid,email\n\ufeff\"id\",email\n2,email\n", want: [][]string{
			{"id", "email"}, {"1", "x"}, {"id", "email", "!header_repeated"}, {"\ufeff\"id\"", "email", "!header_repeated"}, {"2", "email"},
		}},
		{name: "the header once more in another spelling", data: "push id,e_mail\n1,x\nPUSH_ID,E-Mail\npushid,email \npush ids,email\n", want: [][]string{
			{"push id", "e_mail"}, {"1", "x"}, {"PUSH_ID", "E-Mail", "!header_repeated"}, {"pushid", "email ", "!header_repeated"}, {"push ids", "email"},
		}},
		{name: "the header with a BOM once more", data: "id,email\n1,x\n\ufeffid,email\n", want: [][]string{
			{"id", "email"}, {"1", "x"}, {"\ufeffid", "email", "!header_repeated"},
		}},
		{name: "blank lines", data: "\n\r\nid,name\n\n1,x\n\r\n\n2,y\n\n", want: [][]string{{"id", "name"}, {"1", "x"}, {"2", "y"}}},
		{name: "blank lines of CR", data: "\r\rid,name\r\r\n1,x\r\r\r2,y\r\r", want: [][]string{{"id", "name"}, {"1", "x"}, {"2", "y"}}},
		{name: "spaces stay", data: "id, name \n 1 , x \n", want: [][]string{{"id", " name "}, {" 1 ", " x "}}},
		{name: "ragged", data: "a,b,c\n1,2\n1,2,3,4,5\n1,2,3\n\"1\"\n", want: [][]string{
			{"a", "b", "c"}, {"1", "2", "", "!csv_field_count"}, {"1", "2", "3", "4", "5", "!csv_field_count"}, {"1", "2", "3"}, {"1", "", "", "!csv_field_count"},
		}},
		{name: "semicolon", data: "a;b\n1,5;2\n", want: [][]string{{"a", "b"}, {"1,5", "2"}}, detected: "CSV, semicolon, UTF-8"},
		{name: "tab", data: "a\tb\n1,5\t2;3\n", want: [][]string{{"a", "b"}, {"1,5", "2;3"}}, detected: "CSV, tab, UTF-8"},
		{name: "pipe", data: "a|b\n1|2\n", want: [][]string{{"a", "b"}, {"1", "2"}}, detected: "CSV, pipe, UTF-8"},
		{name: "other delimiters quoted in the header", data: "\"a,x,y\";b\n1;2\n", want: [][]string{{"a,x,y", "b"}, {"1", "2"}}},
		{name: "header alone decides", data: "a;b", want: [][]string{{"a", "b"}}, detected: "CSV, semicolon, UTF-8"},
		{name: "rows decide", data: "a,b|c\n1,2\n3,4\n5,6\n", want: [][]string{{"a", "b|c"}, {"1", "2"}, {"3", "4"}, {"5", "6"}}},
		{name: "one column", data: "id\n1\n2\n", want: [][]string{{"id"}, {"1"}, {"2"}}, detected: "CSV, one column, UTF-8"},
		{name: "sep line", data: "sep=|\na|b\n1|2;3\n", want: [][]string{{"a", "b"}, {"1", "2;3"}}, detected: "CSV, pipe (sep= line), UTF-8"},
		{name: "quoted sep line, CRLF", data: "\"sep=;\"\r\na;b\r\n1;2\r\n", want: [][]string{{"a", "b"}, {"1", "2"}}},
		{name: "delimiter given", data: "a;b,c\n1;2,3\n", options: Options{Delimiter: "comma"}, want: [][]string{{"a;b", "c"}, {"1;2", "3"}}},
		{name: "delimiter given as \\t", data: "a\tb;c\n", options: Options{Delimiter: `\t`}, want: [][]string{{"a", "b;c"}}},
		{name: "delimiter given goes before sep", data: "sep=;\na,b\n1,2\n", options: Options{Delimiter: ","}, want: [][]string{{"a", "b"}, {"1", "2"}}},
		{name: "unusual delimiter", data: "a^b\n1^2\n", options: Options{Delimiter: "^"}, want: [][]string{{"a", "b"}, {"1", "2"}}, detected: "CSV, delimiter ^, UTF-8"},
		{name: "byte order mark", data: "\xef\xbb\xbf\"a\",b\n1,2\n", want: [][]string{{"a", "b"}, {"1", "2"}}, detected: "CSV, comma, UTF-8 with BOM"},
		{name: "byte order mark and sep line", data: "\xef\xbb\xbfsep=;\r\na;b\r\n1;2\r\n", want: [][]string{{"a", "b"}, {"1", "2"}}},
		{name: "text beyond ASCII", data: "ime,grad\nŽeljka,Čakovec\n李雷,北京\n😀,\"Đ,đ\"\n", want: [][]string{{"ime", "grad"}, {"Željka", "Čakovec"}, {"李雷", "北京"}, {"😀", "Đ,đ"}}},
		{name: "not UTF-8", data: "id,name\n1,\xc5x\n2,\"\xff\"\n3,\xc5\xbd\n", want: [][]string{{"id", "name"}, {"1", "\xc5x", "!encoding_invalid name"}, {"2", "\xff", "!encoding_invalid name"}, {"3", "Ž"}}},
		{name: "NUL", data: "id,name\n1,a\x00b\n2,x\n", want: [][]string{{"id", "name"}, {"1", "a\x00b", "!nul_character name"}, {"2", "x"}}},
		{
			name: "too large", data: "id,name\n1," + strings.Repeat("x", 50) + "\n2,y\n3,\"" + strings.Repeat("\n", 50) + "\"\n4,z\n", options: Options{MaxRecord: 40},
			want: [][]string{{"id", "name"}, {"1", "", "!record_too_large"}, {"2", "y"}, {"3", "", "!record_too_large"}, {"4", "z"}},
		},
		{
			name: "just not too large", data: "id,name\n1," + strings.Repeat("x", 38) + "\r\n2," + strings.Repeat("x", 39) + "\r\n", options: Options{MaxRecord: 40},
			want: [][]string{{"id", "name"}, {"1", strings.Repeat("x", 38)}, {"2", "", "!record_too_large"}},
		},
		{name: "header only", data: "id,name\n", want: [][]string{{"id", "name"}}},
		{name: "braces in a CSV file", data: "{id},[name]\n1,2\n", options: Options{Format: "csv"}, want: [][]string{{"{id}", "[name]"}, {"1", "2"}}},
		{name: "header in brackets", data: "[id],[name]\n1,2\n", want: [][]string{{"[id]", "[name]"}, {"1", "2"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			path := write(t, "rows.csv", tt.data)
			source := openFile(t, path, tt.options)
			if diff := cmp.Diff(tt.want, table(source.Header(), readertest.Read(t, source)), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
			if tt.detected != "" && Detected(source) != tt.detected {
				t.Errorf("detected %q, want %q", Detected(source), tt.detected)
			}
			readertest.TestSource(t, func() batch.Source { return openFile(t, path, tt.options) })
		})
	}
}

// wantError checks code, line, row and a part of the message.
func wantError(t *testing.T, err error, code string, line, row int64, say string) {
	t.Helper()
	found := new(inputerror.Error)
	if !errors.As(err, &found) {
		t.Fatalf("got %v, want an Error with code %s", err, code)
	}
	if found.Code != code || found.Line != line || found.Row != row || !strings.Contains(err.Error(), say) || found.Source == "" {
		t.Errorf("got code %s, line %d, row %d, source %q: %v\nwant code %s, line %d, row %d: …%s…",
			found.Code, found.Line, found.Row, found.Source, err, code, line, row, say)
	}
}

func TestCSVOpenErrors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, data string
		options    Options
		code       string
		line       int64
		say        string
	}{
		{name: "empty", data: "", code: inputerror.CodeEmpty, say: "empty"},
		{name: "only a byte order mark", data: "\xef\xbb\xbf", code: inputerror.CodeEmpty, say: "no header"},
		{name: "only blank lines", data: "\n\r\n\n", code: inputerror.CodeEmpty, say: "no header"},
		{name: "unnamed column", data: "\nid,,name\n", code: CodeHeader, line: 2, say: "column 2 of 3 has no name"},
		{name: "no column with a name", data: ",,\n1,2,\n", code: CodeHeader, line: 1, say: "column 1 of 1"},
		{name: "same name twice", data: "id,name,id\n", code: CodeHeaderRepeat, line: 1, say: `columns 1 and 3 have the same name "id"`},
		{name: "header never closed", data: "id,\"name\n1,2\n3,4\n", code: inputerror.CodeQuote, line: 1, say: "never closed"},
		{name: "header not UTF-8", data: "id,pr\xeanom\n", code: CodeEncoding, line: 1, say: "--encoding"},
		{name: "header with NUL", data: "id,na\x00me\n", code: CodeNUL, line: 1, say: "NUL"},
		{name: "header too large", data: strings.Repeat("x", 100), options: Options{MaxRecord: 20}, code: CodeTooLarge, line: 1, say: "20 bytes"},
		{name: "delimiter too long", data: "a,b\n", options: Options{Delimiter: "::"}, code: inputerror.CodeOption, say: "--delimiter"},
		{name: "delimiter a quote", data: "a,b\n", options: Options{Delimiter: `"`}, code: inputerror.CodeOption, say: "--delimiter"},
		{name: "unknown format", data: "a,b\n", options: Options{Format: "xml"}, code: inputerror.CodeOption, say: "--format"},
		{name: "unknown encoding", data: "a,b\n", options: Options{Encoding: "klingon"}, code: inputerror.CodeOption, say: "--encoding"},
		{name: "unknown compression", data: "a,b\n", options: Options{Compression: "lzma"}, code: inputerror.CodeOption, say: "--compression"},
		{name: "not gzip", data: "a,b\n", options: Options{Compression: "gzip"}, code: inputerror.CodeOption, say: "not gzip"},
		{name: "not Parquet", data: "a,b\n", options: Options{Format: "parquet"}, code: inputerror.CodeFormat, say: "PAR1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := tryOpen(t, write(t, "rows.csv", tt.data), tt.options)
			wantError(t, err, tt.code, tt.line, 0, tt.say)
		})
	}
}

func TestCSVUnclosedQuote(t *testing.T) {
	t.Parallel()
	rest := strings.Repeat("7,8\n", 1000)
	for _, tt := range []struct {
		name, data string
		options    Options
		rows       int
		line       int64
	}{
		{name: "on the line of its row", data: "a,b\n1,2\n3,\"4\n" + rest, rows: 1, line: 3},
		{name: "behind a quoted line end", data: "a,b\n1,2\n\"3\n4\",\"5\n" + rest, rows: 1, line: 4},
		{name: "longer than a record may be", data: "a,b\n1,2\n\"3\n4\",\"5\n" + rest, options: Options{MaxRecord: 100}, rows: 1, line: 4},
		{name: "CR", data: "a,b\r1,2\r\"3\r4\",\"5\r" + strings.Repeat("7,8\r", 1000), options: Options{MaxRecord: 100}, rows: 1, line: 4},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			source := openFile(t, write(t, "rows.csv", tt.data), tt.options)
			rows, err := readertest.ReadFrom(t.Context(), source, batch.Position{})
			if len(rows) != tt.rows {
				t.Errorf("%d rows before the error, want %d", len(rows), tt.rows)
			}
			wantError(t, err, inputerror.CodeQuote, tt.line, int64(tt.rows)+1, "never closed")
			abort := new(batch.Abort)
			if !errors.As(err, &abort) || abort.Code != inputerror.CodeQuote {
				t.Errorf("%v is no batch.Abort with code %s", err, inputerror.CodeQuote)
			}
		})
	}
}
