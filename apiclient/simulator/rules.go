package simulator

import (
	"cmp"
	"net/url"
	"slices"
	"strings"
	"time"
)

// entry is a named scalar of customAttributes or additionalData; json is its
// JSON text, numbers with all their digits.
type entry struct {
	name, json string
}

// get answers a registration.
func (st *store) get(d *device, _ object, _ url.Values) answer { return ok(st.registration(d)) }

// update changes a registration. A device that becomes primary takes that
// from the person's other devices.
func (st *store) update(d *device, body object, _ url.Values) answer {
	primary, setPrimary := body["isPrimary"].(bool)
	if setPrimary && d.web { // before anything is changed
		return badRequest("isPrimary", "a web push registration has none")
	}
	system, _ := body["systemData"].(object)
	if enabled, ok := system["registrationEnabled"].(bool); ok {
		d.enabled = enabled
	}
	if st.choices.AdditionalReplace && body["additionalData"] != nil {
		d.additional = nil
	}
	d.additional = st.choices.merge(d.additional, body["additionalData"])
	if setPrimary {
		d.primary = primary
	}
	st.keep(d)
	if p := st.people[d.person]; p != nil {
		if d.primary {
			st.demoteOthers(p, d)
		}
		st.deviceChanged(p, time.Now())
	}
	a := ok(st.registration(d))
	a.effect = true
	return a
}

// merge sets and clears entries; the order of first appearance is kept.
func (c *Choices) merge(into []entry, changes any) []entry {
	members, _ := changes.(object)
	for name, val := range byName(members) {
		i := slices.IndexFunc(into, func(old entry) bool { return old.name == name })
		switch {
		case val == nil && (i < 0 || c.NullKeeps):
		case val == nil:
			into = slices.Delete(into, i, i+1)
		case i >= 0:
			into[i].json = string(toJSON(val))
		default:
			into = append(into, entry{name, string(toJSON(val))})
		}
	}
	return into
}

func (st *store) demoteOthers(p *person, d *device) {
	if st.choices.PrimaryShared {
		return
	}
	for _, id := range p.devices {
		if id != d.id {
			st.devices[id].primary = false
		}
	}
}

func (st *store) depersonalize(d *device, _ object, _ url.Values) answer {
	st.release(d, time.Now())
	return answer{status: 200, effect: true}
}

// release takes the device from its person, who stays.
func (st *store) release(d *device, now time.Time) {
	p := st.people[d.person]
	if p == nil {
		return
	}
	d.person, d.primary = 0, false
	p.devices = slices.DeleteFunc(p.devices, func(id string) bool { return id == d.id })
	st.deviceChanged(p, now)
}

type identity struct {
	externalID, phone, email string
}

func identityOf(body object) (id identity) {
	members, _ := body["identity"].(object)
	id.externalID, _ = members["externalId"].(string)
	id.phone, _ = members["phoneNumber"].(string)
	id.email, _ = members["email"].(string)
	return id
}

// personalize ties the device to the person whom the identity names, and makes
// that person when nobody has any of its values.
func (st *store) personalize(d *device, body object, query url.Values) answer {
	id, force, now := identityOf(body), isTrue(query, "forceDepersonalize"), time.Now()
	target, refused := st.candidate(id.externalID, identityKeys(body))
	if refused != nil {
		return *refused
	}
	if d.person != 0 && d.person != target && !force {
		return olderError(400, "PERSONALIZATION_IMPOSSIBLE", "The device is personalized for another person")
	}
	if force {
		st.release(d, now)
	}
	p := st.people[target]
	if p == nil {
		p = st.add(now)
		p.lead = true
	}
	p.lead = p.lead && isTrue(query, "keepAsLead")
	st.identify(p, id)
	attributes, _ := body["attributes"].(object)
	st.setAttributes(p, attributes)
	st.tie(d, p, isTrue(query, "setDeviceAsPrimary"))
	st.changed(p, now)
	a := ok(st.personalized(p, isTrue(query, "returnPush")))
	a.effect = true
	return a
}

func isTrue(query url.Values, flag string) bool { return query.Get(flag) == "true" }

// candidate returns the one person who has values of the identity, 0 for nobody.
func (st *store) candidate(externalID string, keys []string) (personID, *answer) {
	found := personID(0)
	for _, key := range keys {
		c := st.owners[key]
		if c != 0 && found != 0 && c != found {
			a := olderError(400, "AMBIGUOUS_PERSONALIZE_CANDIDATES", "The identity fits several people")
			return 0, &a
		}
		if c != 0 {
			found = c
		}
	}
	if found != 0 && externalID != "" {
		if has := st.people[found].ExternalID; has != "" && has != externalID {
			a := olderError(400, "USER_MERGE_INTERRUPTED", "The person has another external id")
			return 0, &a
		}
	}
	return found, nil
}

// identify adds the values of an identity to the person.
func (st *store) identify(p *person, id identity) {
	p.ExternalID = cmp.Or(id.externalID, p.ExternalID)
	p.phones = with(p.phones, id.phone, func(a string) bool { return a == id.phone })
	p.emails = with(p.emails, id.email, func(a string) bool { return strings.EqualFold(a, id.email) })
}

// setAttributes sets and clears what a request has of the person's attributes.
func (st *store) setAttributes(p *person, attributes object) {
	c := st.choices
	for name, to := range map[string]*string{
		"firstName": &p.FirstName, "lastName": &p.LastName, "middleName": &p.MiddleName, "gender": &p.Gender, "birthday": &p.birthday,
	} {
		val, given := attributes[name]
		text, _ := val.(string)
		if name == "birthday" && text != "" {
			text, _ = c.birthday(text) // it was checked
		}
		if given && (text != "" || !c.NullKeeps) {
			*to = text
		}
	}
	val, given := attributes["tags"]
	if given && !(val == nil && c.NullKeeps) && !(val != nil && c.TagsAdd) {
		p.tags = nil
	}
	tags, _ := val.([]any)
	for _, tag := range tags {
		if text, _ := tag.(string); !slices.Contains(p.tags, text) {
			p.tags = append(p.tags, text)
		}
	}
	p.custom = c.merge(p.custom, attributes["customAttributes"])
}

// tie makes the device the person's.
func (st *store) tie(d *device, p *person, primary bool) {
	if d.person != p.id {
		d.person = p.id
		d.primary = d.primary && (st.choices.PrimaryShared || !st.hasPrimary(p))
		p.devices = append(p.devices, d.id)
	}
	if primary && !d.web {
		d.primary = true
		st.demoteOthers(p, d)
	}
	st.keep(d)
}

func (st *store) hasPrimary(p *person) bool {
	return slices.ContainsFunc(p.devices, func(id string) bool { return st.devices[id].primary })
}

// with adds value unless it is empty or there.
func with(list []string, value string, same func(string) bool) []string {
	if value == "" || slices.ContainsFunc(list, same) {
		return list
	}
	return append(list, value)
}
