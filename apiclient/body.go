package apiclient

import (
	"strconv"

	"pushbatch/batch/jsonappend"
)

// Value is a value of an attribute: a JSON scalar in its text form, so that a
// number keeps every digit it was given with. The zero Value is absent: it is
// not sent.
type Value struct {
	kind valueKind
	text string
}

type valueKind uint8

const (
	absent   valueKind = iota
	raw                // text is JSON
	quoted             // text is to become a JSON string
	midnight           // text is YYYY-MM-DD, to become a date-time
)

// Null clears an attribute at the platform.
var Null = Value{raw, "null"}

// String returns a string value.
func String(s string) Value { return Value{quoted, s} }

// Bool returns a boolean value.
func Bool(b bool) Value { return Value{raw, strconv.FormatBool(b)} }

// Number returns a number value. text must be a number in JSON's syntax; its
// digits are sent as they are.
func Number(text string) Value { return Value{raw, text} }

// Date returns a date value. day has the form YYYY-MM-DD.
func Date(day string) Value { return Value{quoted, day} }

// Midnight returns a date-time value: midnight UTC of a day, which has the form
// YYYY-MM-DD.
func Midnight(day string) Value { return Value{midnight, day} }

func (v Value) appendJSON(dst []byte) []byte {
	switch v.kind {
	case quoted:
		return jsonappend.String(dst, v.text)
	case midnight:
		dst = append(append(dst, '"'), v.text...)
		return append(dst, `T00:00:00Z"`...)
	}
	return append(dst, v.text...)
}

// IsAbsent reports whether v is the zero Value.
func (v Value) IsAbsent() bool { return v.kind == absent }

// Attribute is a named value of customAttributes or additionalData.
type Attribute struct {
	Name  string
	Value Value // absent attributes are not sent
}

// Identity names the person a device belongs to. At least one field must be
// set; empty fields are not sent.
type Identity struct {
	ExternalID  string // at most 256 characters, never null, Null or NULL
	PhoneNumber string // E.164 digits
	Email       string
}

// Attributes are what personalize writes to the person. Absent values are not
// sent and stay as they are at the platform.
type Attributes struct {
	FirstName  Value // at most 255 characters
	LastName   Value // at most 255 characters
	MiddleName Value // at most 50 characters
	Birthday   Value // date-time: midnight UTC of the day
	Gender     Value // MALE or FEMALE
	Tags       []string
	ClearTags  bool // send tags as null; Tags must be empty
	Custom     []Attribute
}

// Personalize is the body of a personalize request.
type Personalize struct {
	Identity   Identity
	Attributes Attributes
}

// PersonalizeOptions are the query parameters of personalize. False values are
// not sent; the platform takes a missing parameter as false.
type PersonalizeOptions struct {
	ForceDepersonalize bool // reset an earlier personalization of the device first
	KeepAsLead         bool // do not promote the person from lead to customer
	ReturnPush         bool // answer with the person's push devices
	SetDeviceAsPrimary bool // make the device the person's primary device
}

// Update is the body of an update (PATCH). Only what can be written is here.
type Update struct {
	IsPrimary           Value // boolean
	RegistrationEnabled Value // boolean, sent as systemData.registrationEnabled
	AdditionalData      []Attribute
}

// IsEmpty reports whether u would change nothing.
func (u *Update) IsEmpty() bool {
	return u.IsPrimary.IsAbsent() && u.RegistrationEnabled.IsAbsent() && len(u.AdditionalData) == 0
}

// AppendJSON appends the body of the request.
func (p *Personalize) AppendJSON(dst []byte) []byte {
	dst = append(dst, `{"identity":`...)
	o := object{dst: dst, first: true}
	o.text(`"externalId":`, p.Identity.ExternalID)
	o.text(`"phoneNumber":`, p.Identity.PhoneNumber)
	o.text(`"email":`, p.Identity.Email)
	dst = o.end()
	bare := len(dst)
	dst = append(dst, `,"attributes":`...)
	at := &p.Attributes
	o = object{dst: dst, first: true}
	o.value(`"firstName":`, at.FirstName)
	o.value(`"lastName":`, at.LastName)
	o.value(`"middleName":`, at.MiddleName)
	o.value(`"birthday":`, at.Birthday)
	o.value(`"gender":`, at.Gender)
	o.tags(at)
	o.attributes(`"customAttributes":`, at.Custom)
	if o.first { // there are none
		return append(dst[:bare], '}')
	}
	return append(o.end(), '}')
}

// AppendJSON appends the body of the request.
func (u *Update) AppendJSON(dst []byte) []byte {
	o := object{dst: dst, first: true}
	o.value(`"isPrimary":`, u.IsPrimary)
	if !u.RegistrationEnabled.IsAbsent() {
		o.value(`"systemData":`, Value{raw, `{"registrationEnabled":` + u.RegistrationEnabled.text + `}`})
	}
	o.attributes(`"additionalData":`, u.AdditionalData)
	return o.end()
}

// object appends the members of one JSON object.
type object struct {
	dst   []byte
	first bool
}

func (o *object) next() {
	c := byte(',')
	if o.first {
		c, o.first = '{', false
	}
	o.dst = append(o.dst, c)
}

// name begins a member of the platform's own name, given as it stands in JSON:
// "name":
func (o *object) name(name string) {
	o.next()
	o.dst = append(o.dst, name...)
}

func (o *object) text(name, s string) {
	if s != "" {
		o.name(name)
		o.dst = jsonappend.String(o.dst, s)
	}
}

func (o *object) value(name string, v Value) {
	if !v.IsAbsent() {
		o.name(name)
		o.dst = v.appendJSON(o.dst)
	}
}

func (o *object) tags(at *Attributes) {
	if at.ClearTags {
		o.value(`"tags":`, Null)
		return
	}
	if len(at.Tags) == 0 {
		return
	}
	o.name(`"tags":`)
	before := byte('[')
	for _, tag := range at.Tags {
		o.dst = jsonappend.String(append(o.dst, before), tag)
		before = ','
	}
	o.dst = append(o.dst, ']')
}

func (o *object) attributes(name string, list []Attribute) {
	if len(list) == 0 {
		return
	}
	o.name(name)
	inner := object{dst: o.dst, first: true}
	for _, a := range list {
		if !a.Value.IsAbsent() {
			inner.next()
			inner.dst = append(jsonappend.String(inner.dst, a.Name), ':')
			inner.dst = a.Value.appendJSON(inner.dst)
		}
	}
	o.dst = inner.end()
}

func (o *object) end() []byte {
	if o.first {
		o.dst = append(o.dst, '{')
	}
	return append(o.dst, '}')
}
