package simulator

import (
	"fmt"
	"slices"
	"strings"
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
