// Package owners finds out whose every device is, from the people listing or from an
// inventory that export made, and writes it into the log of a run that can be undone.
//
//	partial, err := owners.FromInventory(ctx, "inventory.parquet", log)
//	err := owners.FromListing(ctx, client, folder, log)
package owners

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"pushbatch/batch"
	"pushbatch/batch/undo"
	"pushbatch/readers/people"
)

// layout makes a row of every device: its id, its application, its person.
type layout struct{}

// Columns implements people.Layout.
func (layout) Columns() []batch.Column {
	return []batch.Column{{Name: "registrationId", Kind: batch.Text}, {Name: "applicationId", Kind: batch.Text}, {Name: "person", Kind: batch.Text}, {Name: "web", Kind: batch.Text}}
}

// Devices implements people.Layout.
func (layout) Devices(raw []byte, _ time.Time) (rows [][]batch.Value) {
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
	d := json.NewDecoder(strings.NewReader(string(raw)))
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
	text, _ := json.Marshal(person) // texts
	for i, d := range slices.Concat(c.Push, c.Webpush) {
		web := strconv.FormatBool(i >= len(c.Push))
		rows = append(rows, []batch.Value{batch.TextValue(d.RegistrationID), batch.TextValue(d.ApplicationID), batch.TextValue(string(text)), batch.TextValue(web)})
	}
	return rows
}

// FromListing writes the whole people listing, as sender gives it. One that was cut
// off begins anew. What it keeps on disk meanwhile lies in folder, which the caller
// removes.
func FromListing(ctx context.Context, sender people.Doer, folder string, log *undo.Log) error {
	source, err := people.New(people.Options{Sender: sender}, layout{}, func() string { return filepath.Join(folder, "people") })
	if err != nil {
		return err
	}
	for row, err := range source.Rows(ctx, batch.Position{}) {
		if err != nil {
			return fmt.Errorf("look whose the devices are: %w", err)
		}
		person := new(undo.Person)
		if err := json.Unmarshal([]byte(row.Values[2].Text), person); err != nil {
			return err
		}
		r := undo.Record{Kind: undo.KindPerson, Device: row.Values[0].Text, Application: row.Values[1].Text, Person: person, Web: row.Values[3].Text == "true"}
		if err := log.Append(r); err != nil {
			return err
		}
	}
	return nil
}
