package parquetfile

import (
	"fmt"
	"math/big"

	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/format"

	"pushbatch/batch"
	"pushbatch/readers/inputerror"
)

// leafType is how the values of a leaf become text.
type leafType struct {
	name string
	kind batch.Kind
	// text makes text of one stored value: little-endian numbers, one byte for a
	// boolean, the bytes of a byte array. With a fault it is what a report can
	// show of the value.
	text func(raw []byte) (string, valueFault)
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
	switch l := e.meaning(); {
	case l.id != 0 && l.id != logicalUnknown:
		if t, known := logicalTypeOf(e.physical, &l, width); known {
			return t, true
		}
		return storedType(e, width), false
	case e.physical == format.ByteArray:
		return textType("binary"), true
	}
	return storedType(e, width), true
}

// meaning is the annotation of an element; one of the older kind as the one that
// took its place.
func (e *schemaElement) meaning() logicalType {
	if e.logical.id != 0 || e.converted < 0 {
		return e.logical
	}
	switch c := deprecated.ConvertedType(e.converted); c {
	case deprecated.UTF8:
		return logicalType{id: logicalString}
	case deprecated.Map:
		return logicalType{id: logicalMap}
	case deprecated.MapKeyValue:
		return logicalType{id: logicalPairs}
	case deprecated.List:
		return logicalType{id: logicalList}
	case deprecated.Enum:
		return logicalType{id: logicalEnum}
	case deprecated.Json:
		return logicalType{id: logicalJSON}
	case deprecated.Date:
		return logicalType{id: logicalDate}
	case deprecated.Decimal:
		return logicalType{id: logicalDecimal, precision: e.precision, scale: e.scale}
	case deprecated.TimeMillis:
		return logicalType{id: logicalTime, unit: unitMillis}
	case deprecated.TimeMicros:
		return logicalType{id: logicalTime, unit: unitMicros}
	case deprecated.TimestampMillis:
		return logicalType{id: logicalTimestamp, unit: unitMillis, utc: true}
	case deprecated.TimestampMicros:
		return logicalType{id: logicalTimestamp, unit: unitMicros, utc: true}
	case deprecated.Uint8, deprecated.Uint16, deprecated.Uint32, deprecated.Uint64:
		return logicalType{id: logicalInteger, bits: 8 << (c - deprecated.Uint8)}
	case deprecated.Int8, deprecated.Int16, deprecated.Int32, deprecated.Int64:
		return logicalType{id: logicalInteger, bits: 8 << (c - deprecated.Int8), signed: true}
	case deprecated.Interval:
		return logicalType{id: logicalInterval}
	}
	return logicalType{id: logicalOther}
}

// storedType is the type of values without an annotation; byte arrays are
// hexadecimal digits.
func storedType(e *schemaElement, width int) leafType {
	switch e.physical {
	case format.Boolean:
		return leafType{"boolean", batch.Bool, boolText}
	case format.Int32:
		return signedType(32)
	case format.Int64:
		return signedType(64)
	case format.Int96:
		return leafType{"timestamp(nanos)", batch.Timestamp, int96Text}
	case format.Float:
		return leafType{"float", batch.Number, float32Text}
	case format.Double:
		return leafType{"double", batch.Number, float64Text}
	case format.FixedLenByteArray:
		return leafType{fmt.Sprintf("fixed[%d]", width), batch.Text, hexText}
	}
	return leafType{"binary", batch.Text, hexText}
}

func textType(name string) leafType {
	return leafType{name, batch.Text, plainText}
}

func signedType(bits int64) leafType {
	return leafType{fmt.Sprintf("int%d", bits), batch.Number, signedText}
}

func logicalTypeOf(physical format.Type, l *logicalType, width int) (t leafType, known bool) {
	integer := physical == format.Int32 || physical == format.Int64
	bytes := physical == format.ByteArray
	fixed := physical == format.FixedLenByteArray
	switch l.id {
	case logicalString:
		return textType("string"), bytes
	case logicalEnum:
		return textType("enum"), bytes
	case logicalJSON:
		return textType("json"), bytes
	case logicalUUID:
		return leafType{"uuid", batch.Text, uuidText}, fixed && width == 16
	case logicalFloat16:
		return leafType{"float16", batch.Number, float16Text}, fixed && width == 2
	case logicalDate:
		return leafType{"date", batch.Date, dayText}, physical == format.Int32
	case logicalDecimal:
		return decimalType(physical, l.precision, l.scale)
	case logicalInteger:
		if l.signed {
			return signedType(l.bits), integer
		}
		return leafType{fmt.Sprintf("uint%d", l.bits), batch.Number, unsignedText}, integer
	case logicalTime:
		return timeType(l.unit, physical)
	case logicalTimestamp:
		return timestampType(l.unit, l.utc), physical == format.Int64 && l.unit > 0
	case logicalInterval:
		return leafType{"interval", batch.Text, intervalText}, width == 12
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
		t.text = func(raw []byte) (string, valueFault) {
			return decimalText(big.NewInt(signed(raw)), int(scale)), noFault
		}
	case format.ByteArray, format.FixedLenByteArray:
		t.text = func(raw []byte) (string, valueFault) { return bigDecimalText(raw, int(scale)) }
	}
	return t, t.text != nil
}
