package parquetfile

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/deprecated"

	"pushbatch/batch"
	"pushbatch/readers/inputerror"
	"pushbatch/testdata/readertest"
)

// device has what rows of devices usually have, in the shapes that make page
// readers stumble: nulls, dictionaries, lists, maps and structs.
type device struct {
	RegistrationID   string            `parquet:"registrationId"`
	Identity         *deviceIdentity   `parquet:"identity,optional"`
	City             string            `parquet:"city,dict"`
	Age              *int32            `parquet:"age,optional"`
	Tags             []string          `parquet:"tags,list"`
	Legacy           []int64           `parquet:"legacy"`
	CustomAttributes map[string]string `parquet:"customAttributes"`
}

type deviceIdentity struct {
	Email      string `parquet:"email"`
	ExternalID *int64 `parquet:"externalId,optional"`
}

func devices(n int) []device {
	rows := make([]device, n)
	for i := range rows {
		d := &rows[i]
		d.RegistrationID = fmt.Sprintf("registration-%d", i)
		d.City = []string{"Zagreb", "Split", "Київ"}[i%3]
		if i%4 > 0 {
			d.Age = new(int32)
			*d.Age = int32(i)
			d.Identity = &deviceIdentity{Email: fmt.Sprintf("p%d@example.com", i%9)}
		}
		if i%5 == 1 && d.Identity != nil {
			d.Identity.ExternalID = new(int64)
			*d.Identity.ExternalID = int64(i) << 40
		}
		for k := range i % 4 {
			d.Tags = append(d.Tags, fmt.Sprint("tag", k))
			d.Legacy = append(d.Legacy, int64(i*k))
			d.CustomAttributes = map[string]string{fmt.Sprint("key", k): "value"}
		}
	}
	return rows
}

func (d *device) values() []batch.Value {
	email, external, age := batch.Value{}, batch.Value{}, batch.Value{}
	if d.Identity != nil {
		email = batch.TextValue(d.Identity.Email)
		if d.Identity.ExternalID != nil {
			external = batch.IntValue(*d.Identity.ExternalID)
		}
	}
	if d.Age != nil {
		age = batch.IntValue(int64(*d.Age))
	}
	tags, legacy := listOf(), listOf()
	for _, tag := range d.Tags {
		tags.Nested.Values = append(tags.Nested.Values, batch.TextValue(tag))
	}
	for _, n := range d.Legacy {
		legacy.Nested.Values = append(legacy.Nested.Values, batch.IntValue(n))
	}
	attributes := objectOf()
	for k, v := range d.CustomAttributes {
		attributes.Nested.Names = append(attributes.Nested.Names, k)
		attributes.Nested.Values = append(attributes.Nested.Values, batch.TextValue(v))
	}
	return []batch.Value{batch.TextValue(d.RegistrationID), email, external, batch.TextValue(d.City), age, tags, legacy, attributes}
}

func listOf(values ...batch.Value) batch.Value {
	return batch.Value{Kind: batch.List, Nested: &batch.Nested{Values: values}}
}

func objectOf(namesAndValues ...any) batch.Value {
	n := &batch.Nested{Names: []string{}}
	for i := 0; i < len(namesAndValues); i += 2 {
		n.Names = append(n.Names, namesAndValues[i].(string))
		n.Values = append(n.Values, namesAndValues[i+1].(batch.Value))
	}
	return batch.Value{Kind: batch.Object, Nested: n}
}

func writeParquet[T any](t testing.TB, rows []T, options ...parquet.WriterOption) []byte {
	t.Helper()
	var out bytes.Buffer
	w := parquet.NewGenericWriter[T](&out, options...)
	if _, err := w.Write(rows); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func smallPages(rowsPerGroup int64, options ...parquet.WriterOption) []parquet.WriterOption {
	return append(options, parquet.PageBufferSize(200), parquet.MaxRowsPerRowGroup(rowsPerGroup))
}

func TestParquetSource(t *testing.T) {
	t.Parallel()
	rows := devices(60)
	for name, options := range map[string][]parquet.WriterOption{
		"v2 small pages": smallPages(25),
		"v1 small pages": smallPages(17, parquet.DataPageVersion(1), parquet.Compression(&parquet.Snappy)),
		"one page":       {parquet.Compression(&parquet.Zstd)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data := writeParquet(t, rows, options...)
			for i, row := range allRows(t, openParquetBytes(t, data), 0) {
				if diff := cmp.Diff(rows[i].values(), row.Values); diff != "" {
					t.Fatalf("row %d: %s", i, diff)
				}
			}
			readertest.TestSource(t, func() batch.Source { return openParquetBytes(t, data) })
		})
	}
}

