package parquetfile

import (
	"encoding/binary"
	"fmt"
	"strconv"

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
	firstDay      = -719528 // 0000-01-01
	lastDay       = 2932896 // 9999-12-31
	julianEpoch   = 2440588 // 1970-01-01 as a Julian day
)

// appendDate appends the day YYYY-MM-DD, days from 1970-01-01 on, or reports
// false for a year that has not four digits.
func appendDate(dst []byte, day int64) ([]byte, bool) {
	if day < firstDay || day > lastDay {
		return dst, false
	}
	y, m, d := civil(day)
	return append(dst,
		byte('0'+y/1000), byte('0'+y/100%10), byte('0'+y/10%10), byte('0'+y%10), '-',
		byte('0'+m/10), byte('0'+m%10), '-',
		byte('0'+d/10), byte('0'+d%10)), true
}

// civil returns the date of a day. The calendar is counted in years that begin
// on the 1st of March, so that a leap day is the last of its year.
func civil(day int64) (year, month, dayOfMonth int64) {
	const daysPerEra, marchOfYear0 = 146097, 719468 // 400 years; 0000-03-01 to 1970-01-01
	day += marchOfYear0
	ofEra := floorMod(day, daysPerEra)
	era := (day - ofEra) / daysPerEra
	yearOfEra := (ofEra - ofEra/1460 + ofEra/36524 - ofEra/146096) / 365
	ofYear := ofEra - (365*yearOfEra + yearOfEra/4 - yearOfEra/100)
	fromMarch := (5*ofYear + 2) / 153
	year, month = yearOfEra+era*400, fromMarch+3
	if month > 12 {
		year, month = year+1, month-12
	}
	return year, month, ofYear - (153*fromMarch+2)/5 + 1
}

// appendClock appends HH:MM:SS and as many digits of a fraction as needed.
func appendClock(dst []byte, second, ticks int64, unit timeUnit) []byte {
	for i, part := range [...]int64{second / 3600, second / 60 % 60, second % 60} {
		if i > 0 {
			dst = append(dst, ':')
		}
		dst = append(dst, byte('0'+part/10), byte('0'+part%10))
	}
	return appendFraction(dst, ticks, unit)
}

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
	day := int64(int32(binary.LittleEndian.Uint32(raw)))
	text, ok := appendDate(dst, day)
	if !ok {
		return strconv.AppendInt(dst, day, 10), faultRange
	}
	return text, noFault
}

func timeType(unit timeUnit, physical format.Type) (leafType, bool) {
	t := leafType{name: fmt.Sprintf("time(%s)", unit), kind: batch.Text}
	t.append = func(dst, raw []byte) ([]byte, valueFault) {
		var v int64
		if len(raw) == 4 {
			v = int64(int32(binary.LittleEndian.Uint32(raw)))
		} else {
			v = int64(binary.LittleEndian.Uint64(raw))
		}
		// 24:00:00 is a time to some writers.
		if v < 0 || v > secondsPerDay*int64(unit) {
			return strconv.AppendInt(dst, v, 10), faultRange
		}
		return appendClock(dst, v/int64(unit), v%int64(unit), unit), noFault
	}
	return t, physical == format.Int32 && unit == unitMillis || physical == format.Int64 && unit != unitMillis
}

func timestampType(unit timeUnit, utc bool) leafType {
	t := leafType{name: fmt.Sprintf("timestamp(%s)", unit), kind: batch.Timestamp}
	if utc {
		t.name = fmt.Sprintf("timestamp(%s, UTC)", unit)
	}
	t.append = func(dst, raw []byte) ([]byte, valueFault) {
		v := int64(binary.LittleEndian.Uint64(raw))
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
	clock := floorMod(second, secondsPerDay)
	text, ok := appendDate(dst, (second-clock)/secondsPerDay)
	if !ok {
		return dst, false
	}
	text = appendClock(append(text, 'T'), clock, ticks, unit)
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

func floorMod(a, b int64) int64 {
	m := a % b
	if m < 0 {
		m += b
	}
	return m
}
