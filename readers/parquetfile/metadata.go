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
	otherFile  bool
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
	r.structure(wireStruct, func(field int64, t wireType) bool {
		switch field {
		case 2:
			r.list(t, func(t wireType) {
				m.schema = append(m.schema, schemaElement{
					physical: -1, length: -1, repetition: -1, children: -1, converted: -1,
				})
				m.schema[len(m.schema)-1].read(r, t)
				r.expect(len(m.schema) <= maxElements)
			})
		case 4:
			r.list(t, func(t wireType) {
				m.groups = append(m.groups, groupMetadata{})
				m.groups[len(m.groups)-1].read(r, t)
			})
		case 8:
			m.encrypted = true
			return false
		default:
			return false
		}
		return true
	})
}

func (e *schemaElement) read(r *thriftReader, t wireType) {
	r.structure(t, func(field int64, t wireType) bool {
		switch field {
		case 1:
			e.physical = format.Type(r.integer(t))
		case 2:
			e.length = r.integer(t)
		case 3:
			e.repetition = format.FieldRepetitionType(r.integer(t))
		case 4:
			e.name = r.text(t)
		case 5:
			e.children = r.integer(t)
		case 6:
			e.converted = r.integer(t)
		case 7:
			e.scale = r.integer(t)
		case 8:
			e.precision = r.integer(t)
		case 10:
			e.logical.read(r, t)
		default:
			return false
		}
		return true
	})
}

func (l *logicalType) read(r *thriftReader, t wireType) {
	r.structure(t, func(field int64, t wireType) bool {
		l.id = logicalID(field)
		r.structure(t, func(field int64, t wireType) bool {
			switch {
			case l.id == logicalDecimal && field == 1:
				l.scale = r.integer(t)
			case l.id == logicalDecimal && field == 2:
				l.precision = r.integer(t)
			case l.id == logicalInteger && field == 1:
				l.bits = r.integer(t)
			case l.id == logicalInteger && field == 2:
				l.signed = r.boolean(t)
			case (l.id == logicalTime || l.id == logicalTimestamp) && field == 1:
				l.utc = r.boolean(t)
			case (l.id == logicalTime || l.id == logicalTimestamp) && field == 2:
				r.structure(t, func(field int64, _ wireType) bool {
					l.unit = map[int64]timeUnit{1: unitMillis, 2: unitMicros, 3: unitNanos}[field]
					return false
				})
			default:
				return false
			}
			return true
		})
		return true
	})
}

func (g *groupMetadata) read(r *thriftReader, t wireType) {
	r.structure(t, func(field int64, t wireType) bool {
		switch field {
		case 1:
			r.list(t, func(t wireType) {
				g.chunks = append(g.chunks, chunkMetadata{physical: -1})
				g.chunks[len(g.chunks)-1].read(r, t)
			})
		case 3:
			g.rows = r.integer(t)
		default:
			return false
		}
		return true
	})
}

func (c *chunkMetadata) read(r *thriftReader, t wireType) {
	r.structure(t, func(field int64, t wireType) bool {
		switch field {
		case 1:
			c.otherFile = r.text(t) != ""
		case 3:
			c.readColumn(r, t)
		case 8, 9:
			c.encrypted = true
			return false
		default:
			return false
		}
		return true
	})
	// A chunk that says nothing would take more memory than it has bytes.
	r.expect(c.physical >= 0 || c.encrypted)
}

func (c *chunkMetadata) readColumn(r *thriftReader, t wireType) {
	r.structure(t, func(field int64, t wireType) bool {
		switch field {
		case 1:
			c.physical = format.Type(r.integer(t))
		case 4:
			c.codec = format.CompressionCodec(r.integer(t))
		case 5:
			c.values = r.integer(t)
		case 7:
			c.size = r.integer(t)
		case 9:
			c.data = r.integer(t)
		case 11:
			c.dictionary = r.integer(t)
		default:
			return false
		}
		return true
	})
}

func (h *pageHeader) read(r *thriftReader) {
	r.structure(wireStruct, func(field int64, t wireType) bool {
		switch field {
		case 1:
			h.kind = format.PageType(r.integer(t))
		case 2:
			h.size = r.integer(t)
		case 3:
			h.compressed = r.integer(t)
		case 4:
			h.hasCRC, h.crc = true, uint32(r.integer(t))
		case 5, 7:
			h.readV1(r, t, field == 5)
		case 8:
			h.readV2(r, t)
		default:
			return false
		}
		return true
	})
}

// readV1 reads the header of a data page v1, or of a dictionary.
func (h *pageHeader) readV1(r *thriftReader, t wireType, data bool) {
	h.detailed = h.detailed || data == (h.kind == format.DataPage)
	r.structure(t, func(field int64, t wireType) bool {
		switch {
		case field == 1:
			h.values = r.integer(t)
		case field == 2:
			h.encoding = format.Encoding(r.integer(t))
		case field == 3 && data:
			h.defEncoding = format.Encoding(r.integer(t))
		case field == 4 && data:
			h.repEncoding = format.Encoding(r.integer(t))
		default:
			return false
		}
		return true
	})
}

func (h *pageHeader) readV2(r *thriftReader, t wireType) {
	h.detailed = h.detailed || h.kind == format.DataPageV2
	r.structure(t, func(field int64, t wireType) bool {
		switch field {
		case 1:
			h.values = r.integer(t)
		case 3:
			h.rows = r.integer(t)
		case 4:
			h.encoding = format.Encoding(r.integer(t))
		case 5:
			h.defBytes = r.integer(t)
		case 6:
			h.repBytes = r.integer(t)
		case 7:
			h.isPlain = !r.boolean(t)
		default:
			return false
		}
		return true
	})
}
