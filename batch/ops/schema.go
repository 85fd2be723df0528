package ops

import (
	"fmt"
	"slices"
	"strings"

	"pushbatch/apiclient"
	"pushbatch/batch"
)

// schema knows every column name the platform's terms have.
type schema struct {
	targets  map[string]*definition // by folded name and alias
	readOnly map[string]bool        // folded
	spelling []string               // names as suggestions show them
}

func newSchema() *schema {
	v := &schema{targets: make(map[string]*definition), readOnly: make(map[string]bool)}
	for _, t := range definitions() {
		v.targets[fold(t.name)] = t
		for _, alias := range t.aliases {
			v.targets[alias] = t
		}
		if t.shape != objectShape {
			v.spelling = append(v.spelling, t.name)
		}
	}
	for _, name := range readOnly() {
		v.readOnly[fold(name)] = true
		v.readOnly["systemdata."+fold(name)] = true
	}
	return v
}

// fold makes names comparable: letter case, spaces, - and _ do not count.
func fold(name string) string {
	return strings.Map(func(r rune) rune {
		switch r {
		case ' ', '-', '_', '\u00A0':
			return -1
		}
		return r
	}, strings.ToLower(name))
}

// target is what a name says: where the values go, and as what.
type target struct {
	def  *definition
	attr string // after the dot of a target with a prefix; empty: the whole object
	typ  valueType
}

// String returns the name in the platform's spelling.
func (m target) String() string {
	if m.attr == "" {
		return m.def.name
	}
	return m.def.name + "." + m.attr
}

// isWhole reports whether objects stand here whose members are targets or
// attributes.
func (m target) isWhole() bool {
	return m.def.shape == objectShape || m.def.shape == prefixShape && m.attr == ""
}

// same reports whether two names mean the same place.
func (m target) same(n target) bool { return m.def == n.def && m.attr == n.attr }

// find returns what a name means; a zero target when it is no known name. An
// error says that the name is known, but not the type after its colon. An
// attribute whose own name has a colon needs a type after that.
func (v *schema) find(name string) (target, error) {
	base, suffix, typed := cutLast(name, ':')
	m := v.bare(base)
	if m.def == nil {
		return target{}, nil
	}
	if typed {
		var err error
		if m.typ, err = parseType(suffix); err != nil {
			return target{}, err
		}
	}
	return m, m.check()
}

// longestPrefix bounds where the dot of a name is looked for.
const longestPrefix = 64

func (v *schema) bare(name string) target {
	if t := v.targets[fold(name)]; t != nil {
		return target{def: t}
	}
	for i := range min(len(name), longestPrefix) {
		if name[i] != '.' || i == len(name)-1 {
			continue
		}
		if t := v.targets[fold(name[:i])]; t != nil && t.shape == prefixShape {
			return target{def: t, attr: name[i+1:]}
		}
	}
	return target{}
}

// check refuses a declared type that the target does not take, and attribute
// names longer than the platform keeps.
func (m target) check() error {
	if m.typ != typeOwn && (!slices.Contains(m.def.types, m.typ) || m.def.shape == prefixShape && m.attr == "") {
		return fmt.Errorf("%s cannot be declared as %s", m, m.typ)
	}
	if n := len([]rune(m.attr)); n > maxAttributeName {
		return fmt.Errorf("the name after %s. has %d characters, the platform takes %d", m.def.name, n, maxAttributeName)
	}
	return nil
}

// isReadOnly reports whether name is a column of an inventory that nobody can write.
func (v *schema) isReadOnly(name string) bool { return v.readOnly[fold(name)] }

func parseType(text string) (valueType, error) {
	for i, name := range typeNames {
		if i > 0 && strings.EqualFold(text, name) {
			return valueType(i), nil
		}
	}
	return typeOwn, fmt.Errorf("unknown type %q: one of number, boolean, date, string", text)
}

func cutLast(s string, sep byte) (before, after string, found bool) {
	if i := strings.LastIndexByte(s, sep); i >= 0 {
		return s[:i], s[i+1:], true
	}
	return s, "", false
}

// suggest returns ` (did you mean …?)` with the nearest known name, or
// nothing when none is near.
func (v *schema) suggest(name string) string {
	base, _, _ := cutLast(name, ':')
	if len(base) > maxAttributeName || v.isReadOnly(base) || isValueLike(base) {
		return ""
	}
	best, distance := nearest(base, v.spelling)
	if prefix, attr, found := strings.Cut(base, "."); found {
		holders := slices.DeleteFunc(slices.Clone(v.spelling), func(s string) bool { return v.targets[fold(s)].shape != prefixShape })
		if holder, d := nearest(prefix, holders); holder != "" && (best == "" || d < distance) {
			best = holder + "." + attr
		}
	}
	if best == "" || best == base { // a name after the dot is missing
		return ""
	}
	return fmt.Sprintf(" (did you mean %s?)", best)
}

// valueType is what a column's values must be.
type valueType uint8

const (
	typeOwn valueType = iota // what the file says: text cells are text, typed values keep their type
	typeString
	typeNumber
	typeBoolean
	typeDate
)

var typeNames = [...]string{"", "string", "number", "boolean", "date"}

