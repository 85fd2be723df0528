package parquetfile

import (
	"encoding/binary"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"

	"pushbatch/batch"
	"pushbatch/readers/inputerror"
	"pushbatch/testdata/thorough"
)

// texts reads a file of one column.
func texts(t *testing.T, data []byte) (got []string) {
	t.Helper()
	for _, row := range allRows(t, openParquetBytes(t, data), 0) {
		if row.Err != nil {
			t.Fatal(row.Err)
		}
		got = append(got, row.Values[0].String())
	}
	return got
}

func dictionaryPage(values int32, body []byte) rawPage {
	return rawPage{format.PageHeader{
		Type: format.DictionaryPage, CompressedPageSize: int32(len(body)), UncompressedPageSize: int32(len(body)),
		DictionaryPageHeader: thrift.New(format.DictionaryPageHeader{NumValues: values, Encoding: format.Plain}),
	}, body}
}

// TestParquetAccepted reads what other readers read although it is not as the
// format would have it.
func TestParquetAccepted(t *testing.T) {
	t.Parallel()
	words := &rawFile{schema: []format.SchemaElement{element("w", format.ByteArray)}, roots: 1, rows: 1, chunks: []rawChunk{{
		typ: format.ByteArray, values: 1, pages: []rawPage{
			dictionaryPage(3, strs("MALE", "FEMALE", "OTHER")), v1Page(1, format.RLEDictionary, []byte{2, 2, 1}),
		},
	}}}
	numbers := oneInt(func(*rawFile) {})
	for name, c := range map[string]struct {
		file   *rawFile
		change func(*format.FileMetaData)
		want   []string
	}{
		"a dictionary of more words than rows": {words, func(*format.FileMetaData) {}, []string{"FEMALE"}},
		"no offset of the dictionary":          {words, func(m *format.FileMetaData) { m.RowGroups[0].Columns[0].MetaData.DictionaryPageOffset = 0 }, []string{"FEMALE"}},
		"no rows in all":                       {numbers, func(m *format.FileMetaData) { m.NumRows = 0 }, []string{"1", "2"}},
		"a root that has a type": {numbers, func(m *format.FileMetaData) {
			m.Schema[0].Type = thrift.New(format.Int32)
			m.Schema[0].RepetitionType = thrift.New(format.Repeated)
		}, []string{"1", "2"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(c.want, texts(t, c.file.bytes(t, c.change))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestParquetKeyWithoutValue reads a footer with a key-value pair that lacks its
// value, as some writers leave it.
func TestParquetKeyWithoutValue(t *testing.T) {
	t.Parallel()
	data := oneInt(func(*rawFile) {}).bytes(t)
	size := int(binary.LittleEndian.Uint32(data[len(data)-8:]))
	field5 := "\x09\x0a\x1c\x18\x01k\x00" // a list of one structure of one text
	footer := string(data[len(data)-8-size:len(data)-8-1]) + field5 + "\x00"
	data = append(data[:len(data)-8-size], footer...)
	data = append(binary.LittleEndian.AppendUint32(data, uint32(len(footer))), parquetMagic...)
	if diff := cmp.Diff([]string{"1", "2"}, texts(t, data)); diff != "" {
		t.Error(diff)
	}
}

// TestParquetRowGoesOnDespiteIndex reads a row that goes on in the next page of a
// file that has an offset index, which says otherwise.
func TestParquetRowGoesOnDespiteIndex(t *testing.T) {
	t.Parallel()
	page := func(reps, defs string, values ...int32) rawPage {
		return v1Page(int32(len(reps)), format.Plain, append(append(packed(reps), packed(defs)...), le32(values...)...))
	}
	f := rawFile{schema: []format.SchemaElement{repeated(element("n", format.Int32))}, roots: 1, rows: 2, chunks: []rawChunk{{
		typ: format.Int32, values: 4, pages: []rawPage{page("01", "11", 1, 2), page("10", "11", 3, 4)},
		change: func(c *format.ColumnChunk) { c.OffsetIndexOffset, c.OffsetIndexLength = 4, 30 },
	}}}
	if diff := cmp.Diff([]string{"[1,2,3]", "[4]"}, texts(t, f.bytes(t))); diff != "" {
		t.Error(diff)
	}
	rows := allRows(t, openParquetBytes(t, f.bytes(t)), 1)
	if len(rows) != 1 || rows[0].Values[0].String() != "[4]" {
		t.Errorf("from row 1: %v", rows)
	}
}

// TestParquetLZ4 reads both codecs of that name. Its files are parquet-go's, whose
// own reader of them is wrong (its issue 608).
func TestParquetLZ4(t *testing.T) {
	t.Parallel()
	people := devices(500)
	rows := allRows(t, openParquetBytes(t, writeParquet(t, people, parquet.Compression(&parquet.Lz4Raw))), 0)
	if len(rows) != len(people) {
		t.Fatalf("%d rows", len(rows))
	}
	for i := range rows {
		if diff := cmp.Diff(people[i].values(), rows[i].Values); diff != "" {
			t.Fatal(diff)
		}
	}
	block := []byte("\xf0\x01" + string(le32(1, 2, 3, 4))) // LZ4: sixteen literals
	hadoop := append(binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, 16), uint32(len(block))), block...)
	for name, body := range map[string][]byte{"Hadoop's blocks": hadoop, "one block": block} {
		page := v1Page(4, format.Plain, body)
		page.header.UncompressedPageSize = 16
		f := rawFile{schema: []format.SchemaElement{element("n", format.Int32)}, roots: 1, rows: 4, chunks: []rawChunk{
			{typ: format.Int32, codec: format.Lz4, values: 4, pages: []rawPage{page}},
		}}
		if diff := cmp.Diff([]string{"1", "2", "3", "4"}, texts(t, f.bytes(t))); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// TestParquetUndecoded: what an annotation means that is not decoded must not be
// taken for what is stored.
func TestParquetUndecoded(t *testing.T) {
	t.Parallel()
	decimal := logical(format.Int32, &format.DecimalType{Precision: 9, Scale: 400})
	for want, schema := range map[string][]format.SchemaElement{
		"BSON":                   {logical(format.ByteArray, &format.BsonType{})},
		"annotation GEOMETRY is": {logical(format.ByteArray, &format.GeometryType{CRS: "of the file"})},
		"STRING":                 {logical(format.Int32, &format.StringType{})},
		"DECIMAL":                {decimal},
		"LIST":                   {annotatedGroup(&format.ListType{}, 2), element("a", format.Int32), element("b", format.Int32)},
		"MAP":                    {annotatedGroup(&format.MapType{}, 1), element("a", format.Int32)},
		"VARIANT":                {annotatedGroup(&format.VariantType{}, 1), element("value", format.ByteArray)},
		"UUID":                   {groupElement("c", format.Required, 1), logical(format.ByteArray, &format.UUIDType{})},
	} {
		f := rawFile{schema: schema, roots: 1}
		for _, e := range schema {
			if e.Type.Valid {
				f.chunks = append(f.chunks, rawChunk{typ: e.Type.V})
			}
		}
		h := openParquetBytes(t, f.bytes(t)).Header()
		if len(h) != 1 || !strings.Contains(h[0].Undecoded, want) {
			t.Errorf("%s: %+v", want, h)
		}
	}
	if h := openParquetBytes(t, writeParquet(t, devices(1))).Header(); h[0].Undecoded != "" {
		t.Errorf("a text is undecoded: %s", h[0].Undecoded)
	}
}

func annotatedGroup(v format.LogicalTypeValue, children int32) format.SchemaElement {
	e := groupElement("c", format.Required, children)
	e.LogicalType = format.LogicalType{Value: v}
	return e
}

// TestParquetMemoryFollowsBytes reads files of some hundred bytes that claim
// millions of values. It does not run beside other tests: what these allocate
// would count.
func TestParquetMemoryFollowsBytes(t *testing.T) { //nolint:paralleltest // see above
	const rows = 64 << 20
	run := func(value byte) []byte { return append(binary.AppendUvarint(nil, rows<<1), value) }
	level := func(values []byte) []byte {
		return append(binary.LittleEndian.AppendUint32(nil, uint32(len(values))), values...)
	}
	deltas := func(first uint64) (b []byte) {
		b = binary.AppendUvarint(binary.AppendUvarint(binary.AppendUvarint(binary.AppendUvarint(nil, 1<<24), 1), rows), first)
		for range rows >> 24 {
			b = append(b, 0, 0) // least difference 0, differences of no bits
		}
		return b
	}
	optional := element("c", format.Int32)
	optional.RepetitionType = thrift.New(format.Optional)
	word := dictionaryPage(1, strs("a"))
	for name, c := range map[string]struct {
		element format.SchemaElement
		pages   []rawPage
		want    string
	}{
		"indexes":        {element("c", format.ByteArray), []rawPage{word, v1Page(rows, format.RLEDictionary, append([]byte{1}, run(0)...))}, "a"},
		"indexes of 0":   {element("c", format.ByteArray), []rawPage{word, v1Page(rows, format.RLEDictionary, []byte{0})}, "a"},
		"levels":         {optional, []rawPage{v1Page(rows, format.Plain, level(run(0)))}, ""},
		"booleans":       {element("c", format.Boolean), []rawPage{v1Page(rows, format.RLE, level(run(1)))}, "true"},
		"deltas":         {element("c", format.Int64), []rawPage{v1Page(rows, format.DeltaBinaryPacked, deltas(14))}, "7"},
		"delta lengths":  {element("c", format.ByteArray), []rawPage{v1Page(rows, format.DeltaLengthByteArray, deltas(0))}, ""},
		"delta prefixes": {element("c", format.ByteArray), []rawPage{v1Page(rows, format.DeltaByteArray, append(deltas(0), deltas(0)...))}, ""},
	} {
		f := rawFile{schema: []format.SchemaElement{c.element}, roots: 1, rows: rows, chunks: []rawChunk{
			{typ: c.element.Type.V, values: rows, pages: c.pages},
		}}
		data := f.bytes(t)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		read := 0
		for row, err := range openParquetBytes(t, data).Rows(t.Context(), batch.Position{}) {
			if err != nil || row.Values[0].String() != c.want {
				t.Fatalf("%s: %v, %v", name, row.Values, err)
			}
			if read++; read == 10_000 {
				break
			}
		}
		runtime.ReadMemStats(&after)
		if used := after.TotalAlloc - before.TotalAlloc; used > 8<<20 {
			t.Errorf("%s: a file of %d bytes took %d MiB for %d rows", name, len(data), used>>20, read)
		}
	}
}

// TestParquetLongWords reads a few rows of many that repeat one long word of a
// dictionary: memory follows what is read, not a block of rows.
func TestParquetLongWords(t *testing.T) { //nolint:paralleltest // see TestParquetMemoryFollowsBytes
	const rows, length, read = 4096, 1 << 20, 4
	run := append(binary.AppendUvarint([]byte{1}, rows<<1), 0)
	f := rawFile{schema: []format.SchemaElement{element("c", format.ByteArray)}, roots: 1, rows: rows, chunks: []rawChunk{
		{typ: format.ByteArray, values: rows, pages: []rawPage{dictionaryPage(1, strs(strings.Repeat("w", length))), v1Page(rows, format.RLEDictionary, run)}},
	}}
	src := openParquetBytes(t, f.bytes(t))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	seen := 0
	for row, err := range src.Rows(t.Context(), batch.Position{}) {
		if err != nil || len(row.Values[0].Text) != length {
			t.Fatalf("%d bytes, %v", len(row.Values[0].Text), err)
		}
		if seen++; seen == read {
			break
		}
	}
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; used > 16*length {
		t.Errorf("%d rows of %d MiB took %d MiB", seen, length>>20, used>>20)
	}
}

// TestParquetListOfTooManyValues: a list that costs no bytes is bounded.
func TestParquetListOfTooManyValues(t *testing.T) {
	t.Parallel()
	const values = 1 << 20
	run := binary.AppendUvarint(nil, (values-1)<<1)
	levels := append([]byte{2, 0}, append(run, 1)...) // one 0, then nothing but 1
	ones := append(binary.AppendUvarint(nil, values<<1), 1)
	body := append(binary.LittleEndian.AppendUint32(nil, uint32(len(levels))), levels...)
	body = append(append(binary.LittleEndian.AppendUint32(body, uint32(len(ones))), ones...), 0)
	f := rawFile{schema: []format.SchemaElement{repeated(element("w", format.ByteArray))}, roots: 1, rows: 1, chunks: []rawChunk{
		{typ: format.ByteArray, values: values, pages: []rawPage{dictionaryPage(1, strs("a")), v1Page(values, format.RLEDictionary, body)}},
	}}
	_, failed := readDamaged(t, openParquetBytes(t, f.bytes(t)))
	if failed == nil || failed.Code != inputerror.CodeBound || !strings.Contains(failed.Error(), "262144") {
		t.Errorf("got %v", failed)
	}
}

// TestParquetOpenPagesAreBounded: columns that share a page are refused, and those
// whose pages are small packed and large unpacked are read as far as one bound for
// all of them goes.
func TestParquetOpenPagesAreBounded(t *testing.T) {
	thorough.Only(t) // 640 MiB are unpacked
	t.Parallel()
	zeros, err := parquet.Zstd.Encode(nil, make([]byte, 64<<20))
	if err != nil {
		t.Fatal(err)
	}
	f := rawFile{roots: 10, rows: 16 << 20}
	for i := range f.roots {
		page := v1Page(16<<20, format.Plain, zeros)
		page.header.UncompressedPageSize = 64 << 20
		f.schema = append(f.schema, element(string('a'+i), format.Int32))
		f.chunks = append(f.chunks, rawChunk{typ: format.Int32, codec: format.Zstd, values: f.rows, pages: []rawPage{page}})
	}
	data := f.bytes(t)
	_, failed := readDamaged(t, openParquetBytes(t, data))
	if failed == nil || failed.Code != inputerror.CodeBound || !strings.Contains(failed.Error(), "256 MiB") {
		t.Errorf("ten pages of 64 MiB: got %v", failed)
	}
	shared := f.bytes(t, func(m *format.FileMetaData) {
		columns := m.RowGroups[0].Columns
		columns[3].MetaData.DataPageOffset = columns[2].MetaData.DataPageOffset
	})
	wantRefusal(t, shared, inputerror.CodeCorrupt, "share bytes")
	f.roots, f.schema, f.chunks = 2, f.schema[:2], f.chunks[:2]
	for row, err := range openParquetBytes(t, f.bytes(t)).Rows(t.Context(), batch.Position{}) {
		if err != nil || row.Values[1].Text != "0" {
			t.Errorf("two of them: %v, %v", row.Values, err)
		}
		break
	}
}