// TestParquetWithoutPageIndex goes on at positions of files that DuckDB wrote:
// three row groups, and nothing that says where a page begins.
func TestParquetWithoutPageIndex(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"v1", "v2"} {
		src := openParquetTest(t, filepath.Join("testdata", "duckdb", "people-zstd-"+version+".parquet"))
		whole := allRows(t, src, 0)
		for _, from := range []int{1, 255, 256, 1000, 2047, 2048, 2049, 4095, 4096, 4500, 4999, 5000} {
			sameRows(t, whole[from:], allRows(t, src, int64(from)))
		}
	}
}

// sameRows compares quickly, and in detail only where rows differ.
func sameRows(t testing.TB, want, got []batch.Row) {
	t.Helper()
	if len(want) != len(got) {
		t.Fatalf("%d rows, want %d", len(got), len(want))
	}
	for i := range want {
		a, b := want[i], got[i]
		if !reflect.DeepEqual(a, b) {
			t.Fatalf("row %d: %s", want[i].SourceNum(), cmp.Diff(want[i], got[i]))
		}
	}
}

func TestParquetHeader(t *testing.T) {
	t.Parallel()
	src := openParquetBytes(t, writeParquet(t, devices(1)))
	want := batch.Header{
		{Name: "registrationId", Kind: batch.Text, Type: "string"},
		{Name: "identity.email", Kind: batch.Text, Type: "string"},
		{Name: "identity.externalId", Kind: batch.Number, Type: "int64"},
		{Name: "city", Kind: batch.Text, Type: "string"},
		{Name: "age", Kind: batch.Number, Type: "int32"},
		{Name: "tags", Kind: batch.List, Type: "list<string>"},
		{Name: "legacy", Kind: batch.List, Type: "list<int64>"},
		{Name: "customAttributes", Kind: batch.Object, Type: "map<string, string>"},
	}
	if diff := cmp.Diff(want, src.Header()); diff != "" {
		t.Error(diff)
	}
	if src.Name() != "in.parquet" || src.RowCount() != 1 {
		t.Error(src.Name(), src.RowCount())
	}
}

// countingReader notes which bytes were asked for.
type countingReader struct {
	*bytes.Reader
	read int64
}

func (r *countingReader) ReadAt(p []byte, off int64) (int, error) {
	n, err := r.Reader.ReadAt(p, off)
	r.read += int64(n)
	return n, err
}

func TestParquetReadsOnlyWhatIsNeeded(t *testing.T) {
	t.Parallel()
	data := writeParquet(t, devices(20_000), parquet.PageBufferSize(4<<10), parquet.MaxRowsPerRowGroup(10_000))
	open := func() (*Source, *countingReader) {
		r := &countingReader{Reader: bytes.NewReader(data)}
		src, err := openReader(r, int64(len(data)), nil)
		if err != nil {
			t.Fatal(err)
		}
		r.read = 0
		return src, r
	}
	src, r := open()
	whole := allRows(t, src, 0)
	all := r.read

	src, r = open()
	sameRows(t, whole[19_900:], allRows(t, src, 19_900))
	if r.read > all/10 {
		t.Errorf("the last 100 rows of 20,000: %d of %d bytes read", r.read, all)
	}
}

func wantRefusal(t *testing.T, data []byte, code, part string) {
	t.Helper()
	closed := 0
	src, err := openReader(bytes.NewReader(data), int64(len(data)), func() error { closed++; return nil })
	found := new(inputerror.Error)
	if !errors.As(err, &found) || found.Code != code || found.Source != "in.parquet" || !strings.Contains(err.Error(), part) {
		t.Errorf("got %v, %v; want %s with %q", src, err, code, part)
	}
	if closed != 1 {
		t.Errorf("closed %d times", closed)
	}
}

