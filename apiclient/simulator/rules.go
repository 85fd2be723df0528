package simulator

import (
	"slices"
	"strings"
	"time"
)

// get answers a registration.
func (st *store) get(d *device) answer { return ok(st.registration(d)) }

// update changes a registration. A device that becomes primary takes that
// from the person's other devices.
func (st *store) update(d *device, b updateBody, now time.Time) answer {
	if b.isPrimary != nil && d.web { // before anything is changed
		return badRequest("isPrimary", "a web push registration has none")
	}
	if b.registrationEnabled != nil {
		d.enabled = *b.registrationEnabled
	}
	if st.choices.AdditionalReplace && b.setAdditional {
		d.additional = nil
	}
	d.additional = st.choices.merge(d.additional, b.additional)
	if b.isPrimary != nil {
		d.primary = *b.isPrimary
	}
	st.keep(d)
	if p := st.people[d.person]; p != nil {
		if d.primary {
			st.demoteOthers(p, d)
		}
		st.deviceChanged(p, now)
	}
	a := ok(st.registration(d))
	a.effect = true
	return a
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

func (st *store) depersonalize(d *device, now time.Time) answer {
	st.release(d, now)
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

// personalize ties the device to the person whom the identity names, and makes
// that person when nobody has any of its values.
func (st *store) personalize(d *device, b personalizeBody, now time.Time) answer {
	target, refused := st.candidate(b.identity)
	if refused != nil {
		return *refused
	}
	if d.person != 0 && d.person != target && !b.force {
		return olderError(400, "PERSONALIZATION_IMPOSSIBLE", "The device is personalized for another person")
	}
	if b.force {
		st.release(d, now)
	}
	p := st.people[target]
	if p == nil {
		p = st.add(now)
		p.lead = true
	}
	st.tie(d, p, b)
	st.changed(p, now)
	a := ok(st.personalized(p, b.push))
	a.effect = true
	return a
}

// candidate returns the one person who has values of the identity, 0 for nobody.
func (st *store) candidate(id identity) (personID, *answer) {
	found := personID(0)
	for _, c := range [...]personID{st.byExternalID[id.externalID], st.byPhone[id.phone], st.findEmail(id.email)} {
		if c != 0 && found != 0 && c != found {
			a := olderError(400, "AMBIGUOUS_PERSONALIZE_CANDIDATES", "The identity fits several people")
			return 0, &a
		}
		if c != 0 {
			found = c
		}
	}
	if found != 0 && id.externalID != "" {
		if has := st.people[found].ExternalID; has != "" && has != id.externalID {
			a := olderError(400, "USER_MERGE_INTERRUPTED", "The person has another external id")
			return 0, &a
		}
	}
	return found, nil
}

// tie writes identity, attributes and device to the person.
func (st *store) tie(d *device, p *person, b personalizeBody) {
	if b.externalID != "" {
		p.ExternalID = b.externalID
	}
	p.phones = with(p.phones, b.phone, func(a string) bool { return a == b.phone })
	p.emails = with(p.emails, b.email, func(a string) bool { return strings.EqualFold(a, b.email) })
	c := st.choices
	b.first.apply(&p.FirstName, c)
	b.last.apply(&p.LastName, c)
	b.middle.apply(&p.MiddleName, c)
	b.birthday.apply(&p.birthday, c)
	b.gender.apply(&p.Gender, c)
	switch {
	case !b.setTags || b.tags == nil && c.NullKeeps:
	case c.TagsAdd && b.tags != nil:
		for _, tag := range b.tags {
			p.tags = with(slices.Clone(p.tags), tag, func(old string) bool { return old == tag })
		}
	default:
		p.tags = b.tags
	}
	p.custom = c.merge(p.custom, b.custom)
	if !b.keepLead {
		p.lead = false
	}
	if d.person != p.id {
		d.person = p.id
		d.primary = d.primary && (c.PrimaryShared || !st.hasPrimary(p))
		p.devices = append(p.devices, d.id)
	}
	if b.asPrimary && !d.web {
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
