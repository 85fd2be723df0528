package main

import (
	"fmt"
	"time"

	"pushbatch/batch/ops"
)

// peopleFile is where a run keeps what it read of the people listing.
const peopleFile = "people.spool"

// peopleOptions say what the walk over the listing takes.
func (e *exportFlags) peopleOptions(sender ops.Doer) (ops.PeopleOptions, error) {
	o := ops.PeopleOptions{Sender: sender, Filter: e.filter, Application: e.application, Detail: e.detail}
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
func (x *execution) openPeople() error {
	o, err := x.flags.export.peopleOptions(x.sender())
	if err != nil {
		return err
	}
	x.people, err = ops.NewPeople(o, ops.NewInventory(true), func() string { return x.folder.LocalPath(peopleFile) })
	if err != nil {
		return usageError("--filter: %v", err)
	}
	if x.folder != nil && x.folder.Exists(publishedFile) {
		x.people.End()
	}
	binding := &ops.Binding{Map: x.people.Map}
	for i, c := range x.people.Header() {
		binding.Columns = append(binding.Columns, ops.ColumnUse{Column: c.Name, Index: i, Use: ops.Sent})
	}
	x.opened = []openedInput{{source: x.people, binding: binding}}
	return nil
}

// countPeople compares what was listed with what the platform counts.
func (x *execution) countPeople() *peopleSummary {
	if x.people == nil || x.listed != nil {
		return x.listed
	}
	c := x.people.Count()
	s := &peopleSummary{Listed: c.People, Repeated: c.Gaps}
	if c.Total >= 0 {
		s.Total = &c.Total
	}
	return s
}

// peopleSummary is what summary.json says of a walk over the people listing.
type peopleSummary struct {
	Listed   int64  `json:"listed"`
	Total    *int64 `json:"total"`          // as the platform counted at the last page; null: it did not
	Repeated int64  `json:"repeated_pages"` // because people were removed meanwhile
}

// text is the line of the terminal.
func (s *peopleSummary) text() string {
	text := grouped(s.Listed) + " listed"
	switch {
	case s.Total == nil:
		return text + "; the platform did not say how many there are"
	case *s.Total == s.Listed:
		return text + ", as many as the platform counts"
	case *s.Total > s.Listed:
		return fmt.Sprintf("%s; the platform counts %s at the end: %s more, not listed", text, grouped(*s.Total), grouped(*s.Total-s.Listed))
	}
	return fmt.Sprintf("%s; the platform counts %s at the end: %s were removed during the walk", text, grouped(*s.Total), grouped(s.Listed-*s.Total))
}
