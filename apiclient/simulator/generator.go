package simulator

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// generator makes the people of SeedPeople: person n (from 1) and its 0 to 3 devices
// come out of a hash of the seed and n.
type generator struct {
	seed  uint64
	apps  []string
	start int64 // created time of person 1, Unix seconds
	step  int64 // seconds between two people

	webPush  int // percentage of people with a web push registration
	contacts int // most phones and e-mails of a person
}

const defaultApps = "FDCC8516470A3AE97FB8AC218D5D0D3D 753CBCDC1D587223934106E2A2AEDD44"

func newGenerator(cfg *Config, count int, now time.Time) generator {
	apps := cfg.AppCodes
	if len(apps) == 0 {
		apps = strings.Fields(defaultApps)
	}
	g := generator{seed: mix(cfg.Seed), apps: apps, step: 1, webPush: cfg.WebPush, contacts: max(cfg.Contacts, 1)}
	// The people joined evenly over up to three years before now.
	const threeYears = 3 * 365 * 24 * 3600
	if count > 0 && count < threeYears {
		g.step = threeYears / int64(count)
	}
	g.start = now.Unix() - g.step*int64(count) - 3600
	return g
}

func (g *generator) hash(id personID) uint64 { return mix(g.seed ^ uint64(id)) }

func (g *generator) devices(id personID) (n int) {
	for _, percent := range [...]uint64{12, 60, 88} { // of people have fewer than one, two, three
		if g.hash(id)%100 >= percent {
			n++
		}
	}
	return n
}

// webSlot is the device number of a web push registration, after the others.
const webSlot = 3

// slots are the numbers of a person's devices.
func (g *generator) slots(id personID) []int {
	slots := []int{0, 1, 2}[:g.devices(id)]
	if int(g.hash(id)>>32%100) < g.webPush {
		slots = append(slots[:len(slots):len(slots)], webSlot)
	}
	return slots
}

func (g *generator) registrationID(id personID, device int) string {
	low := ((uint64(id)*4 + uint64(device)) ^ g.seed) * 0x9e3779b97f4a7c15 // odd: no two are the same
	h := fmt.Sprintf("%016x%016x", mix(low^g.seed), low)
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

func (g *generator) application(registrationID string) string {
	h := hashText(registrationID) >> 7
	if h%10 < 7 {
		return g.apps[0]
	}
	return g.apps[h%uint64(len(g.apps))]
}

func (g *generator) externalID(id personID) string {
	if g.hash(id)>>20%10 == 0 {
		return "" // one in ten is known by phone and e-mail only
	}
	return "crm-" + strconv.FormatUint(uint64(id)+1_000_000, 10)
}

// several are up to as many phones or e-mails as people may have.
func (g *generator) several(id personID, most int, derive func(personID, uint64) string) []string {
	n := 1 + g.hash(id)>>40%uint64(min(g.contacts, most))
	list := make([]string, 0, n)
	for k := range n {
		list = append(list, derive(id, k))
	}
	return list
}

// phone prefixes leave nine digits, which spell the id.
func (g *generator) phone(id personID, k uint64) string {
	prefix := [...]string{"919", "628", "4917", "4475", "8613"}[(g.hash(id)>>24+k)%5]
	n := strconv.FormatUint(uint64(id)*387420489%1_000_000_000, 10)
	return prefix + "000000000"[len(n):] + n
}

func (g *generator) email(id personID, k uint64) string {
	domain := [...]string{"example.com", "example.org", "mail.example.net"}[g.hash(id)>>28%3]
	user := "user" + strconv.FormatUint(uint64(id), 10)
	if k > 0 {
		user += "." + strconv.FormatUint(k, 10)
	}
	return user + "@" + domain
}

// person makes a person and its devices. It was modified later than created by the
// same time for all, so that untouched people have one order by either.
func (g *generator) person(id personID) (p *person, devices []*device) {
	d := draw{mix(g.hash(id) + 1)}
	created := g.start + g.step*int64(id)
	p = &person{
		id: id, created: created, modified: created + 1800, lead: d.percent(20),
		attributesBody: namesOf(&draw{mix(g.hash(id))}),
		phones:         g.several(id, 5, g.phone), emails: g.several(id, 100, g.email),
	}
	p.ExternalID = g.externalID(id)
	if d.percent(60) {
		p.birthday = time.Unix(-631152000+int64(d.next(19000))*86400, 0).UTC().Format(time.RFC3339)
	}
	if d.percent(35) {
		p.tags = [...][]string{{"newsletter"}, {"VIP", "newsletter"}, {"beta"}}[d.next(3)]
	}
	if d.percent(40) {
		p.custom = []entry{{"loyaltyPoints", strconv.Itoa(d.next(100000))}, {"tier", `"` + [...]string{"gold", "silver"}[d.next(2)] + `"`}}
	}
	for _, k := range g.slots(id) {
		d := g.device(id, k)
		p.devices, devices = append(p.devices, d.id), append(devices, d)
	}
	return p, devices
}

// device makes device k of a person; the first one of some is primary.
func (g *generator) device(id personID, k int) *device {
	registrationID := g.registrationID(id, k)
	h := hashText(registrationID) >> 13
	d := &device{
		id: registrationID, app: g.application(registrationID), person: id,
		web: k == webSlot, enabled: h%100 < 92, primary: k == 0 && h>>8%2 == 0,
	}
	if h>>16%4 == 0 {
		d.additional = []entry{{"source", `"import"`}, {"score", strconv.FormatUint(h>>20%1000, 10)}}
	}
	return d
}
