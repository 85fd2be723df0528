package parquetfile

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"

	"pushbatch/batch"
	"pushbatch/readers/inputerror"
	"pushbatch/testdata/peak"
)

func oneInt(change func(*rawFile)) *rawFile {
	f := &rawFile{schema: []format.SchemaElement{element("n", format.Int32)}, roots: 1, rows: 2, chunks: []rawChunk{
		{typ: format.Int32, values: 2, pages: []rawPage{v1Page(2, format.Plain, le32(1, 2))}},
	}}
	change(f)
	return f
}

// TestParquetContradictions opens files whose footer contradicts itself.
func TestParquetContradictions(t *testing.T) {
	t.Parallel()
	file := func(change func(*format.FileMetaData)) []byte {
		return oneInt(func(*rawFile) {}).bytes(t, change)
	}
	chunk := func(change func(*format.ColumnChunk)) []byte {
		return oneInt(func(f *rawFile) { f.chunks[0].change = change }).bytes(t)
	}
	schema := func(roots int32, elements ...format.SchemaElement) []byte {
		return oneInt(func(f *rawFile) { f.roots, f.schema = roots, elements }).bytes(t)
	}
	for name, c := range map[string]struct {
		data       []byte
		code, part string
	}{
		"negative rows": {file(func(m *format.FileMetaData) { m.RowGroups[0].NumRows = -1 }), inputerror.CodeCorrupt, "-1 rows"},
		"too many rows": {file(func(m *format.FileMetaData) { m.RowGroups[0].NumRows = math.MaxInt64; m.NumRows = math.MaxInt64 }), inputerror.CodeCorrupt, "values for"},
		"no schema":     {file(func(m *format.FileMetaData) { m.Schema = []format.SchemaElement{} }), inputerror.CodeCorrupt, "no root"},
		"column too many": {file(func(m *format.FileMetaData) {
			m.RowGroups[0].Columns = append(m.RowGroups[0].Columns, m.RowGroups[0].Columns[0])
		}), inputerror.CodeCorrupt, "2 columns"},
		"no columns":           {(&rawFile{rows: 1 << 60}).bytes(t), inputerror.CodeEmpty, "no columns"},
		"children missing":     {schema(2, element("n", format.Int32)), inputerror.CodeCorrupt, "2 children"},
		"children of children": {schema(2, groupElement("g", format.Required, 1), element("n", format.Int32)), inputerror.CodeCorrupt, "ends too early"},
		"elements left":        {schema(1, element("n", format.Int32), element("m", format.Int32)), inputerror.CodeCorrupt, "belong to no group"},
		"no name":              {schema(1, element("", format.Int32)), inputerror.CodeHeader, "no name"},
		"unknown type":         {schema(1, element("n", 77)), inputerror.CodeCorrupt, "physical type"},
		"fixed of no width":    {schema(1, element("n", format.FixedLenByteArray)), inputerror.CodeCorrupt, "physical type"},
		"other type":           {chunk(func(c *format.ColumnChunk) { c.MetaData.Type = format.Int64 }), inputerror.CodeCorrupt, "two physical types"},
		"other file":           {chunk(func(c *format.ColumnChunk) { c.FilePath = "part" }), inputerror.CodeFormat, "another file"},
		"encrypted column":     {chunk(func(c *format.ColumnChunk) { c.EncryptedColumnMetadata = []byte{1} }), inputerror.CodeFormat, "encrypted"},
		"offset before start":  {chunk(func(c *format.ColumnChunk) { c.MetaData.DataPageOffset = 1 }), inputerror.CodeCorrupt, "no column can be"},
		"size behind end":      {chunk(func(c *format.ColumnChunk) { c.MetaData.TotalCompressedSize = 1 << 40 }), inputerror.CodeCorrupt, "no column can be"},
		"size overflows":       {chunk(func(c *format.ColumnChunk) { c.MetaData.TotalCompressedSize = math.MaxInt64 }), inputerror.CodeCorrupt, "no column can be"},
		"LZO":                  {chunk(func(c *format.ColumnChunk) { c.MetaData.Codec = format.LZO }), inputerror.CodeFormat, "LZO"},
		"codec unknown":        {chunk(func(c *format.ColumnChunk) { c.MetaData.Codec = 42 }), inputerror.CodeFormat, "codec 42"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wantRefusal(t, c.data, c.code, c.part)
		})
	}
}

