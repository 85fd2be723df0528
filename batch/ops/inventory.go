package ops

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"pushbatch/batch"
	"pushbatch/batch/jsonappend"
)

// Types of inventory columns, as batch.Column.Type names them.
const (
	InventoryText      = "text"
	InventoryBoolean   = "boolean"
	InventoryTimestamp = "timestamp" // UTC, RFC 3339
	InventoryJSON      = "json"      // an object as JSON text
)

// Names of inventory columns that code refers to.
const (
	ColumnRegistrationID = "registration_id"
	ColumnAdditionalData = "additional_data"
	ColumnStatus         = "status"
	ColumnPersonID       = "person_id"
	ColumnModifiedAt     = "modified_at"
)

// InventoryUnknown is the status of a device that the platform does not know
// (48013). Other devices have the status of their row, succeeded or failed.
const InventoryUnknown = "unknown"

// inventoryField is one column and the platform's name of what fills it.
type inventoryField struct {
	column string
	member string // of the registration, or behind systemData.; empty: filled otherwise
	typ    string
}

func deviceFields() []inventoryField {
	return []inventoryField{
		{ColumnRegistrationID, "registrationId", InventoryText},
		{"application_id", "applicationId", InventoryText},
		{"is_primary", "isPrimary", InventoryBoolean},
		{"cloud_type", "systemData.cloudType", InventoryText},
		{"registration_enabled", "systemData.registrationEnabled", InventoryBoolean},
		{"notifications_enabled", "systemData.notificationsEnabled", InventoryBoolean},
		{"geofencing_sdk", "systemData.geofencingSdk", InventoryBoolean},
		{"sdk_version", "systemData.sdkVersion", InventoryText},
		{"app_version", "systemData.appVersion", InventoryText},
		{"os", "systemData.os", InventoryText},
		{"os_version", "systemData.osVersion", InventoryText},
		{"device_manufacturer", "systemData.deviceManufacturer", InventoryText},
		{"device_model", "systemData.deviceModel", InventoryText},
		{"device_secure", "systemData.deviceSecure", InventoryBoolean},
		{"os_language", "systemData.osLanguage", InventoryText},
		{"device_timezone_offset", "systemData.deviceTimezoneOffset", InventoryText},
		{"device_name", "systemData.deviceName", InventoryText},
		{ColumnAdditionalData, "additionalData", InventoryJSON},
		{"exported_at", "", InventoryTimestamp},
		{ColumnStatus, "", InventoryText},
	}
}

func personFields() []inventoryField {
	return []inventoryField{
		{ColumnPersonID, "id", InventoryText},
		{"external_id", "externalId", InventoryText},
		{"phone", "", InventoryText},
		{"email", "", InventoryText},
		{"created_at", "createdAt", InventoryTimestamp},
		{ColumnModifiedAt, "modifiedAt", InventoryTimestamp},
	}
}

// Inventory lays devices out as the columns of an export.
type Inventory struct {
	columns []batch.Column
	members map[string]int // platform's name -> column, of devices
	persons map[string]int // the same, of people
	places  map[string]int // column name -> index
}

// NewInventory returns the layout of an export: the columns of a device and,
// for a walk over people, those of its person. What the platform sends beyond
// them stands in the last column, extra.
func NewInventory(people bool) *Inventory {
	inv := &Inventory{members: make(map[string]int), persons: make(map[string]int), places: make(map[string]int)}
	for _, f := range deviceFields() {
		inv.add(f, inv.members)
	}
	if people {
		for _, f := range personFields() {
			inv.add(f, inv.persons)
		}
	}
	inv.add(inventoryField{"extra", "", InventoryJSON}, inv.members)
	return inv
}

func (inv *Inventory) add(f inventoryField, members map[string]int) {
	inv.places[f.column] = len(inv.columns)
	if f.member != "" {
		members[f.member] = len(inv.columns)
	}
	kind := batch.Text
	switch f.typ {
	case InventoryBoolean:
		kind = batch.Bool
	case InventoryTimestamp:
		kind = batch.Timestamp
	}
	inv.columns = append(inv.columns, batch.Column{Name: f.column, Kind: kind, Type: f.typ})
}

// Columns returns the columns in their order.
func (inv *Inventory) Columns() []batch.Column { return slices.Clone(inv.columns) }

