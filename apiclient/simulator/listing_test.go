package simulator_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pushbatch/apiclient/simulator"
	"pushbatch/testdata/thorough"
)

type page struct {
	Persons []listed
	Limit   int
	Page    int
	OrderBy string
	Total   *int `json:"totalCount"`
}

type listed struct {
	ID                                     int64
	ExternalID, FirstName, LastName        string
	CreatedAt, ModifiedAt, BirthDate, Type string
	ContactInformation                     struct {
		Phone   []struct{ Number string }
		Email   []struct{ Address string }
		Push    []listedDevice
		Webpush []listedDevice
	}
}

func list(t testing.TB, call *caller, query url.Values) page {
	t.Helper()
	r := call.do("GET", personsPath+"?"+query.Encode(), "")
	var p page
	if err := json.Unmarshal([]byte(r.body), &p); err != nil || r.status != 200 {
		t.Fatalf("%v: answered %d %.300s (%v)", query, r.status, r.body, err)
	}
	return p
}

func seeded(t testing.TB, people int, cfg simulator.Config) (*simulator.Simulator, *caller) {
	t.Helper()
	cfg.Limits = &simulator.Limits{}
	sim := simulator.New(cfg)
	sim.SeedPeople(people)
	return sim, newCaller(t, sim)
}

func TestPages(t *testing.T) {
	t.Parallel()
	_, call := seeded(t, 2345, simulator.Config{})
	first := list(t, call, url.Values{})
	if len(first.Persons) != 20 || first.Limit != 20 || first.Page != 1 || first.Total != nil {
		t.Errorf("without parameters: %d people, limit %d, page %d, total %v", len(first.Persons), first.Limit, first.Page, first.Total)
	}
	var ids []int64
	for n := 1; ; n++ {
		p := list(t, call, url.Values{"limit": {"1000"}, "page": {strconv.Itoa(n)}, "includeTotalCount": {"true"}, "orderBy": {"createdAt:asc"}})
		if p.Total == nil || *p.Total != 2345 || p.OrderBy != "createdAt:asc" {
			t.Errorf("page %d: total %v, order %s", n, p.Total, p.OrderBy)
		}
		if len(p.Persons) == 0 {
			break
		}
		for _, person := range p.Persons {
			ids = append(ids, person.ID)
		}
	}
	if len(ids) != 2345 || !slices.IsSorted(ids) || len(slices.Compact(ids)) != 2345 {
		t.Errorf("walked %d people, want 2345 different ones in order", len(ids))
	}
}

func TestOrders(t *testing.T) {
	t.Parallel()
	_, call := seeded(t, 300, simulator.Config{})
	for i := range 20 {
		call.personalize("d"+strconv.Itoa(i), "", fmt.Sprintf(`{"identity":{"externalId":"crm-%d"},"attributes":{"firstName":"N%d"}}`, 1000010+i, 99-i))
	}
	keys := map[string]func(listed) string{
		"createdAt":  func(p listed) string { return p.CreatedAt },
		"modifiedAt": func(p listed) string { return p.ModifiedAt },
	}
	for field, key := range keys {
		check := func() {
			up := list(t, call, url.Values{"limit": {"1000"}, "orderBy": {field}})
			down := list(t, call, url.Values{"limit": {"1000"}, "orderBy": {field + ":desc"}})
			if !slices.IsSortedFunc(up.Persons, func(a, b listed) int { return strings.Compare(key(a), key(b)) }) {
				t.Errorf("%s: not in order", field)
			}
			slices.Reverse(down.Persons)
			if diff := cmp.Diff(up.Persons, down.Persons); diff != "" {
				t.Errorf("%s: descending is not the reverse (-asc +desc):\n%.500s", field, diff)
			}
		}
		check()
		// The orders are kept while people change.
		call.personalize("e", "?forceDepersonalize=true", `{"identity":{"externalId":"crm-1000002"},"attributes":{"firstName":"`+field+`","lastName":"ZZ"}}`)
		call.personalize("f", "?forceDepersonalize=true", `{"identity":{"externalId":"new-`+field+`"},"attributes":{"lastName":"AA"}}`)
		check()
	}
}

