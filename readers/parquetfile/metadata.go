package parquetfile

import "github.com/parquet-go/parquet-go/format"

// The structures of parquet.thrift, as far as they are used: statistics, key-value
// pairs and indexes are skipped, so that nothing depends on them.

// fileMetadata is FileMetaData.
type fileMetadata struct {
	schema    []schemaElement
	groups    []groupMetadata
	encrypted bool
}

// schemaElement is SchemaElement. What is absent is -1, but for the name.
type schemaElement struct {
	physical   format.Type
	length     int64
	repetition format.FieldRepetitionType
	name       string
	children   int64
	converted  int64
	scale      int64
	precision  int64
	logical    logicalType
}

// logicalID is the field of LogicalType, a union, that is set; zero: none.
type logicalID int64

const (
	logicalString    logicalID = 1
	logicalMap       logicalID = 2
	logicalList      logicalID = 3
	logicalEnum      logicalID = 4
	logicalDecimal   logicalID = 5
	logicalDate      logicalID = 6
	logicalTime      logicalID = 7
	logicalTimestamp logicalID = 8
	logicalInteger   logicalID = 10
	logicalUnknown   logicalID = 11
	logicalJSON      logicalID = 12
	logicalBSON      logicalID = 13
	logicalUUID      logicalID = 14
	logicalFloat16   logicalID = 15
	logicalVariant   logicalID = 16
	logicalGeometry  logicalID = 17
	logicalGeography logicalID = 18

	// What only the older kind of annotation has.
	logicalInterval logicalID = -1
	logicalPairs    logicalID = -2
	logicalOther    logicalID = -3
)

// logicalType is LogicalType with the fields of all its members.
type logicalType struct {
	id               logicalID
	scale, precision int64
	utc, signed      bool
	unit             timeUnit
	bits             int64
}

// groupMetadata is RowGroup.
type groupMetadata struct {
	rows   int64
	chunks []chunkMetadata
}

// chunkMetadata is ColumnChunk with its ColumnMetaData.
type chunkMetadata struct {
	otherFile  string
	encrypted  bool
	physical   format.Type
	codec      format.CompressionCodec
	values     int64
	size       int64 // compressed, page headers included
	data       int64 // offset of the first data page
	dictionary int64 // offset of the dictionary; 0: not said
}

// pageHeader is PageHeader with the header of its kind of page.
type pageHeader struct {
	kind             format.PageType
	size, compressed int64
	hasCRC           bool
	crc              uint32
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

func (m *fileMetadata) read(r *thriftReader) {
	absent := schemaElement{physical: -1, length: -1, repetition: -1, children: -1, converted: -1}
	r.structure(wireStruct, fields{
		2: elements(&m.schema, absent, func(e *schemaElement, r *thriftReader, t wireType) {
			e.read(r, t)
			r.expect(len(m.schema) <= maxElements)
		}),
		4: elements(&m.groups, groupMetadata{}, (*groupMetadata).read),
		8: (*presence)(&m.encrypted),
	})
}

func (e *schemaElement) read(r *thriftReader, t wireType) {
	r.structure(t, fields{
		1: enum(&e.physical), 2: &e.length, 3: enum(&e.repetition), 4: &e.name, 5: &e.children,
		6: &e.converted, 7: &e.scale, 8: &e.precision, 10: e.logical.read,
	})
}

func (l *logicalType) read(r *thriftReader, t wireType) {
	r.union(t, func(id int64, t wireType) {
		l.id = logicalID(id)
		switch l.id {
		case logicalDecimal:
			r.structure(t, fields{1: &l.scale, 2: &l.precision})
		case logicalInteger:
			r.structure(t, fields{1: &l.bits, 2: &l.signed})
		case logicalTime, logicalTimestamp:
			r.structure(t, fields{1: &l.utc, 2: l.unit.read})
		default:
			r.structure(t, nil)
		}
	})
}

func (u *timeUnit) read(r *thriftReader, t wireType) {
	r.union(t, func(id int64, t wireType) {
		*u = map[int64]timeUnit{1: unitMillis, 2: unitMicros, 3: unitNanos}[id]
		r.skip(t)
	})
}

func (g *groupMetadata) read(r *thriftReader, t wireType) {
	r.structure(t, fields{1: elements(&g.chunks, chunkMetadata{physical: -1}, (*chunkMetadata).read), 3: &g.rows})
}

func (c *chunkMetadata) read(r *thriftReader, t wireType) {
	r.structure(t, fields{1: &c.otherFile, 3: c.readColumn, 8: (*presence)(&c.encrypted), 9: (*presence)(&c.encrypted)})
	// A chunk that says nothing would take more memory than it has bytes.
	r.expect(c.physical >= 0 || c.encrypted)
}

func (c *chunkMetadata) readColumn(r *thriftReader, t wireType) {
	r.structure(t, fields{
		1: enum(&c.physical), 4: enum(&c.codec), 5: &c.values, 7: &c.size, 9: &c.data, 11: &c.dictionary,
	})
}

func (h *pageHeader) read(r *thriftReader) {
	r.structure(wireStruct, fields{
		1: enum(&h.kind), 2: &h.size, 3: &h.compressed,
		4: func(r *thriftReader, t wireType) { h.hasCRC, h.crc = true, uint32(r.integer(t)) },
		5: func(r *thriftReader, t wireType) {
			h.detailed = h.detailed || h.kind == format.DataPage
			r.structure(t, fields{1: &h.values, 2: enum(&h.encoding), 3: enum(&h.defEncoding), 4: enum(&h.repEncoding)})
		},
		7: func(r *thriftReader, t wireType) {
			h.detailed = h.detailed || h.kind != format.DataPage
			r.structure(t, fields{1: &h.values, 2: enum(&h.encoding)})
		},
		8: func(r *thriftReader, t wireType) {
			h.detailed = h.detailed || h.kind == format.DataPageV2
			r.structure(t, fields{
				1: &h.values, 3: &h.rows, 4: enum(&h.encoding), 5: &h.defBytes, 6: &h.repBytes,
				7: func(r *thriftReader, t wireType) { h.isPlain = !r.boolean(t) },
			})
		},
	})
}
