package readers

import (
	"encoding/binary"
	"fmt"

	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/format"

	"pushbatch/batch"
)

// parquetType is how the values of a leaf become text.
type parquetType struct {
	name string
	kind batch.Kind
	// append appends the text of one stored value: little-endian numbers, one
	// byte for a boolean, the bytes of a byte array. On a fault it appends what
	// a report can show of the value.
	append func(dst, raw []byte) ([]byte, valueFault)
	text   bool // append takes UTF-8 text as it is
}

// valueFault is why a stored value has no text.
type valueFault uint8

const (
	noFault valueFault = iota
	faultEncoding
	faultRange
)

// problem says what is wrong with a value of the column, by shape.
func (f valueFault) problem(column string) *batch.Problem {
	if f == faultEncoding {
		return &batch.Problem{Code: CodeEncoding, Column: column, Message: "the bytes are not UTF-8 text (shown as hexadecimal digits)"}
	}
	return &batch.Problem{Code: CodeRange, Column: column, Message: "the stored number is outside what its type can mean, such as a year behind 9999 (shown as stored)"}
}

// typeOf finds how to read a leaf. An annotation that does not fit the
// physical type, or is not known, is passed over: the value is then read as
// what it is stored as.
func typeOf(e *format.SchemaElement, width int) parquetType {
	if t, ok := logicalType(e, width); ok {
		return t
	}
	switch e.Type.V {
	case format.Boolean:
		return parquetType{name: "boolean", kind: batch.Bool, append: appendBool}
	case format.Int32:
		return signedType(32, width)
	case format.Int64:
		return signedType(64, width)
	case format.Int96:
		return parquetType{name: "timestamp(nanos)", kind: batch.Timestamp, append: appendInt96}
	case format.Float:
		return parquetType{name: "float", kind: batch.Number, append: appendFloat32}
	case format.Double:
		return parquetType{name: "double", kind: batch.Number, append: appendFloat64}
	case format.FixedLenByteArray:
		return parquetType{name: fmt.Sprintf("fixed[%d]", width), kind: batch.Text, append: appendHex}
	}
	return textType("binary")
}

func textType(name string) parquetType {
	return parquetType{name: name, kind: batch.Text, append: appendText, text: true}
}

func signedType(bits, width int) parquetType {
	t := parquetType{name: fmt.Sprintf("int%d", bits), kind: batch.Number, append: appendInt32}
	if width == 8 {
		t.append = appendInt64
	}
	return t
}

func unsignedType(bits, width int) parquetType {
	t := parquetType{name: fmt.Sprintf("uint%d", bits), kind: batch.Number, append: appendUint32}
	if width == 8 {
		t.append = appendUint64
	}
	return t
}

// logicalType reads the annotation: the logical type, or the older converted
// type.
func logicalType(e *format.SchemaElement, width int) (parquetType, bool) {
	physical := e.Type.V
	integer := physical == format.Int32 || physical == format.Int64
	bytes := physical == format.ByteArray
	fixed := physical == format.FixedLenByteArray
	switch t := e.LogicalType.Value.(type) {
	case *format.StringType:
		return textType("string"), bytes
	case *format.EnumType:
		return textType("enum"), bytes
	case *format.JsonType:
		return textType("json"), bytes
	case *format.BsonType:
		return parquetType{name: "bson", kind: batch.Text, append: appendHex}, bytes
	case *format.GeometryType, *format.GeographyType:
		return parquetType{name: "geometry", kind: batch.Text, append: appendHex}, bytes
	case *format.UUIDType:
		return parquetType{name: "uuid", kind: batch.Text, append: appendUUID}, fixed && width == 16
	case *format.Float16Type:
		return parquetType{name: "float16", kind: batch.Number, append: appendFloat16}, fixed && width == 2
	case *format.DateType:
		return parquetType{name: "date", kind: batch.Date, append: appendDay}, physical == format.Int32
	case *format.DecimalType:
		return decimalType(physical, t.Precision, t.Scale)
	case *format.IntType:
		if t.IsSigned {
			return signedType(int(t.BitWidth), width), integer
		}
		return unsignedType(int(t.BitWidth), width), integer
	case *format.TimeType:
		return timeType(unitOf(t.Unit), physical)
	case *format.TimestampType:
		return timestampType(unitOf(t.Unit), t.IsAdjustedToUTC), physical == format.Int64
	}
	if !e.ConvertedType.Valid {
		return parquetType{}, false
	}
	return convertedType(e, width)
}

func convertedType(e *format.SchemaElement, width int) (parquetType, bool) {
	physical := e.Type.V
	integer := physical == format.Int32 || physical == format.Int64
	bytes := physical == format.ByteArray
	switch c := e.ConvertedType.V; c {
	case deprecated.UTF8:
		return textType("string"), bytes
	case deprecated.Enum:
		return textType("enum"), bytes
	case deprecated.Json:
		return textType("json"), bytes
	case deprecated.Bson:
		return parquetType{name: "bson", kind: batch.Text, append: appendHex}, bytes
	case deprecated.Date:
		return parquetType{name: "date", kind: batch.Date, append: appendDay}, physical == format.Int32
	case deprecated.Decimal:
		return decimalType(physical, e.Precision.V, e.Scale.V)
	case deprecated.TimeMillis:
		return timeType(unitMillis, physical)
	case deprecated.TimeMicros:
		return timeType(unitMicros, physical)
	case deprecated.TimestampMillis:
		return timestampType(unitMillis, true), physical == format.Int64
	case deprecated.TimestampMicros:
		return timestampType(unitMicros, true), physical == format.Int64
	case deprecated.Uint8, deprecated.Uint16, deprecated.Uint32, deprecated.Uint64:
		return unsignedType(8<<(c-deprecated.Uint8), width), integer
	case deprecated.Int8, deprecated.Int16, deprecated.Int32, deprecated.Int64:
		return signedType(8<<(c-deprecated.Int8), width), integer
	case deprecated.Interval:
		return parquetType{name: "interval", kind: batch.Text, append: appendInterval}, width == 12
	}
	return parquetType{}, false
}

// maxScale is the number of digits of the widest decimals in use (76) and a
// good deal more.
const maxScale = 200

func decimalType(physical format.Type, precision, scale int32) (parquetType, bool) {
	if scale < 0 || scale > maxScale {
		return parquetType{}, false
	}
	t := parquetType{name: fmt.Sprintf("decimal(%d,%d)", precision, scale), kind: batch.Number}
	switch physical {
	case format.Int32:
		t.append = func(dst, raw []byte) ([]byte, valueFault) {
			return appendDecimal(dst, int64(int32(binary.LittleEndian.Uint32(raw))), int(scale)), noFault
		}
	case format.Int64:
		t.append = func(dst, raw []byte) ([]byte, valueFault) {
			return appendDecimal(dst, int64(binary.LittleEndian.Uint64(raw)), int(scale)), noFault
		}
	case format.ByteArray, format.FixedLenByteArray:
		t.append = func(dst, raw []byte) ([]byte, valueFault) {
			return appendBigDecimal(dst, raw, int(scale))
		}
	}
	return t, t.append != nil
}
