// Package owners finds out whose every device is, from the people listing or from an
// inventory that export made, and writes it into the log of a run that can be undone.
//
//	partial, err := owners.FromInventory(ctx, "inventory.parquet", log)
//	err := owners.FromListing(ctx, client, log)
package owners

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"pushbatch/batch/undo"
	"pushbatch/readers/people"
)

// FromListing writes the whole people listing, as sender gives it. One that was cut
// off begins anew.
func FromListing(ctx context.Context, sender people.Doer, log *undo.Log) error {
	err := people.Each(ctx, sender, func(raw []byte) error {
		for _, r := range records(raw) {
			if err := log.Append(r); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("look whose the devices are: %w", err)
	}
	return nil
}

// records says of every device of a listed person whose it is.
func records(raw []byte) (records []undo.Record) {
	type device struct{ RegistrationID, ApplicationID string }
	var p struct {
		ID                 any
		ExternalID         string
		ContactInformation struct {
			Phone         []struct{ Number string }
			Email         []struct{ Address string }
			Push, Webpush []device
		}
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if d.Decode(&p) != nil {
		return nil // the listing was read as JSON before
	}
	person := undo.Person{ID: fmt.Sprint(p.ID), ExternalID: p.ExternalID}
	c := p.ContactInformation
	if len(c.Phone) > 0 {
		person.Phone = c.Phone[0].Number
	}
	if len(c.Email) > 0 {
		person.Email = c.Email[0].Address
	}
	for i, d := range slices.Concat(c.Push, c.Webpush) {
		records = append(records, undo.Record{
			Kind: undo.KindPerson, Device: d.RegistrationID, Application: d.ApplicationID, Person: &person, Web: i >= len(c.Push),
		})
	}
	return records
}
