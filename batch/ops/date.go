package ops

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"pushbatch/apiclient"
	"pushbatch/batch"
)

// putBirthday sends the day as midnight UTC, as the platform documents it, or as
// YYYY-MM-DD.
func (a *requestBuilder) putBirthday(f *field, v batch.Value) {
	if day, ok := a.day(f, v); ok {
		a.attributes.Birthday = apiclient.Midnight(day)
		if a.options.BirthdayDate {
			a.attributes.Birthday = apiclient.Date(day)
		}
	}
}

// day returns a value as YYYY-MM-DD: a date, a text in the column's layout, or
// a timestamp that is midnight (UTC or without a zone), which is how files
// without a date type keep days.
func (a *requestBuilder) day(f *field, v batch.Value) (string, bool) {
	switch v.Kind {
	case batch.Text:
		if day, ok := f.parseDay(v.Text); ok {
			return day, true
		}
		if day, ok := midnight(v.Text); ok && f.layouts == nil {
			return day, true
		}
		if !a.checkTyped(f, v.Text) {
			return "", false
		}
	case batch.Date:
		if isDay(v.Text) {
			return v.Text, true
		}
	case batch.Timestamp:
		if day, ok := midnight(v.Text); ok {
			return day, true
		}
		a.reject(f, codeDateInvalid, "expected a day, found a timestamp that is not midnight UTC: give the day alone")
		return "", false
	}
	a.reject(f, codeDateInvalid, f.dayFault(v))
	return "", false
}

// dayFault says what is wrong with a value that is no day: that the calendar
// has no such day, when that is all.
func (f *field) dayFault(v batch.Value) string {
	if f.looksLikeDay(v.Text) {
		return "the calendar has no such day"
	}
	fault := "expected a day as " + f.layoutName(" or ") + ", found " + describe(v)
	if v.Kind == batch.Text {
		fault += dayHint(v.Text)
	}
	return fault
}

// dayHint says what a text that is no day as wanted may be, and what to do.
func dayHint(s string) string {
	layouts := layoutsOf(s)
	if _, err := time.Parse("20060102", s); err == nil {
		layouts = "YYYYMMDD"
	}
	switch {
	case layouts != "":
		return "; a mapping can name another layout, such as layout: " + layouts
	case allDigits(s) && len(s) == len("32904"):
		return "; the day number of a spreadsheet? Format the column as YYYY-MM-DD and export again"
	case shortYear.MatchString(s):
		return "; a year of two digits could be in two centuries: export it with four"
	}
	return ""
}

// shortYear finds days such as 31.12.90.
var shortYear = regexp.MustCompile(`^[0-9]{1,2}([./-] ?[0-9]{1,2}){2}\.?$`)

// looksLikeDay reports whether s has the form of a day, though the calendar may
// not have it.
func (f *field) looksLikeDay(s string) bool {
	layouts := f.layouts
	if layouts == nil {
		layouts = []*dateLayout{{layout: time.DateOnly}}
	}
	return slices.ContainsFunc(layouts, func(l *dateLayout) bool {
		_, err := l.read(s)
		wrong, ok := errors.AsType[*time.ParseError](err)
		return err == nil || ok && strings.HasSuffix(wrong.Message, "out of range")
	})
}

func (f *field) layoutName(between string) string {
	if f.layouts == nil {
		return "YYYY-MM-DD"
	}
	names := make([]string, len(f.layouts))
	for i, l := range f.layouts {
		names[i] = l.text
	}
	return strings.Join(names, between)
}

func (f *field) parseDay(s string) (string, bool) {
	if f.layouts == nil {
		return s, isDay(s)
	}
	for _, l := range f.layouts {
		if day, ok := l.parse(s); ok {
			return day, true
		}
	}
	return "", false
}

// midnight takes the day out of YYYY-MM-DDT00:00:00 with an optional zero
// fraction and an optional Z.
func midnight(s string) (string, bool) {
	if len(s) < len("2006-01-02T00:00:00") || !isDay(s[:10]) || s[10] != 'T' && s[10] != ' ' {
		return "", false
	}
	clock := strings.TrimSuffix(s[11:], "Z")
	clock, fraction, found := strings.Cut(clock, ".")
	if found && (fraction == "" || strings.Trim(fraction, "0") != "") {
		return "", false
	}
	return s[:10], clock == "00:00:00"
}

// isDay reports whether s is YYYY-MM-DD and a day that the calendar has.
// Most days are before the 29th, which needs no calendar: 0.2 of 4 s of a million
// rows.
func isDay(s string) bool {
	if len(s) != len(time.DateOnly) || s[4] != '-' || s[7] != '-' || !allDigits(s[:4]) || !allDigits(s[5:7]) || !allDigits(s[8:]) || s[:4] == "0000" {
		return false
	}
	if s[5:7] >= "01" && s[5:7] <= "12" && s[8:] >= "01" && s[8:] <= "28" {
		return true
	}
	_, err := time.Parse(time.DateOnly, s)
	return err == nil
}

// dateLayout is a mapping's layout: YYYY, MM or M, DD or D in any order, and
// what stands between them. M and D take one or two digits.
type dateLayout struct {
	text   string
	layout string // the same for package time
}

func parseLayout(text string) (*dateLayout, error) {
	in := func(year, month, day string) string {
		return strings.NewReplacer("YYYY", year, "MM", "0"+month, "M", month, "DD", "0"+day, "D", day, "_", underscore).Replace(text)
	}
	l := &dateLayout{text, in("2006", "1", "2")}
	switch {
	case strings.Count(text, "YYYY") != 1 || strings.Count(l.layout, "1") != 1 || strings.Count(l.layout, "2") != 2:
		return nil, fmt.Errorf("layout %q: needs one each of YYYY, MM or M, DD or D, as in DD.MM.YYYY", text)
	case time.Date(2003, 4, 5, 11, 12, 13, 0, time.UTC).Format(l.layout) != in("2003", "4", "5"):
		return nil, fmt.Errorf("layout %q: use YYYY, MM or M, DD or D, and separators", text)
	case oneDigit.MatchString(text):
		return nil, fmt.Errorf("layout %q: M and D take one or two digits, so a separator must follow", text)
	}
	return l, nil
}

// oneDigit finds a month or day of one or two digits without a separator after.
var oneDigit = regexp.MustCompile(`(^|[^M])M[DY]|(^|[^D])D[MY]`)

// underscore stands for _, which means a space to package time.
const underscore = "\x01"

func (l *dateLayout) read(s string) (time.Time, error) {
	return time.Parse(l.layout, strings.ReplaceAll(s, "_", underscore))
}

// parse reads s and returns the day as YYYY-MM-DD.
func (l *dateLayout) parse(s string) (string, bool) {
	day, err := l.read(s)
	return day.Format(time.DateOnly), err == nil && day.Year() > 0
}
