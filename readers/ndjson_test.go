package readers

import (
	"bytes"
	"encoding/json"
	"fmt"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"pushbatch/batch"
	"pushbatch/readers/inputerror"
	"pushbatch/readers/jsonlines"
	"pushbatch/readers/textfile"
	"pushbatch/testdata/readertest"
)

func TestNDJSONRecords(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 60)
	for _, tt := range []struct {
		name, data string
		options    Options
		want       [][]string
	}{
		{name: "plain", data: `{"id":"1","n":2}` + "\n" + `{"id":"3","n":null}` + "\n", want: [][]string{{"id", "n"}, {"1", "2"}, {"3", ""}}},
		{name: "no line end, CRLF, blank lines, BOM", data: "\xef\xbb\xbf\r\n{\"id\":\"1\"}\r\n\n  \n{\"id\":\"2\"}", want: [][]string{{"id"}, {"1"}, {"2"}}},
		{name: "union of names", data: `{"a":1}` + "\n" + `{"b":2,"a":3}` + "\n", want: [][]string{{"a", "b"}, {"1", ""}, {"3", "2"}}},
		{name: "numbers keep their digits", data: `{"a":12345678901234567890.1230,"b":-0.0,"c":1E+400,"d":0}` + "\n", want: [][]string{{"a", "b", "c", "d"}, {"12345678901234567890.1230", "-0.0", "1E+400", "0"}}},
		{
			name: "nested and dotted", data: `{"identity":{"email":"e","x":{"y":1}},"ATTRIBUTES":{"tags":["a",2]}}` + "\n" + `{"identity.email":"f","identity":null}` + "\n" + `{"identity":{}}` + "\n",
			want: [][]string{{"identity.email", "identity.x", "ATTRIBUTES.tags"}, {"e", `{"y":1}`, `["a",2]`}, {"f", "", ""}, {"", "", ""}},
		},
		{name: "dotted first", data: `{"identity.email":"f"}` + "\n" + `{"identity":{"email":"e"}}` + "\n", want: [][]string{{"identity.email"}, {"f"}, {"e"}}},
		{name: "nested and dotted in one record", data: `{"identity":{"email":"e"},"identity.email":"f"}` + "\n", want: [][]string{{"identity.email"}, {"e", `{"identity":{"email":"e"},"identity.email":"f"}`, "!json_duplicate_key"}}},
		{name: "objects stay", data: `{"customAttributes":{"a":1.0,"b":[],"c":{}},"additionalData":{}}` + "\n", want: [][]string{{"customAttributes", "additionalData"}, {`{"a":1.0,"b":[],"c":{}}`, "{}"}}},
		{name: "escapes", data: `{"a":"\"\\\/\b\f\n\r\t\u00e9\u20AC\ud83d\ude00\uFFFD","\u0062":"x"}` + "\n", want: [][]string{{"a", "b"}, {"\"\\/\b\f\n\r\té€😀\uFFFD", "x"}}},
		{name: "text beyond ASCII", data: `{"ime":"Željka 李雷 😀"}` + "\n", want: [][]string{{"ime"}, {"Željka 李雷 😀"}}},
		{name: "booleans", data: `{"a":true,"b":false}` + "\n", want: [][]string{{"a", "b"}, {"true", "false"}}},
		{name: "same name twice", data: `{"a":1}` + "\n" + `{"a":1,"a":2}` + "\n", want: [][]string{{"a"}, {"1"}, {"1", `{"a":1,"a":2}`, "!json_duplicate_key"}}},
		{name: "same name twice inside", data: `{"a":{"b":1,"b":2}}` + "\n" + `{"a":{}}` + "\n", want: [][]string{{"a"}, {"", `{"a":{"b":1,"b":2}}`, "!json_duplicate_key"}, {"{}"}}},
		{name: "not UTF-8", data: `{"a":1}` + "\n" + "{\"a\":\"\xff\"}\n", want: [][]string{{"a"}, {"1"}, {"\xff", "!encoding_invalid a"}}},
		{
			name: "half a surrogate pair", data: `{"a":1}` + "\n" + `{"a":"\ud83d"}` + "\n" + `{"a":"\ud83d\u0041"}` + "\n" + `{"a":"\ude00\ud83d"}` + "\n",
			want: [][]string{{"a"}, {"1"}, {`\ud83d`, "!encoding_invalid a"}, {`\ud83dA`, "!encoding_invalid a"}, {`\ude00\ud83d`, "!encoding_invalid a"}},
		},
		{
			name: "half a surrogate pair among others", data: `{"a":"x \ud83d","b":{"c":["\ude00 y"]},"d":"z"}` + "\n",
			want: [][]string{{"a", "b", "d"}, {`x \ud83d`, `{"c":["\\ude00 y"]}`, "z", "!encoding_invalid a"}},
		},
		{
			name: "half a surrogate pair in a name", data: `{"a":1}` + "\n" + `{"a\ud83d":1}` + "\n",
			want: [][]string{{"a"}, {"1"}, {"", `{"a\ud83d":1}`, "!encoding_invalid"}},
		},
		{
			name: "too large", data: `{"a":1}` + "\n" + `{"a":"` + long + `"}` + "\n" + `{"a":2}` + "\n" + strings.Repeat(" ", 500) + "\n" + `{"a":3}` + "\n", options: Options{MaxRecord: 50},
			want: [][]string{{"a"}, {"1"}, {"", "!record_too_large"}, {"2"}, {"", "!record_too_large"}, {"3"}},
		},
		{name: "in a file named json", data: ` {"a":1}`, want: [][]string{{"a"}, {"1"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			path := write(t, "rows.json", tt.data)
			source := openFile(t, path, tt.options)
			if diff := cmp.Diff(tt.want, table(source.Header(), readertest.Read(t, source)), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
			readertest.TestSource(t, func() batch.Source { return openFile(t, path, tt.options) })
		})
	}
}

func TestNDJSONInvalidLines(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ line, say string }{
		{`{"a":1`, "byte 7: expected a comma or the end of an object, found the end"},
		{`{"a":1,}`, "byte 8: expected a quoted name"},
		{`{"a" 1}`, "byte 6: expected a colon"},
		{`{a:1}`, "byte 2: expected a quoted name"},
		{`{"a":}`, "byte 6: expected a value"},
		{`{"a":01}`, "leading zeros"},
		{`{"a":-}`, "expected a number"},
		{`{"a":1.}`, "expected a number"},
		{`{"a":1e}`, "expected a number"},
		{`{"a":.5}`, "expected a value"},
		{`{"a":NaN}`, "expected a value"},
		{`{"a":tru}`, "expected a value"},
		{`{"a":[1 2]}`, "end of a list"},
		{`{"a":[1,]}`, "expected a value"},
		{`{"a":"x`, "closing quote"},
		{`{"a":"x\`, "closing quote"},
		{`{"a":"\x41"}`, "none that JSON knows"},
		{`{"a":"\u00g0"}`, "none that JSON knows"},
		{`{"a":"\u+041"}`, "none that JSON knows"},
		{"{\"a\":\"tab\there, and more text\"}", "control character"},
		{`{"a":1}{"a":2}`, "byte 8: expected the end of the line"},
		{`[{"a":1}]`, "expected an object"},
		{`"a"`, "expected an object"},
		{`{"a":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + "}", "nested deeper than 64"},
	} {
		t.Run(tt.line, func(t *testing.T) {
			t.Parallel()
			source := openFile(t, write(t, "rows.ndjson", "{\"a\":0}\n"+tt.line+"\n{\"a\":9}\n"), Options{})
			rows := readertest.Read(t, source)
			if len(rows) != 3 || rows[0].Err != nil || rows[2].Err != nil || rows[2].Values[0].Text != "9" {
				t.Fatalf("rows around the bad one: %+v", rows)
			}
			if err := rows[1].Err; err == nil || err.Code != CodeJSON || !strings.Contains(err.Message, tt.say) || !strings.Contains(err.Message, "line 2") {
				t.Errorf("got %v, want %s: line 2 … %s", err, CodeJSON, tt.say)
			}
		})
	}
}

// What the first records agree on is the type of a column.
func TestNDJSONTypes(t *testing.T) {
	t.Parallel()
	source := openFile(t, write(t, "rows.ndjson", `{"n":1,"b":true,"s":"x","l":[1],"o":{"a":1},"mixed":1,"null":null,"n2":null}`+"\n"+
		`{"n":null,"b":false,"s":"","mixed":"1","n2":-0.5}`+"\n{\n"), Options{})
	want := batch.Header{
		{Name: "n", Kind: batch.Number, Type: "number"},
		{Name: "b", Kind: batch.Bool, Type: "boolean"},
		{Name: "s", Type: "text"},
		{Name: "l", Type: "list"},
		{Name: "o", Type: "object"},
		{Name: "mixed", Type: "json"},
		{Name: "null", Type: "json"},
		{Name: "n2", Kind: batch.Number, Type: "number"},
	}
	if diff := cmp.Diff(want, source.Header()); diff != "" {
		t.Errorf("header (-want +got):\n%s", diff)
	}
}

// A line that could not be made a row is given back, its beginning when it is
// long.
func TestNDJSONLineIsKept(t *testing.T) {
	t.Parallel()
	long := `{"a":"` + strings.Repeat("ž", textfile.LeadingBytes) + `"`
	source := openFile(t, write(t, "rows.ndjson", "{\"a\":0}\n{\"a\":1,}\n"+long+"\n"), Options{})
	rows := readertest.Read(t, source)
	if got := table(source.Header(), rows[1:2])[1]; !cmp.Equal(got, []string{"1", `{"a":1,}`, "!json_invalid"}) {
		t.Errorf("the short line is given as %q", got)
	}
	if got := rows[2].Excess; len(got) != 1 || !strings.HasPrefix(long, strings.TrimSuffix(got[0].Text, "…")) || len(got[0].Text) < textfile.LeadingBytes {
		t.Errorf("the long line is given as %d values, %q", len(got), got)
	}
}

// TestNDJSONUnknownField has names that come up after the records that make
// the header.
func TestNDJSONUnknownField(t *testing.T) {
	t.Parallel()
	var data strings.Builder
	for i := range jsonlines.HeaderRecords {
		fmt.Fprintf(&data, `{"a":%d,"identity":{"email":"e"}}`+"\n", i)
	}
	data.WriteString(`{"a":1,"late":2}` + "\n" + `{"a":1,"_status":"failed"}` + "\n" + `{"identity":{"phone":1}}` + "\n" + `{"attributes":null,"attributes":{}}` + "\n")
	rows := readertest.Read(t, openFile(t, write(t, "rows.ndjson", data.String()), Options{}))[jsonlines.HeaderRecords:]
	var got []string
	for _, row := range rows {
		if row.Err == nil {
			got = append(got, "")
			continue
		}
		got = append(got, row.Err.Code+" "+row.Err.Column)
	}
	if diff := cmp.Diff([]string{"ndjson_unknown_field late", "", "ndjson_unknown_field identity.phone", ""}, got); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
	if rows[0].Values[0].Text != "1" {
		t.Errorf("known fields of a row with an unknown one are lost: %+v", rows[0].Values)
	}
}

func TestNDJSONOpenErrors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, data, code string
		line             int64
		say              string
	}{
		{"empty", "", inputerror.CodeEmpty, 0, "empty"},
		{"blank", "\n \n", inputerror.CodeEmpty, 0, "no record"},
		{"one document", "{\n  \"a\": 1\n}\n", inputerror.CodeFormat, 0, "not one object a line"},
		{"no field", "{}\n{}\n", CodeHeader, 0, "no field"},
		{"no object", "1\n2\n", CodeJSON, 2, "none of the first 2 lines"},
		{"an array", "[{\"a\":1}]\n", inputerror.CodeFormat, 0, "JSON array"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := tryOpen(t, write(t, "rows.ndjson", tt.data), Options{})
			wantError(t, err, tt.code, tt.line, 0, tt.say)
		})
	}
}

