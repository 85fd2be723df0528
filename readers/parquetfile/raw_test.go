package parquetfile

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"

	"pushbatch/batch"
)

// rawFile is a Parquet file put together by hand: what no writer at hand
// writes, and what no writer should.
type rawFile struct {
	schema []format.SchemaElement // without the root
	roots  int32
	rows   int64
	chunks []rawChunk
}

type rawChunk struct {
	typ    format.Type
	codec  format.CompressionCodec
	values int64
	pages  []rawPage
	change func(*format.ColumnChunk)
}

type rawPage struct {
	header format.PageHeader
	body   []byte
}

func (f *rawFile) bytes(t testing.TB, changes ...func(*format.FileMetaData)) []byte {
	t.Helper()
	out := []byte(parquetMagic)
	meta := &format.FileMetaData{Version: 1, NumRows: f.rows, RowGroups: []format.RowGroup{{NumRows: f.rows}}}
	meta.Schema = append(meta.Schema, format.SchemaElement{Name: "root", NumChildren: thrift.New(f.roots)})
	meta.Schema = append(meta.Schema, f.schema...)
	for _, c := range f.chunks {
		chunk := format.ColumnChunk{MetaData: format.ColumnMetaData{
			Type: c.typ, Codec: c.codec, NumValues: c.values, DataPageOffset: int64(len(out)),
			Encoding: []format.Encoding{}, PathInSchema: []string{},
		}}
		for i := range c.pages {
			p := &c.pages[i]
			out = append(append(out, marshalThrift(t, &p.header)...), p.body...)
		}
		chunk.MetaData.TotalCompressedSize = int64(len(out)) - chunk.MetaData.DataPageOffset
		if c.change != nil {
			c.change(&chunk)
		}
		meta.RowGroups[0].Columns = append(meta.RowGroups[0].Columns, chunk)
	}
	for _, change := range changes {
		change(meta)
	}
	footer := marshalThrift(t, meta)
	out = append(out, footer...)
	return append(binary.LittleEndian.AppendUint32(out, uint32(len(footer))), parquetMagic...)
}

