package main

import (
	"fmt"
	"io"
	"strings"

	"pushbatch/apiclient"
	"pushbatch/writers"
)

// peopleInput is the URI of the people listing as a run's input.
const peopleInput = "people"

// requestName is what the client calls the requests of the run.
func (j *job) requestName() string {
	switch {
	case j.people != nil && !j.flags.export.detail:
		return apiclient.OpListPersons.String()
	case j.exporting():
		return apiclient.OpGet.String()
	}
	return j.operation.Name
}

// addInventory tells of what an export published; nil: nothing.
func (s *summary) addInventory(j *job, m *writers.Manifest) {
	s.People = j.countPeople()
	if m == nil {
		return
	}
	s.To, s.Devices, s.Inventory = j.flags.export.to, m.Rows, m.Counts
	s.published = describeExport(j.flags.export.to, m)
}

// shownViews are what the terminal shows of an inventory.
var shownViews = []struct{ view, title string }{
	{"os", "os"},
	{"os_version", "os version"},
	{"app_version", "app version"},
	{"sdk_version", "SDK version"},
	{"cloud_type", "cloud type"},
	{"notifications", "notifications"},
	{"personalized", "personalized"},
	{"primary", "primary"},
}

// shownValues is how many values of each the terminal shows.
const shownValues = 5

func (s *summary) printInventory(w io.Writer) {
	if s.People != nil {
		fmt.Fprintf(w, "  %-10s %s\n", "people", s.People.text())
	}
	if s.published == "" {
		return
	}
	fmt.Fprintf(w, "  %-10s %s\n", "table", s.published)
	for _, v := range shownViews {
		if list := s.Inventory[v.view]; len(list) > 0 {
			fmt.Fprintf(w, "    %-13s %s\n", v.title, valuesText(list))
		}
	}
}

// valuesText lists the most frequent values; the rest is "other".
func valuesText(list []writers.ValueCount) string {
	var parts []string
	other := int64(0)
	for i, v := range list {
		if i < shownValues && v.Value != "other" {
			parts = append(parts, v.Value+" "+grouped(v.Count))
		} else {
			other += v.Count
		}
	}
	if other > 0 {
		parts = append(parts, "other "+grouped(other))
	}
	return strings.Join(parts, ", ")
}
