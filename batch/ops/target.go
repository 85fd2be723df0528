package ops

import "pushbatch/batch"

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
	plain  shape = iota // one value
	dotted              // name.attribute holds one attribute, name alone a whole object
	group               // an object of other targets: identity, attributes, systemData
)

// target is a place in the platform's requests that a column can fill.
type target struct {
	name     string
	aliases  []string // other spellings, in lower case without spaces, - and _
	shape    shape
	types    []valueType // what a header or mapping may declare
	kind     string      // what the column holds, for people
	clears   bool        // JSON null clears it
	identity bool
	put      func(*assembly, *field, batch.Value)
	null     func(*assembly, *field)
	object   func(*assembly, *field, batch.Value) // the whole object of a dotted target
}

func targets() []*target {
	text := []valueType{typeString}
	boolean := []valueType{typeBoolean}
	date := []valueType{typeDate, typeString}
	scalar := []valueType{typeString, typeNumber, typeBoolean, typeDate}
	return []*target{
		{name: "registrationId", aliases: []string{"pushregistrationid", "pushregid"}, types: text, kind: "id", put: (*assembly).putRegistrationID},
		{name: "appCode", types: text, kind: "application code", put: (*assembly).putAppCode},
		{name: "externalId", aliases: []string{"identity.externalid"}, types: text, kind: "id", identity: true, put: (*assembly).putExternalID},
		{name: "phoneNumber", aliases: []string{"identity.phonenumber", "phone"}, types: text, kind: "phone number", identity: true, put: (*assembly).putPhone},
		{name: "email", aliases: []string{"identity.email"}, types: text, kind: "e-mail address", identity: true, put: (*assembly).putEmail},
		{
			name: "firstName", aliases: []string{"attributes.firstname"}, types: text, kind: "text", clears: true,
			put: (*assembly).putFirstName, null: (*assembly).clearFirstName,
		},
		{
			name: "lastName", aliases: []string{"attributes.lastname"}, types: text, kind: "text", clears: true,
			put: (*assembly).putLastName, null: (*assembly).clearLastName,
		},
		{
			name: "middleName", aliases: []string{"attributes.middlename"}, types: text, kind: "text", clears: true,
			put: (*assembly).putMiddleName, null: (*assembly).clearMiddleName,
		},
		{
			name: "birthday", aliases: []string{"attributes.birthday"}, types: date, kind: "date", clears: true,
			put: (*assembly).putBirthday, null: (*assembly).clearBirthday,
		},
		{
			name: "gender", aliases: []string{"attributes.gender"}, types: text, kind: "gender", clears: true,
			put: (*assembly).putGender, null: (*assembly).clearGender,
		},
		{
			name: "tags", aliases: []string{"attributes.tags"}, types: text, kind: "tags", clears: true,
			put: (*assembly).putTags, null: (*assembly).clearTags,
		},
		{
			name: "customAttributes", aliases: []string{"attributes.customattributes"}, shape: dotted, types: scalar, kind: "attribute", clears: true,
			put: (*assembly).putCustom, null: (*assembly).clearCustom, object: (*assembly).putCustomObject,
		},
		{name: "isPrimary", types: boolean, kind: "boolean", put: (*assembly).putIsPrimary},
		{name: "registrationEnabled", aliases: []string{"systemdata.registrationenabled"}, types: boolean, kind: "boolean", put: (*assembly).putEnabled},
		{
			name: "additionalData", shape: dotted, types: scalar, kind: "attribute", clears: true,
			put: (*assembly).putData, null: (*assembly).clearData, object: (*assembly).putDataObject,
		},
		{name: "identity", shape: group, kind: "object"},
		{name: "attributes", shape: group, kind: "object"},
		{name: "systemData", shape: group, kind: "object"},
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
