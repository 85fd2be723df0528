package report

import (
	"fmt"
	"strings"

	"pushbatch/writers/inventory"
)

// Table is what a summary says of the table that an export published, and of the
// people it came from.
type Table struct {
	To         string           `json:"to,omitempty"` // where it is published; empty: it was not
	Devices    int64            `json:"devices,omitempty"`
	TableFiles int              `json:"table_files,omitempty"`
	People     *People          `json:"people,omitempty"`
	Inventory  inventory.Counts `json:"inventory,omitempty"` // the devices by what they are

	RowsBefore   *int64             `json:"rows_before,omitempty"` // of the table whose place it took
	Partial      string             `json:"partial,omitempty"`     // which part of the devices was asked for
	Changes      *inventory.Changes `json:"changes,omitempty"`     // from the day before
	Applications []Application      `json:"applications,omitempty"`
	Unnamed      []string           `json:"unnamed_fields,omitempty"` // of the platform, that have no column
}

// Application is one application of the account.
type Application struct {
	ID         string `json:"applicationId"`
	Code       string `json:"applicationCode"`
	Name       string `json:"name"`
	Registered int64  `json:"registrationsCount"` // as the platform counts
	Listed     int64  `json:"listed"`             // rows of the table
}

func (a *Application) String() string {
	text := fmt.Sprintf("%s: %s of %s registered devices listed", cut(a.Name, shortText), Grouped(a.Listed), Grouped(a.Registered))
	switch {
	case a.Listed == a.Registered:
		return text
	case a.Listed > a.Registered:
		return fmt.Sprintf("%s, %s more than the platform counts", text, Grouped(a.Listed-a.Registered))
	}
	return fmt.Sprintf("%s; %s %s to nobody, or came since: no listing has them", text, Grouped(a.Registered-a.Listed), Pick(a.Registered-a.Listed, "belongs", "belong"))
}

// People is how complete a walk over the people listing was.
type People struct {
	Listed   int64  `json:"listed"`
	Total    *int64 `json:"total"`          // as the platform counted at the last page; null: it did not
	Repeated int64  `json:"repeated_pages"` // because people were removed meanwhile
}

func (p *People) String() string {
	text := Grouped(p.Listed) + " listed"
	switch {
	case p.Total == nil:
		return text + "; the platform did not say how many there are"
	case *p.Total == p.Listed:
		return text + ", as many as the platform counts"
	case *p.Total > p.Listed:
		return fmt.Sprintf("%s; the platform counts %s at the end: %s more, not listed", text, Grouped(*p.Total), Grouped(*p.Total-p.Listed))
	}
	return fmt.Sprintf("%s; the platform counts %s at the end: %s were removed during the walk", text, Grouped(*p.Total), Grouped(p.Listed-*p.Total))
}

const (
	terminalValues = 5  // of a view
	pageValues     = 20 // of a view
)

// views says how many devices have the most frequent values, a line a view.
func (t *Table) views() (lines []string) {
	for _, v := range inventory.Views {
		if list := t.Inventory[v.Name]; len(list) > 0 {
			lines = append(lines, fmt.Sprintf("%-13s %s", v.Title, valuesText(list)))
		}
	}
	return lines
}

// reconciled are the applications that can be checked: the listing was of
// everybody.
func (t *Table) reconciled() (texts []string) {
	if t.Partial != "" || t.People == nil {
		return nil
	}
	for i := range t.Applications {
		texts = append(texts, t.Applications[i].String())
	}
	return texts
}

// valuesText lists the most frequent values; the rest is "other". A count stands
// in brackets, so that a version is not taken for a number.
func valuesText(list []inventory.ValueCount) string {
	var parts []string
	other := int64(0)
	for i, v := range list {
		if i < terminalValues && v.Value != "other" {
			parts = append(parts, fmt.Sprintf("%s (%s)", v.Value, Grouped(v.Count)))
		} else {
			other += v.Count
		}
	}
	if other > 0 {
		parts = append(parts, fmt.Sprintf("other (%s)", Grouped(other)))
	}
	return strings.Join(parts, ", ")
}

// breakdown counts devices by one property.
type breakdown struct {
	Title string
	Bars  []bar
}

// bar is one value of a breakdown.
type bar struct {
	fact         // its note is the part of all bars
	Width string // in percent of the largest
}

// breakdownOf draws counts.
func breakdownOf(title string, counts []fact) breakdown {
	b := breakdown{Title: title}
	sum, most := int64(0), int64(1)
	for _, f := range counts {
		sum, most = sum+f.count, max(most, f.count)
	}
	for _, f := range counts {
		f.Note = Percent(f.count, sum)
		b.Bars = append(b.Bars, bar{f, unit(100 * float64(f.count) / float64(most))})
	}
	return b
}

// breakdowns are what summary.json counts, in its order.
func (t *Table) breakdowns() (all []breakdown) {
	if t == nil {
		return nil
	}
	if t.Changes != nil {
		all = append(all, changeBreakdowns(t.Changes)...)
	}
	for _, v := range inventory.Views {
		list := t.Inventory[v.Name]
		if len(list) == 0 {
			continue
		}
		var counts []fact
		for i, c := range list[:min(len(list), pageValues)] {
			counts = append(counts, countFact(cut(c.Value, shortText), fmt.Sprintf("inventory.%s.%d.count", v.Name, i), c.Count))
		}
		if rest := list[len(counts):]; len(rest) > 0 {
			rarer := int64(0)
			for _, c := range rest {
				rarer += c.Count
			}
			counts = append(counts, countFact(fmt.Sprintf("%d more values, see summary.json", len(rest)), "", rarer))
		}
		all = append(all, breakdownOf("Devices by "+v.Title, counts))
	}
	return all
}

// changeBreakdowns count what became of devices since the day before, and which
// columns changed most.
func changeBreakdowns(c *inventory.Changes) []breakdown {
	what := []fact{countFact("appeared", "changes.appeared", c.Appeared), countFact("vanished", "changes.vanished", c.Vanished), countFact("changed", "changes.changed", c.Changed)}
	all := []breakdown{breakdownOf("Changes since "+c.Since, what)}
	var columns []fact
	for _, name := range mostFirst(c.Columns) {
		columns = append(columns, countFact(name, "changes.columns."+name, c.Columns[name]))
	}
	if len(columns) > 0 {
		all = append(all, breakdownOf("Changed values by column", columns[:min(len(columns), pageValues)]))
	}
	return all
}
