package ops

import (
	"time"

	"pushbatch/batch"
)

// Devices lays out the push devices of a person of the people listing, raw and
// valid JSON, each with the person's columns. at is when the person was listed.
func (inv *Inventory) Devices(raw []byte, at time.Time) (rows [][]batch.Value) {
	person := make([]batch.Value, len(inv.columns))
	var contact []byte
	rawMembers(raw, func(name string, value []byte) {
		if name == "contactInformation" {
			contact = value
			return
		}
		inv.put(person, inv.persons, name, value)
	})
	var more object
	rawMembers(contact, func(name string, value []byte) {
		switch name {
		case "phone", "phones":
			inv.putContacts(person, &more, "phone", "number", value)
		case "email", "emails":
			inv.putContacts(person, &more, "email", "address", value)
		}
	})
	person[inv.places["exported_at"]] = timestamp(at)
	rawMembers(contact, func(name string, value []byte) {
		if name != "push" {
			return
		}
		rawElements(value, func(raw []byte) {
			row := append([]batch.Value(nil), person...)
			inv.fillDevice(row, raw)
			inv.addExtra(row, more)
			rows = append(rows, row)
		})
	})
	return rows
}

// putContacts takes the first phone number or address as the column; a person
// who has more keeps the list in extra.
func (inv *Inventory) putContacts(person []batch.Value, more *object, column, member string, raw []byte) {
	n := 0
	var list []byte
	rawElements(raw, func(value []byte) {
		rawMembers(value, func(name string, text []byte) {
			if name != member || text[0] != '"' || len(text) == 2 {
				return
			}
			if n++; n == 1 {
				person[inv.places[column]] = batch.TextValue(rawText(text))
				list = append(list, '[')
			} else {
				list = append(list, ',')
			}
			list = append(list, text...)
		})
	})
	if n > 1 {
		more.add(column+"s", append(list, ']'))
	}
}

func (inv *Inventory) addExtra(row []batch.Value, more object) {
	if more.text == nil {
		return
	}
	all := object{text: append([]byte(nil), more.text...)}
	rawMembers([]byte(row[len(row)-1].Text), all.add)
	row[len(row)-1] = batch.TextValue(string(all.end()))
}
