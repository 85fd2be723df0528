package inventory

import (
	"encoding/json"
	"regexp"
	"time"

	"pushbatch/batch"
)

// Devices lays out the devices of a person of the people listing, of both lists,
// each with the person's columns. raw is valid JSON; at is when the person was
// listed.
func (l *Layout) Devices(raw []byte, at time.Time) (rows [][]batch.Value) {
	members := membersOf(raw)
	contact := membersOf(members["contactInformation"])
	delete(members, "contactInformation")
	person := make([]batch.Value, len(l.columns))
	l.putAll(person, l.person, "", members)
	extra := make(map[string]json.RawMessage)
	l.putContacts(person, extra, "phone", contactsOf(contact, "phone", "number"), l.validPhone)
	l.putContacts(person, extra, "email", contactsOf(contact, "email", "address"), validEmail.MatchString)
	person[l.places[exportedColumn]] = timestamp(at)
	for _, channel := range []string{Push, WebPush} {
		var devices []map[string]json.RawMessage
		_ = json.Unmarshal(contact[channel], &devices) // a list of another form has no devices
		for _, device := range devices {
			row := append([]batch.Value(nil), person...)
			l.fillDevice(row, device, extra)
			row[l.places[channelColumn]] = batch.TextValue(channel)
			rows = append(rows, row)
		}
	}
	return rows
}

// contactsOf are the numbers or addresses of a person, in the platform's order.
func contactsOf(contact map[string]json.RawMessage, list, member string) (texts []string) {
	for _, name := range []string{list, list + "s"} {
		var entries []map[string]any
		_ = json.Unmarshal(contact[name], &entries) // a list of another form has none
		for _, e := range entries {
			if text, ok := e[member].(string); ok && text != "" {
				texts = append(texts, text)
			}
		}
	}
	return texts
}

var (
	phoneForm  = regexp.MustCompile(`^\+?[1-9][0-9]{4,14}$`)
	validEmail = regexp.MustCompile(`^[^\s@]+@[^\s@]+\.[^\s@]+$`)
)

func (l *Layout) validPhone(number string) bool {
	return phoneForm.MatchString(number) && (l.ValidPhone == nil || l.ValidPhone(number))
}

// putContacts takes the first valid one as the column. Where that is not all of
// them, the whole list stands in extra.
func (l *Layout) putContacts(person []batch.Value, extra map[string]json.RawMessage, column string, texts []string, valid func(string) bool) {
	for _, text := range texts {
		if valid(text) {
			person[l.places[column]] = batch.TextValue(text)
			break
		}
	}
	if len(texts) > 1 || len(texts) == 1 && person[l.places[column]].Kind == batch.Null {
		extra[column+"s"], _ = json.Marshal(texts) // texts can always be written
	}
}
