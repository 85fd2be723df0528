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

// at is a time so many ticks after 1970 began.
func (u timeUnit) at(ticks int64) time.Time {
	return time.Unix(ticks/int64(u), ticks%int64(u)*int64(unitNanos/u)).UTC()
}

const (
	secondsPerDay = 24 * 60 * 60
	julianEpoch   = 2440588 // 1970-01-01 as a Julian day

	// Layouts of package time, with as many digits of a second as needed.
	clockLayout     = "15:04:05.999999999"
	timestampLayout = "2006-01-02T" + clockLayout
)

// textOfTime writes a time, or what is stored where its year has not four digits.
func textOfTime(t time.Time, layout, stored string) (string, valueFault) {
	if t.Year() < 0 || t.Year() > 9999 {
		return stored, faultRange
	}
	return t.Format(layout), noFault
}

func dayText(raw []byte) (string, valueFault) {
	day := signed(raw)
	return textOfTime(time.Unix(day*secondsPerDay, 0).UTC(), time.DateOnly, strconv.FormatInt(day, 10))
}

func timeType(unit timeUnit, physical format.Type) (leafType, bool) {
	t := leafType{name: fmt.Sprintf("time(%s)", unit), kind: batch.Text}
	t.text = func(raw []byte) (string, valueFault) {
		v, day := signed(raw), secondsPerDay*int64(unit)
		switch {
		case v < 0 || v > day:
			return strconv.FormatInt(v, 10), faultRange
		case v == day: // a time to some writers
			return "24:00:00", noFault
		}
		return unit.at(v).Format(clockLayout), noFault
	}
	return t, physical == format.Int32 && unit == unitMillis || physical == format.Int64 && unit != unitMillis
}

func timestampType(unit timeUnit, utc bool) leafType {
	t := leafType{name: fmt.Sprintf("timestamp(%s)", unit), kind: batch.Timestamp}
	layout := timestampLayout
	if utc {
		t.name = fmt.Sprintf("timestamp(%s, UTC)", unit)
		layout += "Z"
	}
	t.text = func(raw []byte) (string, valueFault) {
		v := signed(raw)
		return textOfTime(unit.at(v), layout, strconv.FormatInt(v, 10))
	}
	return t
}

// int96Text reads the timestamp of older writers: nanoseconds of the day, then
// the Julian day. The format says nothing of a zone, so none is given.
func int96Text(raw []byte) (string, valueFault) {
	nanos, day := binary.LittleEndian.Uint64(raw), int64(binary.LittleEndian.Uint32(raw[8:]))
	stored := fmt.Sprintf("%d/%d", day, nanos)
	if nanos >= secondsPerDay*uint64(unitNanos) {
		return stored, faultRange
	}
	return textOfTime(time.Unix((day-julianEpoch)*secondsPerDay, int64(nanos)).UTC(), timestampLayout, stored)
}

// intervalText is an ISO 8601 duration: months, days, milliseconds.
func intervalText(raw []byte) (string, valueFault) {
	months, days := binary.LittleEndian.Uint32(raw), binary.LittleEndian.Uint32(raw[4:])
	seconds := float64(binary.LittleEndian.Uint32(raw[8:])) / 1000
	return fmt.Sprintf("P%dM%dDT%sS", months, days, strconv.FormatFloat(seconds, 'f', -1, 64)), noFault
}
