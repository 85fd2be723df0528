package parquetfile

import (
	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

// The structures of parquet.thrift, as far as they are used: statistics, key-value
// pairs and indexes are skipped, so that nothing depends on them.

// fileMetadata is FileMetaData.
type fileMetadata struct {
	Schema     []schemaElement       `thrift:"2"`
	Groups     []groupMetadata       `thrift:"4"`
	Encryption thrift.Null[struct{}] `thrift:"8"`
}

// schemaElement is SchemaElement.
type schemaElement struct {
	Type       thrift.Null[format.Type]              `thrift:"1"`
	Length     int32                                 `thrift:"2"`
	Repetition format.FieldRepetitionType            `thrift:"3"`
	Name       string                                `thrift:"4"`
	Children   int32                                 `thrift:"5"`
	Converted  thrift.Null[deprecated.ConvertedType] `thrift:"6"`
	Scale      int32                                 `thrift:"7"`
	Precision  int32                                 `thrift:"8"`
	Logical    thrift.Null[format.LogicalType]       `thrift:"10"` // without value: of a later version of the format
}

// groupMetadata is RowGroup.
type groupMetadata struct {
	Chunks []chunkMetadata `thrift:"1"`
	Rows   int64           `thrift:"3"`
}

// chunkMetadata is ColumnChunk.
type chunkMetadata struct {
	File      string                `thrift:"1"`
	Column    columnMetadata        `thrift:"3"`
	Crypto    thrift.Null[struct{}] `thrift:"8"`
	Encrypted []byte                `thrift:"9"`
}

// columnMetadata is ColumnMetaData.
type columnMetadata struct {
	Type       thrift.Null[format.Type] `thrift:"1"`
	Codec      format.CompressionCodec  `thrift:"4"`
	Values     int64                    `thrift:"5"`
	Size       int64                    `thrift:"7"` // compressed, page headers included
	Data       int64                    `thrift:"9"` // offset of the first data page
	Dictionary int64                    `thrift:"11"`
}

// storedPageHeader is PageHeader.
type storedPageHeader struct {
	Type       format.PageType                          `thrift:"1"`
	Size       int32                                    `thrift:"2"`
	Compressed int32                                    `thrift:"3"`
	CRC        thrift.Null[int32]                       `thrift:"4"`
	V1         thrift.Null[format.DataPageHeader]       `thrift:"5"`
	Dictionary thrift.Null[format.DictionaryPageHeader] `thrift:"7"`
	V2         thrift.Null[format.DataPageHeaderV2]     `thrift:"8"`
}

// pageHeader is what the header of any kind of page says, and where the bytes of the
// page lie.
type pageHeader struct {
	body, next       int64
	kind             format.PageType
	size, compressed int64
	crc              thrift.Null[int32]
	detailed         bool // the header of its own kind is there
	values           int64
	rows             int64 // data page v2
	encoding         format.Encoding
	repEncoding      format.Encoding // data page v1
	defEncoding      format.Encoding
	repBytes         int64 // data page v2
	defBytes         int64
	isPlain          bool // data page v2 that is not compressed
}

func (s *storedPageHeader) header() *pageHeader {
	h := &pageHeader{kind: s.Type, size: int64(s.Size), compressed: int64(s.Compressed), crc: s.CRC}
	var values int32
	switch v1, v2, dictionary := &s.V1.V, &s.V2.V, &s.Dictionary.V; h.kind {
	case format.DataPage:
		h.detailed, values, h.encoding = s.V1.Valid, v1.NumValues, v1.Encoding
		h.defEncoding, h.repEncoding = v1.DefinitionLevelEncoding, v1.RepetitionLevelEncoding
	case format.DataPageV2:
		h.detailed, values, h.encoding = s.V2.Valid, v2.NumValues, v2.Encoding
		h.rows, h.repBytes, h.defBytes = int64(v2.NumRows), int64(v2.RepetitionLevelsByteLength), int64(v2.DefinitionLevelsByteLength)
		h.isPlain = v2.IsCompressed.Valid && !v2.IsCompressed.V
	case format.DictionaryPage:
		h.detailed, values, h.encoding = s.Dictionary.Valid, dictionary.NumValues, dictionary.Encoding
	}
	h.values = int64(values)
	return h
}
