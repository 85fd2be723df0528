package simulator

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

func readAttributes(b *personalizeBody, val *value, cfg *Config, bad *violations) {
	if !bad.object("attributes", val) {
		return
	}
	for i := range val.members {
		m := &val.members[i]
		switch m.name {
		case "firstName":
			b.first = readText("attributes.firstName", &m.value, 255, bad)
		case "lastName":
			b.last = readText("attributes.lastName", &m.value, 255, bad)
		case "middleName":
			b.middle = readText("attributes.middleName", &m.value, 50, bad)
		case "birthday":
			b.birthday = readBirthday("attributes.birthday", &m.value, cfg.Choices.BirthdayDate, bad)
		case "gender":
			b.gender = readGender("attributes.gender", &m.value, bad)
		case "tags":
			b.setTags, b.tags = true, readTags("attributes.tags", &m.value, bad)
		case "customAttributes":
			b.custom = readEntries("attributes.customAttributes", &m.value, cfg.CustomAttributes, bad)
		default:
			bad.unknown("attributes." + m.name)
		}
		if strings.HasSuffix(m.name, "Name") && cfg.Choices.NamesRefused && strings.ContainsAny(m.value.text, `&<>"/\:(){}=;#`) {
			bad.add("attributes."+m.name, "has a character that names must not have")
		}
	}
}

func readText(field string, val *value, maxChars int, bad *violations) change {
	if val.kind == kindNull {
		return change{set: true}
	}
	bad.scalar(field, val, kindString, maxChars)
	return change{set: true, text: val.text}
}

// readBirthday keeps the day as the platform answers it: a date-time in UTC.
func readBirthday(field string, val *value, date bool, bad *violations) change {
	c := readText(field, val, 0, bad)
	if val.kind != kindString {
		return c
	}
	layout, form := time.RFC3339, "must be a date-time such as 1990-01-31T00:00:00Z"
	if date {
		layout, form = time.DateOnly, "must be a date such as 1990-01-31"
	}
	t, err := time.Parse(layout, c.text)
	if err != nil {
		bad.add(field, form)
		return change{}
	}
	c.text = t.UTC().Format(time.RFC3339)
	return c
}

func readGender(field string, val *value, bad *violations) change {
	c := readText(field, val, 0, bad)
	if val.kind == kindString && c.text != "MALE" && c.text != "FEMALE" {
		bad.add(field, "must be MALE or FEMALE")
	}
	return c
}

func readTags(field string, val *value, bad *violations) []string {
	if val.kind == kindNull || !bad.scalar(field, val, kindArray, 0) {
		return nil
	}
	tags := make([]string, 0, len(val.items))
	for i := range val.items {
		item := &val.items[i]
		if item.kind != kindString {
			bad.add(field+"["+strconv.Itoa(i)+"]", "must be a string, is "+item.kind.String())
			continue
		}
		if slices.Contains(tags, item.text) {
			bad.add(field+"["+strconv.Itoa(i)+"]", "repeats an earlier tag")
		}
		tags = append(tags, item.text)
	}
	return tags
}

const (
	maxName   = 256
	maxString = 4096
	maxNumber = "9223372036854775807"
)

func readEntries(field string, val *value, known []string, bad *violations) []entry {
	if !bad.object(field, val) {
		return nil
	}
	list := make([]entry, 0, len(val.members))
	for i := range val.members {
		m := &val.members[i]
		text, wrong := entryText(m, known)
		if wrong != "" {
			bad.add(strings.TrimSuffix(field+"."+m.name, "."), wrong)
			continue
		}
		list = append(list, entry{m.name, text})
	}
	return list
}

// entryText returns the JSON text of a free-form value, or what is wrong with it.
func entryText(m *member, known []string) (text, wrong string) {
	if n := utf8.RuneCountInString(m.name); n == 0 || n > maxName {
		return "", fmt.Sprintf("its name has %d characters, 1 to %d are allowed", n, maxName)
	}
	if len(known) > 0 && !slices.Contains(known, m.name) {
		return "", "is not defined on the account"
	}
	switch val := &m.value; val.kind {
	case kindString:
		if n := utf8.RuneCountInString(val.text); n > maxString {
			return "", fmt.Sprintf("has %d characters, at most %d are allowed", n, maxString)
		}
		return string(toJSON(val.text)), ""
	case kindNumber:
		if isTooLarge(val.text) {
			return "", "is larger than " + maxNumber
		}
		return val.text, ""
	case kindBoolean, kindNull:
		return val.text, ""
	default:
		return "", "must be a string, number or boolean, is " + val.kind.String()
	}
}

// isTooLarge compares by digits: a float would round 9223372036854775808 away.
func isTooLarge(number string) bool {
	if strings.HasPrefix(number, "-") {
		return false
	}
	if strings.ContainsAny(number, "eE") {
		f, _ := strconv.ParseFloat(number, 64)
		return f >= 1<<63
	}
	whole, fraction, _ := strings.Cut(number, ".")
	if len(whole) != len(maxNumber) {
		return len(whole) > len(maxNumber)
	}
	return whole > maxNumber || whole == maxNumber && strings.Trim(fraction, "0") != ""
}