func TestFilters(t *testing.T) {
	t.Parallel()
	sim := simulator.New(simulator.Config{Limits: &simulator.Limits{}})
	call := newCaller(t, sim)
	for _, body := range []string{
		`{"identity":{"externalId":"1","phoneNumber":"385911111111"},"attributes":{"firstName":"Ana","tags":["VIP Client","x"],"customAttributes":{"score":9,"city":"Zagreb"}}}`,
		`{"identity":{"externalId":"2","email":"b@example.com"},"attributes":{"firstName":"Boris","gender":"MALE","birthday":"1980-05-05T00:00:00Z","customAttributes":{"score":10.5}}}`,
		`{"identity":{"externalId":"3"},"attributes":{"firstName":"Anamarija","lastName":"Šarić","middleName":"M","tags":["x"]}}`,
	} {
		if r := call.personalize("d"+strconv.FormatInt(sim.Stats().Requests, 10), "?keepAsLead="+strconv.FormatBool(strings.Contains(body, "Boris")), body); r.status != 200 {
			t.Fatal(r.body)
		}
	}
	cases := []struct{ filter, want string }{
		{`{"firstName":"Ana"}`, "1"},
		{`{"#eq":{"firstName":"Ana"}}`, "1"},
		{`{"#ne":{"firstName":"Ana"}}`, "23"},
		{`{"#startsWith":{"firstName":"Ana"}}`, "13"},
		{`{"#endsWith":{"firstName":"s"}}`, "2"},
		{`{"#contains":{"firstName":"ama"}}`, "3"},
		{`{"#contains":{"tags":"VIP"}}`, "1"},
		{`{"#eq":{"tags":"x"}}`, "13"},
		{`{"#notContain":{"tags":"VIP"}}`, "23"},
		{`{"lastName":"Šarić","middleName":"M"}`, "3"},
		{`{"lastName":null}`, "12"},
		{`{"#and":[{"#startsWith":{"firstName":"A"}},{"#contains":{"tags":"x"}},{"externalId":"3"}]}`, "3"},
		{`{"#or":[{"gender":"MALE"},{"externalId":"3"}]}`, "23"},
		{`{"#or":[{"#and":[{"id":1}]},{"#and":[{"id":3}]}]}`, "13"},
		{`{"#gt":{"customAttributes.score":9}}`, "2"},
		{`{"#lte":{"customAttributes.score":9}}`, "1"},
		{`{"#lt":{"birthDate":"1990-01-01"}}`, "2"},
		{`{"customAttributes.city":"Zagreb"}`, "1"},
		{`{"type":"LEAD"}`, "2"},
		{`{"contactInformation.phone.number":"385911111111"}`, "1"},
		{`{"contactInformation.email.address":"b@example.com"}`, "2"},
		{`{"contactInformation.push.registrationId":"d2"}`, "3"},
		{`{"#gt":{"modifiedAt":"2000-01-01T00:00:00"}}`, "123"},
		{`{"#gte":{"createdAt":"2000-01-01","modifiedAt":"2000-01-01T00:00:00Z"}}`, "123"},
		{`{"#lt":{"modifiedAt":"2000-01-01T00:00:00"}}`, ""},
	}
	for _, c := range cases {
		for range 2 { // the second time from what was kept
			got := ""
			for _, p := range list(t, call, url.Values{"filter": {c.filter}, "includeTotalCount": {"true"}}).Persons {
				got += p.ExternalID
			}
			if got != c.want {
				t.Errorf("%s: people %s, want %s", c.filter, got, c.want)
			}
		}
	}
	call.personalize("d9", "", `{"identity":{"externalId":"9"},"attributes":{"firstName":"Ana"}}`)
	if got := list(t, call, url.Values{"filter": {`{"firstName":"Ana"}`}}); len(got.Persons) != 2 {
		t.Errorf("a new person is not found: %d people", len(got.Persons))
	}
}