func TestParquetRefused(t *testing.T) {
	t.Parallel()
	good := writeParquet(t, devices(20))
	with := func(change func(data []byte) []byte) []byte { return change(bytes.Clone(good)) }
	for name, c := range map[string]struct {
		data       []byte
		code, part string
	}{
		"empty":            {nil, inputerror.CodeFormat, "0 bytes"},
		"text":             {[]byte("registrationId,email\n1,2\n"), inputerror.CodeFormat, "not a Parquet file"},
		"cut":              {good[:len(good)/2], inputerror.CodeTruncated, "no footer"},
		"encrypted footer": {with(func(b []byte) []byte { copy(b, "PARE"); copy(b[len(b)-4:], "PARE"); return b }), inputerror.CodeFormat, "encrypted"},
		"encrypted tail":   {with(func(b []byte) []byte { copy(b[len(b)-4:], "PARE"); return b }), inputerror.CodeFormat, "encrypted"},
		"footer too long": {with(func(b []byte) []byte {
			binary.LittleEndian.PutUint32(b[len(b)-8:], uint32(len(b)))
			return b
		}), inputerror.CodeCorrupt, "claims"},
		"footer of noise": {append([]byte("PAR1"), "\xff\xff\xff\xff\x04\x00\x00\x00PAR1"...), inputerror.CodeCorrupt, "decoded"},
		"footer of zeros": {append([]byte("PAR1"), "\x00\x00\x00\x00\x04\x00\x00\x00PAR1"...), inputerror.CodeCorrupt, "damaged"},
		"start cut off":   {append([]byte("PAR1"), good[len(good)/2:]...), inputerror.CodeCorrupt, "no column can be"},
		"same name": {writeParquet(t, []struct {
			A        string `parquet:"identity.email"`
			Identity struct {
				Email string `parquet:"email"`
			} `parquet:"identity"`
		}{{}}), inputerror.CodeHeaderRepeat, "identity.email"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wantRefusal(t, c.data, c.code, c.part)
		})
	}
}

func TestParquetEncrypted(t *testing.T) {
	t.Parallel()
	for name, encryptedFooter := range map[string]bool{"footer": true, "columns": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			key := []byte("0123456789abcdef")
			data := writeParquet(t, devices(5), parquet.WithEncryption(&parquet.EncryptionConfig{FooterKey: key, EncryptedFooter: encryptedFooter}))
			wantRefusal(t, data, inputerror.CodeFormat, "encrypted")
		})
	}
}

// readDamaged reads until the error and returns the rows before it.
func readDamaged(t *testing.T, src batch.Source) (rows []batch.Row, failed *inputerror.Error) {
	t.Helper()
	var err error
	rows, err = readertest.ReadFrom(t.Context(), src, batch.Position{})
	if err == nil {
		return rows, nil
	}
	abort := new(batch.Abort)
	if !errors.As(err, &failed) || !errors.As(err, &abort) || abort.Code != failed.Code {
		t.Fatalf("%v is no Error in an Abort", err)
	}
	return rows, failed
}

// TestParquetDamagedPage damages each page of each column in turn: every row
// before the page must come, and then an error that names the row.
func TestParquetDamagedPage(t *testing.T) {
	t.Parallel()
	data := writeParquet(t, devices(300), smallPages(200)...)
	whole := allRows(t, openParquetBytes(t, data), 0)
	file, err := parquet.OpenFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	pages := 0
	for g, group := range file.RowGroups() {
		for _, chunk := range group.ColumnChunks() {
			index, err := chunk.OffsetIndex()
			if err != nil {
				t.Fatal(err)
			}
			for p := range index.NumPages() {
				pages++
				broken := bytes.Clone(data)
				end := index.Offset(p) + index.CompressedPageSize(p)
				broken[end-1] ^= 0x55
				want := int64(g)*200 + index.FirstRowIndex(p)
				got, failed := readDamaged(t, openParquetBytes(t, broken))
				if failed == nil || failed.Code != inputerror.CodeCorrupt || failed.Row != int64(len(got))+1 || int64(len(got)) < want {
					t.Fatalf("group %d, column %d, page %d: %d rows before %v, want %d", g, chunk.Column(), p, len(got), failed, want)
				}
				sameRows(t, whole[:want], got[:want])
			}
		}
	}
	if pages < 30 {
		t.Fatalf("only %d pages", pages)
	}
}

