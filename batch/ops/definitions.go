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
	clears   bool        // JSON null clears it
	identity bool
	put      func(*requestBuilder, *field, batch.Value)
	null     func(*requestBuilder, *field)
	object   func(*requestBuilder, *field, batch.Value) // the whole object of a dotted target
}

func definitions() []*definition {
	text := []valueType{typeString}
	boolean := []valueType{typeBoolean}
	date := []valueType{typeDate, typeString}
	scalar := []valueType{typeString, typeNumber, typeBoolean, typeDate}
	return []*definition{
		{name: "registrationId", aliases: []string{"pushregistrationid", "pushregid"}, types: text, kind: "id", put: (*requestBuilder).putRegistrationID},
		{name: "appCode", types: text, kind: "application code", put: (*requestBuilder).putAppCode},
		{name: "externalId", aliases: []string{"identity.externalid"}, types: text, kind: "id", identity: true, put: (*requestBuilder).putExternalID},
		{name: "phoneNumber", aliases: []string{"identity.phonenumber", "phone"}, types: text, kind: "phone number", identity: true, put: (*requestBuilder).putPhone},
		{name: "email", aliases: []string{"identity.email"}, types: text, kind: "e-mail address", identity: true, put: (*requestBuilder).putEmail},
		{
			name: "firstName", aliases: []string{"attributes.firstname"}, types: text, kind: "text", clears: true,
			put: (*requestBuilder).putFirstName, null: (*requestBuilder).clearFirstName,
		},
		{
			name: "lastName", aliases: []string{"attributes.lastname"}, types: text, kind: "text", clears: true,
			put: (*requestBuilder).putLastName, null: (*requestBuilder).clearLastName,
		},
		{
			name: "middleName", aliases: []string{"attributes.middlename"}, types: text, kind: "text", clears: true,
			put: (*requestBuilder).putMiddleName, null: (*requestBuilder).clearMiddleName,
		},
		{
			name: "birthday", aliases: []string{"attributes.birthday"}, types: date, kind: "date", clears: true,
			put: (*requestBuilder).putBirthday, null: (*requestBuilder).clearBirthday,
		},
		{
			name: "gender", aliases: []string{"attributes.gender"}, types: text, kind: "gender", clears: true,
			put: (*requestBuilder).putGender, null: (*requestBuilder).clearGender,
		},
		{
			name: "tags", aliases: []string{"attributes.tags"}, types: text, kind: "tags", clears: true,
			put: (*requestBuilder).putTags, null: (*requestBuilder).clearTags,
		},
		{
			name: "customAttributes", aliases: []string{"attributes.customattributes"}, shape: prefixShape, types: scalar, kind: "attribute", clears: true,
			put: (*requestBuilder).putCustom, null: (*requestBuilder).clearCustom, object: (*requestBuilder).putCustomObject,
		},
		{name: "isPrimary", types: boolean, kind: "boolean", put: (*requestBuilder).putIsPrimary},
		{name: "registrationEnabled", aliases: []string{"systemdata.registrationenabled"}, types: boolean, kind: "boolean", put: (*requestBuilder).putEnabled},
		{
			name: "additionalData", shape: prefixShape, types: scalar, kind: "attribute", clears: true,
			put: (*requestBuilder).putData, null: (*requestBuilder).clearData, object: (*requestBuilder).putDataObject,
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
