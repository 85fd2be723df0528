package parquetfile

import (
	"fmt"

	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/format"

	"pushbatch/batch"
	"pushbatch/readers/inputerror"
)

// leafType is how the values of a leaf become text.
type leafType struct {
	name string
	kind batch.Kind
	// append appends the text of one stored value: little-endian numbers, one
	// byte for a boolean, the bytes of a byte array. On a fault it appends what
	// a report can show of the value.
	append func(dst, raw []byte) ([]byte, valueFault)
}

// valueFault is why a stored value has no text.
type valueFault uint8

const (
	noFault valueFault = iota
	faultEncoding
	faultRange
	faultTooLarge
)

// problem says what is wrong with a value of the column, by shape.
func (f valueFault) problem(column string) batch.Problem {
	switch f {
	case faultEncoding:
		return batch.Problem{Code: inputerror.CodeEncoding, Column: column, Message: "the bytes are not UTF-8 text (shown as hexadecimal digits)"}
	case faultTooLarge:
		return batch.Problem{Code: inputerror.CodeTooLarge, Column: column, Message: fmt.Sprintf("the value is longer than %d MiB (shown cut)", maxText>>20)}
	}
	return batch.Problem{Code: inputerror.CodeRange, Column: column, Message: "the stored number is outside what its type can mean, such as a year after 9999 (shown as stored)"}
}

// typeOf finds how to read a leaf. known is false for an annotation that is not
// decoded, or does not fit the physical type: the values are then those stored.
func typeOf(e *schemaElement, width int) (t leafType, known bool) {
	if e.logical.id != 0 && e.logical.id != logicalUnknown {
		if t, known := logicalTypeOf(e, width); known {
			return t, true
		}
		return storedType(e, width), false
	}
	if e.converted >= 0 && e.logical.id == 0 {
		if t, known := convertedTypeOf(e, width); known {
			return t, true
		}
		return storedType(e, width), false
	}
	if e.physical == format.ByteArray {
		return textType("binary"), true
	}
	return storedType(e, width), true
}

// storedType is the type of values without an annotation; byte arrays are
// hexadecimal digits.
func storedType(e *schemaElement, width int) leafType {
	switch e.physical {
	case format.Boolean:
		return leafType{name: "boolean", kind: batch.Bool, append: appendBool}
	case format.Int32:
		return signedType(32)
	case format.Int64:
		return signedType(64)
	case format.Int96:
		return leafType{name: "timestamp(nanos)", kind: batch.Timestamp, append: appendInt96}
	case format.Float:
		return leafType{name: "float", kind: batch.Number, append: appendFloat32}
	case format.Double:
		return leafType{name: "double", kind: batch.Number, append: appendFloat64}
	case format.FixedLenByteArray:
		return leafType{name: fmt.Sprintf("fixed[%d]", width), kind: batch.Text, append: appendHex}
	}
	return leafType{name: "binary", kind: batch.Text, append: appendHex}
}

func textType(name string) leafType {
	return leafType{name: name, kind: batch.Text, append: appendText}
}

func signedType(bits int64) leafType {
	return leafType{name: fmt.Sprintf("int%d", bits), kind: batch.Number, append: appendSigned}
}

func unsignedType(bits int64) leafType {
	return leafType{name: fmt.Sprintf("uint%d", bits), kind: batch.Number, append: appendUnsigned}
}

