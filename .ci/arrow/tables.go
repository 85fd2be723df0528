package main

import (
	"encoding/base64"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/extensions"
)

// nulls leaves every seventh value out, not in all columns the same.
func nulls(shift int, value func(i int) any) func(int) any {
	return func(i int) any {
		if (i+shift)%7 == 3 {
			return nil
		}
		return value(i)
	}
}

// pick takes one value after the other.
func pick(values ...any) func(int) any {
	return func(i int) any { return values[i%len(values)] }
}

func types(rows int) table {
	t := table{rows: rows}
	t.addField(arrow.Field{Name: "row", Type: arrow.PrimitiveTypes.Int64}, func(i int) any { return i })
	t.add("bool", arrow.FixedWidthTypes.Boolean, nulls(1, func(i int) any { return i%3 == 0 }))
	t.add("int8", arrow.PrimitiveTypes.Int8, nulls(2, pick(math.MinInt8, -1, 0, 1, math.MaxInt8)))
	t.add("int16", arrow.PrimitiveTypes.Int16, nulls(3, pick(math.MinInt16, -1, 0, math.MaxInt16)))
	t.add("int32", arrow.PrimitiveTypes.Int32, nulls(4, pick(math.MinInt32, -1, 0, math.MaxInt32)))
	t.add("int64", arrow.PrimitiveTypes.Int64, nulls(5, pick(math.MinInt64, -1, 0, math.MaxInt64, 1<<53+1)))
	t.add("uint8", arrow.PrimitiveTypes.Uint8, nulls(6, pick(0, 1, math.MaxUint8)))
	t.add("uint16", arrow.PrimitiveTypes.Uint16, nulls(0, pick(0, 1, math.MaxUint16)))
	t.add("uint32", arrow.PrimitiveTypes.Uint32, nulls(1, pick(0, 1, uint32(math.MaxUint32))))
	t.add("uint64", arrow.PrimitiveTypes.Uint64, nulls(2, pick(0, 1, uint64(math.MaxUint64))))
	t.add("float16", arrow.FixedWidthTypes.Float16, nulls(3, pick(0, 0.5, -1.25, 65504, 6e-8)))
	t.add("float32", arrow.PrimitiveTypes.Float32, nulls(4, pick(0, 0.1, -1.5, 3.4e38, 1e-10, 16777217)))
	t.add("float64", arrow.PrimitiveTypes.Float64, nulls(5, pick(0, 0.1, -1.5, 1.7e308, 5e-324, 123456789.123456789)))
	t.add("text", arrow.BinaryTypes.String, nulls(6, pick("", "a", "žđ😀", "line\nend", strings.Repeat("x", 100))))
	t.add("large_text", arrow.BinaryTypes.LargeString, nulls(0, func(i int) any { return fmt.Sprint("large ", i) }))
	t.add("binary", arrow.BinaryTypes.Binary, nulls(1, func(i int) any { return base64.StdEncoding.EncodeToString([]byte(fmt.Sprint("bytes ", i))) }))
	t.add("fixed", &arrow.FixedSizeBinaryType{ByteWidth: 5}, nulls(2, func(i int) any { return base64.StdEncoding.EncodeToString([]byte{0, byte(i), 255, 7, 'x'}) }))
	t.add("date32", arrow.FixedWidthTypes.Date32, nulls(3, pick("1970-01-01", "2024-02-29", "0001-01-01", "9999-12-31", "1969-12-31")))
	t.add("date64", arrow.FixedWidthTypes.Date64, nulls(4, pick("1970-01-01", "2024-02-29", "1900-03-01")))
	t.add("time_s", arrow.FixedWidthTypes.Time32s, nulls(5, pick("00:00:00", "23:59:59", "12:34:56")))
	t.add("time_ms", arrow.FixedWidthTypes.Time32ms, nulls(6, pick("00:00:00", "23:59:59.999", "12:34:56.1")))
	t.add("time_us", arrow.FixedWidthTypes.Time64us, nulls(0, pick("00:00:00", "23:59:59.999999", "12:34:56.000001")))
	t.add("time_ns", arrow.FixedWidthTypes.Time64ns, nulls(1, pick("00:00:00", "23:59:59.999999999", "12:34:56.1")))
	for unit, name := range []string{"s", "ms", "us", "ns"} {
		for _, zone := range []string{"", "UTC", "Europe/Zagreb", "+05:30"} {
			typ := &arrow.TimestampType{Unit: arrow.TimeUnit(unit), TimeZone: zone}
			digits := []string{"", ".001", ".000001", ".000000001"}[unit]
			z := zoned(zone)
			t.add(fmt.Sprintf("timestamp_%s_%s", name, strings.ReplaceAll(zone, "/", "_")), typ,
				nulls(unit, pick("1970-01-01 00:00:00"+z, "2024-02-29 12:34:56"+digits+z, "1969-12-31 23:59:59"+digits+z, "2038-01-19 03:14:08"+z)))
		}
	}
	t.add("nothing", arrow.Null, func(int) any { return nil })
	t.add("never", arrow.BinaryTypes.String, func(int) any { return nil })
	return t
}

