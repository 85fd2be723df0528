package apiclient

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
)

// Flag is a boolean that the platform may send as a string ("true"), as it
// does in people listings.
type Flag bool

// UnmarshalJSON implements json.Unmarshaler.
func (f *Flag) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		return nil
	}
	v, err := strconv.ParseBool(string(bytes.Trim(data, `"`)))
	if err != nil {
		return fmt.Errorf("a boolean of %d characters is neither true nor false", len(data))
	}
	*f = Flag(v)
	return nil
}

// Text is a string that the platform may send as a number or a boolean.
type Text string

// UnmarshalJSON implements json.Unmarshaler.
func (t *Text) UnmarshalJSON(data []byte) error {
	if data[0] == '"' {
		return json.Unmarshal(data, (*string)(t))
	}
	if string(data) == "null" {
		return nil
	}
	if data[0] == '{' || data[0] == '[' {
		return errors.New("a text is an object or a list")
	}
	*t = Text(data)
	return nil
}

// Fields holds members that the types of this package do not know, as they
// came.
type Fields map[string]json.RawMessage

// Values holds attributes by name: string, bool, json.Number (with all its
// digits) or nil; a date is a string.
type Values map[string]any

// UnmarshalJSON implements json.Unmarshaler.
func (v *Values) UnmarshalJSON(data []byte) error {
	var m map[string]any
	if err := decodeNumbers(data, &m); err != nil {
		return err
	}
	*v = m
	return nil
}

// Registration is a device as the platform knows it. Fields that an answer
// lacks are nil.
type Registration struct {
	RegistrationID Text       `json:"registrationId"`
	ApplicationID  *Text      `json:"applicationId"`
	IsPrimary      *Flag      `json:"isPrimary"`
	SystemData     SystemData `json:"systemData"`
	AdditionalData Values     `json:"additionalData"`
	Extra          Fields     `json:"-"`
}

// SystemData is what the app's SDK reports of a device.
type SystemData struct {
	CloudType            *Text  `json:"cloudType"` // GCM, APNS, HMS, WEB
	RegistrationEnabled  *Flag  `json:"registrationEnabled"`
	NotificationsEnabled *Flag  `json:"notificationsEnabled"`
	GeofencingSDK        *Flag  `json:"geofencingSdk"`
	SDKVersion           *Text  `json:"sdkVersion"`
	AppVersion           *Text  `json:"appVersion"`
	OS                   *Text  `json:"os"`
	OSVersion            *Text  `json:"osVersion"`
	DeviceManufacturer   *Text  `json:"deviceManufacturer"`
	DeviceModel          *Text  `json:"deviceModel"`
	DeviceSecure         *Flag  `json:"deviceSecure"`
	OSLanguage           *Text  `json:"osLanguage"`
	DeviceTimezoneOffset *Text  `json:"deviceTimezoneOffset"` // for example GMT+03:00
	DeviceName           *Text  `json:"deviceName"`
	Extra                Fields `json:"-"`
}

// Person is a person as personalize and the people listing answer it. Fields
// that an answer lacks are nil.
type Person struct {
	ID                 *Text              `json:"id"`
	ExternalID         *Text              `json:"externalId"`
	FirstName          *Text              `json:"firstName"`
	LastName           *Text              `json:"lastName"`
	MiddleName         *Text              `json:"middleName"`
	Birthday           *Text              `json:"birthday"`
	Gender             *Text              `json:"gender"`
	CreatedAt          *Text              `json:"createdAt"`
	ModifiedAt         *Text              `json:"modifiedAt"`
	Tags               []Text             `json:"tags"`
	CustomAttributes   Values             `json:"customAttributes"`
	ContactInformation ContactInformation `json:"contactInformation"`
	Extra              Fields             `json:"-"`
}

// ContactInformation is how a person can be reached.
type ContactInformation struct {
	Phones []Phone        // phones in the answer of personalize, phone in listings
	Emails []Email        // emails, email
	Push   []Registration // personalize: only with ReturnPush
	Extra  Fields
}

// Phone is a phone number of a person.
type Phone struct {
	Number Text   `json:"number"`
	Extra  Fields `json:"-"`
}

// Email is an e-mail address of a person.
type Email struct {
	Address Text   `json:"address"`
	Extra   Fields `json:"-"`
}

// PersonPage is one page of the people listing.
type PersonPage struct {
	Persons    []Person    `json:"persons"`
	Limit      json.Number `json:"limit"`
	Page       json.Number `json:"page"`
	OrderBy    string      `json:"orderBy"`
	TotalCount json.Number `json:"totalCount"` // empty unless asked for
	Extra      Fields      `json:"-"`
}

// extra returns the members of an object that are not among known, nil when
// there are none.
func extra(data []byte, known ...string) (Fields, error) {
	var all Fields
	if err := json.Unmarshal(data, &all); err != nil {
		return nil, err
	}
	for _, name := range known {
		delete(all, name)
	}
	if len(all) == 0 {
		return nil, nil
	}
	return all, nil
}
