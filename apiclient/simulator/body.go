package simulator

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// entry is a named scalar of customAttributes or additionalData; json is its
// JSON text, numbers with all their digits.
type entry struct {
	name, json string
}

// change is what a request does to one attribute: nothing, set or clear.
type change struct {
	set  bool
	text string // empty: clear
}

func (c change) apply(to *string, choices *Choices) {
	if c.set && (c.text != "" || !choices.NullKeeps) {
		*to = c.text
	}
}

type identity struct {
	externalID, phone, email string
}

type personalizeBody struct {
	identity
	first, last, middle              change
	birthday, gender                 change
	setTags                          bool
	tags                             []string
	custom                           []entry // json "null" clears
	force, keepLead, push, asPrimary bool
}

type updateBody struct {
	isPrimary, registrationEnabled *bool
	setAdditional                  bool
	additional                     []entry // json "null" clears
}

// violations collects what is wrong with a request.
type violations struct {
	messageID string // the first specific one; empty: BAD_REQUEST
	fields    []violation
}

type violation struct{ field, what string }

func (v *violations) add(field, what string) {
	v.fields = append(v.fields, violation{field, what})
}

func (v *violations) addID(messageID, field, what string) {
	if v.messageID == "" {
		v.messageID = messageID
	}
	v.add(field, what)
}

func (v *violations) isEmpty() bool { return len(v.fields) == 0 }

// scalar checks that val has the kind and at most max characters (0: any).
func (v *violations) scalar(field string, val *value, want kind, maxChars int) bool {
	if val.kind != want {
		v.add(field, "must be "+want.String()+", is "+val.kind.String())
		return false
	}
	if n := utf8.RuneCountInString(val.text); maxChars > 0 && n > maxChars {
		v.add(field, fmt.Sprintf("has %d characters, at most %d are allowed", n, maxChars))
		return false
	}
	return true
}

func (v *violations) object(field string, val *value) bool {
	return v.scalar(field, val, kindObject, 0)
}

func (v *violations) unknown(field string) { v.add(field, "unknown or read-only field") }

func readPersonalize(root *value, cfg *Config) (personalizeBody, violations) {
	var b personalizeBody
	var bad violations
	if !bad.object("body", root) {
		return b, bad
	}
	if root.member("identity") == nil {
		bad.addID("USER_IDENTITY_INVALID", "identity", "is missing")
	}
	for i := range root.members {
		m := &root.members[i]
		switch m.name {
		case "identity":
			b.identity = readIdentity(&m.value, &bad)
		case "attributes":
			readAttributes(&b, &m.value, cfg, &bad)
		default:
			bad.unknown(m.name)
		}
	}
	return b, bad
}

func readIdentity(val *value, bad *violations) identity {
	var id identity
	if !bad.object("identity", val) {
		return id
	}
	given := 0
	for i := range val.members {
		m := &val.members[i]
		if m.value.kind != kindNull {
			given++
		}
		switch m.name {
		case "externalId":
			id.externalID = readExternalID("identity.externalId", &m.value, bad)
		case "phoneNumber":
			id.phone = readShape("identity.phoneNumber", &m.value, isPhone, "PHONE_INVALID", bad)
		case "email":
			id.email = readShape("identity.email", &m.value, isEmail, "EMAIL_INVALID", bad)
		default:
			bad.unknown("identity." + m.name)
		}
	}
	if given == 0 {
		bad.addID("USER_IDENTITY_INVALID", "identity", "names nobody")
	}
	return id
}

func readShape(field string, val *value, fits func(string) bool, messageID string, bad *violations) string {
	if val.kind == kindNull || !bad.scalar(field, val, kindString, 0) {
		return ""
	}
	if !fits(val.text) {
		bad.addID(messageID, field, "does not have the form of one")
		return ""
	}
	return val.text
}

func readExternalID(field string, val *value, bad *violations) string {
	if val.kind == kindNull || !bad.scalar(field, val, kindString, 256) {
		return ""
	}
	switch val.text {
	case "":
		bad.addID("USER_IDENTITY_INVALID", field, "is empty")
		return ""
	case "null", "Null", "NULL":
		bad.addID("USER_IDENTITY_INVALID", field, "is the word null, which counts as JSON null")
		return ""
	}
	return val.text
}

func isPhone(s string) bool {
	if len(s) < 5 || len(s) > 15 || s[0] == '0' {
		return false
	}
	return strings.Trim(s, "0123456789") == ""
}

func isEmail(s string) bool {
	local, domain, ok := strings.Cut(s, "@")
	if !ok || len(s) > 254 || local == "" || len(local) > 64 || strings.ContainsAny(s, " \t\r\n<>(),;:\\\"") {
		return false
	}
	if strings.HasPrefix(local, ".") || strings.HasSuffix(local, ".") || strings.Contains(local, "..") {
		return false
	}
	labels := strings.Split(domain, ".")
	return len(labels) > 1 && !slices.ContainsFunc(labels, isBadLabel)
}

func isBadLabel(label string) bool {
	return label == "" || len(label) > 63 || strings.Contains(label, "@") ||
		strings.HasPrefix(label, "-") || strings.HasSuffix(label, "-")
}

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

func readUpdate(root *value) (updateBody, violations) {
	var b updateBody
	var bad violations
	if !bad.object("body", root) {
		return b, bad
	}
	for i := range root.members {
		m := &root.members[i]
		switch m.name {
		case "isPrimary":
			b.isPrimary = readBool("isPrimary", &m.value, &bad)
		case "systemData":
			b.registrationEnabled = readSystemData(&m.value, &bad)
		case "additionalData":
			b.setAdditional, b.additional = true, readEntries("additionalData", &m.value, nil, &bad)
		default:
			bad.unknown(m.name)
		}
	}
	return b, bad
}

func readSystemData(val *value, bad *violations) (enabled *bool) {
	if !bad.object("systemData", val) {
		return nil
	}
	for i := range val.members {
		m := &val.members[i]
		if m.name != "registrationEnabled" {
			bad.unknown("systemData." + m.name)
			continue
		}
		enabled = readBool("systemData.registrationEnabled", &m.value, bad)
	}
	return enabled
}

func readBool(field string, val *value, bad *violations) *bool {
	if !bad.scalar(field, val, kindBoolean, 0) {
		return nil
	}
	b := val.text == "true"
	return &b
}

// merge sets and clears entries; the order of first appearance is kept.
func (c *Choices) merge(into, changes []entry) []entry {
	for _, e := range changes {
		i := slices.IndexFunc(into, func(old entry) bool { return old.name == e.name })
		switch {
		case e.json == "null" && (i < 0 || c.NullKeeps):
		case e.json == "null":
			into = slices.Delete(into, i, i+1)
		case i >= 0:
			into[i].json = e.json
		default:
			into = append(into, e)
		}
	}
	return into
}