// cutReader loses the pages after a point.
type cutReader struct {
	*bytes.Reader
	from int64
	err  error
}

func (r *cutReader) ReadAt(p []byte, off int64) (int, error) {
	footer := r.Size() - 8
	var length [4]byte
	if _, err := r.Reader.ReadAt(length[:], footer); err != nil {
		return 0, err
	}
	footer -= int64(binary.LittleEndian.Uint32(length[:]))
	if off < footer && off+int64(len(p)) > r.from {
		return 0, r.err
	}
	return r.Reader.ReadAt(p, off)
}

func TestParquetCutWhileReading(t *testing.T) {
	t.Parallel()
	data := writeParquet(t, devices(300), smallPages(100)...)
	for _, c := range []struct {
		err  error
		code string
	}{{io.EOF, inputerror.CodeTruncated}, {io.ErrUnexpectedEOF, inputerror.CodeTruncated}, {errors.New("connection reset"), inputerror.CodeUnreadable}} {
		r := &cutReader{Reader: bytes.NewReader(data), from: int64(len(data)) / 2, err: c.err}
		src, err := openReader(r, int64(len(data)), nil)
		if err != nil {
			t.Fatal(err)
		}
		rows, failed := readDamaged(t, src)
		if failed == nil || failed.Code != c.code || len(rows) < 50 || len(rows) > 250 {
			t.Errorf("%v: %d rows, then %v", c.err, len(rows), failed)
		}
	}
}

func TestParquetPositionBehindTheEnd(t *testing.T) {
	t.Parallel()
	src := openParquetBytes(t, writeParquet(t, devices(3)))
	if rows := allRows(t, src, 3); len(rows) != 0 {
		t.Errorf("%d rows from the end on", len(rows))
	}
	for _, from := range []int64{-1, 4} {
		_, err := readertest.ReadFrom(t.Context(), src, batch.Position{Row: from})
		found := new(inputerror.Error)
		if !errors.As(err, &found) || found.Code != inputerror.CodeChanged {
			t.Errorf("from row %d: %v", from, err)
		}
	}
}

func TestParquetCancelled(t *testing.T) {
	t.Parallel()
	src := openParquetBytes(t, writeParquet(t, devices(1000)))
	cause := errors.New("stopped by the test")
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	n := 0
	var last error
	for _, err := range src.Rows(ctx, batch.Position{}) {
		if last = err; err == nil {
			n++
		}
		cancel(cause)
	}
	if !errors.Is(last, cause) || n == 0 || n == 1000 {
		t.Errorf("%d rows, then %v", n, last)
	}
}

