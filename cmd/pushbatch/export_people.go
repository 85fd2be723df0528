package main

import (
	"cmp"
	"context"
	"time"

	"pushbatch/apiclient"
	"pushbatch/batch/ops"
	"pushbatch/batch/runstore"
	"pushbatch/readers/people"
	"pushbatch/writers/report"
)

// peopleInput is the URI of the people listing as a run's input.
const peopleInput = "people"

// peopleFile is where a run keeps what it read of the people listing.
const peopleFile = runstore.PeopleFile

// peopleOptions say what is read of the people listing.
func (e *exportFlags) peopleOptions(sender people.Doer) (people.Options, error) {
	o := people.Options{Sender: sender, Filter: e.filter, Application: e.application, Detail: e.detail}
	if e.modifiedSince == "" {
		return o, nil
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339, "2006-01-02T15:04:05"} {
		if t, err := time.Parse(layout, e.modifiedSince); err == nil {
			o.ModifiedSince = t
			return o, nil
		}
	}
	return o, usageError("--modified-since %q: a time such as 2026-01-31 or 2026-01-31T12:00:00Z was expected", e.modifiedSince)
}

// openPeople makes the people listing the one input of the run.
func (x *execution) openPeople(ctx context.Context) error {
	o, err := x.flags.export.peopleOptions(x.sender())
	if err = cmp.Or(err, x.chooseSince(ctx)); err != nil {
		return err
	}
	if !x.spec.Since.IsZero() {
		o.ModifiedSince = x.spec.Since
	}
	x.people, err = people.New(o, x.layout, func() string { return x.folder.LocalPath(peopleFile) })
	if err != nil {
		return usageError("--filter: %v", err)
	}
	if x.folder != nil && x.folder.Exists(publishedFile) {
		x.people.End()
	}
	binding := &ops.Binding{Map: ops.Listed(x.sender(), o.Detail)}
	for i, c := range x.people.Header() {
		binding.Columns = append(binding.Columns, ops.ColumnUse{Column: c.Name, Index: i, Use: ops.Sent})
	}
	x.opened = []openedInput{{source: x.people, binding: binding}}
	return nil
}

// countPeople compares what was listed with what the platform counts.
func (x *execution) countPeople() *report.People {
	if x.people == nil || x.listed != nil {
		return x.listed
	}
	c := x.people.Count()
	s := &report.People{Listed: c.People, Repeated: c.Gaps}
	if c.Total >= 0 {
		s.Total = &c.Total
	}
	return s
}

// requestName is what the client calls the requests of the run.
func (x *execution) requestName() string {
	switch {
	case x.people != nil && !x.flags.export.detail:
		return apiclient.OpListPersons.String()
	case x.exporting():
		return apiclient.OpGet.String()
	}
	return x.operation.Name
}

// tableSummary is what the summary says of an export; nil: the run is none.
func (x *execution) tableSummary() *report.Table {
	if !x.exporting() {
		return nil
	}
	t := &report.Table{People: x.countPeople()}
	m := x.inventory
	if m == nil {
		return t
	}
	t.To = x.flags.export.to
	if m.Day != "" {
		t.To += "day=" + m.Day + "/devices.parquet"
	} else if o, err := x.inventoryOptions(); err == nil {
		t.To = o.Place()
	}
	t.Devices, t.TableFiles, t.Inventory, t.Changes, t.RowsBefore = m.Rows, len(m.Files), m.Counts, m.Changes, m.Before
	t.Partial, t.Unnamed = m.Partial, m.Unnamed
	for _, a := range x.applications {
		a.Listed = m.Applications[a.ID]
		t.Applications = append(t.Applications, a)
	}
	return t
}

// listApplications asks for the account's applications: for their codes, and to
// check the devices listed against the number registered. A key that may not read
// them is no fault.
func (x *execution) listApplications(ctx context.Context) error {
	if x.client == nil || x.folder.Exists(publishedFile) {
		return nil
	}
	list, err := x.askApplications(ctx)
	if err != nil {
		x.log.Info("the applications cannot be listed: the column app_code stays empty, and nothing is checked against them", "error", err)
		return nil
	}
	x.layout.Codes = make(map[string]string)
	for _, a := range list {
		x.layout.Codes[a.ID] = a.Code
	}
	x.applications = list
	return nil
}