func marshalThrift(t testing.TB, v any) []byte {
	t.Helper()
	b, err := thrift.Marshal(new(thrift.CompactProtocol), v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// v1Page is a page of plain values, or of another encoding.
func v1Page(values int32, enc format.Encoding, body []byte) rawPage {
	return rawPage{format.PageHeader{
		Type: format.DataPage, CompressedPageSize: int32(len(body)), UncompressedPageSize: int32(len(body)),
		CRC: int32(crc32.ChecksumIEEE(body)),
		DataPageHeader: thrift.New(format.DataPageHeader{
			NumValues: values, Encoding: enc, RepetitionLevelEncoding: format.RLE, DefinitionLevelEncoding: format.RLE,
		}),
	}, body}
}

// packed puts levels of one bit into the form of data page v1.
func packed(bits string) []byte {
	groups := (len(bits) + 7) / 8
	b := make([]byte, 4+1+groups)
	binary.LittleEndian.PutUint32(b, uint32(1+groups))
	b[4] = byte(groups<<1 | 1)
	for i, bit := range bits {
		if bit == '1' {
			b[5+i/8] |= 1 << (i % 8)
		}
	}
	return b
}

func le32(values ...int32) (b []byte) {
	for _, v := range values {
		b = binary.LittleEndian.AppendUint32(b, uint32(v))
	}
	return b
}

func le64(values ...int64) (b []byte) {
	for _, v := range values {
		b = binary.LittleEndian.AppendUint64(b, uint64(v))
	}
	return b
}

func strs(values ...string) (b []byte) {
	for _, v := range values {
		b = append(binary.LittleEndian.AppendUint32(b, uint32(len(v))), v...)
	}
	return b
}

func element(name string, typ format.Type) format.SchemaElement {
	return format.SchemaElement{Name: name, Type: thrift.New(typ), RepetitionType: thrift.New(format.Required)}
}

func converted(typ format.Type, c deprecated.ConvertedType) format.SchemaElement {
	e := element("c", typ)
	e.ConvertedType = thrift.New(c)
	return e
}

func logical(typ format.Type, v format.LogicalTypeValue) format.SchemaElement {
	e := element("c", typ)
	e.LogicalType = format.LogicalType{Value: v}
	return e
}

func fixed(e format.SchemaElement, width int32) format.SchemaElement {
	e.TypeLength = thrift.New(width)
	return e
}

func scaled(e format.SchemaElement, precision, scale int32) format.SchemaElement {
	e.Precision, e.Scale = thrift.New(precision), thrift.New(scale)
	return e
}

// TestParquetTypes reads the annotations of older writers, and values at the
// edges of their types.
func TestParquetTypes(t *testing.T) {
	t.Parallel()
	micros, nanos := format.TimeUnit{Value: &format.MicroSeconds{}}, format.TimeUnit{Value: &format.NanoSeconds{}}
	for _, c := range []struct {
		element format.SchemaElement
		body    []byte
		typ     string
		want    []string // a leading ! is a problem of the row
	}{
		{converted(format.ByteArray, deprecated.UTF8), strs("č", ""), "string", []string{"č", ""}},
		{converted(format.ByteArray, deprecated.Enum), strs("GCM"), "enum", []string{"GCM"}},
		{converted(format.ByteArray, deprecated.Json), strs(`{"a":1}`), "json", []string{`{"a":1}`}},
		{converted(format.Int32, deprecated.Int8), le32(-5), "int8", []string{"-5"}},
		{converted(format.Int64, deprecated.Int64), le64(math.MinInt64), "int64", []string{"-9223372036854775808"}},
		{converted(format.Int32, deprecated.Uint16), le32(65535), "uint16", []string{"65535"}},
		{converted(format.Int32, deprecated.Uint32), le32(-1), "uint32", []string{"4294967295"}},
		{converted(format.Int64, deprecated.Uint64), le64(-1), "uint64", []string{"18446744073709551615"}},
		{converted(format.Int32, deprecated.Date), le32(0, -719528, 2932896, 2932897, -719529), "date", []string{"1970-01-01", "0000-01-01", "9999-12-31", "!2932897", "!-719529"}},
		{converted(format.Int32, deprecated.TimeMillis), le32(0, 86399999, 86400000, 86400001, -1), "time(millis)", []string{"00:00:00", "23:59:59.999", "24:00:00", "!86400001", "!-1"}},
		{converted(format.Int64, deprecated.TimeMicros), le64(1), "time(micros)", []string{"00:00:00.000001"}},
		{converted(format.Int64, deprecated.TimestampMillis), le64(-1), "timestamp(millis, UTC)", []string{"1969-12-31T23:59:59.999Z"}},
		{converted(format.Int64, deprecated.TimestampMicros), le64(1500000, math.MaxInt64), "timestamp(micros, UTC)", []string{"1970-01-01T00:00:01.5Z", "!9223372036854775807"}},
		{logical(format.Int64, &format.TimestampType{Unit: micros}), le64(0, math.MinInt64), "timestamp(micros)", []string{"1970-01-01T00:00:00", "!-9223372036854775808"}},
		{logical(format.Int64, &format.TimestampType{Unit: nanos, IsAdjustedToUTC: true}), le64(math.MinInt64, math.MaxInt64), "timestamp(nanos, UTC)", []string{"1677-09-21T00:12:43.145224192Z", "2262-04-11T23:47:16.854775807Z"}},
		{element("c", format.Int96), append(append(le64(1), le32(2440588)...), append(le64(-1), le32(1)...)...), "timestamp(nanos)", []string{"1970-01-01T00:00:00.000000001", "!1/18446744073709551615"}},
		{scaled(converted(format.Int32, deprecated.Decimal), 9, 2), le32(-5, 12345), "decimal(9,2)", []string{"-0.05", "123.45"}},
		{scaled(converted(format.Int64, deprecated.Decimal), 18, 0), le64(math.MinInt64), "decimal(18,0)", []string{"-9223372036854775808"}},
		{scaled(converted(format.ByteArray, deprecated.Decimal), 40, 3), strs("\xff", "\x01\x00", "\x00\xff\xff\xff\xff\xff\xff\xff\xff", "\xff\x00\x00\x00\x00\x00\x00\x00\x00", ""), "decimal(40,3)", []string{"-0.001", "0.256", "18446744073709551.615", "-18446744073709551.616", "!"}},
		{fixed(scaled(converted(format.FixedLenByteArray, deprecated.Decimal), 5, 1), 3), []byte("\xff\xff\xfe\x00\x01\x00"), "decimal(5,1)", []string{"-0.2", "25.6"}},
		{scaled(converted(format.Int32, deprecated.Decimal), 9, -2), le32(7), "int32", []string{"7"}},
		{fixed(converted(format.FixedLenByteArray, deprecated.Interval), 12), le32(14, 3, 4005), "interval", []string{"P14M3DT4.005S"}},
		{fixed(logical(format.FixedLenByteArray, &format.Float16Type{}), 2), []byte("\x00\x3c\x00\xc0\x00\x7c\x00\xfc\x00\x7e\x01\x00\x00\x80"), "float16", []string{"1", "-2", "+Inf", "-Inf", "NaN", "5.9604645e-08", "-0"}},
		{fixed(element("c", format.FixedLenByteArray), 2), []byte("\x01\xab"), "fixed[2]", []string{"01ab"}},
		{logical(format.Int32, &format.StringType{}), le32(9), "int32", []string{"9"}},
		{logical(format.Int32, &format.NullType{}), le32(9), "int32", []string{"9"}},
		{element("c", format.Double), le64(int64(math.Float64bits(1e21)), int64(math.Float64bits(1e-7)), int64(math.Float64bits(0.1))), "double", []string{"1e+21", "1e-07", "0.1"}},
		{element("c", format.Boolean), []byte{0b101}, "boolean", []string{"true", "false", "true"}},
	} {
		t.Run(c.typ, func(t *testing.T) {
			t.Parallel()
			n := len(c.want)
			f := rawFile{schema: []format.SchemaElement{c.element}, roots: 1, rows: int64(n), chunks: []rawChunk{
				{typ: c.element.Type.V, values: int64(n), pages: []rawPage{v1Page(int32(n), format.Plain, c.body)}},
			}}
			src := openParquetBytes(t, f.bytes(t))
			var got []string
			for _, row := range allRows(t, src, 0) {
				text := row.Values[0].String()
				if row.Err != nil {
					text = "!" + text
				}
				got = append(got, text)
			}
			if diff := cmp.Diff(c.want, got); diff != "" || src.Header()[0].Type != c.typ {
				t.Errorf("%s: %s", src.Header()[0].Type, diff)
			}
		})
	}
}

func groupElement(name string, repetition format.FieldRepetitionType, children int32) format.SchemaElement {
	return format.SchemaElement{Name: name, RepetitionType: thrift.New(repetition), NumChildren: thrift.New(children)}
}

func annotated(e format.SchemaElement, c deprecated.ConvertedType) format.SchemaElement {
	e.ConvertedType = thrift.New(c)
	return e
}

func repeated(e format.SchemaElement) format.SchemaElement {
	e.RepetitionType = thrift.New(format.Repeated)
	return e
}

// TestParquetLegacyLists reads the forms of lists and maps that the format
// asks readers to accept (LogicalTypes.md, backward compatibility). Three
// rows: two elements, none, one.
func TestParquetLegacyLists(t *testing.T) {
	t.Parallel()
	levels := append(packed("0100"), packed("1101")...)
	ints := rawChunk{typ: format.Int32, values: 4, pages: []rawPage{v1Page(4, format.Plain, append(bytes.Clone(levels), le32(1, 2, 3)...))}}
	words := rawChunk{typ: format.ByteArray, values: 4, pages: []rawPage{v1Page(4, format.Plain, append(bytes.Clone(levels), strs("a", "b", "c")...))}}
	n, w := element("n", format.Int32), element("w", format.ByteArray)
	for name, c := range map[string]struct {
		schema []format.SchemaElement
		chunks []rawChunk
		typ    string
		want   []string
	}{
		"repeated primitive": {[]format.SchemaElement{repeated(n)}, []rawChunk{ints}, "list<int32>", []string{"[1,2]", "[]", "[3]"}},
		"two levels":         {[]format.SchemaElement{annotated(groupElement("c", format.Required, 1), deprecated.List), repeated(n)}, []rawChunk{ints}, "list<int32>", []string{"[1,2]", "[]", "[3]"}},
		"three levels":       {[]format.SchemaElement{annotated(groupElement("c", format.Required, 1), deprecated.List), groupElement("list", format.Repeated, 1), n}, []rawChunk{ints}, "list<int32>", []string{"[1,2]", "[]", "[3]"}},
		"array of one":       {[]format.SchemaElement{annotated(groupElement("c", format.Required, 1), deprecated.List), groupElement("array", format.Repeated, 1), n}, []rawChunk{ints}, "list<struct<n: int32>>", []string{`[{"n":1},{"n":2}]`, "[]", `[{"n":3}]`}},
		"tuple of one":       {[]format.SchemaElement{annotated(groupElement("c", format.Required, 1), deprecated.List), groupElement("c_tuple", format.Repeated, 1), n}, []rawChunk{ints}, "list<struct<n: int32>>", []string{`[{"n":1},{"n":2}]`, "[]", `[{"n":3}]`}},
		"repeated pair":      {[]format.SchemaElement{annotated(groupElement("c", format.Required, 1), deprecated.List), groupElement("element", format.Repeated, 2), w, n}, []rawChunk{words, ints}, "list<struct<w: binary, n: int32>>", []string{`[{"w":"a","n":1},{"w":"b","n":2}]`, "[]", `[{"w":"c","n":3}]`}},
		"map":                {[]format.SchemaElement{annotated(groupElement("c", format.Required, 1), deprecated.Map), groupElement("key_value", format.Repeated, 2), w, n}, []rawChunk{words, ints}, "map<binary, int32>", []string{`{"a":1,"b":2}`, "{}", `{"c":3}`}},
		"map of Hive":        {[]format.SchemaElement{annotated(groupElement("c", format.Required, 1), deprecated.MapKeyValue), groupElement("map", format.Repeated, 2), w, n}, []rawChunk{words, ints}, "map<binary, int32>", []string{`{"a":1,"b":2}`, "{}", `{"c":3}`}},
		"set":                {[]format.SchemaElement{annotated(groupElement("c", format.Required, 1), deprecated.Map), groupElement("map", format.Repeated, 1), w}, []rawChunk{words}, "map<binary>", []string{`{"a":null,"b":null}`, "{}", `{"c":null}`}},
		"no list at all":     {[]format.SchemaElement{groupElement("c", format.Repeated, 1), n}, []rawChunk{ints}, "list<struct<n: int32>>", []string{`[{"n":1},{"n":2}]`, "[]", `[{"n":3}]`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := rawFile{schema: c.schema, roots: 1, rows: 3, chunks: c.chunks}
			src := openParquetBytes(t, f.bytes(t))
			var got []string
			for _, row := range allRows(t, src, 0) {
				got = append(got, row.Values[0].String())
			}
			if diff := cmp.Diff(c.want, got); diff != "" || src.Header()[0].Type != c.typ {
				t.Errorf("%s: %s", src.Header()[0].Type, diff)
			}
		})
	}
}

// TestParquetTextBoundaries has texts that are invalid alone but valid with
// what stands beside them in the page.
func TestParquetTextBoundaries(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 0xa9) // its length looks like the second byte of a character
	for name, c := range map[string]struct {
		page rawPage
		want []bool
	}{
		// Three lengths of 1: the first one (zigzag 2), then differences of 0.
		"split character": {v1Page(3, format.DeltaLengthByteArray, append([]byte{128, 1, 4, 3, 2, 0, 0, 0, 0, 0}, "\xc3\xa9x"...)), []bool{false, false, true}},
		"length as end":   {v1Page(2, format.Plain, strs("a\xc3", long)), []bool{false, true}},
		"long texts":      {v1Page(3, format.Plain, strs(long, "", "č")), []bool{true, true, true}},
	} {
		f := rawFile{schema: []format.SchemaElement{converted(format.ByteArray, deprecated.UTF8)}, roots: 1, rows: int64(len(c.want)), chunks: []rawChunk{
			{typ: format.ByteArray, values: int64(len(c.want)), pages: []rawPage{c.page}},
		}}
		var got []bool
		for _, row := range allRows(t, openParquetBytes(t, f.bytes(t)), 0) {
			got = append(got, row.Err == nil)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// TestParquetProblemBeforeDamage has a bad row in front of a bad page: both
// must be told.
func TestParquetProblemBeforeDamage(t *testing.T) {
	t.Parallel()
	optional := converted(format.ByteArray, deprecated.UTF8)
	optional.RepetitionType = thrift.New(format.Optional)
	bad := v1Page(1, format.Plain, nil)
	bad.header.CRC = 1
	f := rawFile{schema: []format.SchemaElement{optional}, roots: 1, rows: 4, chunks: []rawChunk{{typ: format.ByteArray, values: 4, pages: []rawPage{
		v1Page(3, format.Plain, append(packed("011"), strs("\xff", "ok")...)), bad,
	}}}}
	rows, failed := readDamaged(t, openParquetBytes(t, f.bytes(t)))
	if failed == nil || failed.Row != 4 || len(rows) != 3 {
		t.Fatalf("%d rows, then %v", len(rows), failed)
	}
	if rows[0].Err != nil || rows[0].Values[0].Kind != batch.Null || rows[1].Err == nil || rows[1].Values[0] != batch.TextValue("ff") || rows[2].Err != nil {
		t.Errorf("%+v", rows)
	}
}

// TestParquetListOfUnknownIndex has a value in a list that its dictionary lacks:
// the rows before it are read.
func TestParquetListOfUnknownIndex(t *testing.T) {
	t.Parallel()
	words := strs("a", "b")
	dictionary := rawPage{format.PageHeader{
		Type: format.DictionaryPage, CompressedPageSize: int32(len(words)), UncompressedPageSize: int32(len(words)),
		DictionaryPageHeader: thrift.New(format.DictionaryPageHeader{NumValues: 2, Encoding: format.Plain}),
	}, words}
	levels := append(packed("01001"), packed("11011")...)
	indexes := []byte{2, 3, 0<<0 | 1<<2 | 0<<4 | 3<<6, 0} // of two bits each
	f := rawFile{schema: []format.SchemaElement{repeated(element("w", format.ByteArray))}, roots: 1, rows: 3, chunks: []rawChunk{{
		typ: format.ByteArray, values: 5, pages: []rawPage{dictionary, v1Page(5, format.RLEDictionary, append(levels, indexes...))},
	}}}
	rows, failed := readDamaged(t, openParquetBytes(t, f.bytes(t)))
	if failed == nil || failed.Row != 3 || !strings.Contains(failed.Error(), "not in its dictionary") {
		t.Fatalf("%d rows, then %v", len(rows), failed)
	}
	if len(rows) != 2 || rows[0].Values[0].String() != `["a","b"]` || rows[1].Values[0].String() != "[]" {
		t.Errorf("%+v", rows)
	}
}

// TestParquetRowsAcrossPages reads a list that goes on in the next page, which
// data page v1 allows.
func TestParquetRowsAcrossPages(t *testing.T) {
	t.Parallel()
	page := func(reps, defs string, values ...int32) rawPage {
		return v1Page(int32(len(reps)), format.Plain, append(append(packed(reps), packed(defs)...), le32(values...)...))
	}
	f := rawFile{schema: []format.SchemaElement{repeated(element("n", format.Int32))}, roots: 1, rows: 3, chunks: []rawChunk{{
		typ: format.Int32, values: 7,
		pages: []rawPage{page("01", "11", 1, 2), page("11", "11", 3, 4), page("100", "110", 5, 6)},
	}}}
	src := openParquetBytes(t, f.bytes(t))
	for from, want := range []string{"[1,2,3,4,5] [6] []", "[6] []", "[]"} {
		var got []string
		for _, row := range allRows(t, src, int64(from)) {
			got = append(got, row.Values[0].String())
		}
		if diff := cmp.Diff(want, strings.Join(got, " ")); diff != "" {
			t.Errorf("from row %d: %s", from, diff)
		}
	}
}

// TestParquetRLEBooleans reads what pyarrow and Spark write for booleans in
// data page v2, and an index page and an empty page between.
func TestParquetRLEBooleans(t *testing.T) {
	t.Parallel()
	v2 := rawPage{format.PageHeader{
		Type: format.DataPageV2, CompressedPageSize: 6, UncompressedPageSize: 6,
		DataPageHeaderV2: thrift.New(format.DataPageHeaderV2{NumValues: 3, NumRows: 3, Encoding: format.RLE}),
	}, []byte{2, 0, 0, 0, 3, 0b110}}
	index := rawPage{format.PageHeader{Type: format.IndexPage, CompressedPageSize: 2, UncompressedPageSize: 2}, []byte{1, 2}}
	f := rawFile{schema: []format.SchemaElement{element("b", format.Boolean)}, roots: 1, rows: 3, chunks: []rawChunk{{
		typ: format.Boolean, values: 3, pages: []rawPage{index, v1Page(0, format.Plain, nil), v2},
	}}}
	src := openParquetBytes(t, f.bytes(t))
	rows := allRows(t, src, 0)
	want := []batch.Value{batch.BoolValue(false), batch.BoolValue(true), batch.BoolValue(true)}
	for i, row := range rows {
		if diff := cmp.Diff(want[i:i+1], row.Values); diff != "" {
			t.Error(diff)
		}
	}
	sameRows(t, rows[2:], allRows(t, src, 2))
}
