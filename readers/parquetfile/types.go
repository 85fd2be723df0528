package parquetfile

import (
	"fmt"
	"math/big"
	"strings"

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
	meaning := e.meaning()
	if _, always := meaning.(*format.NullType); meaning == nil || always { // always null
		if e.Type.V == format.ByteArray {
			return textType("binary"), true
		}
		return storedType(e.Type.V, width), true
	}
	if t, known := annotatedType(e.Type.V, meaning, width); known {
		return t, true
	}
	return storedType(e.Type.V, width), false
}

type (
	older deprecated.ConvertedType // an annotation of the older kind that none took the place of
	later struct{}                 // one of a later version of the format
)

// meaning is the annotation of an element: a format.LogicalTypeValue, also where it
// is of the older kind, older or later; nil: it has none.
func (e *schemaElement) meaning() any {
	switch {
	case e.Logical.V.Value != nil:
		return e.Logical.V.Value
	case e.Logical.Valid:
		return later{}
	case !e.Converted.Valid:
		return nil
	}
	millis, micros := format.TimeUnit{Value: new(format.MilliSeconds)}, format.TimeUnit{Value: new(format.MicroSeconds)}
	switch c := e.Converted.V; c {
	case deprecated.UTF8:
		return new(format.StringType)
	case deprecated.Map:
		return new(format.MapType)
	case deprecated.List:
		return new(format.ListType)
	case deprecated.Enum:
		return new(format.EnumType)
	case deprecated.Json:
		return new(format.JsonType)
	case deprecated.Date:
		return new(format.DateType)
	case deprecated.Decimal:
		return &format.DecimalType{Precision: e.Precision, Scale: e.Scale}
	case deprecated.TimeMillis:
		return &format.TimeType{Unit: millis}
	case deprecated.TimeMicros:
		return &format.TimeType{Unit: micros}
	case deprecated.TimestampMillis:
		return &format.TimestampType{Unit: millis, IsAdjustedToUTC: true}
	case deprecated.TimestampMicros:
		return &format.TimestampType{Unit: micros, IsAdjustedToUTC: true}
	case deprecated.Uint8, deprecated.Uint16, deprecated.Uint32, deprecated.Uint64:
		return &format.IntType{BitWidth: 8 << (c - deprecated.Uint8)}
	case deprecated.Int8, deprecated.Int16, deprecated.Int32, deprecated.Int64:
		return &format.IntType{BitWidth: 8 << (c - deprecated.Int8), IsSigned: true}
	default:
		return older(c)
	}
}

// storedType is the type of values without an annotation; byte arrays are
// hexadecimal digits.
func storedType(physical format.Type, width int) leafType {
	switch physical {
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

func signedType(bits int8) leafType {
	return leafType{fmt.Sprintf("int%d", bits), batch.Number, signedText}
}

func annotatedType(physical format.Type, meaning any, width int) (t leafType, known bool) {
	integer := physical == format.Int32 || physical == format.Int64
	bytes := physical == format.ByteArray
	fixed := physical == format.FixedLenByteArray
	switch l := meaning.(type) {
	case *format.StringType:
		return textType("string"), bytes
	case *format.EnumType:
		return textType("enum"), bytes
	case *format.JsonType:
		return textType("json"), bytes
	case *format.UUIDType:
		return leafType{"uuid", batch.Text, uuidText}, fixed && width == 16
	case *format.Float16Type:
		return leafType{"float16", batch.Number, float16Text}, fixed && width == 2
	case *format.DateType:
		return leafType{"date", batch.Date, dayText}, physical == format.Int32
	case *format.DecimalType:
		return decimalType(physical, l.Precision, l.Scale)
	case *format.IntType:
		if l.IsSigned {
			return signedType(l.BitWidth), integer
		}
		return leafType{fmt.Sprintf("uint%d", l.BitWidth), batch.Number, unsignedText}, integer
	case *format.TimeType:
		return timeType(&l.Unit, physical)
	case *format.TimestampType:
		return timestampType(&l.Unit, l.IsAdjustedToUTC, physical)
	case older:
		return leafType{"interval", batch.Text, intervalText}, deprecated.ConvertedType(l) == deprecated.Interval && width == 12
	}
	return leafType{}, false
}

// annotation names what an element is said to be, for messages.
func (e *schemaElement) annotation() string {
	switch l := e.meaning().(type) {
	case fmt.Stringer:
		name, _, _ := strings.Cut(l.String(), "(") // what follows is of the file
		return name
	case older:
		return fmt.Sprintf("number %d of the older kind", l)
	}
	return "of a later version of the format"
}

// maxScale is the number of digits of the widest decimals in use (76) and a
// good deal more.
const maxScale = 200

func decimalType(physical format.Type, precision, scale int32) (t leafType, known bool) {
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
