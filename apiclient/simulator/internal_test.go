package simulator

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestGeneratedIDsLeadBack(t *testing.T) {
	t.Parallel()
	const people = 20000
	g := newGenerator(&Config{Seed: 5}, people, time.Unix(1.8e9, 0))
	devices := map[int]int{}
	seen := map[string]bool{}
	for id := personID(1); id <= people; id++ {
		devices[g.devices(id)]++
		for k := range g.devices(id) {
			reg := g.registrationID(id, k)
			owner, at, ok := g.deviceOwner(reg)
			if seen[reg] || !ok || owner != id || at != k {
				t.Fatalf("device %d of %d leads to %d of %d, %t", k, id, at, owner, ok)
			}
			seen[reg] = true
		}
		if g.byPhone(g.phone(id, 0)) != id || g.byEmail(g.email(id, 0)) != id {
			t.Fatalf("phone or e-mail of %d leads elsewhere", id)
		}
		if x := g.externalID(id); x != "" && g.byExternalID(x) != id {
			t.Fatalf("external id of %d leads elsewhere", id)
		}
		if !isPhone(g.phone(id, 0)) || !isEmail(g.email(id, 0)) {
			t.Fatalf("person %d has values that the simulator refuses", id)
		}
	}
	for n := range 4 {
		if devices[n] < people/20 {
			t.Errorf("%d of %d people have %d devices", devices[n], people, n)
		}
	}
	stranger := "00000000-0000-0000-0000-000000000001"
	for _, reg := range []string{stranger, strings.ToUpper(g.registrationID(1, 0)), "x", strings.Repeat("z", 36)} {
		if id, _, ok := g.deviceOwner(reg); ok {
			t.Errorf("%s leads to %d", reg, id)
		}
	}
}

func TestOrderEqualsASortedSlice(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	less := func(a, b personID) bool { return mix(uint64(a)) < mix(uint64(b)) }
	compare := func(a, b personID) int {
		if less(a, b) {
			return -1
		}
		return 1
	}
	var want []personID
	o := &order{less: less}
	for i := range 20000 {
		if rng.IntN(4) > 0 || len(want) == 0 {
			id := personID(i + 1)
			at, _ := slices.BinarySearchFunc(want, id, compare)
			want = slices.Insert(want, at, id)
			o.insert(id)
		} else {
			at := rng.IntN(len(want))
			o.remove(want[at])
			want = slices.Delete(want, at, at+1)
		}
		o.remove(personID(1 << 30)) // not there
		if i%50 > 0 {
			continue
		}
		skip, limit := rng.IntN(len(want)+10), rng.IntN(1000)
		part := want[min(skip, len(want)):min(skip+limit, len(want))]
		if got := o.page(skip, limit, false); !slices.Equal(got, part) {
			t.Fatalf("step %d: page %d+%d has %d people, want %d", i, skip, limit, len(got), len(part))
		}
		down := slices.Clone(want)
		slices.Reverse(down)
		part = down[min(skip, len(want)):min(skip+limit, len(want))]
		if got := o.page(skip, limit, true); !slices.Equal(got, part) {
			t.Fatalf("step %d: descending page %d+%d differs", i, skip, limit)
		}
	}
	for _, id := range want {
		o.remove(id)
	}
	if len(o.ids) != 0 || len(o.page(0, 10, false)) > 0 {
		t.Errorf("%d people left", len(o.ids))
	}
}

func TestTraitsVary(t *testing.T) {
	t.Parallel()
	seen := map[string]int{}
	for i := range 5000 {
		tr := traitsOf(&device{id: "device-" + string(rune('a'+i%26)) + strings.Repeat("x", i%97) + string(rune('a'+i/97%26))})
		seen[tr.os]++
		seen[tr.cloudType]++
		if (tr.os == "iOS") != (tr.manufacturer == "Apple") {
			t.Fatalf("%s made by %s", tr.os, tr.manufacturer)
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