// zoned ends a time of a type that has a zone.
func zoned(zone string) string {
	if zone == "" {
		return ""
	}
	return "Z"
}

func encoded(rows int) table {
	t := table{rows: rows}
	wide := func(i int) int64 { return int64(i*i*i)*7919 - int64(i)<<40 }
	t.add("delta32", arrow.PrimitiveTypes.Int32, nulls(0, func(i int) any { return int32(i*31 - i*i) }))
	t.add("delta64", arrow.PrimitiveTypes.Int64, nulls(1, func(i int) any {
		if i%50 == 0 {
			return []int64{math.MinInt64, math.MaxInt64}[i/50%2] // the difference overflows
		}
		return wide(i)
	}))
	t.add("lengths", arrow.BinaryTypes.String, nulls(2, func(i int) any { return strings.Repeat("é", i%40) }))
	t.add("prefixes", arrow.BinaryTypes.String, nulls(3, func(i int) any { return "https://example.com/" + strconv.Itoa(i/7) + strings.Repeat("/", i%3) }))
	t.add("prefixes_fixed", &arrow.FixedSizeBinaryType{ByteWidth: 8}, nulls(4, func(i int) any {
		return base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "%08d", i*13))
	}))
	t.add("split32", arrow.PrimitiveTypes.Float32, nulls(5, func(i int) any { return float32(i) / 3 }))
	t.add("split64", arrow.PrimitiveTypes.Float64, nulls(6, func(i int) any { return float64(i) / 7 }))
	t.add("split_int32", arrow.PrimitiveTypes.Int32, nulls(0, func(i int) any { return int32(wide(i)) }))
	t.add("split_int64", arrow.PrimitiveTypes.Int64, nulls(1, func(i int) any { return wide(i) }))
	t.add("split_fixed", &arrow.FixedSizeBinaryType{ByteWidth: 3}, nulls(2, func(i int) any {
		return base64.StdEncoding.EncodeToString([]byte{byte(i), byte(i >> 4), 200})
	}))
	t.add("runs", arrow.FixedWidthTypes.Boolean, nulls(3, func(i int) any { return i/20%2 == 0 || i%11 == 0 }))
	t.add("plain", arrow.FixedWidthTypes.Boolean, nulls(4, func(i int) any { return i%5 < 2 }))
	t.add("dictionary", arrow.BinaryTypes.String, nulls(5, func(i int) any { return fmt.Sprint("word ", i%9) }))
	return t
}

func nested(rows int) table {
	t := table{rows: rows}
	list := func(n, from int) []any {
		all := []any{}
		for i := range n {
			if (from+i)%5 == 4 {
				all = append(all, nil)
			} else {
				all = append(all, from+i)
			}
		}
		return all
	}
	point := arrow.StructOf(arrow.Field{Name: "x", Type: arrow.PrimitiveTypes.Int32, Nullable: true}, arrow.Field{Name: "label", Type: arrow.BinaryTypes.String, Nullable: true})
	aPoint := func(i int) any {
		if i%4 == 3 {
			return nil
		}
		return map[string]any{"x": nulls(1, func(i int) any { return i })(i), "label": nulls(2, func(i int) any { return fmt.Sprint("p", i) })(i)}
	}
	some := func(n, from int, one func(int) any) []any {
		all := []any{}
		for i := range n {
			all = append(all, one(from+i))
		}
		return all
	}
	pairs := func(n, from int, one func(int) any) []any {
		all := []any{}
		for i := range n {
			all = append(all, map[string]any{"key": fmt.Sprint("k", from+i), "value": one(from + i)})
		}
		return all
	}
	t.add("list", arrow.ListOf(arrow.PrimitiveTypes.Int32), nulls(0, func(i int) any { return list(i%6, i) }))
	t.add("list_required", arrow.ListOfNonNullable(arrow.PrimitiveTypes.Int32), nulls(1, func(i int) any { return some(i%3, i, func(i int) any { return i }) }))
	t.add("large_list", arrow.LargeListOf(arrow.BinaryTypes.String), nulls(2, func(i int) any { return some(i%4, i, func(i int) any { return fmt.Sprint(i) }) }))
	t.addField(arrow.Field{Name: "fixed_list", Type: arrow.FixedSizeListOf(2, arrow.PrimitiveTypes.Int64)}, func(i int) any { return list(2, i) })
	t.add("lists", arrow.ListOf(arrow.ListOf(arrow.PrimitiveTypes.Int32)), nulls(3, func(i int) any {
		return some(i%4, i, func(k int) any {
			if k%6 == 5 {
				return nil
			}
			return list(k%3, k)
		})
	}))
	t.add("struct", point, aPoint)
	t.add("structs", arrow.ListOf(point), nulls(4, func(i int) any { return some(i%5, i, aPoint) }))
	t.add("deep", arrow.StructOf(
		arrow.Field{Name: "points", Type: arrow.ListOf(point), Nullable: true},
		arrow.Field{Name: "map", Type: arrow.MapOf(arrow.BinaryTypes.String, arrow.ListOf(point)), Nullable: true},
	), nulls(5, func(i int) any {
		return map[string]any{"points": some(i%3, i, aPoint), "map": pairs(i%3, i, func(k int) any { return some(k%3, k, aPoint) })}
	}))
	t.add("map", arrow.MapOf(arrow.BinaryTypes.String, arrow.PrimitiveTypes.Int64), nulls(6, func(i int) any {
		return pairs(i%4, i, nulls(0, func(i int) any { return i }))
	}))
	t.add("map_of_structs", arrow.MapOf(arrow.BinaryTypes.String, point), nulls(0, func(i int) any { return pairs(i%4, i, aPoint) }))
	return t
}