func TestParquetInvalidText(t *testing.T) {
	t.Parallel()
	type row struct {
		Note string            `parquet:"note"`
		Raw  []byte            `parquet:"raw"`
		Map  map[string]string `parquet:"map"`
	}
	src := openParquetBytes(t, writeParquet(t, []row{
		{"good", []byte("plain"), map[string]string{"k": "v"}},
		{"caf\xe9", []byte("plain"), nil},
		{"good", []byte{0xff, 0x01}, nil},
		{"good", nil, map[string]string{"k": "\xc3"}},
	}))
	var got []string
	for _, r := range allRows(t, src, 0) {
		line := r.Values[0].String() + " " + r.Values[1].String() + " " + r.Values[2].String()
		if r.Err != nil {
			line += " " + r.Err.Code + " " + r.Err.Column
		}
		got = append(got, line)
	}
	want := []string{
		`good plain {"k":"v"}`,
		`636166e9 plain {} encoding_invalid note`,
		`good ff01 {} encoding_invalid raw`,
		`good  {"k":"c3"} encoding_invalid map`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestParquetEncodings writes every encoding that parquet-go has, which is
// more than DuckDB writes.
func TestParquetEncodings(t *testing.T) {
	t.Parallel()
	type row struct {
		Delta32 int32            `parquet:"delta32,delta"`
		Delta64 int64            `parquet:"delta64,delta"`
		Lengths string           `parquet:"lengths,delta"`
		Split   float64          `parquet:"split,split"`
		Split32 float32          `parquet:"split32,split"`
		Words   string           `parquet:"words,dict"`
		DictInt *int64           `parquet:"dictInt,dict,optional"`
		Fixed   [3]byte          `parquet:"fixed"`
		Int96   deprecated.Int96 `parquet:"int96"`
		Flag    bool             `parquet:"flag"`
		U64     uint64           `parquet:"u64"`
		Dec     int64            `parquet:"dec,decimal(3:18)"`
		Time    int64            `parquet:"time,time(nanosecond)"`
		Nanos   int64            `parquet:"nanos,timestamp(nanosecond)"`
		UUID    [16]byte         `parquet:"uuid,uuid"`
	}
	n := 1000
	rows := make([]row, n)
	for i := range rows {
		r := &rows[i]
		*r = row{
			Delta32: int32(i*i*31) * -1, Delta64: math.MinInt64 + int64(i)*1<<50, Lengths: strings.Repeat("ab", i%17) + fmt.Sprint(i),
			Split: float64(i) / 3, Split32: float32(i) / 3, Words: fmt.Sprint("word", i%300), Fixed: [3]byte{byte(i), 1, 2},
			Flag: i%3 == 0, U64: math.MaxUint64 - uint64(i), Dec: int64(i) - 500, Time: int64(i) * 1001, Nanos: -int64(i), UUID: [16]byte{15: byte(i)},
		}
		r.Int96 = deprecated.Int96{0: uint32(i), 2: julianEpoch}
		if i%2 == 0 {
			r.DictInt = &rows[i].Delta64
		}
	}
	for _, version := range []int{1, 2} {
		t.Run(fmt.Sprintf("v%d", version), func(t *testing.T) {
			t.Parallel()
			src := openParquetBytes(t, writeParquet(t, rows, parquet.DataPageVersion(version), parquet.PageBufferSize(2000), parquet.Compression(&parquet.Gzip)))
			for i, got := range allRows(t, src, 0) {
				r := &rows[i]
				dictInt := ""
				if r.DictInt != nil {
					dictInt = fmt.Sprint(*r.DictInt)
				}
				dec := fmt.Sprintf("%d.%03d", (i-500)/1000, max(i-500, 500-i)%1000)
				if i < 500 {
					dec = "-" + dec
				}
				want := []string{
					fmt.Sprint(r.Delta32), fmt.Sprint(r.Delta64), r.Lengths, shortest(r.Split, 64), shortest(float64(r.Split32), 32), r.Words, dictInt,
					fmt.Sprintf("%x", r.Fixed), strings.TrimRight(fmt.Sprintf("1970-01-01T00:00:00.%09d", i), ".0"), fmt.Sprint(r.Flag), fmt.Sprint(r.U64), dec,
					strings.TrimRight(fmt.Sprintf("00:00:00.%09d", i*1001), "0"),
					strings.TrimRight(fmt.Sprintf("1969-12-31T23:59:59.%09d", 1e9-i), "0") + "Z",
					fmt.Sprintf("00000000-0000-0000-0000-%012x", byte(i)),
				}
				if i == 0 {
					want[8], want[12], want[13] = "1970-01-01T00:00:00", "00:00:00", "1970-01-01T00:00:00Z"
				}
				text := make([]string, len(got.Values))
				for k, v := range got.Values {
					text[k] = v.String()
				}
				if diff := cmp.Diff(want, text); diff != "" {
					t.Fatalf("row %d: %s", i, diff)
				}
			}
		})
	}
}

func shortest(v float64, bits int) string { return floatText(v, bits) }