// TestParquetBadPages reads files whose second column has one bad page: no
// row, and an error that says what is wrong.
func TestParquetBadPages(t *testing.T) {
	t.Parallel()
	header := func(change func(*format.PageHeader)) rawPage {
		p := v1Page(2, format.Plain, le32(1, 2))
		p.header.CRC = 0
		change(&p.header)
		return p
	}
	dictionary := func(values int32, enc format.Encoding, body []byte) rawPage {
		return rawPage{format.PageHeader{
			Type: format.DictionaryPage, CompressedPageSize: int32(len(body)), UncompressedPageSize: int32(len(body)),
			DictionaryPageHeader: thrift.New(format.DictionaryPageHeader{NumValues: values, Encoding: enc}),
		}, body}
	}
	v2 := func(repLen, defLen int32, body []byte) rawPage {
		return rawPage{format.PageHeader{
			Type: format.DataPageV2, CompressedPageSize: int32(len(body)), UncompressedPageSize: int32(len(body)),
			DataPageHeaderV2: thrift.New(format.DataPageHeaderV2{NumValues: 2, NumRows: 2, RepetitionLevelsByteLength: repLen, DefinitionLevelsByteLength: defLen}),
		}, body}
	}
	n, optional, list := element("n", format.Int32), element("n", format.Int32), repeated(element("n", format.Int32))
	optional.RepetitionType = thrift.New(format.Optional)
	words, wide := element("n", format.ByteArray), fixed(element("n", format.FixedLenByteArray), 3)
	deltas := func(values ...uint64) (b []byte) {
		for _, v := range values {
			b = binary.AppendUvarint(b, v)
		}
		return b
	}
	for name, c := range map[string]struct {
		element format.SchemaElement
		codec   format.CompressionCodec
		pages   []rawPage
		code    string
		part    string
	}{
		"no page":                {n, 0, nil, inputerror.CodeCorrupt, "ends before"},
		"one value only":         {n, 0, []rawPage{v1Page(1, format.Plain, le32(1))}, inputerror.CodeCorrupt, "ends before"},
		"three values":           {n, 0, []rawPage{v1Page(3, format.Plain, le32(1, 2, 3))}, inputerror.CodeCorrupt, "claims 3 values"},
		"values missing":         {n, 0, []rawPage{v1Page(2, format.Plain, le32(1))}, inputerror.CodeCorrupt, "end too early"},
		"header of another kind": {n, 0, []rawPage{header(func(h *format.PageHeader) { h.Type = format.DataPageV2 })}, inputerror.CodeCorrupt, "its own kind"},
		"negative size":          {n, 0, []rawPage{header(func(h *format.PageHeader) { h.UncompressedPageSize = -1 })}, inputerror.CodeCorrupt, "more bytes"},
		"size behind the chunk":  {n, 0, []rawPage{header(func(h *format.PageHeader) { h.CompressedPageSize = 1 << 20 })}, inputerror.CodeCorrupt, "more bytes"},
		"a page of a gigabyte":   {n, 0, []rawPage{header(func(h *format.PageHeader) { h.UncompressedPageSize = 1 << 30 })}, inputerror.CodeBound, "at most 128"},
		"checksum":               {n, 0, []rawPage{header(func(h *format.PageHeader) { h.CRC = 1 })}, inputerror.CodeCorrupt, "checksum"},
		"unknown encoding":       {n, 0, []rawPage{v1Page(2, 99, le32(1, 2))}, inputerror.CodeFormat, "encoding 99"},
		"runs of integers":       {n, 0, []rawPage{v1Page(2, format.RLE, le32(1, 2))}, inputerror.CodeCorrupt, "encoding RLE"},
		"deltas of arrays":       {words, 0, []rawPage{v1Page(2, format.DeltaBinaryPacked, deltas(128, 4, 2, 0))}, inputerror.CodeCorrupt, "too early"},
		"split arrays":           {words, 0, []rawPage{v1Page(2, format.ByteStreamSplit, strs("a"))}, inputerror.CodeCorrupt, "too early"},
		"array behind the end":   {words, 0, []rawPage{v1Page(2, format.Plain, append(strs("a"), 200, 0, 0, 0, 1, 1))}, inputerror.CodeCorrupt, "too early"},
		"lengths behind the end": {words, 0, []rawPage{v1Page(2, format.DeltaLengthByteArray, append(deltas(128, 4, 2, 20, 0), 0, 0, 0, 0))}, inputerror.CodeCorrupt, "too early"},
		"prefix of nothing":      {words, 0, []rawPage{v1Page(2, format.DeltaByteArray, append(deltas(128, 4, 2, 20, 0, 0, 128, 4, 2, 0, 0), 0, 0, 0, 0))}, inputerror.CodeCorrupt, "too early"},
		"deltas of other width":  {wide, 0, []rawPage{v1Page(2, format.DeltaByteArray, append(deltas(128, 4, 2, 0, 0, 0, 0, 0, 0, 128, 4, 2, 2, 0, 0, 0, 0, 0), "xy"...))}, inputerror.CodeCorrupt, "too early"},
		"no dictionary":          {n, 0, []rawPage{v1Page(2, format.RLEDictionary, []byte{1, 3, 2})}, inputerror.CodeCorrupt, "not in its dictionary"},
		"index too high":         {n, 0, []rawPage{dictionary(1, format.Plain, le32(7)), v1Page(2, format.RLEDictionary, []byte{1, 3, 3})}, inputerror.CodeCorrupt, "not in its dictionary"},
		"index of 33 bits":       {n, 0, []rawPage{dictionary(1, format.Plain, le32(7)), v1Page(2, format.RLEDictionary, []byte{33, 3, 3})}, inputerror.CodeCorrupt, "too early"},
		"dictionary of deltas":   {n, 0, []rawPage{dictionary(1, format.DeltaBinaryPacked, le32(7))}, inputerror.CodeCorrupt, "dictionary"},
		"dictionary too short":   {n, 0, []rawPage{dictionary(2, format.Plain, le32(7))}, inputerror.CodeCorrupt, "too early"},
		"snappy of noise":        {n, format.Snappy, []rawPage{v1Page(2, format.Plain, le32(1, 2))}, inputerror.CodeCorrupt, "decompressed"},
		"snappy claims much":     {n, format.Snappy, []rawPage{v1Page(2, format.Plain, []byte{0xff, 0xff, 0xff, 0x7f, 0})}, inputerror.CodeCorrupt, "decompressed"},
		"gzip of noise":          {n, format.Gzip, []rawPage{v1Page(2, format.Plain, le32(1, 2))}, inputerror.CodeCorrupt, "decompressed"},
		"zstd of noise":          {n, format.Zstd, []rawPage{v1Page(2, format.Plain, le32(1, 2))}, inputerror.CodeCorrupt, "decompressed"},
		"brotli of noise":        {n, format.Brotli, []rawPage{v1Page(2, format.Plain, bytes.Repeat([]byte{0xff}, 20))}, inputerror.CodeCorrupt, "decompressed"},
		"levels missing":         {optional, 0, []rawPage{v1Page(2, format.Plain, []byte{1})}, inputerror.CodeCorrupt, "in its levels"},
		"levels behind the end":  {optional, 0, []rawPage{v1Page(2, format.Plain, le32(100))}, inputerror.CodeCorrupt, "in its levels"},
		"levels of v2 too long":  {optional, 0, []rawPage{v2(0, 9, []byte{3, 3})}, inputerror.CodeCorrupt, "more levels"},
		"levels of v2 cut":       {optional, 0, []rawPage{v2(0, 1, []byte{3, 3})}, inputerror.CodeCorrupt, "levels"},
		"bit-packed levels": {optional, 0, []rawPage{header(func(h *format.PageHeader) {
			h.DataPageHeader.V.DefinitionLevelEncoding = format.BitPacked
		})}, inputerror.CodeFormat, "bit-packed"},
		"row begun before": {list, 0, []rawPage{v1Page(2, format.Plain, append(append(packed("11"), packed("11")...), le32(1, 2)...))}, inputerror.CodeCorrupt, "continues a row"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := oneInt(func(f *rawFile) {
				f.schema[0].Name = "good"
				f.schema, f.roots = append(f.schema, c.element), 2
				f.chunks = append(f.chunks, rawChunk{typ: c.element.Type.V, codec: c.codec, values: 2, pages: c.pages})
			})
			rows, failed := readDamaged(t, openParquetBytes(t, f.bytes(t)))
			good := 0
			if slices.Contains([]string{"one value only", "values missing", "array behind the end"}, name) {
				good = 1
			}
			if failed == nil || failed.Code != c.code || len(rows) != good || !bytes.Contains([]byte(failed.Error()), []byte(c.part)) {
				t.Errorf("%d rows, then %v; want %s with %q", len(rows), failed, c.code, c.part)
			}
		})
	}
}