// BenchmarkNDJSON reads rows beside encoding/json, which decodes each line
// into a map: the floor.
func BenchmarkNDJSON(b *testing.B) {
	const rows = 100_000
	var data bytes.Buffer
	for i := range rows {
		fmt.Fprintf(&data, `{"registrationId":"%024x","identity":{"externalId":"user-%07d","phoneNumber":"+38591%07d","email":"user%07d@example.com"},`+
			`"attributes":{"firstName":"Željka","lastName":"Horvat","gender":"FEMALE","tags":["news","offers"],"customAttributes":{"score":%d.5}}}`+"\n", i, i, i, i, i%100)
	}
	source := openFile(b, write(b, "rows.ndjson", data.String()), Options{})
	defer debug.SetGCPercent(debug.SetGCPercent(400))
	var floor, ours time.Duration
	b.SetBytes(int64(data.Len()))
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		begin := time.Now()
		for decoder := json.NewDecoder(bytes.NewReader(data.Bytes())); decoder.More(); {
			var record map[string]any
			if err := decoder.Decode(&record); err != nil {
				b.Fatal(err)
			}
		}
		floor += time.Since(begin)
		b.StartTimer()
		begin = time.Now()
		for row, err := range source.Rows(b.Context(), batch.Position{}) {
			if err != nil || row.Err != nil {
				b.Fatal(err, row.Err)
			}
		}
		ours += time.Since(begin)
	}
	b.ReportMetric(float64(floor)/float64(ours), "x-floor")
	b.ReportMetric(rows*float64(b.N)/ours.Seconds(), "rows/s")
}
