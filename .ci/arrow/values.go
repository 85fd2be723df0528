package main

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/extensions"
	"github.com/apache/arrow-go/v18/parquet/variant"
)

// value is what stands at i: texts in the form that our reader gives them, null,
// lists and objects.
func value(a arrow.Array, i int) (any, error) {
	if _, none := a.(*array.Null); none || a.IsNull(i) {
		return nil, nil
	}
	switch a := a.(type) {
	case *extensions.VariantArray:
		v, err := a.Value(i)
		if err != nil {
			return nil, err
		}
		return variantValue(v)
	case *extensions.JSONArray:
		return a.Value(i), nil
	case *extensions.Bool8Array:
		return value(a.Storage(), i) // Parquet has no such type
	case *extensions.UUIDArray:
		return a.Value(i).String(), nil
	case *array.Struct:
		object := map[string]any{}
		for f := range a.NumField() {
			v, err := value(a.Field(f), i)
			if err != nil {
				return nil, err
			}
			object[a.DataType().(*arrow.StructType).Field(f).Name] = v
		}
		return object, nil
	case *array.Map:
		object := map[string]any{}
		from, to := a.ValueOffsets(i)
		for k := from; k < to; k++ {
			v, err := value(a.Items(), int(k))
			if err != nil {
				return nil, err
			}
			object[a.Keys().ValueStr(int(k))] = v
		}
		return object, nil
	case array.ListLike:
		list := []any{}
		from, to := a.ValueOffsets(i)
		for k := from; k < to; k++ {
			v, err := value(a.ListValues(), int(k))
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		return list, nil
	case *array.Dictionary:
		return value(a.Dictionary(), a.GetValueIndex(i))
	}
	return scalar(a, i)
}

func scalar(a arrow.Array, i int) (any, error) {
	switch a := a.(type) {
	case *array.Boolean:
		return strconv.FormatBool(a.Value(i)), nil
	case *array.String:
		return a.Value(i), nil
	case *array.LargeString:
		return a.Value(i), nil
	case *array.Binary:
		return string(a.Value(i)), nil
	case *array.LargeBinary:
		return string(a.Value(i)), nil
	case *array.FixedSizeBinary:
		return hex.EncodeToString(a.Value(i)), nil
	case *array.Float16:
		return number(a.Value(i).Float32())
	case *array.Float32:
		return number(a.Value(i))
	case *array.Float64:
		return number(a.Value(i))
	case *array.Decimal128:
		return a.Value(i).ToString(a.DataType().(arrow.DecimalType).GetScale()), nil
	case *array.Decimal256:
		return a.Value(i).ToString(a.DataType().(arrow.DecimalType).GetScale()), nil
	case *array.Date32:
		return a.Value(i).ToTime().Format(time.DateOnly), nil
	case *array.Date64:
		return a.Value(i).ToTime().Format(time.DateOnly), nil
	case *array.Time32:
		return a.Value(i).ToTime(a.DataType().(*arrow.Time32Type).Unit).Format("15:04:05.999999999"), nil
	case *array.Time64:
		return a.Value(i).ToTime(a.DataType().(*arrow.Time64Type).Unit).Format("15:04:05.999999999"), nil
	case *array.Timestamp:
		typ := a.DataType().(*arrow.TimestampType)
		return moment(a.Value(i).ToTime(typ.Unit), typ.TimeZone != ""), nil
	case *array.Int8, *array.Int16, *array.Int32, *array.Int64, *array.Uint8, *array.Uint16, *array.Uint32, *array.Uint64:
		return a.ValueStr(i), nil
	}
	return nil, fmt.Errorf("values of type %s are not told", a.DataType())
}

func moment(t time.Time, zoned bool) string {
	text := t.UTC().Format("2006-01-02T15:04:05.999999999")
	if zoned {
		text += "Z"
	}
	return text
}

func number(v any) (any, error) {
	text, err := json.Marshal(v)
	return string(text), err
}

func variantValue(v variant.Value) (any, error) {
	switch x := v.Value().(type) {
	case variant.ArrayValue:
		list := []any{}
		for e := range x.Values() {
			one, err := variantValue(e)
			if err != nil {
				return nil, err
			}
			list = append(list, one)
		}
		return list, nil
	case variant.ObjectValue:
		object := map[string]any{}
		for name, e := range x.Values() {
			one, err := variantValue(e)
			if err != nil {
				return nil, err
			}
			object[name] = one
		}
		return object, nil
	case nil:
		return nil, nil
	case string:
		return x, nil
	case bool:
		return strconv.FormatBool(x), nil
	default:
		return number(x)
	}
}
