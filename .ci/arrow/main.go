// Writes the Parquet files of readers/parquetfile/testdata/arrow with Apache Arrow's
// Go library, and beside each what that library's own reader finds in it:
//
//	go -C .ci/arrow run . ../../readers/parquetfile/testdata/arrow
//
// A module of its own: nothing of Arrow is linked into the program or its tests.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
)

// sample is a file to write.
type sample struct {
	name   string // what stands after an @ tells files of the same rows apart
	table  table
	props  []parquet.WriterProperty
	arrow  []pqarrow.WriterOption
	secret bool // it is encrypted: nobody reads it
}

func main() {
	log.SetFlags(0)
	if len(os.Args) != 2 {
		log.Fatal("usage: go run . FOLDER")
	}
	for _, s := range samples() {
		if err := s.write(os.Args[1]); err != nil {
			log.Fatalf("%s: %v", s.name, err)
		}
	}
}

func samples() []sample {
	v1, v2 := parquet.WithDataPageVersion(parquet.DataPageV1), parquet.WithDataPageVersion(parquet.DataPageV2)
	small := parquet.WithDataPageSize(256)
	batches := parquet.WithBatchSize(16) // the size of a page is looked at after each
	plain := parquet.WithDictionaryDefault(false)
	var all []sample
	for i, codec := range []compress.Compression{
		compress.Codecs.Uncompressed, compress.Codecs.Uncompressed, compress.Codecs.Snappy, compress.Codecs.Gzip,
		compress.Codecs.Lz4Raw, compress.Codecs.Zstd, compress.Codecs.Brotli, compress.Codecs.Brotli,
	} {
		version, name := parquet.DataPageVersion(i%2), strings.ToLower(codec.String())
		all = append(all, sample{name: fmt.Sprintf("types@%s-v%d", name, version+1), table: types(24), props: []parquet.WriterProperty{
			parquet.WithCompression(codec), parquet.WithDataPageVersion(version), parquet.WithDictionaryDefault(i%4 < 2),
		}})
	}
	for name, version := range map[string]parquet.WriterProperty{"v1": v1, "v2": v2} {
		all = append(
			all,
			sample{name: "encodings@" + name, table: encoded(120), props: append(encodings(), version, small, batches, plain)},
			sample{name: "nested@" + name, table: nested(50), props: []parquet.WriterProperty{version, small, batches}},
			sample{name: "fallback@" + name, table: words(300), props: []parquet.WriterProperty{
				version, parquet.WithDataPageSize(512), batches, parquet.WithDictionaryPageSizeLimit(600), parquet.WithCompression(compress.Codecs.Zstd),
			}},
			sample{name: "groups-indexes-blooms@" + name, table: words(150), props: []parquet.WriterProperty{
				version, small, batches, parquet.WithMaxRowGroupLength(64), parquet.WithPageIndexEnabled(true),
				parquet.WithBloomFilterEnabled(true), parquet.WithBloomFilterNDV(64),
				parquet.WithSortingColumns([]parquet.SortingColumn{{ColumnIdx: 0, NullsFirst: true}}),
			}},
		)
	}
	return append(
		all,
		sample{name: "decimals-fixed", table: decimals(40)},
		sample{name: "decimals-integer", table: decimals(40), props: []parquet.WriterProperty{parquet.WithStoreDecimalAsInteger(true)}},
		sample{name: "int96", table: moments(40), arrow: []pqarrow.WriterOption{pqarrow.WithDeprecatedInt96Timestamps(true)}},
		sample{name: "categories", table: categories(60), arrow: []pqarrow.WriterOption{pqarrow.WithStoreSchema()}},
		sample{name: "extensions", table: extended(30), arrow: []pqarrow.WriterOption{pqarrow.WithStoreSchema()}},
		sample{name: "variants", table: variants()},
		sample{name: "no-map-annotation", table: nested(10), arrow: []pqarrow.WriterOption{pqarrow.WithNoMapLogicalType()}},
		sample{name: "no-statistics", table: types(8), props: []parquet.WriterProperty{parquet.WithStats(false)}},
		sample{name: "version-1", table: types(8), props: []parquet.WriterProperty{parquet.WithVersion(parquet.V1_0)}},
		sample{name: "no-rows", table: types(0)},
		sample{name: "root-repeated", table: words(20), props: []parquet.WriterProperty{parquet.WithRootName("root"), parquet.WithRootRepetition(parquet.Repetitions.Repeated)}},
		sample{name: "encrypted-footer", table: words(20), secret: true, props: []parquet.WriterProperty{
			parquet.WithEncryptionProperties(parquet.NewFileEncryptionProperties("0123456789012345")),
		}},
		sample{name: "encrypted-columns", table: words(20), secret: true, props: []parquet.WriterProperty{
			parquet.WithEncryptionProperties(parquet.NewFileEncryptionProperties("0123456789012345", parquet.WithPlaintextFooter(),
				parquet.WithEncryptedColumns(parquet.ColumnPathToEncryptionPropsMap{
					"word": parquet.NewColumnEncryptionProperties("word", parquet.WithKey("1234567890123450")),
				}))),
		}},
	)
}

