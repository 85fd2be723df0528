package inventory

import (
	"cmp"
	"encoding/json"
	"fmt"
	"hash/maphash"
	"maps"
	"slices"
	"strings"
	"time"

	"pushbatch/batch"
	"pushbatch/writers/table"
)

// clockMargin is how far the platform's clock may be behind ours.
const clockMargin = 10 * time.Minute

// eachRow calls a function for every gathered row, in order.
type eachRow func(fn func(cells []batch.Value) error) error

// firstPass is what must be known of all lines before the first is written.
type firstPass struct {
	partitions map[string]bool
	attributes map[string]string // name -> type, for AdditionalColumns
	counter    *counter
	id         int // cell of the registration id

	seed  maphash.Seed
	last  map[uint64]int64 // devices of people who changed during the walk -> their last line
	stale int64
	rows  int64 // that are published
}

// look reads all lines once, and twice more when people changed during a walk:
// a device that went from one person to another meanwhile may have been met at
// both. Only the last line of such a device counts; the devices to look at are
// as many as changed, not as many as there are.
func (o *Options) look(eachRow eachRow) (*firstPass, error) {
	s := &firstPass{
		partitions: make(map[string]bool), attributes: make(map[string]string), counter: newCounter(o.All),
		seed: maphash.MakeSeed(), last: make(map[uint64]int64), id: o.cell("registration_id"),
	}
	if err := s.findMoved(o, eachRow); err != nil {
		return nil, err
	}
	by := o.cell(o.PartitionBy)
	additional := o.cell(additionalColumn)
	line := int64(0)
	return s, eachRow(func(cells []batch.Value) error {
		line++
		if s.isStale(cells, line) {
			s.stale++
			return nil
		}
		s.rows++
		s.counter.add(cells)
		if o.PartitionBy != "" {
			s.partitions[o.partitionOf(cells, by)] = true
			if len(s.partitions) > maxPartitions {
				return fmt.Errorf("column %s has more than %d values: name another one with --partition-by", o.PartitionBy, maxPartitions)
			}
		}
		if o.Additional == AdditionalColumns {
			return s.addAttributes(cells[additional])
		}
		return nil
	})
}

func (o *Options) cell(name string) int { return o.All.Index(name) }

func (s *firstPass) findMoved(o *Options, eachRow eachRow) error {
	modified := o.cell(modifiedColumn)
	if o.Since.IsZero() || modified < 0 {
		return nil
	}
	since := o.Since.Add(-clockMargin).UTC().Format("2006-01-02T15:04:05.000Z")
	err := eachRow(func(cells []batch.Value) error {
		if cells[modified].Text >= since {
			s.last[s.hash(cells)] = 0
		}
		return nil
	})
	if err != nil || len(s.last) == 0 {
		return err
	}
	line := int64(0)
	return eachRow(func(cells []batch.Value) error {
		line++
		h := s.hash(cells)
		if _, watched := s.last[h]; watched {
			s.last[h] = line
		}
		return nil
	})
}

func (s *firstPass) hash(cells []batch.Value) uint64 { return s.hashID(cells[s.id].Text) }

func (s *firstPass) hashID(id string) uint64 { return maphash.String(s.seed, id) }

// isStale reports whether a later line tells of the same device.
func (s *firstPass) isStale(cells []batch.Value, line int64) bool {
	if len(s.last) == 0 {
		return false
	}
	last, watched := s.last[s.hash(cells)]
	return watched && last != line
}

func (s *firstPass) addAttributes(v batch.Value) error {
	for name, raw := range table.Attributes(v) {
		if _, known := s.attributes[name]; !known && len(s.attributes) >= maxAttributes {
			return fmt.Errorf("additional_data has more than %d names: take --additional-data json or map", maxAttributes)
		}
		s.attributes[name] = attributeType(s.attributes[name], raw)
	}
	return nil
}

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