func TestListingRefusals(t *testing.T) {
	t.Parallel()
	_, call := seeded(t, 3, simulator.Config{})
	for _, query := range []string{
		"limit=0", "limit=1001", "limit=x", "page=0", "page=-1", "includeTotalCount=1", "orderBy=id", "orderBy=createdAt:up", "orderBy=",
		"other=1", "page=1&page=2", "identifier=1", "type=ID", "identifier=1&type=CAR", "filter=x", "filter={}", "filter=[]",
		`filter={"#and":{}}`, `filter={"#or":[1]}`, `filter={"#xx":{"id":1}}`, `filter={"nothing":1}`, `filter={"id":[1]}`,
		`filter={"#gt":1}`, `filter={"#gt":{"modifiedAt":"yesterday"}}`, `filter={"#gt":{"nothing":1}}`,
	} {
		query = strings.NewReplacer("{", "%7B", "}", "%7D", `"`, "%22", "#", "%23").Replace(query)
		if r := call.do("GET", personsPath+"?"+query, ""); r.status != 400 || r.code() != "BAD_REQUEST" {
			t.Errorf("%s: answered %d %.200s", query, r.status, r.body)
		}
	}
}

func TestSinglePerson(t *testing.T) {
	t.Parallel()
	_, call := seeded(t, 50, simulator.Config{})
	p := list(t, call, url.Values{"limit": {"50"}}).Persons
	i := slices.IndexFunc(p, func(p listed) bool { return p.ExternalID != "" && len(p.ContactInformation.Push) > 0 })
	want := p[i]
	device := want.ContactInformation.Push[0].RegistrationID
	cases := []struct {
		kind, identifier string
		found            bool
	}{
		{"ID", strconv.FormatInt(want.ID, 10), true},
		{"ID", "x", false},
		{"ID", "9999", false},
		{"EXTERNAL_ID", want.ExternalID, true},
		{"EXTERNAL_ID", "nobody", false},
		{"PHONE", want.ContactInformation.Phone[0].Number, true},
		{"PHONE", "385911234567", false},
		{"PHONE", "1", false},
		{"EMAIL", strings.ToUpper(want.ContactInformation.Email[0].Address), true},
		{"EMAIL", "nobody@example.com", false},
		{"PUSH", device, true},
		{"PUSH", "nothing", false},
		{"FACEBOOK", "1", false},
	}
	for _, c := range cases {
		r := call.do("GET", personsPath+"?"+url.Values{"type": {c.kind}, "identifier": {c.identifier}}.Encode(), "")
		var got listed
		if c.found != (r.status == 200) || !c.found && (r.status != 404 || r.code() != "NOT_FOUND") {
			t.Errorf("%s %s: answered %d %s", c.kind, c.identifier, r.status, r.body)
			continue
		}
		if c.found && (json.Unmarshal([]byte(r.body), &got) != nil || got.ID != want.ID) {
			t.Errorf("%s %s: answered person %d, want %d", c.kind, c.identifier, got.ID, want.ID)
		}
	}
	r := call.do("GET", personsPath+"?type=PUSH&sender=other&identifier="+device, "")
	if r.status != 404 {
		t.Errorf("a device of another application: answered %d", r.status)
	}
}

// A get and the listing agree on a device; the listing has strings for booleans.
func TestListedDevices(t *testing.T) {
	t.Parallel()
	_, call := seeded(t, 40, simulator.Config{})
	seen := 0
	for _, p := range list(t, call, url.Values{"limit": {"40"}}).Persons {
		for _, d := range p.ContactInformation.Push {
			seen++
			var got struct {
				IsPrimary  bool
				SystemData map[string]any
			}
			r := call.do("GET", pushPath+d.RegistrationID, "")
			if err := json.Unmarshal([]byte(r.body), &got); err != nil {
				t.Fatal(err)
			}
			delete(d.SystemData, "sdkName")
			for name, value := range d.SystemData {
				if fmt.Sprint(got.SystemData[name]) != value {
					t.Errorf("%s: get has %v, listing %v", name, got.SystemData[name], value)
				}
			}
			if len(got.SystemData) <= len(d.SystemData) || got.IsPrimary != *d.IsPrimary {
				t.Errorf("get %v, listing %v", got, d)
			}
		}
	}
	if seen < 20 {
		t.Errorf("40 people have %d devices", seen)
	}
}

