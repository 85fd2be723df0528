package inventory

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"pushbatch/batch"
)

const (
	maxCounted = 1000 // different values of a column that are told apart
	maxShown   = 20   // of them that a summary shows; the rest is "other"
)

// ValueCount is how many devices have a value.
type ValueCount struct {
	Value string `json:"value"`
	Count int64  `json:"count"`
}

// Counts are the devices of an inventory by what they are: the name
// of a view (os, notifications, …) and its values, the most frequent first.
// What comes beyond 20 values is counted as "other", a missing one as
// "unknown".
type Counts map[string][]ValueCount

// View is one way to count devices.
type View struct {
	Name, Title string
	column      string            // empty: whether a device is somebody's
	words       map[string]string // what stands for true and false
}

var (
	onOff = map[string]string{"true": "on", "false": "off"}
	yesNo = map[string]string{"true": "yes", "false": "no"}
)

// Views are the ways in which devices are counted, in the order in which people are
// shown them.
var Views = []View{
	{"os", "os", "os", nil},
	{"channel", "channel", channelColumn, nil},
	{"os_version", "os version", "os_version", nil},
	{"app_version", "app version", "app_version", nil},
	{"notifications", "notifications", "notifications_enabled", onOff},
	{"device_model", "device model", "device_model", nil},
	{"sdk_version", "SDK version", "sdk_version", nil},
	{"cloud_type", "cloud type", "cloud_type", nil},
	{"personalized", "personalized", "", nil},
	{"primary", "primary", "is_primary", yesNo},
}

// view is one that is being counted.
type view struct {
	View
	counts map[string]int64
	cell   int // -1: whether a device is somebody's
}

// counter counts the lines of an inventory.
type counter struct {
	views    []*view
	identity []int // cells that make a device somebody's; none: not known

	application  int // cell
	applications map[string]int64
	extra        int // cell
	unnamed      map[string]bool
}

func newCounter(columns batch.Header) *counter {
	c := &counter{applications: make(map[string]int64), unnamed: make(map[string]bool)}
	c.application, c.extra = columns.Index(applicationColumn), columns.Index(extraColumn)
	for _, name := range []string{"external_id", "phone", "email"} {
		if at := columns.Index(name); at >= 0 {
			c.identity = append(c.identity, at)
		}
	}
	for _, v := range Views {
		if v.column != "" || len(c.identity) > 0 {
			c.views = append(c.views, &view{v, make(map[string]int64), columns.Index(v.column)})
		}
	}
	return c
}

// value is what a line has in a view.
func (c *counter) value(v *view, cells []batch.Value) string {
	if v.cell >= 0 {
		return cells[v.cell].Text
	}
	if slices.ContainsFunc(c.identity, func(at int) bool { return cells[at].Kind != batch.Null }) {
		return "yes"
	}
	return "no"
}

// noteFields takes the application, and the names of the fields that have no
// column.
func (c *counter) noteFields(cells []batch.Value) {
	if id := cells[c.application].Text; c.applications[id] > 0 || len(c.applications) < maxCounted {
		c.applications[strings.Clone(id)]++
	}
	if cells[c.extra].Kind == batch.Null {
		return
	}
	for name, raw := range membersOf(json.RawMessage(cells[c.extra].Text)) {
		for inner := range membersOf(raw) {
			c.noteField(name + "." + inner)
		}
		if raw[0] != '{' && name != "phones" && name != "emails" {
			c.noteField(name)
		}
	}
}

func (c *counter) noteField(name string) {
	if len(c.unnamed) < maxShown {
		c.unnamed[name] = true
	}
}

func (c *counter) unnamedFields() []string { return slices.Sorted(maps.Keys(c.unnamed)) }

func (c *counter) add(cells []batch.Value) {
	c.noteFields(cells)
	for _, v := range c.views {
		value := c.value(v, cells)
		if word := v.words[value]; word != "" {
			value = word
		}
		value = cmp.Or(value, "unknown")
		if _, known := v.counts[value]; !known && len(v.counts) >= maxCounted {
			value = "other"
		} else if !known {
			value = strings.Clone(value) // it shares the memory of its line
		}
		v.counts[value]++
	}
}

func (c *counter) result() Counts {
	all := make(Counts, len(c.views))
	for _, v := range c.views {
		all[v.Name] = v.list()
	}
	return all
}

func (v *view) list() []ValueCount {
	other := v.counts["other"]
	delete(v.counts, "other")
	values := slices.SortedFunc(maps.Keys(v.counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(v.counts[b], v.counts[a]), cmp.Compare(a, b))
	})
	list := []ValueCount{}
	for i, value := range values {
		if i < maxShown {
			list = append(list, ValueCount{value, v.counts[value]})
		} else {
			other += v.counts[value]
		}
	}
	if other > 0 {
		list = append(list, ValueCount{"other", other})
	}
	return list
}