func words(rows int) table {
	t := table{rows: rows}
	t.addField(arrow.Field{Name: "row", Type: arrow.PrimitiveTypes.Int32}, func(i int) any { return i })
	t.add("word", arrow.BinaryTypes.String, nulls(0, func(i int) any { return fmt.Sprint("word ", i%(1+i/4)) }))
	t.add("number", arrow.PrimitiveTypes.Float64, nulls(1, func(i int) any { return float64(i%(1+i/3)) / 4 }))
	t.add("list", arrow.ListOf(arrow.BinaryTypes.String), nulls(2, func(i int) any {
		all := []any{}
		for k := range i % 4 {
			all = append(all, fmt.Sprint("item ", i*k%97))
		}
		return all
	}))
	return t
}

func decimals(rows int) table {
	t := table{rows: rows}
	for _, d := range []struct{ precision, scale int32 }{{5, 2}, {9, 0}, {9, 9}, {18, 4}, {38, 10}, {38, 38}} {
		typ := &arrow.Decimal128Type{Precision: d.precision, Scale: d.scale}
		t.add(fmt.Sprintf("decimal_%d_%d", d.precision, d.scale), typ, nulls(int(d.precision), decimal(d.precision, d.scale)))
	}
	t.add("decimal_70_20", &arrow.Decimal256Type{Precision: 70, Scale: 20}, nulls(1, decimal(70, 20)))
	return t
}

// decimal makes numbers of few and of all digits that a type has.
func decimal(precision, scale int32) func(int) any {
	return func(i int) any {
		digits := strings.Repeat(strconv.Itoa(1+i%9), 1+i%int(precision))
		if len(digits) <= int(scale) {
			digits = strings.Repeat("0", int(scale)+1-len(digits)) + digits
		}
		at := len(digits) - int(scale)
		text := digits[:at]
		if scale > 0 {
			text += "." + digits[at:]
		}
		if i%2 == 1 {
			text = "-" + text
		}
		return text
	}
}

func moments(rows int) table {
	t := table{rows: rows}
	t.add("moment", &arrow.TimestampType{Unit: arrow.Nanosecond}, nulls(0, pick("1970-01-01 00:00:00", "2024-02-29 12:34:56.123456789", "1969-12-31 23:59:59.5", "1700-01-01 00:00:00.000000001")))
	t.add("moment_utc", &arrow.TimestampType{Unit: arrow.Nanosecond, TimeZone: "UTC"}, nulls(1, pick("2262-04-11 23:47:16.854775807Z", "1677-09-22 00:00:00Z")))
	return t
}

func categories(rows int) table {
	t := table{rows: rows}
	t.add("category", &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.String}, nulls(0, pick("MALE", "FEMALE", "", "žena")))
	t.add("number", &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int32, ValueType: arrow.PrimitiveTypes.Int64, Ordered: true}, nulls(1, pick(5, math.MinInt64, 0)))
	return t
}

func extended(rows int) table {
	t := table{rows: rows}
	t.add("uuid", extensions.NewUUIDType(), nulls(0, func(i int) any { return fmt.Sprintf("00112233-4455-6677-8899-aabbccddee%02x", i) }))
	json, err := extensions.NewJSONType(arrow.BinaryTypes.String)
	if err != nil {
		panic(err)
	}
	t.add("json", json, nulls(1, pick(`{"plan":"gold","n":1}`, `[1,"x",null]`, `"text"`, `5`)))
	t.add("bool8", extensions.NewBool8Type(), nulls(2, func(i int) any { return i % 2 }))
	return t
}

// variants are the same values three times: as they are, and with what has a type
// in columns of its own.
func variants() table {
	values := []any{
		nil, true, false, 5, -1234567890123, 1.5, "text", strings.Repeat("long ", 40),
		[]any{},
		[]any{1, "x", nil, []any{2.5}},
		map[string]any{},
		map[string]any{"plan": "gold"},
		map[string]any{"plan": 7, "tags": []any{"a", "b"}, "deep": map[string]any{"plan": "x"}},
	}
	t := table{rows: len(values)}
	t.add("value", extensions.NewDefaultVariantType(), pick(values...))
	t.add("shredded_text", extensions.NewShreddedVariantType(arrow.BinaryTypes.String), pick(values...))
	t.add("shredded_object", extensions.NewShreddedVariantType(arrow.StructOf(
		arrow.Field{Name: "plan", Type: arrow.BinaryTypes.String, Nullable: true},
		arrow.Field{Name: "tags", Type: arrow.ListOf(arrow.BinaryTypes.String), Nullable: true},
	)), pick(values...))
	return t
}
