package undo

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"
	"math/big"
	"slices"

	"pushbatch/batch/spill"
)

// Restore is what would put one device back.
type Restore struct {
	Device      string `json:"registrationId"`
	AppCode     string `json:"appCode,omitempty"`
	Application string `json:"applicationId,omitempty"`
	Web         bool   `json:"web,omitempty"` // it is known to be a web push registration

	// Of an update: the values that the run wrote, each with what it was before
	// and what the run may have left, as JSON.
	Fields []Field `json:"fields,omitempty"`

	// Of personalize and depersonalize: whose the device was, and whose it may be now.
	Before *Person  `json:"before,omitempty"` // nil: nobody's
	Known  bool     `json:"known"`            // Before is known
	Left   []Person `json:"left,omitempty"`   // that a personalize named
	Nobody bool     `json:"nobody,omitempty"` // the run may have left it nobody's

	Attributes bool `json:"attributes,omitempty"` // the run gave the person attributes or tags, which stay
}

// Field is one value of a device that an update wrote.
type Field struct {
	Name   string            `json:"name"`             // isPrimary, systemData.registrationEnabled or additionalData.NAME
	Before json.RawMessage   `json:"before,omitempty"` // absent: it was not there
	Left   []json.RawMessage `json:"left"`
}

// Plan reads the records of a run of an operation and calls yield for every device
// that the run changed or may have changed, sorted by nothing that means anything
// but always the same. folder is for temporary files. Memory holds a thousandth of
// the records at a time.
func Plan(operation string, records iter.Seq2[Record, error], folder string, yield func(*Restore) error) (err error) {
	buckets, err := spill.New(folder, 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, buckets.Close()) }()
	listed, partial := false, false
	for r, err := range records {
		if err != nil {
			return err
		}
		if r.Kind == KindListed {
			listed, partial = true, r.Partial
			continue
		}
		data, err := json.Marshal(&r)
		if err != nil {
			return err
		}
		if err := buckets.Add(spill.KeyOf(r.Device), data); err != nil {
			return fmt.Errorf("device of %d bytes: %w", len(r.Device), err)
		}
	}
	for bucket, err := range buckets.All() {
		if err != nil {
			return err
		}
		if err := planBucket(operation, bucket, listed && !partial, yield); err != nil {
			return err
		}
	}
	return nil
}

// planBucket plans the devices of one bucket, in the order of their first records.
func planBucket(operation string, bucket []spill.Record, everybody bool, yield func(*Restore) error) error {
	devices := make(map[spill.Key][]Record)
	var order []spill.Key
	for _, b := range bucket {
		var r Record
		if err := json.Unmarshal(b.Data, &r); err != nil {
			return err
		}
		if devices[b.Key] == nil {
			order = append(order, b.Key)
		}
		devices[b.Key] = append(devices[b.Key], r)
	}
	for _, key := range order {
		r, err := planDevice(operation, devices[key], everybody)
		if err != nil {
			return err
		}
		if r == nil {
			continue
		}
		if err := yield(r); err != nil {
			return err
		}
	}
	return nil
}

// planDevice works out what one device was and what the run may have left; nil:
// the run changed nothing.
func planDevice(operation string, records []Record, everybody bool) (*Restore, error) {
	r := &Restore{Known: everybody}
	changed := false
	var registration json.RawMessage // that an inventory had
	for i, record := range records {
		switch record.Kind {
		case KindPerson:
			if !changed {
				r.Before, r.Known, r.Application, r.Web, registration = record.Person, true, record.Application, record.Web, record.Before
			}
		case KindSent:
			ended := endOf(records[i+1:])
			if ended == Refused {
				continue
			}
			changed = true
			r.Device, r.AppCode = record.Device, record.AppCode
			if operation == "update" {
				if len(record.Before) == 0 {
					record.Before = registration
				}
				r.Known = len(record.Before) > 0
				if err := r.write(&record, ended == Succeeded); err != nil {
					return nil, err
				}
				continue
			}
			r.leave(&record, operation, ended == Succeeded)
		}
	}
	if !changed {
		return nil, nil
	}
	return r, nil
}

// endOf is how the request whose record stands before these ended.
func endOf(records []Record) string {
	for _, r := range records {
		switch r.Kind {
		case KindEnd:
			return r.Ended
		case KindSent:
			return Unknown // the process died before
		}
	}
	return Unknown
}

// leave notes whose the device may be after a request.
func (r *Restore) leave(sent *Record, operation string, certain bool) {
	if certain {
		r.Left, r.Nobody = nil, false
	}
	if operation == "depersonalize" || len(sent.Body) == 0 { // the latter: a device that --mirror took back
		r.Nobody = true
		return
	}
	var body struct {
		Identity struct {
			ExternalID  string `json:"externalId"`
			PhoneNumber string `json:"phoneNumber"`
			Email       string `json:"email"`
		} `json:"identity"`
		Attributes json.RawMessage `json:"attributes"`
	}
	_ = json.Unmarshal(sent.Body, &body) // it was made by us; without an identity nobody fits
	r.Attributes = r.Attributes || len(body.Attributes) > 2
	r.Left = append(r.Left, Person{ExternalID: body.Identity.ExternalID, Phone: body.Identity.PhoneNumber, Email: body.Identity.Email})
	if !certain { // a reset may have been carried out alone
		r.Nobody = true
	}
}

// write adds the fields of an update. One that certainly succeeded replaces what was
// left before.
func (r *Restore) write(sent *Record, certain bool) error {
	wrote, err := Flatten(sent.Body)
	if err != nil {
		return fmt.Errorf("a request of the run cannot be read: %w", err)
	}
	before, err := Flatten(sent.Before)
	if err != nil {
		return fmt.Errorf("what a device was cannot be read: %w", err)
	}
	for _, name := range slices.Sorted(maps.Keys(wrote)) {
		at := slices.IndexFunc(r.Fields, func(f Field) bool { return f.Name == name })
		if at < 0 {
			at = len(r.Fields)
			r.Fields = append(r.Fields, Field{Name: name, Before: before[name]})
		}
		if certain {
			r.Fields[at].Left = nil
		}
		r.Fields[at].Left = append(r.Fields[at].Left, wrote[name])
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
