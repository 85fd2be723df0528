package undo

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"slices"
)

// fieldList gathers the fields that updates of one device wrote.
type fieldList struct {
	list  []Field
	index map[string]int
}

func newFields() *fieldList { return &fieldList{index: make(map[string]int)} }

// add takes a request. One that certainly succeeded replaces what was left before.
func (l *fieldList) add(sent *Record, certain bool) error {
	wrote, err := Flatten(sent.Body)
	if err != nil {
		return fmt.Errorf("a request of the run cannot be read: %w", err)
	}
	before, err := Flatten(sent.Before)
	if err != nil {
		return fmt.Errorf("what a device was cannot be read: %w", err)
	}
	for _, name := range slices.Sorted(maps.Keys(wrote)) {
		at, known := l.index[name]
		if !known {
			at = len(l.list)
			l.index[name] = at
			l.list = append(l.list, Field{Name: name, Before: before[name]})
		}
		if certain {
			l.list[at].Left = nil
		}
		l.list[at].Left = append(l.list[at].Left, wrote[name])
	}
	return nil
}

// Flatten lists the values of a registration that can be written, by the names of
// Field. Other members are passed over.
func Flatten(registration json.RawMessage) (map[string]json.RawMessage, error) {
	fields := make(map[string]json.RawMessage)
	if len(registration) == 0 {
		return fields, nil
	}
	var r struct {
		IsPrimary  json.RawMessage `json:"isPrimary"`
		SystemData struct {
			RegistrationEnabled json.RawMessage `json:"registrationEnabled"`
		} `json:"systemData"`
		AdditionalData map[string]json.RawMessage `json:"additionalData"`
	}
	if err := json.Unmarshal(registration, &r); err != nil {
		return nil, err
	}
	if r.IsPrimary != nil {
		fields["isPrimary"] = r.IsPrimary
	}
	if r.SystemData.RegistrationEnabled != nil {
		fields["systemData.registrationEnabled"] = r.SystemData.RegistrationEnabled
	}
	for name, value := range r.AdditionalData {
		fields["additionalData."+name] = value
	}
	return fields, nil
}

// SameValue reports whether two JSON scalars are the same value; an absent one is
// null. Numbers are compared as numbers, whole ones of 64 bits exactly.
func SameValue(a, b json.RawMessage) bool {
	a, b = scalar(a), scalar(b)
	if bytes.Equal(a, b) {
		return true
	}
	x, _, err := big.ParseFloat(string(a), 10, 128, big.ToNearestEven)
	y, _, other := big.ParseFloat(string(b), 10, 128, big.ToNearestEven)
	if err == nil && other == nil {
		return x.Cmp(y) == 0
	}
	var s, t string
	return a[0] == '"' && b[0] == '"' && json.Unmarshal(a, &s) == nil && json.Unmarshal(b, &t) == nil && s == t
}

func scalar(v json.RawMessage) json.RawMessage {
	if v = bytes.TrimSpace(v); len(v) == 0 {
		return json.RawMessage("null")
	}
	return v
}