func logicalTypeOf(e *schemaElement, width int) (t leafType, known bool) {
	integer := e.physical == format.Int32 || e.physical == format.Int64
	bytes := e.physical == format.ByteArray
	fixed := e.physical == format.FixedLenByteArray
	switch l := e.logical; l.id {
	case logicalString:
		return textType("string"), bytes
	case logicalEnum:
		return textType("enum"), bytes
	case logicalJSON:
		return textType("json"), bytes
	case logicalUUID:
		return leafType{name: "uuid", kind: batch.Text, append: appendUUID}, fixed && width == 16
	case logicalFloat16:
		return leafType{name: "float16", kind: batch.Number, append: appendFloat16}, fixed && width == 2
	case logicalDate:
		return leafType{name: "date", kind: batch.Date, append: appendDay}, e.physical == format.Int32
	case logicalDecimal:
		return decimalType(e.physical, l.precision, l.scale)
	case logicalInteger:
		if l.signed {
			return signedType(l.bits), integer
		}
		return unsignedType(l.bits), integer
	case logicalTime:
		return timeType(l.unit, e.physical)
	case logicalTimestamp:
		return timestampType(l.unit, l.utc), e.physical == format.Int64 && l.unit > 0
	}
	return leafType{}, false
}

func convertedTypeOf(e *schemaElement, width int) (t leafType, known bool) {
	integer := e.physical == format.Int32 || e.physical == format.Int64
	bytes := e.physical == format.ByteArray
	switch c := deprecated.ConvertedType(e.converted); c {
	case deprecated.UTF8:
		return textType("string"), bytes
	case deprecated.Enum:
		return textType("enum"), bytes
	case deprecated.Json:
		return textType("json"), bytes
	case deprecated.Date:
		return leafType{name: "date", kind: batch.Date, append: appendDay}, e.physical == format.Int32
	case deprecated.Decimal:
		return decimalType(e.physical, e.precision, e.scale)
	case deprecated.TimeMillis:
		return timeType(unitMillis, e.physical)
	case deprecated.TimeMicros:
		return timeType(unitMicros, e.physical)
	case deprecated.TimestampMillis:
		return timestampType(unitMillis, true), e.physical == format.Int64
	case deprecated.TimestampMicros:
		return timestampType(unitMicros, true), e.physical == format.Int64
	case deprecated.Uint8, deprecated.Uint16, deprecated.Uint32, deprecated.Uint64:
		return unsignedType(8 << (c - deprecated.Uint8)), integer
	case deprecated.Int8, deprecated.Int16, deprecated.Int32, deprecated.Int64:
		return signedType(8 << (c - deprecated.Int8)), integer
	case deprecated.Interval:
		return leafType{name: "interval", kind: batch.Text, append: appendInterval}, width == 12
	}
	return leafType{}, false
}

// annotation names what an element is said to be, for messages.
func (e *schemaElement) annotation() string {
	names := map[logicalID]string{
		logicalString: "STRING", logicalMap: "MAP", logicalList: "LIST", logicalEnum: "ENUM", logicalDecimal: "DECIMAL",
		logicalDate: "DATE", logicalTime: "TIME", logicalTimestamp: "TIMESTAMP", logicalInteger: "INTEGER",
		logicalJSON: "JSON", logicalBSON: "BSON", logicalUUID: "UUID", logicalFloat16: "FLOAT16", logicalVariant: "VARIANT",
		logicalGeometry: "GEOMETRY", logicalGeography: "GEOGRAPHY",
	}
	if name := names[e.logical.id]; name != "" {
		return name
	}
	if e.logical.id != 0 {
		return fmt.Sprintf("of a later version of the format (number %d)", e.logical.id)
	}
	return fmt.Sprintf("number %d of the older kind", e.converted)
}

// maxScale is the number of digits of the widest decimals in use (76) and a
// good deal more.
const maxScale = 200

func decimalType(physical format.Type, precision, scale int64) (t leafType, known bool) {
	if scale < 0 || scale > maxScale {
		return leafType{}, false
	}
	t = leafType{name: fmt.Sprintf("decimal(%d,%d)", precision, scale), kind: batch.Number}
	switch physical {
	case format.Int32, format.Int64:
		t.append = func(dst, raw []byte) ([]byte, valueFault) {
			return appendDecimal(dst, signed(raw), int(scale)), noFault
		}
	case format.ByteArray, format.FixedLenByteArray:
		t.append = func(dst, raw []byte) ([]byte, valueFault) { return appendBigDecimal(dst, raw, int(scale)) }
	}
	return t, t.append != nil
}
