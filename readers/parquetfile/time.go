package parquetfile

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/parquet-go/parquet-go/format"

	"pushbatch/batch"
)

// timeAt is a time so many units after 1970 began.
func timeAt(ticks int64, unit time.Duration) time.Time {
	perSecond := int64(time.Second / unit)
	return time.Unix(ticks/perSecond, ticks%perSecond*int64(unit)).UTC()
}

// nameOf is a unit in words.
func nameOf(unit *format.TimeUnit) string { return strings.ToLower(unit.String()) }

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

func timeType(of *format.TimeUnit, physical format.Type) (t leafType, known bool) {
	if of.Value == nil {
		return t, false
	}
	unit := of.Value.Duration()
	t = leafType{name: "time(" + nameOf(of) + ")", kind: batch.Text}
	t.text = func(raw []byte) (string, valueFault) {
		v, day := signed(raw), int64(24*time.Hour/unit)
		switch {
		case v < 0 || v > day:
			return strconv.FormatInt(v, 10), faultRange
		case v == day: // a time to some writers
			return "24:00:00", noFault
		}
		return timeAt(v, unit).Format(clockLayout), noFault
	}
	return t, physical == format.Int32 && unit == time.Millisecond || physical == format.Int64 && unit != time.Millisecond
}

func timestampType(of *format.TimeUnit, utc bool, physical format.Type) (t leafType, known bool) {
	if of.Value == nil {
		return t, false
	}
	unit, layout := of.Value.Duration(), timestampLayout
	t = leafType{name: "timestamp(" + nameOf(of) + ")", kind: batch.Timestamp}
	if utc {
		t.name = "timestamp(" + nameOf(of) + ", UTC)"
		layout += "Z"
	}
	t.text = func(raw []byte) (string, valueFault) {
		v := signed(raw)
		return textOfTime(timeAt(v, unit), layout, strconv.FormatInt(v, 10))
	}
	return t, physical == format.Int64
}

// int96Text reads the timestamp of older writers: nanoseconds of the day, then
// the Julian day. The format says nothing of a zone, so none is given.
func int96Text(raw []byte) (string, valueFault) {
	nanos, day := binary.LittleEndian.Uint64(raw), int64(binary.LittleEndian.Uint32(raw[8:]))
	stored := fmt.Sprintf("%d/%d", day, nanos)
	if nanos >= uint64(24*time.Hour) {
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
