package ops

import (
	"encoding/json"
	"errors"
	"strconv"
	"time"

	"pushbatch/batch"
)

// errPage says that an answer is not a page of the listing. What it holds is
// personal and not shown.
var errPage = errors.New("the people listing does not have the documented form")

// peoplePage is one answer of the listing.
type peoplePage struct {
	people []listed
	total  int64 // -1: not told
}

func readPeoplePage(body []byte) (*peoplePage, error) {
	if !json.Valid(body) {
		return nil, errPage
	}
	p := &peoplePage{total: -1}
	found := false
	rawMembers(body, func(name string, value []byte) {
		switch name {
		case "persons":
			found = true
			rawElements(value, func(raw []byte) { p.people = append(p.people, readListed(raw)) })
		case "totalCount":
			if n, err := strconv.ParseInt(rawText(value), 10, 64); err == nil {
				p.total = n
			}
		}
	})
	if !found {
		return nil, errPage
	}
	for i := range p.people {
		if p.people[i].id == "" || p.people[i].created == "" {
			return nil, errPage
		}
	}
	return p, nil
}

func readListed(raw []byte) listed {
	p := listed{raw: raw}
	rawMembers(raw, func(name string, value []byte) {
		switch name {
		case "id":
			p.id = rawText(value)
		case "createdAt":
			if t, ok := platformTime(rawText(value)); ok {
				p.created = t.UTC().Format("2006-01-02T15:04:05.000000000")
			}
		}
	})
	return p
}

// devices lays out the push devices of a person, each with the person's columns.
func (inv *Inventory) devices(p *listed, at time.Time) (rows [][]batch.Value) {
	person := make([]batch.Value, len(inv.columns))
	var contact []byte
	rawMembers(p.raw, func(name string, value []byte) {
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