// Cells returns the line of an inventory for a finished row: what the listing
// said of the device, overruled by what a get answered. Rows that were never
// asked for (rejected, skipped) have none.
func (inv *Inventory) Cells(r *batch.Result) ([]batch.Value, bool) {
	if r.Status != batch.Succeeded && r.Status != batch.Failed {
		return nil, false
	}
	cells := make([]batch.Value, len(inv.columns))
	if len(inv.persons) > 0 {
		copy(cells, r.Row.Values)
	}
	if len(r.Payload) > 0 && json.Valid(r.Payload) {
		inv.fillDevice(cells, r.Payload)
	}
	if cells[0].Kind == batch.Null && r.RegistrationID != "" {
		cells[0] = batch.TextValue(r.RegistrationID)
	}
	exported := inv.places["exported_at"]
	if cells[exported].Kind == batch.Null || r.Attempts > 0 {
		cells[exported] = timestamp(r.Finished)
	}
	status := r.Status.String()
	if r.Code == codeUnknownRegistration {
		status = InventoryUnknown
	}
	cells[inv.places[ColumnStatus]] = batch.TextValue(status)
	return cells, true
}

// fillDevice takes a registration as the platform sends it.
func (inv *Inventory) fillDevice(cells []batch.Value, raw []byte) {
	var extra, system object
	rawMembers(raw, func(name string, value []byte) {
		if name == "systemData" && value[0] == '{' {
			rawMembers(value, func(name string, value []byte) {
				if !inv.put(cells, inv.members, "systemData."+name, value) {
					system.add(name, value)
				}
			})
			return
		}
		if !inv.put(cells, inv.members, name, value) {
			extra.add(name, value)
		}
	})
	if system.text != nil {
		extra.add("systemData", system.end())
	}
	if extra.text != nil {
		cells[len(cells)-1] = batch.TextValue(string(extra.end()))
	}
}

// put fills the column of a member; false: there is none, or the value is not
// what the column holds.
func (inv *Inventory) put(cells []batch.Value, members map[string]int, name string, raw []byte) bool {
	at, known := members[name]
	if !known {
		return false
	}
	v, ok := inventoryValue(inv.columns[at].Type, raw)
	if ok {
		cells[at] = v
	}
	return ok
}

// inventoryValue reads a value as the type of its column. An empty text is no
// value; text that stands for a boolean becomes one.
func inventoryValue(typ string, raw []byte) (batch.Value, bool) {
	nested := raw[0] == '{' || raw[0] == '['
	if string(raw) == "null" {
		return batch.Value{}, true
	}
	if typ == InventoryJSON {
		return jsonObject(raw), raw[0] == '{'
	}
	if nested {
		return batch.Value{}, false
	}
	text := rawText(raw)
	switch {
	case text == "":
		return batch.Value{}, true
	case typ == InventoryBoolean:
		text = strings.ToLower(text)
		return batch.Value{Kind: batch.Bool, Text: text}, text == "true" || text == "false"
	case typ == InventoryTimestamp:
		t, ok := platformTime(text)
		return timestamp(t), ok
	}
	return batch.TextValue(text), true
}

// jsonObject is an object in its shortest text; an empty one is no value.
func jsonObject(raw []byte) batch.Value {
	var short bytes.Buffer
	if err := json.Compact(&short, raw); err != nil || short.String() == "{}" {
		return batch.Value{}
	}
	return batch.TextValue(short.String())
}

func timestamp(t time.Time) batch.Value {
	return batch.Value{Kind: batch.Timestamp, Text: t.UTC().Format("2006-01-02T15:04:05.000Z")}
}

// platformTime reads a time of the platform: UTC where it names no zone.
func platformTime(text string) (time.Time, bool) {
	for _, layout := range []string{"2006-01-02T15:04:05", time.RFC3339Nano, "2006-01-02T15:04:05-0700"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

// object gathers the members of a JSON object.
type object struct{ text []byte }

func (o *object) add(name string, value []byte) {
	c := byte(',')
	if o.text == nil {
		c = '{'
	}
	o.text = append(jsonappend.String(append(o.text, c), name), ':')
	o.text = append(o.text, value...)
}

func (o *object) end() []byte { return append(o.text, '}') }
