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
func (x *execution) requestName() string {
	switch {
	case x.people != nil && !x.flags.export.detail:
		return apiclient.OpListPersons.String()
	case x.exporting():
		return apiclient.OpGet.String()
	}
	return x.operation.Name
}

// addInventory tells of what an export published.
func (s *summary) addInventory(x *execution) {
	s.People = x.countPeople()
	m := x.inventory
	if m == nil {
		return
	}
	s.To = x.flags.export.to
	if o, err := x.inventoryOptions(); err == nil {
		s.To = o.Place()
	}
	s.Devices, s.TableFiles, s.Inventory = m.Rows, len(m.Files), m.Counts
}

// describeTable is the line of the terminal about a published table.
func (s *summary) describeTable() string {
	files := ""
	if s.TableFiles > 1 {
		files = fmt.Sprintf(" in %s files", grouped(int64(s.TableFiles)))
	}
	return fmt.Sprintf("%s %s%s: %s", grouped(s.Devices), plural(s.Devices, "device"), files, s.To)
}

// shownViews are what the terminal and the page show of an inventory.
var shownViews = []struct{ view, title string }{
	{"os", "os"},
	{"os_version", "os version"},
	{"app_version", "app version"},
	{"sdk_version", "SDK version"},
	{"cloud_type", "cloud type"},
	{"notifications", "notifications"},
	{"personalized", "personalized"},
	{"primary", "primary"},
	{"device_model", "device model"},
}

// shownValues is how many values of each the terminal shows.
const shownValues = 5

func (s *summary) printInventory(w io.Writer) {
	if s.People != nil {
		fmt.Fprintf(w, "  %-10s %s\n", "people", s.People.text())
	}
	if s.To == "" {
		return
	}
	fmt.Fprintf(w, "  %-10s %s\n", "table", s.describeTable())
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
	for i, v := range list { // "15 (1,962)": a version is not to be taken for a number
		if i < shownValues && v.Value != "other" {
			parts = append(parts, fmt.Sprintf("%s (%s)", v.Value, grouped(v.Count)))
		} else {
			other += v.Count
		}
	}
	if other > 0 {
		parts = append(parts, fmt.Sprintf("other (%s)", grouped(other)))
	}
	return strings.Join(parts, ", ")
}

// pageCharts are the breakdowns of the page: what summary.json counts, in its
// order.
func (s *summary) pageCharts() (charts []writers.Breakdown) {
	for _, v := range shownViews {
		list := s.Inventory[v.view]
		if len(list) == 0 {
			continue
		}
		chart := writers.Breakdown{Title: "Devices by " + v.title}
		for i, c := range list {
			if i == pageValues {
				chart.Bars = append(chart.Bars, rarerValues(list[i:]))
				break
			}
			chart.Bars = append(chart.Bars, writers.Bar{
				Name: cutTo(c.Value, pageName), Count: c.Count, Value: grouped(c.Count), Key: fmt.Sprintf("inventory.%s.%d.count", v.view, i),
			})
		}
		charts = append(charts, chart)
	}
	return charts
}

// rarerValues is one bar for what the page does not tell apart.
func rarerValues(list []writers.ValueCount) writers.Bar {
	b := writers.Bar{Name: fmt.Sprintf("%d more values, see summary.json", len(list))}
	for _, c := range list {
		b.Count += c.Count
	}
	b.Value = grouped(b.Count)
	return b
}

// pageTable are the page's facts about what an export published.
func (s *summary) pageTable() (facts []writers.Fact) {
	fact := func(name, key string, n int64) writers.Fact {
		return writers.Fact{Name: name, Value: grouped(n), Key: key, Raw: fmt.Sprint(n)}
	}
	if s.To != "" {
		facts = append(facts, writers.Fact{Name: "Table", Value: cut(s.To)}, fact("Devices", "devices", s.Devices))
	}
	if s.People == nil {
		return facts
	}
	facts = append(facts, fact("People listed", "people.listed", s.People.Listed))
	if s.People.Total != nil {
		facts = append(facts, fact("People, as the platform counts", "people.total", *s.People.Total))
	}
	return facts
}