func encodings() []parquet.WriterProperty {
	var props []parquet.WriterProperty
	for path, encoding := range map[string]parquet.Encoding{
		"delta32": parquet.Encodings.DeltaBinaryPacked, "delta64": parquet.Encodings.DeltaBinaryPacked,
		"lengths": parquet.Encodings.DeltaLengthByteArray, "prefixes": parquet.Encodings.DeltaByteArray,
		"split32": parquet.Encodings.ByteStreamSplit, "split64": parquet.Encodings.ByteStreamSplit,
		"split_int32": parquet.Encodings.ByteStreamSplit, "split_int64": parquet.Encodings.ByteStreamSplit,
		"split_fixed": parquet.Encodings.ByteStreamSplit,
		"runs":        parquet.Encodings.RLE,
	} {
		props = append(props, parquet.WithEncodingFor(path, encoding))
	}
	return append(props, parquet.WithDictionaryFor("dictionary", true))
}

func (s *sample) write(folder string) error {
	record, err := s.table.record()
	if err != nil {
		return err
	}
	var buf bytes.Buffer
	w, err := pqarrow.NewFileWriter(record.Schema(), &buf, parquet.NewWriterProperties(s.props...), pqarrow.NewArrowWriterProperties(s.arrow...))
	if err != nil {
		return err
	}
	if err := w.Write(record); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	path := filepath.Join(folder, s.name+".parquet")
	if err := os.WriteFile(path, buf.Bytes(), 0o644); err != nil || s.secret {
		return err
	}
	told, err := tell(buf.Bytes())
	if err != nil {
		log.Printf("Arrow does not read its own %s: %v", s.name, err)
		return nil
	}
	rows, _, _ := strings.Cut(s.name, "@")
	path = filepath.Join(folder, rows+".json")
	if before, err := os.ReadFile(path); err == nil && !bytes.Equal(before, told) {
		return fmt.Errorf("other rows than those of another file of %s", rows)
	}
	return os.WriteFile(path, told, 0o644)
}

// told is what Arrow's reader finds: texts, null, lists and objects.
type told struct {
	Columns []string `json:"columns"`
	Rows    [][]any  `json:"rows"`
}

func tell(data []byte) ([]byte, error) {
	r, err := file.NewParquetReader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	arrowReader, err := pqarrow.NewFileReader(r, pqarrow.ArrowReadProperties{}, memory.DefaultAllocator)
	if err != nil {
		return nil, err
	}
	read, err := arrowReader.ReadTable(context.Background())
	if err != nil {
		return nil, err
	}
	all := told{Rows: make([][]any, read.NumRows())}
	for c := range int(read.NumCols()) {
		all.Columns = append(all.Columns, read.Schema().Field(c).Name)
		row := 0
		for _, chunk := range read.Column(c).Data().Chunks() {
			for i := range chunk.Len() {
				v, err := value(chunk, i)
				if err != nil {
					return nil, fmt.Errorf("column %s: %w", all.Columns[c], err)
				}
				all.Rows[row] = append(all.Rows[row], v)
				row++
			}
		}
	}
	var out bytes.Buffer
	fmt.Fprintf(&out, "{\"columns\":%s,\"rows\":[", must(json.Marshal(all.Columns)))
	for i, row := range all.Rows {
		if i > 0 {
			out.WriteByte(',')
		}
		fmt.Fprintf(&out, "\n%s", must(json.Marshal(row)))
	}
	out.WriteString("\n]}\n")
	return out.Bytes(), nil
}

func must(b []byte, err error) []byte {
	if err != nil {
		log.Fatal(err)
	}
	return b
}

// table is columns of values as JSON.
type table struct {
	fields []arrow.Field
	values [][]any
	rows   int
}

func (t *table) add(name string, typ arrow.DataType, value func(i int) any) {
	t.addField(arrow.Field{Name: name, Type: typ, Nullable: true}, value)
}

func (t *table) addField(f arrow.Field, value func(i int) any) {
	column := make([]any, t.rows)
	for i := range column {
		column[i] = value(i)
	}
	t.fields, t.values = append(t.fields, f), append(t.values, column)
}

func (t *table) record() (arrow.RecordBatch, error) {
	schema := arrow.NewSchema(t.fields, nil)
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	for i, column := range t.values {
		if err := b.Field(i).UnmarshalJSON(must(json.Marshal(column))); err != nil {
			return nil, fmt.Errorf("column %s: %w", t.fields[i].Name, err)
		}
	}
	return b.NewRecordBatch(), nil
}
