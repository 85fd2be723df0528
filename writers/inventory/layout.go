package inventory

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"pushbatch/batch"
	"pushbatch/writers/table"
)

// Channels of devices, which are the names of a person's two lists.
const (
	Push    = "push"
	WebPush = "webpush"
)

// statusUnknown is the status of a device that the platform does not know. Other
// devices have the status of their row, succeeded or failed.
const statusUnknown = "unknown"

// codeUnknownDevice is the platform's code for a registration that is not there.
const codeUnknownDevice = "48013"

// Names of columns that code refers to.
const (
	idColumn          = "registration_id"
	applicationColumn = "application_id"
	codeColumn        = "app_code"
	channelColumn     = "channel"
	exportedColumn    = "exported_at"
	statusColumn      = "status"
	personColumn      = "person_id"
	modifiedColumn    = "modified_at"
	extraColumn       = "extra"
)

// columnTable is the table of the columns. What the platform sends beyond them stands in
// the last one, extra.
//
//go:embed columns.txt
var columnTable string

// Layout lays devices out as the columns of an export.
type Layout struct {
	columns []batch.Column
	places  map[string]int // column name -> index
	device  map[string]int // platform's name -> column
	person  map[string]int // the same, of people

	// Codes are the codes of applications by their ids, where they are known. It is
	// set before the first row.
	Codes map[string]string
	// ValidPhone tells numbers that personalize takes; nil: what looks like one.
	ValidPhone func(number string) bool
}

// NewLayout returns the columns of a device and, for the people listing, those of
// its person, with or without the person's attributes.
func NewLayout(people, attributes bool) *Layout {
	l := &Layout{places: make(map[string]int), device: make(map[string]int), person: make(map[string]int)}
	wanted := map[string]map[string]int{"device": l.device}
	if people {
		wanted["person"] = l.person
	}
	if people && attributes {
		wanted["attribute"] = l.person
	}
	kinds := map[string]batch.Kind{table.Boolean: batch.Bool, table.Timestamp: batch.Timestamp, table.Text: batch.Text, table.JSON: batch.Text}
	for line := range strings.Lines(columnTable) {
		field := strings.Fields(line)
		members, asked := wanted[field[0]]
		if !asked {
			continue
		}
		if len(field) > 3 {
			members[field[3]] = len(l.columns)
		}
		l.places[field[1]] = len(l.columns)
		l.columns = append(l.columns, batch.Column{Name: field[1], Kind: kinds[field[2]], Type: field[2]})
	}
	return l
}

// Columns returns the columns in their order.
func (l *Layout) Columns() []batch.Column { return slices.Clone(l.columns) }

// Cells returns the row of an inventory for a finished row of a run: what the
// listing said of the device, overruled by what a get answered. Rows that were
// never asked for (rejected, skipped) have none.
func (l *Layout) Cells(r *batch.Result) ([]batch.Value, bool) {
	if r.Status != batch.Succeeded && r.Status != batch.Failed {
		return nil, false
	}
	cells := make([]batch.Value, len(l.columns))
	if len(l.person) > 0 {
		copy(cells, r.Row.Values)
	}
	if m := membersOf(r.Payload); m != nil {
		l.fillDevice(cells, m, nil)
	}
	l.fillEmpty(cells, idColumn, r.RegistrationID)
	l.fillEmpty(cells, codeColumn, l.Codes[cells[l.places[applicationColumn]].Text])
	if r.Status == batch.Succeeded {
		l.fillEmpty(cells, channelColumn, channelOf(cells[l.places["cloud_type"]].Text))
	}
	exported := l.places[exportedColumn]
	if cells[exported].Kind == batch.Null || r.Attempts > 0 {
		cells[exported] = timestamp(r.Finished)
	}
	status := r.Status.String()
	if r.Code == codeUnknownDevice {
		status = statusUnknown
	}
	cells[l.places[statusColumn]] = batch.TextValue(status)
	return cells, true
}

// channelOf is the list that a device with a cloud type stands in.
func channelOf(cloud string) string {
	if cloud == "WEB" {
		return WebPush
	}
	return Push
}

func (l *Layout) fillEmpty(cells []batch.Value, column, text string) {
	if v := &cells[l.places[column]]; v.Kind == batch.Null && text != "" {
		*v = batch.TextValue(text)
	}
}

// fillDevice takes the members of a registration as the platform sends it. What has
// no column stands in the last one, with more of its person.
func (l *Layout) fillDevice(cells []batch.Value, members, more map[string]json.RawMessage) {
	extra := make(map[string]json.RawMessage)
	for name, raw := range members {
		if name == "systemData" && raw[0] == '{' {
			if left := l.putAll(cells, l.device, "systemData.", membersOf(raw)); len(left) > 0 {
				extra[name] = object(left)
			}
		} else if !l.put(cells, l.device, name, raw) {
			extra[name] = raw
		}
	}
	maps.Copy(extra, more)
	if len(extra) > 0 {
		cells[len(cells)-1] = batch.TextValue(string(object(extra)))
	}
}

// putAll fills the columns of members and returns those that have none.
func (l *Layout) putAll(cells []batch.Value, places map[string]int, prefix string, members map[string]json.RawMessage) map[string]json.RawMessage {
	maps.DeleteFunc(members, func(name string, raw json.RawMessage) bool { return l.put(cells, places, prefix+name, raw) })
	return members
}

// put fills the column of a member; false: there is none, or the value is not
// what the column holds.
func (l *Layout) put(cells []batch.Value, places map[string]int, name string, raw json.RawMessage) bool {
	at, known := places[name]
	if !known {
		return false
	}
	v, ok := valueOf(l.columns[at].Type, raw)
	if ok {
		cells[at] = v
	}
	return ok
}

// valueOf reads a value as the type of its column. An empty text is no value;
// text that stands for a boolean becomes one.
func valueOf(typ string, raw json.RawMessage) (batch.Value, bool) {
	nested := raw[0] == '{' || raw[0] == '['
	switch {
	case string(raw) == "null":
		return batch.Value{}, true
	case typ == table.JSON && nested:
		return compacted(raw), true
	case typ == table.JSON || nested:
		return batch.Value{}, false
	}
	text := table.AttributeText(raw)
	switch {
	case text == "":
		return batch.Value{}, true
	case typ == table.Boolean:
		text = strings.ToLower(text)
		return batch.Value{Kind: batch.Bool, Text: text}, text == "true" || text == "false"
	case typ == table.Timestamp:
		t, ok := batch.PlatformTime(text)
		return timestamp(t), ok
	}
	return batch.TextValue(text), true
}

// compacted is an object or a list in its shortest text; an empty one is no value.
func compacted(raw json.RawMessage) batch.Value {
	var short bytes.Buffer
	if err := json.Compact(&short, raw); err != nil || short.Len() == 2 {
		return batch.Value{}
	}
	return batch.TextValue(short.String())
}

// membersOf are the members of an object as JSON text; nil: it is none.
func membersOf(raw json.RawMessage) (m map[string]json.RawMessage) {
	if json.Unmarshal(raw, &m) != nil {
		return nil
	}
	return m
}

// object is the JSON of members, by name.
func object(members map[string]json.RawMessage) json.RawMessage {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(members) // they were read as JSON
	return bytes.TrimSpace(b.Bytes())
}

func timestamp(t time.Time) batch.Value {
	return batch.Value{Kind: batch.Timestamp, Text: t.UTC().Format(timeLayout)}
}

// timeLayout is how inventories keep times.
const timeLayout = "2006-01-02T15:04:05.000Z"
