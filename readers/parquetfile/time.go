package parquetfile

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"time"

	"github.com/parquet-go/parquet-go/format"

	"pushbatch/batch"
)

// timeUnit is the number of ticks in a second.
type timeUnit int64

const (
	unitMillis timeUnit = 1e3
	unitMicros timeUnit = 1e6
	unitNanos  timeUnit = 1e9
)

func (u timeUnit) String() string {
	return map[timeUnit]string{unitMillis: "millis", unitMicros: "micros", unitNanos: "nanos"}[u]
}

const (
	secondsPerDay = 24 * 60 * 60
	julianEpoch   = 2440588 // 1970-01-01 as a Julian day
	firstSecond   = -719528 * secondsPerDay
	lastSecond    = 2932897*secondsPerDay - 1 // of the year 9999
)

// appendTime appends a time in UTC, seconds from 1970 on, in a layout of package
// time, or reports false for a year that has not four digits.
func appendTime(dst []byte, second int64, layout string) ([]byte, bool) {
	if second < firstSecond || second > lastSecond {
		return dst, false
	}
	return time.Unix(second, 0).UTC().AppendFormat(dst, layout), true
}

// appendFraction appends as many digits of a fraction of a second as needed.
func appendFraction(dst []byte, ticks int64, unit timeUnit) []byte {
	if ticks == 0 {
		return dst
	}
	dst = append(dst, '.')
	for at := int64(unit) / 10; ticks > 0; at /= 10 {
		dst = append(dst, byte('0'+ticks/at))
		ticks %= at
	}
	return dst
}

func appendDay(dst, raw []byte) ([]byte, valueFault) {
	day := signed(raw)
	text, ok := appendTime(dst, day*secondsPerDay, time.DateOnly)
	if !ok {
		return strconv.AppendInt(dst, day, 10), faultRange
	}
	return text, noFault
}

func timeType(unit timeUnit, physical format.Type) (leafType, bool) {
	t := leafType{name: fmt.Sprintf("time(%s)", unit), kind: batch.Text}
	t.append = func(dst, raw []byte) ([]byte, valueFault) {
		v := signed(raw)
		// 24:00:00 is a time to some writers.
		if v < 0 || v > secondsPerDay*int64(unit) {
			return strconv.AppendInt(dst, v, 10), faultRange
		}
		second := v / int64(unit)
		dst = fmt.Appendf(dst, "%02d:%02d:%02d", second/3600, second/60%60, second%60)
		return appendFraction(dst, v%int64(unit), unit), noFault
	}
	return t, physical == format.Int32 && unit == unitMillis || physical == format.Int64 && unit != unitMillis
}

func timestampType(unit timeUnit, utc bool) leafType {
	t := leafType{name: fmt.Sprintf("timestamp(%s)", unit), kind: batch.Timestamp}
	if utc {
		t.name = fmt.Sprintf("timestamp(%s, UTC)", unit)
	}
	t.append = func(dst, raw []byte) ([]byte, valueFault) {
		v := signed(raw)
		second, ticks := v/int64(unit), v%int64(unit)
		if ticks < 0 {
			second, ticks = second-1, ticks+int64(unit)
		}
		text, ok := appendTimestamp(dst, second, ticks, unit, utc)
		if !ok {
			return strconv.AppendInt(dst, v, 10), faultRange
		}
		return text, noFault
	}
	return t
}

func appendTimestamp(dst []byte, second, ticks int64, unit timeUnit, utc bool) ([]byte, bool) {
	text, ok := appendTime(dst, second, "2006-01-02T15:04:05")
	if !ok {
		return dst, false
	}
	text = appendFraction(text, ticks, unit)
	if utc {
		text = append(text, 'Z')
	}
	return text, true
}

// appendInt96 reads the timestamp of older writers: nanoseconds of the day,
// then the Julian day. The format says nothing of a zone, so none is given.
func appendInt96(dst, raw []byte) ([]byte, valueFault) {
	nanos := binary.LittleEndian.Uint64(raw)
	day := int64(binary.LittleEndian.Uint32(raw[8:])) - julianEpoch
	if nanos < secondsPerDay*uint64(unitNanos) {
		n := int64(nanos)
		second := day*secondsPerDay + n/int64(unitNanos)
		if text, ok := appendTimestamp(dst, second, n%int64(unitNanos), unitNanos, false); ok {
			return text, noFault
		}
	}
	return fmt.Appendf(dst, "%d/%d", day+julianEpoch, nanos), faultRange
}

// appendInterval appends an ISO 8601 duration: months, days, milliseconds.
func appendInterval(dst, raw []byte) ([]byte, valueFault) {
	months, days := binary.LittleEndian.Uint32(raw), binary.LittleEndian.Uint32(raw[4:])
	millis := binary.LittleEndian.Uint32(raw[8:])
	dst = fmt.Appendf(dst, "P%dM%dDT%d", months, days, millis/1000)
	dst = appendFraction(dst, int64(millis%1000), unitMillis)
	return append(dst, 'S'), noFault
}