// Who was there all the time is seen by a walk in the order of creation, whatever is
// added meanwhile; removed people shift pages, which a walker must make good by
// overlapping them.
func TestWalkWhilePeopleChange(t *testing.T) {
	t.Parallel()
	n := thorough.Of(800, 3000)
	sim, call := seeded(t, n, simulator.Config{Seed: 3})
	gone := map[int64]bool{}
	removed := 0
	seen := map[int64]bool{}
	const size, overlap = 100, 20
	for offset := 0; ; {
		p := list(t, call, url.Values{"limit": {strconv.Itoa(overlap)}, "page": {strconv.Itoa(offset/overlap + 1)}, "orderBy": {"createdAt:asc"}})
		if len(p.Persons) == 0 {
			break
		}
		for _, person := range p.Persons {
			if gone[person.ID] {
				t.Errorf("person %d is listed after removal", person.ID)
			}
			seen[person.ID] = true
		}
		offset += overlap
		if removed < 60 {
			for _, id := range sim.RemovePeople(1) {
				gone[id] = true
				removed++
			}
			offset -= overlap // one person moved up
		}
		if removed < 60 || offset%size == 0 {
			sim.AddPeople(1)
		}
		if len(seen) > 10000 {
			t.Fatal("the walk does not end")
		}
	}
	for id := int64(1); id <= int64(n); id++ {
		if !seen[id] && !gone[id] {
			t.Errorf("person %d was passed over", id)
		}
	}
	total := list(t, call, url.Values{"includeTotalCount": {"true"}, "limit": {"1"}}).Total
	if want := len(people(t, sim)); *total != want {
		t.Errorf("total %d, the state has %d people", *total, want)
	}
}

func TestSeedPeopleIsRepeatable(t *testing.T) {
	t.Parallel()
	a, _ := seeded(t, 500, simulator.Config{Seed: 7})
	b, call := seeded(t, 500, simulator.Config{Seed: 7})
	c, _ := seeded(t, 500, simulator.Config{Seed: 8})
	want := state(t, a)
	if diff := cmp.Diff(want, state(t, b)); diff != "" {
		t.Errorf("the same seed gave another account:\n%.500s", diff)
	}
	if want == state(t, c) {
		t.Error("another seed gave the same account")
	}
	p := list(t, call, url.Values{"limit": {"1"}}).Persons[0]
	call.personalize("new", "", `{"identity":{"phoneNumber":"`+p.ContactInformation.Phone[0].Number+`"},"attributes":{"firstName":"Changed"}}`)
	if got := state(t, b); got == want || len(people(t, b)) != 500 {
		t.Error("a generated person was not changed")
	}
	b.Reset()
	if diff := cmp.Diff(want, state(t, b)); diff != "" {
		t.Errorf("reset did not go back to the seed:\n%.500s", diff)
	}
}

// What an export finds can be sent back as an update without changing anything.
func TestUpdateWithWhatIsThere(t *testing.T) {
	t.Parallel()
	sim, call := seeded(t, 60, simulator.Config{})
	before := state(t, sim)
	for _, p := range list(t, call, url.Values{"limit": {"1000"}}).Persons {
		for _, d := range p.ContactInformation.Push {
			body := fmt.Sprintf(`{"isPrimary":%t,"systemData":{"registrationEnabled":%v}}`, *d.IsPrimary, d.SystemData["registrationEnabled"])
			if r := call.do("PATCH", pushPath+d.RegistrationID, body); r.status != 200 {
				t.Fatal(r.body)
			}
		}
	}
	if diff := cmp.Diff(before, state(t, sim)); diff != "" {
		t.Errorf("the state changed:\n%.1000s", diff)
	}
}
