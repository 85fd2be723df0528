package simulator

import (
	"slices"
	"strings"
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

// typed returns a value that must have a type; the zero value where it has not.
func typed[T any](bad *violations, field string, val any) T {
	t, ok := val.(T)
	if !ok {
		bad.add(field, "must be "+kindOf(t)+", is "+kindOf(val))
	}
	return t
}

func (v *violations) unknown(field string) { v.add(field, "unknown or read-only field") }

func readPersonalize(root any, cfg *Config) (b personalizeBody, bad violations) {
	body := typed[object](&bad, "body", root)
	if body == nil {
		return b, bad
	}
	if _, ok := body["identity"]; !ok {
		bad.addID("USER_IDENTITY_INVALID", "identity", "is missing")
	}
	for name, val := range byName(body) {
		switch name {
		case "identity":
			b.identity = readIdentity(val, &bad)
		case "attributes":
			readAttributes(&b, val, cfg, &bad)
		default:
			bad.unknown(name)
		}
	}
	return b, bad
}

func readIdentity(val any, bad *violations) (id identity) {
	members := typed[object](bad, "identity", val)
	if members == nil {
		return id
	}
	given := 0
	for name, val := range byName(members) {
		field := "identity." + name
		if val != nil {
			given++
		}
		switch name {
		case "externalId":
			id.externalID = readExternalID(field, val, bad)
		case "phoneNumber":
			id.phone = readShape(field, val, isPhone, "PHONE_INVALID", bad)
		case "email":
			id.email = readShape(field, val, isEmail, "EMAIL_INVALID", bad)
		default:
			bad.unknown(field)
		}
	}
	if given == 0 {
		bad.addID("USER_IDENTITY_INVALID", "identity", "names nobody")
	}
	return id
}

func readShape(field string, val any, fits func(string) bool, messageID string, bad *violations) string {
	if val == nil {
		return ""
	}
	text := typed[string](bad, field, val)
	if _, ok := val.(string); ok && !fits(text) {
		bad.addID(messageID, field, "does not have the form of one")
	}
	return text
}

func readExternalID(field string, val any, bad *violations) string {
	c := readText(field, val, 256, bad)
	switch val {
	case "":
		bad.addID("USER_IDENTITY_INVALID", field, "is empty")
	case "null", "Null", "NULL":
		bad.addID("USER_IDENTITY_INVALID", field, "is the word null, which counts as JSON null")
	}
	return c.text
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

func readUpdate(root any) (b updateBody, bad violations) {
	for name, val := range byName(typed[object](&bad, "body", root)) {
		switch name {
		case "isPrimary":
			b.isPrimary = readBool(name, val, &bad)
		case "systemData":
			b.registrationEnabled = readSystemData(val, &bad)
		case "additionalData":
			b.setAdditional, b.additional = true, readEntries(name, val, nil, &bad)
		default:
			bad.unknown(name)
		}
	}
	return b, bad
}

func readSystemData(val any, bad *violations) (enabled *bool) {
	for name, val := range byName(typed[object](bad, "systemData", val)) {
		if name != "registrationEnabled" {
			bad.unknown("systemData." + name)
			continue
		}
		enabled = readBool("systemData."+name, val, bad)
	}
	return enabled
}

func readBool(field string, val any, bad *violations) *bool {
	b := typed[bool](bad, field, val)
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
