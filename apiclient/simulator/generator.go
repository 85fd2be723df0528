package simulator

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// generator derives the people of SeedPeople: person n (from 1) and its 0 to 3
// devices come out of a hash of the seed and n whenever they are asked for, and
// every one of their ids leads back to n. Only people that a request changed
// take memory.
type generator struct {
	seed  uint64
	count personID // generated people have the ids 1 to count
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
	g := generator{seed: mix(cfg.Seed), count: personID(count), apps: apps, step: 1, webPush: cfg.WebPush, contacts: max(cfg.Contacts, 1)}
	// The people joined evenly over up to three years before now.
	const threeYears = 3 * 365 * 24 * 3600
	if count > 0 && count < threeYears {
		g.step = threeYears / int64(count)
	}
	g.start = now.Unix() - g.step*int64(count) - 3600
	return g
}

func (g *generator) has(id personID) bool { return id >= 1 && id <= g.count }

func (g *generator) hash(id personID) uint64 { return mix(g.seed ^ uint64(id)) }

func (g *generator) devices(id personID) int {
	switch p := g.hash(id) % 100; {
	case p < 12:
		return 0
	case p < 60:
		return 1
	case p < 88:
		return 2
	default:
		return 3
	}
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

// registrationID spells the device number in the second half of a UUID and a
// check of it in the first.
func (g *generator) registrationID(id personID, device int) string {
	low := g.scatter(uint64(id)*4 + uint64(device))
	h := fmt.Sprintf("%016x%016x", g.check(low), low)
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

func (g *generator) check(low uint64) uint64 { return mix(low ^ g.seed) }

const (
	scatterFactor  = 0x9e3779b97f4a7c15
	scatterInverse = 0xf1de83e19937733d // factor * inverse = 1 modulo 2^64
)

func (g *generator) scatter(n uint64) uint64   { return (n ^ g.seed) * scatterFactor }
func (g *generator) unscatter(n uint64) uint64 { return n*scatterInverse ^ g.seed }

// deviceOwner finds the person that a generated registration id was made for.
func (g *generator) deviceOwner(registrationID string) (personID, int, bool) {
	if g.count == 0 || len(registrationID) != 36 {
		return 0, 0, false
	}
	digits := registrationID[19:23] + registrationID[24:]
	low, err := strconv.ParseUint(digits, 16, 64)
	if err != nil {
		return 0, 0, false
	}
	number := g.unscatter(low)
	id, device := personID(number/4), int(number%4)
	if number/4 > uint64(g.count) || !g.has(id) || !slices.Contains(g.slots(id), device) {
		return 0, 0, false
	}
	return id, device, g.registrationID(id, device) == registrationID
}

func (g *generator) application(registrationID string) string {
	h := hashText(registrationID) >> 7
	if h%10 < 7 {
		return g.apps[0]
	}
	return g.apps[h%uint64(len(g.apps))]
}

func (g *generator) created(id personID) int64 { return g.start + g.step*int64(id) }

// modified is later than created by the same time for all, so that untouched
// people have one order by either.
func (g *generator) modified(id personID) int64 { return g.created(id) + 1800 }

const externalPrefix = "crm-"

func (g *generator) externalID(id personID) string {
	if g.hash(id)>>20%10 == 0 {
		return "" // one in ten is known by phone and e-mail only
	}
	return externalPrefix + strconv.FormatUint(uint64(id)+1_000_000, 10)
}

// phones are one to five numbers.
func (g *generator) phones(id personID) []string {
	return g.several(id, 5, func(k uint64) string { return g.phone(id, k) })
}

// emails are one or more addresses.
func (g *generator) emails(id personID) []string {
	return g.several(id, 100, func(k uint64) string { return g.email(id, k) })
}

func (g *generator) several(id personID, most int, derive func(uint64) string) []string {
	n := 1 + g.hash(id)>>40%uint64(min(g.contacts, most))
	list := make([]string, 0, n)
	for k := range n {
		list = append(list, derive(k))
	}
	return list
}

// phone prefixes leave nine digits, which spell the id.
func (g *generator) phone(id personID, k uint64) string {
	prefix := [...]string{"919", "628", "4917", "4475", "8613"}[(g.hash(id)>>24+k)%5]
	n := strconv.FormatUint(uint64(id)*387420489%1_000_000_000, 10)
	return prefix + "000000000"[len(n):] + n
}

// unphone inverts the multiplication of phone modulo 10^9.
const unphone = 513180409

func (g *generator) email(id personID, k uint64) string {
	domain := [...]string{"example.com", "example.org", "mail.example.net"}[g.hash(id)>>28%3]
	user := "user" + strconv.FormatUint(uint64(id), 10)
	if k > 0 {
		user += "." + strconv.FormatUint(k, 10)
	}
	return user + "@" + domain
}

func (g *generator) byExternalID(s string) personID {
	digits, ok := strings.CutPrefix(s, externalPrefix)
	n, err := strconv.ParseUint(digits, 10, 32)
	if !ok || err != nil || n < 1_000_000 {
		return 0
	}
	return g.checked(personID(n-1_000_000), s, func(id personID) []string { return []string{g.externalID(id)} })
}

func (g *generator) byPhone(s string) personID {
	if len(s) < 9 {
		return 0
	}
	n, err := strconv.ParseUint(s[len(s)-9:], 10, 64)
	if err != nil {
		return 0
	}
	return g.checked(personID(n*unphone%1_000_000_000), s, g.phones)
}

func (g *generator) byEmail(s string) personID {
	local, _, _ := strings.Cut(s, "@")
	local, _, _ = strings.Cut(local, ".")
	n, err := strconv.ParseUint(strings.TrimPrefix(local, "user"), 10, 32)
	if err != nil {
		return 0
	}
	return g.checked(personID(n), s, g.emails)
}

func (g *generator) checked(id personID, value string, derive func(personID) []string) personID {
	if g.has(id) && slices.Contains(derive(id), value) {
		return id
	}
	return 0
}

func (g *generator) name(id personID) fullName {
	return namesOf(&draw{mix(g.hash(id))})
}

// person derives all of a generated person.
func (g *generator) person(id personID) *person {
	n := g.name(id)
	d := draw{mix(g.hash(id) + 1)}
	p := &person{
		id: id, created: g.created(id), modified: g.modified(id), lead: d.percent(20),
		externalID: g.externalID(id), first: n.first, last: n.last, gender: n.gender,
		phones: g.phones(id), emails: g.emails(id),
	}
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
		p.devices = append(p.devices, g.registrationID(id, k))
	}
	return p
}

// device derives device k of a generated person; the first one of some is primary.
func (g *generator) device(id personID, k int, registrationID string) *device {
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
