package simulator

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// TestGeneratedPeopleAreValid: no two have a device or an identity value in common, and
// requests with their values are taken.
func TestGeneratedPeopleAreValid(t *testing.T) {
	t.Parallel()
	const people = 20000
	g := newGenerator(&Config{Seed: 5, Contacts: 3}, people, time.Unix(1.8e9, 0))
	owners, devices := map[string]personID{}, map[int]int{}
	for id := personID(1); id <= people; id++ {
		p, own := g.person(id)
		devices[len(own)]++
		values := slices.Concat(p.phones, p.emails, p.devices)
		if p.ExternalID != "" {
			values = append(values, p.ExternalID)
		}
		for _, v := range values {
			if other := owners[v]; other != 0 && other != id {
				t.Fatalf("%s is of %d and %d", v, other, id)
			}
			owners[v] = id
		}
		if slices.ContainsFunc(p.phones, func(s string) bool { return !isPhone(s) }) || slices.ContainsFunc(p.emails, func(s string) bool { return !isEmail(s) }) {
			t.Fatalf("person %d has values that the simulator refuses", id)
		}
	}
	for n := range 4 {
		if devices[n] < people/20 {
			t.Errorf("%d of %d people have %d devices", devices[n], people, n)
		}
	}
}

func TestTraitsVary(t *testing.T) {
	t.Parallel()
	seen := map[string]int{}
	for i := range 5000 {
		tr := traitsOf(&device{id: "device-" + string(rune('a'+i%26)) + strings.Repeat("x", i%97) + string(rune('a'+i/97%26))})
		seen[tr.OS]++
		seen[tr.CloudType]++
		if (tr.OS == "iOS") != (tr.DeviceManufacturer == "Apple") {
			t.Fatalf("%s made by %s", tr.OS, tr.DeviceManufacturer)
		}
	}
	for _, name := range []string{"Android", "iOS", "GCM", "APNS", "HMS"} {
		if seen[name] == 0 {
			t.Errorf("no device with %s", name)
		}
	}
}

func TestJSONRefusals(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		``, ` `, `{`, `[`, `{"a"}`, `{"a":}`, `{"a":1,}`, `{a:1}`, `{"a":1 "b":2}`, `[1,]`, `[1 2]`, `01`, `-`, `1.`, `.5`, `1e`, `1e+`, `+1`,
		`"a`, "\"a\nb\"", `"\x"`, `"\ud800"`, `tru`, `nul`, `1 2`, `{"a":1,"a":2}`, "\"\xff\"", `"\u12"`, `{"a`, `{"\q":1}`,
		strings.Repeat("[", 100) + strings.Repeat("]", 100),
	} {
		if v, err := parseJSON(text); err == nil {
			t.Errorf("%q was read as %+v", text, v)
		}
	}
}
