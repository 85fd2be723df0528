package simulator

import (
	"maps"
	"slices"
	"strings"
	"time"
)

type personID uint32

type person struct {
	attributesBody
	id                personID
	birthday          string // a date-time in UTC
	lead              bool
	tags              []string
	custom            []entry
	phones, emails    []string
	devices           []string // registration ids
	created, modified int64    // Unix seconds
}

type device struct {
	id, app    string
	person     personID // 0: nobody's
	web        bool     // web push
	enabled    bool
	primary    bool
	additional []entry
}

// store holds the account's people and registrations. The caller locks.
type store struct {
	choices *Choices
	gen     generator
	devices map[string]*device // but for those that were only looked at
	people  map[personID]*person
	refuse  bool // unknown registrations are not made

	owners map[string]personID // by identity value, as identityKeys writes it

	lastID  personID
	version uint64 // counts changes, so that what was listed can be kept
	matched matches
}

func newStore(cfg *Config, people int, now time.Time) *store {
	st := &store{
		choices: &cfg.Choices, gen: newGenerator(cfg, people, now), refuse: cfg.RefuseUnknown || len(cfg.Registrations) > 0,
		devices: map[string]*device{}, people: map[personID]*person{},
		owners: map[string]personID{}, lastID: personID(people),
	}
	for id := personID(1); id <= st.lastID; id++ {
		p, devices := st.gen.person(id)
		st.people[id] = p
		st.claim(p)
		for _, d := range devices {
			st.keep(d)
		}
	}
	for app, ids := range cfg.Registrations {
		for _, id := range ids {
			st.keep(&device{id: id, app: app, enabled: true})
		}
	}
	return st
}

// claim makes the person's identity values lead to it.
func (st *store) claim(p *person) {
	for _, key := range p.identityKeys() {
		st.owners[key] = p.id
	}
}

func (p *person) identityKeys() (keys []string) {
	if p.ExternalID != "" {
		keys = append(keys, "externalId:"+p.ExternalID)
	}
	for _, phone := range p.phones {
		keys = append(keys, "phoneNumber:"+phone)
	}
	for _, email := range p.emails {
		keys = append(keys, "email:"+strings.ToLower(email))
	}
	return keys
}

// device returns a registration, made on first sight where that is allowed; nil
// when there is none. A new one is kept only once a rule calls keep.
func (st *store) device(id, app string) *device {
	d := st.devices[id]
	if d == nil && !st.refuse {
		d = &device{id: id, app: app, enabled: true}
	}
	return d
}

func (st *store) keep(d *device) { st.devices[d.id] = d }

func (st *store) add(now time.Time) *person {
	st.lastID++
	p := &person{id: st.lastID, created: now.Unix(), modified: now.Unix()}
	st.people[p.id] = p
	st.version++
	return p
}

// changed notes that a person was changed.
func (st *store) changed(p *person, now time.Time) {
	st.version++
	p.modified = now.Unix()
	st.claim(p)
}

// deviceChanged notes that a device of a person was changed, which changes the person
// unless the choice is another.
func (st *store) deviceChanged(p *person, now time.Time) {
	if st.choices.DevicesKeepModified {
		now = time.Unix(p.modified, 0)
	}
	st.changed(p, now)
}

func (st *store) remove(id personID) {
	p := st.people[id]
	for _, reg := range p.devices {
		d := st.devices[reg]
		d.person, d.primary = 0, false
	}
	for _, key := range p.identityKeys() {
		delete(st.owners, key)
	}
	delete(st.people, id)
	st.version++
}

// ids are everybody's in the order of creation.
func (st *store) ids() []personID { return slices.Sorted(maps.Keys(st.people)) }
