package simulator

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

func readAttributes(b *personalizeBody, val any, cfg *Config, bad *violations) {
	for name, val := range byName(typed[object](bad, "attributes", val)) {
		field := "attributes." + name
		switch name {
		case "firstName":
			b.first = readText(field, val, 255, bad)
		case "lastName":
			b.last = readText(field, val, 255, bad)
		case "middleName":
			b.middle = readText(field, val, 50, bad)
		case "birthday":
			b.birthday = readBirthday(field, val, cfg.Choices.BirthdayDate, bad)
		case "gender":
			if b.gender = readText(field, val, 0, bad); b.gender.text != "" && b.gender.text != "MALE" && b.gender.text != "FEMALE" {
				bad.add(field, "must be MALE or FEMALE")
			}
		case "tags":
			b.setTags, b.tags = true, readTags(field, val, bad)
		case "customAttributes":
			b.custom = readEntries(field, val, cfg.CustomAttributes, bad)
		default:
			bad.unknown(field)
		}
		text, _ := val.(string)
		if strings.HasSuffix(name, "Name") && cfg.Choices.NamesRefused && strings.ContainsAny(text, `&<>"/\:(){}=;#`) {
			bad.add(field, "has a character that names must not have")
		}
	}
}

func readText(field string, val any, maxChars int, bad *violations) change {
	if val == nil {
		return change{set: true}
	}
	text := typed[string](bad, field, val)
	if n := utf8.RuneCountInString(text); maxChars > 0 && n > maxChars {
		bad.add(field, fmt.Sprintf("has %d characters, at most %d are allowed", n, maxChars))
	}
	return change{set: true, text: text}
}

// readBirthday keeps the day as the platform answers it: a date-time in UTC.
func readBirthday(field string, val any, date bool, bad *violations) change {
	c := readText(field, val, 0, bad)
	if _, ok := val.(string); !ok {
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

func readTags(field string, val any, bad *violations) []string {
	if val == nil {
		return nil
	}
	tags := []string{}
	for i, item := range typed[[]any](bad, field, val) {
		tag, ok := item.(string)
		switch {
		case !ok:
			bad.add(field+"["+strconv.Itoa(i)+"]", "must be a string, is "+kindOf(item))
			continue
		case slices.Contains(tags, tag):
			bad.add(field+"["+strconv.Itoa(i)+"]", "repeats an earlier tag")
		}
		tags = append(tags, tag)
	}
	return tags
}

const (
	maxName   = 256
	maxString = 4096
	maxNumber = "9223372036854775807"
)

func readEntries(field string, val any, known []string, bad *violations) []entry {
	list := []entry{}
	for name, val := range byName(typed[object](bad, field, val)) {
		if wrong := checkEntry(name, val, known); wrong != "" {
			bad.add(strings.TrimSuffix(field+"."+name, "."), wrong)
			continue
		}
		list = append(list, entry{name, string(toJSON(val))})
	}
	return list
}

// checkEntry says what is wrong with a free-form value; nothing when it is good.
func checkEntry(name string, val any, known []string) string {
	if n := utf8.RuneCountInString(name); n == 0 || n > maxName {
		return fmt.Sprintf("its name has %d characters, 1 to %d are allowed", n, maxName)
	}
	if len(known) > 0 && !slices.Contains(known, name) {
		return "is not defined on the account"
	}
	switch val := val.(type) {
	case string:
		if n := utf8.RuneCountInString(val); n > maxString {
			return fmt.Sprintf("has %d characters, at most %d are allowed", n, maxString)
		}
	case json.Number:
		if isTooLarge(val.String()) {
			return "is larger than " + maxNumber
		}
	case []any, object:
		return "must be a string, number or boolean, is " + kindOf(val)
	}
	return ""
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
