package simulator

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// violations collects what is wrong with a request.
type violations struct {
	cfg       *Config
	messageID string // the first specific one; empty: BAD_REQUEST
	fields    []violation
}

type violation struct{ field, what string }

func (v *violations) add(field, what string) {
	v.fields = append(v.fields, violation{field, what})
}

func (v *violations) addID(messageID, field, what string) {
	v.messageID = cmp.Or(v.messageID, messageID)
	v.add(field, what)
}

func (v *violations) isEmpty() bool { return len(v.fields) == 0 }

// check adds what is wrong with a value of a request's body.
type check func(bad *violations, field string, val any)

// What the members of a body may be. Those that are not listed are refused.
var (
	personalizeMembers = members(map[string]check{"identity": checkIdentity, "attributes": members(map[string]check{
		"firstName": checkName(255), "lastName": checkName(255), "middleName": checkName(50),
		"birthday": orNull(checkBirthday), "gender": orNull(checkGender), "tags": orNull(checkTags),
		"customAttributes": checkCustomAttributes,
	})})
	identityMembers = members(map[string]check{
		"externalId":  orNull(checkExternalID),
		"phoneNumber": orNull(checkForm(isPhone, "PHONE_INVALID")), "email": orNull(checkForm(isEmail, "EMAIL_INVALID")),
	})
	updateMembers = members(map[string]check{
		"isPrimary": checkBool, "systemData": members(map[string]check{"registrationEnabled": checkBool}), "additionalData": checkEntries,
	})
)

// typed returns a value that must have a type.
func typed[T any](bad *violations, field string, val any) (t T, ok bool) {
	if t, ok = val.(T); !ok {
		bad.add(cmp.Or(field, "body"), "must be "+kindOf(t)+", is "+kindOf(val))
	}
	return t, ok
}

// members checks an object member by member.
func members(checks map[string]check) check {
	return func(bad *violations, field string, val any) {
		all, _ := typed[object](bad, field, val)
		for name, val := range byName(all) {
			at := strings.TrimPrefix(field+"."+name, ".")
			if checks[name] == nil {
				bad.add(at, "unknown or read-only field")
				continue
			}
			checks[name](bad, at, val)
		}
	}
}

// orNull lets null pass, which clears at the platform.
func orNull(c check) check {
	return func(bad *violations, field string, val any) {
		if val != nil {
			c(bad, field, val)
		}
	}
}

func checkPersonalize(bad *violations, field string, val any) {
	if body, ok := val.(object); ok {
		if _, ok := body["identity"]; !ok {
			bad.addID("USER_IDENTITY_INVALID", "identity", "is missing")
		}
	}
	personalizeMembers(bad, field, val)
}

func checkIdentity(bad *violations, field string, val any) {
	identityMembers(bad, field, val)
	id, ok := val.(object)
	if ok && !slices.ContainsFunc(slices.Collect(maps.Values(id)), func(val any) bool { return val != nil }) {
		bad.addID("USER_IDENTITY_INVALID", field, "names nobody")
	}
}

func checkBool(bad *violations, field string, val any) { typed[bool](bad, field, val) }

func checkText(bad *violations, field string, val any, most int) {
	text, _ := typed[string](bad, field, val)
	if n := utf8.RuneCountInString(text); n > most {
		bad.add(field, fmt.Sprintf("has %d characters, at most %d are allowed", n, most))
	}
}

func checkName(most int) check {
	return orNull(func(bad *violations, field string, val any) {
		checkText(bad, field, val, most)
		if text, _ := val.(string); bad.cfg.Choices.NamesRefused && strings.ContainsAny(text, `&<>"/\:(){}=;#`) {
			bad.add(field, "has a character that names must not have")
		}
	})
}

func checkExternalID(bad *violations, field string, val any) {
	checkText(bad, field, val, 256)
	switch val {
	case "":
		bad.addID("USER_IDENTITY_INVALID", field, "is empty")
	case "null", "Null", "NULL":
		bad.addID("USER_IDENTITY_INVALID", field, "is the word null, which counts as JSON null")
	}
}

func checkForm(fits func(string) bool, messageID string) check {
	return func(bad *violations, field string, val any) {
		if text, ok := typed[string](bad, field, val); ok && !fits(text) {
			bad.addID(messageID, field, "does not have the form of one")
		}
	}
}

func isPhone(s string) bool {
	return len(s) >= 5 && len(s) <= 15 && s[0] != '0' && strings.Trim(s, "0123456789") == ""
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

func checkGender(bad *violations, field string, val any) {
	if text, _ := typed[string](bad, field, val); text != "" && text != "MALE" && text != "FEMALE" {
		bad.add(field, "must be MALE or FEMALE")
	}
}

func checkBirthday(bad *violations, field string, val any) {
	text, ok := typed[string](bad, field, val)
	if _, err := bad.cfg.Choices.birthday(text); ok && err != nil {
		form := "must be a date-time such as 1990-01-31T00:00:00Z"
		if bad.cfg.Choices.BirthdayDate {
			form = "must be a date such as 1990-01-31"
		}
		bad.add(field, form)
	}
}

// birthday is a birthday as the platform answers it, a date-time in UTC.
func (c *Choices) birthday(text string) (string, error) {
	layout := time.RFC3339
	if c.BirthdayDate {
		layout = time.DateOnly
	}
	t, err := time.Parse(layout, text)
	return t.UTC().Format(time.RFC3339), err
}

func checkTags(bad *violations, field string, val any) {
	tags, _ := typed[[]any](bad, field, val)
	for i, tag := range tags {
		at := field + "[" + strconv.Itoa(i) + "]"
		if text, ok := typed[string](bad, at, tag); ok && slices.Contains(tags[:i], any(text)) {
			bad.add(at, "repeats an earlier tag")
		}
	}
}

const (
	maxName   = 256
	maxString = 4096
	maxNumber = "9223372036854775807"
)

func checkCustomAttributes(bad *violations, field string, val any) {
	checkEntries(bad, field, val)
	all, _ := val.(object)
	for name := range byName(all) {
		if known := bad.cfg.CustomAttributes; len(known) > 0 && !slices.Contains(known, name) {
			bad.add(field+"."+name, "is not defined on the account")
		}
	}
}

// checkEntries checks an object of free-form values.
func checkEntries(bad *violations, field string, val any) {
	all, _ := typed[object](bad, field, val)
	for name, val := range byName(all) {
		at := strings.TrimSuffix(field+"."+name, ".")
		if n := utf8.RuneCountInString(name); n == 0 || n > maxName {
			bad.add(at, fmt.Sprintf("its name has %d characters, 1 to %d are allowed", n, maxName))
			continue
		}
		switch val := val.(type) {
		case string:
			checkText(bad, at, val, maxString)
		case json.Number:
			if isTooLarge(val.String()) {
				bad.add(at, "is larger than "+maxNumber)
			}
		case []any, object:
			bad.add(at, "must be a string, number or boolean, is "+kindOf(val))
		}
	}
}

// isTooLarge reads all digits where a float is too coarse.
func isTooLarge(number string) bool {
	rounded, _ := strconv.ParseFloat(number, 64)
	if rounded != 1<<63 {
		return rounded > 1<<63
	}
	f, counts := new(big.Float).SetPrec(256).SetMode(big.AwayFromZero).SetString(number)
	return !counts || f.Cmp(new(big.Float).SetInt64(math.MaxInt64)) > 0
}
