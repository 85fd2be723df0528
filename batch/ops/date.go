package ops

import (
	"fmt"
	"slices"
	"strings"

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
func (a *requestBuilder) clearBirthday(*field) { a.attributes.Birthday = apiclient.Null }

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
	fault := "expected a day as " + f.layoutName() + ", found " + describe(v)
	if f.layouts == nil && v.Kind == batch.Text && strings.ContainsAny(v.Text, "./") {
		fault += "; a mapping can name another layout, such as layout: DD.MM.YYYY"
	}
	return fault
}

// looksLikeDay reports whether s has the form of a day, whatever its digits
// say.
func (f *field) looksLikeDay(s string) bool {
	if f.layouts == nil {
		return isDayForm(s)
	}
	return slices.ContainsFunc(f.layouts, func(l *dateLayout) bool {
		_, _, _, ok := l.split(s)
		return ok
	})
}

func (f *field) layoutName() string {
	if f.layouts == nil {
		return "YYYY-MM-DD"
	}
	names := make([]string, len(f.layouts))
	for i, l := range f.layouts {
		names[i] = l.text
	}
	return strings.Join(names, " or ")
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
func isDay(s string) bool {
	return isDayForm(s) && hasDay(atoi(s[:4]), atoi(s[5:7]), atoi(s[8:]))
}

// isDayForm reports whether s has the form YYYY-MM-DD, whatever its digits say.
func isDayForm(s string) bool {
	return len(s) == 10 && s[4] == '-' && s[7] == '-' && allDigits(s[:4]) && allDigits(s[5:7]) && allDigits(s[8:])
}

// atoi reads a few digits.
func atoi(s string) int {
	n := 0
	for i := range len(s) {
		n = n*10 + int(s[i]-'0')
	}
	return n
}

// hasDay reports whether the calendar has the day (proleptic Gregorian, years
// 1 to 9999).
func hasDay(year, month, day int) bool {
	if year < 1 || month < 1 || month > 12 || day < 1 {
		return false
	}
	switch month {
	case 4, 6, 9, 11:
		return day <= 30
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return day <= 29
		}
		return day <= 28
	}
	return day <= 31
}

// dateLayout is a mapping's layout: YYYY, MM or M, DD or D in any order, and
// what stands between them. M and D take one or two digits.
type dateLayout struct {
	text  string
	parts []string // "YYYY", "MM", "M", "DD", "D" or a literal
}

func parseLayout(text string) (*dateLayout, error) {
	l := &dateLayout{text: text}
	seen := map[byte]int{}
	for rest := text; rest != ""; {
		part := layoutPart(rest)
		if part == "YYYY" || part[0] == 'M' || part[0] == 'D' {
			seen[part[0]]++
		} else if strings.ContainsAny(part, "0123456789Y") {
			return nil, fmt.Errorf("layout %q: use YYYY, MM or M, DD or D, and separators", text)
		}
		if n := len(l.parts); n > 0 && (l.parts[n-1] == "M" || l.parts[n-1] == "D") && part[0] >= 'A' && part[0] <= 'Y' {
			return nil, fmt.Errorf("layout %q: %s takes one or two digits, so a separator must follow", text, l.parts[n-1])
		}
		l.parts = append(l.parts, part)
		rest = rest[len(part):]
	}
	if seen['Y'] != 1 || seen['M'] != 1 || seen['D'] != 1 {
		return nil, fmt.Errorf("layout %q: needs one each of YYYY, MM or M, DD or D, as in DD.MM.YYYY", text)
	}
	return l, nil
}

func layoutPart(rest string) string {
	for _, token := range []string{"YYYY", "MM", "M", "DD", "D"} {
		if strings.HasPrefix(rest, token) {
			return token
		}
	}
	return rest[:1]
}

// parse reads s and returns the day as YYYY-MM-DD.
func (l *dateLayout) parse(s string) (string, bool) {
	year, month, day, ok := l.split(s)
	if !ok || !hasDay(year, month, day) {
		return "", false
	}
	return fmt.Sprintf("%04d-%02d-%02d", year, month, day), true
}

// split takes the numbers out of a text that has the form of the layout.
func (l *dateLayout) split(s string) (year, month, day int, ok bool) {
	for _, part := range l.parts {
		n := len(part)
		switch part {
		case "M", "D":
			n = min(digits(s), 2)
		}
		if n == 0 || n > len(s) {
			return 0, 0, 0, false
		}
		got := s[:n]
		s = s[n:]
		number := allDigits(got)
		switch {
		case part == "YYYY" && number:
			year = atoi(got)
		case part[0] == 'M' && number:
			month = atoi(got)
		case part[0] == 'D' && number:
			day = atoi(got)
		case part != got || part == "YYYY" || part[0] == 'M' || part[0] == 'D':
			return 0, 0, 0, false
		}
	}
	return year, month, day, s == ""
}
