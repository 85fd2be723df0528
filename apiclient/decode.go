package apiclient

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
)

// decodeKnown fills what v, a pointer to a struct of this package, has fields
// for, and returns the other members.
func decodeKnown(data []byte, v any) (Fields, error) {
	if err := json.Unmarshal(data, v); err != nil {
		return nil, err
	}
	t := reflect.TypeOf(v).Elem()
	known := make([]string, 0, t.NumField())
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		known = append(known, name)
	}
	return extra(data, known...)
}

// UnmarshalJSON keeps unknown members in Extra.
func (r *Registration) UnmarshalJSON(data []byte) (err error) {
	type plain Registration
	r.Extra, err = decodeKnown(data, (*plain)(r))
	return err
}

// UnmarshalJSON keeps unknown members in Extra.
func (s *SystemData) UnmarshalJSON(data []byte) (err error) {
	type plain SystemData
	s.Extra, err = decodeKnown(data, (*plain)(s))
	return err
}

// UnmarshalJSON keeps unknown members in Extra.
func (p *Person) UnmarshalJSON(data []byte) (err error) {
	type plain Person
	p.Extra, err = decodeKnown(data, (*plain)(p))
	return err
}

// UnmarshalJSON keeps unknown members in Extra.
func (p *Phone) UnmarshalJSON(data []byte) (err error) {
	type plain Phone
	p.Extra, err = decodeKnown(data, (*plain)(p))
	return err
}

// UnmarshalJSON keeps unknown members in Extra.
func (e *Email) UnmarshalJSON(data []byte) (err error) {
	type plain Email
	e.Extra, err = decodeKnown(data, (*plain)(e))
	return err
}

// UnmarshalJSON keeps unknown members in Extra.
func (p *PersonPage) UnmarshalJSON(data []byte) (err error) {
	type plain PersonPage
	p.Extra, err = decodeKnown(data, (*plain)(p))
	return err
}

// UnmarshalJSON takes both spellings that the platform uses for phones and
// e-mails, and keeps unknown members in Extra.
func (c *ContactInformation) UnmarshalJSON(data []byte) (err error) {
	var both struct {
		Phones []Phone        `json:"phones"`
		Phone  []Phone        `json:"phone"`
		Emails []Email        `json:"emails"`
		Email  []Email        `json:"email"`
		Push   []Registration `json:"push"`
	}
	c.Extra, err = decodeKnown(data, &both)
	c.Phones = slices.Concat(both.Phones, both.Phone)
	c.Emails = slices.Concat(both.Emails, both.Email)
	c.Push = both.Push
	return err
}

// decodePersonPage reads the listing's answer, which for a query by identifier
// is one person without a page around it.
func decodePersonPage(data []byte) (*PersonPage, error) {
	page := new(PersonPage)
	if err := json.Unmarshal(data, page); err != nil {
		return nil, err
	}
	if _, single := page.Extra["contactInformation"]; single && page.Persons == nil {
		page = &PersonPage{Persons: make([]Person, 1)}
		return page, json.Unmarshal(data, &page.Persons[0])
	}
	return page, nil
}