func (t valueType) String() string { return typeNames[t] }

// shape is how a target's name is written.
type shape uint8

const (
	plainShape  shape = iota // one value
	prefixShape              // name.attribute holds one attribute, name alone a whole object
	objectShape              // an object of other targets: identity, attributes, systemData
)

// target is a place in the platform's requests that a column can fill.
type definition struct {
	name     string
	aliases  []string // other spellings, in lower case without spaces, - and _
	shape    shape
	types    []valueType // what a header or mapping may declare
	kind     string      // what the column holds, for people
	identity bool
	put      func(*requestBuilder, *field, batch.Value)
	null     func(*requestBuilder, *field)                // sends JSON null; nil: nothing clears it
	list     func(*requestBuilder) *[]apiclient.Attribute // of a target with a prefix
	longest  int                                          // characters of a text in it; 0: as many as there are
}

func definitions() []*definition {
	text := []valueType{typeString}
	boolean := []valueType{typeBoolean}
	date := []valueType{typeDate, typeString}
	firstName := func(a *requestBuilder) *apiclient.Value { return &a.attributes.FirstName }
	lastName := func(a *requestBuilder) *apiclient.Value { return &a.attributes.LastName }
	middleName := func(a *requestBuilder) *apiclient.Value { return &a.attributes.MiddleName }
	scalar := []valueType{typeString, typeNumber, typeBoolean, typeDate}
	return []*definition{
		{name: "registrationId", aliases: []string{"pushregistrationid", "pushregid"}, types: text, kind: "id", put: (*requestBuilder).putRegistrationID},
		{name: "appCode", types: text, kind: "application code", put: (*requestBuilder).putAppCode},
		{name: "externalId", aliases: []string{"identity.externalid"}, types: text, kind: "id", identity: true, put: (*requestBuilder).putExternalID},
		{name: "phoneNumber", aliases: []string{"identity.phonenumber", "phone"}, types: text, kind: "phone number", identity: true, put: (*requestBuilder).putPhone},
		{name: "email", aliases: []string{"identity.email"}, types: text, kind: "e-mail address", identity: true, put: (*requestBuilder).putEmail},
		{name: "firstName", aliases: []string{"attributes.firstname"}, types: text, kind: "text", put: putName(firstName, maxName), null: clearing(firstName)},
		{name: "lastName", aliases: []string{"attributes.lastname"}, types: text, kind: "text", put: putName(lastName, maxName), null: clearing(lastName)},
		{name: "middleName", aliases: []string{"attributes.middlename"}, types: text, kind: "text", put: putName(middleName, maxMiddleName), null: clearing(middleName)},
		{
			name: "birthday", aliases: []string{"attributes.birthday"}, types: date, kind: "date", put: (*requestBuilder).putBirthday,
			null: clearing(func(a *requestBuilder) *apiclient.Value { return &a.attributes.Birthday }),
		},
		{
			name: "gender", aliases: []string{"attributes.gender"}, types: text, kind: "gender", put: (*requestBuilder).putGender,
			null: clearing(func(a *requestBuilder) *apiclient.Value { return &a.attributes.Gender }),
		},
		{
			name: "tags", aliases: []string{"attributes.tags"}, types: text, kind: "tags",
			put: (*requestBuilder).putTags, null: (*requestBuilder).clearTags,
		},
		{
			name: "customAttributes", aliases: []string{"attributes.customattributes"}, shape: prefixShape, types: scalar, kind: "attribute",
			put: (*requestBuilder).putAttribute, null: (*requestBuilder).clearAttribute,
			list: func(a *requestBuilder) *[]apiclient.Attribute { return &a.custom },
		},
		{name: "isPrimary", types: boolean, kind: "boolean", put: (*requestBuilder).putIsPrimary},
		{name: "registrationEnabled", aliases: []string{"systemdata.registrationenabled"}, types: boolean, kind: "boolean", put: (*requestBuilder).putEnabled},
		{
			name: "additionalData", shape: prefixShape, types: scalar, kind: "attribute",
			put: (*requestBuilder).putAttribute, null: (*requestBuilder).clearAttribute, longest: maxDataText,
			list: func(a *requestBuilder) *[]apiclient.Attribute { return &a.data },
		},
		{name: "identity", shape: objectShape, kind: "object"},
		{name: "attributes", shape: objectShape, kind: "object"},
		{name: "systemData", shape: objectShape, kind: "object"},
	}
}

// readOnly are the columns of an inventory that nobody can write: an exported
// file is valid input of operations that take a registration id only.
func readOnly() []string {
	return []string{
		"applicationId", "cloudType", "notificationsEnabled", "geofencingSdk", "sdkVersion", "appVersion", "os", "osVersion",
		"deviceManufacturer", "deviceModel", "deviceSecure", "osLanguage", "deviceTimezoneOffset", "deviceName",
		"exportedAt", "status", "httpStatus", "errorCode", "errorMessage", "extra",
		"channel", "personId", "phones", "emails", "personExternalId", "personPhone", "personEmail", "createdAt", "modifiedAt",
		"personCreatedAt", "personModifiedAt",
	}
}