// TestParquetUnevenParts reads a struct whose two lists, by their levels, are
// one and the same repeated group, but differ in length.
func TestParquetUnevenParts(t *testing.T) {
	t.Parallel()
	column := func(reps, defs string, values ...int32) rawChunk {
		body := append(append(packed(reps), packed(defs)...), le32(values...)...)
		return rawChunk{typ: format.Int32, values: int64(len(reps)), pages: []rawPage{v1Page(int32(len(reps)), format.Plain, body)}}
	}
	short, long := column("0", "1", 1), column("01", "11", 1, 2)
	for name, chunks := range map[string][]rawChunk{"first is shorter": {short, long}, "first is longer": {long, short}} {
		f := rawFile{rows: 1, roots: 1, chunks: chunks, schema: []format.SchemaElement{
			groupElement("c", format.Repeated, 2), element("a", format.Int32), element("b", format.Int32),
		}}
		rows, failed := readDamaged(t, openParquetBytes(t, f.bytes(t)))
		if failed == nil || failed.Code != inputerror.CodeCorrupt || len(rows) != 0 {
			t.Errorf("%s: %d rows, then %v", name, len(rows), failed)
		}
	}
}

// TestParquetThriftBounds: what the library would reserve or follow without bound is
// refused before it sees it.
func TestParquetThriftBounds(t *testing.T) {
	t.Parallel()
	groups := func(count uint64, element ...byte) []byte { // field 4, a list of structures
		return append(append(binary.AppendUvarint([]byte{0x49, 0xfc}, count), bytes.Repeat(element, int(min(count, 2*maxElements)))...), 0)
	}
	column := append([]byte{0x19, 0xfc}, append(binary.AppendUvarint(nil, maxElements), bytes.Repeat([]byte{0x36, 0x02, 0x00}, maxElements)...)...)
	for name, c := range map[string]struct {
		data []byte
		want error
	}{
		"too many chunks in all":  {groups(22, append(column, 0)...), errThriftList},
		"lists in lists":          {append([]byte{0x19}, bytes.Repeat([]byte{0x19}, 1<<20)...), errThriftInvalid},
		"structures in them":      {bytes.Repeat([]byte{0x1c}, 1<<20), errThriftInvalid},
		"elements that are not":   {groups(1<<31, 0x16, 0x02)[:20], errThriftShort},
		"too many elements":       {groups(maxElements+1, 0x36, 0x02, 0x00), errThriftList},
		"elements of one byte":    {groups(8, 0x00), errThriftInvalid},
		"a text that is not":      {[]byte{0x48, 0xff, 0xff, 0xff, 0xff, 0x07}, errThriftShort},
		"a number without end":    {append([]byte{0x36}, bytes.Repeat([]byte{0xff}, 12)...), errThriftInvalid},
		"a type that is not":      {[]byte{0x1e, 0x00}, errThriftInvalid},
		"as many as are expected": {groups(maxElements, 0x36, 0x02, 0x00), nil},
	} {
		if _, err := readThrift(c.data, new(fileMetadata)); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

// repeatedText is a column whose levels all name the one value of its dictionary.
func repeatedText(levels []byte, values int, text string) rawChunk {
	words := strs(text)
	dictionary := rawPage{format.PageHeader{
		Type: format.DictionaryPage, CompressedPageSize: int32(len(words)), UncompressedPageSize: int32(len(words)),
		DictionaryPageHeader: thrift.New(format.DictionaryPageHeader{NumValues: 1, Encoding: format.Plain}),
	}, words}
	indexes := append(binary.AppendUvarint([]byte{1}, uint64(values)<<1), 0)
	return rawChunk{typ: format.ByteArray, values: int64(values), pages: []rawPage{dictionary, v1Page(int32(values), format.RLEDictionary, append(levels, indexes...))}}
}

// A few bytes may name a large text many times: in a row up to a bound, and in many
// rows only as long as somebody keeps them.
func TestParquetTextNamedManyTimes(t *testing.T) { //nolint:paralleltest // it measures the heap
	text := strings.Repeat("x", 1<<20)
	levels := append(packed("0"+strings.Repeat("1", 99)), packed(strings.Repeat("1", 100))...)
	list := rawFile{schema: []format.SchemaElement{repeated(element("w", format.ByteArray))}, roots: 1, rows: 1, chunks: []rawChunk{repeatedText(levels, 100, text)}}
	rows, failed := readDamaged(t, openParquetBytes(t, list.bytes(t)))
	if failed == nil || failed.Code != inputerror.CodeBound || !strings.Contains(failed.Error(), "more than 64 MiB") {
		t.Errorf("%d rows, then %v", len(rows), failed)
	}
	flat := rawFile{schema: []format.SchemaElement{element("w", format.ByteArray)}, roots: 1, rows: 256, chunks: []rawChunk{repeatedText(nil, 256, text)}}
	peak.AtMost(t, 192<<20)
	count := 0
	for row, err := range openParquetBytes(t, flat.bytes(t)).Rows(t.Context(), batch.Position{}) {
		if count++; err != nil || len(row.Values[0].Text) != len(text) {
			t.Fatal(err)
		}
	}
	if count != 256 {
		t.Errorf("%d rows", count)
	}
}
