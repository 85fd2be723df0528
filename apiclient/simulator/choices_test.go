package simulator_test

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"pushbatch/apiclient/simulator"
	"pushbatch/testdata/thorough"
)

type listedDevice struct {
	RegistrationID, ApplicationID string
	IsPrimary                     *bool
	SystemData                    map[string]any
}

func chosen(t *testing.T, text string) *caller {
	t.Helper()
	c, err := simulator.ParseChoices(text)
	if err != nil {
		t.Fatal(err)
	}
	return newCaller(t, simulator.New(simulator.Config{Choices: c, Limits: &simulator.Limits{}}))
}

// Every choice turns what it names the other way.
func TestChoices(t *testing.T) {
	t.Parallel()
	const who = `{"identity":{"externalId":"1"},"attributes":`
	get := func(c *caller) string { return c.do("GET", pushPath+"d", "").body }
	person := func(c *caller) string {
		return c.do("GET", personsPath+"?type=EXTERNAL_ID&identifier=1", "").body
	}
	tests := []struct {
		choice string
		run    func(*caller) string
		first  string // in the result with the default
		other  string // with the choice
	}{
		{"tags=add", func(c *caller) string {
			c.personalize("d", "", who+`{"tags":["a"]}}`)
			return c.personalize("d", "", who+`{"tags":["b"]}}`).body
		}, `"tags":["b"]`, `"tags":["a","b"]`},
		{"additional-data=replace", func(c *caller) string {
			c.do("PATCH", pushPath+"d", `{"additionalData":{"a":1}}`)
			c.do("PATCH", pushPath+"d", `{"additionalData":{"b":2}}`)
			return get(c)
		}, `"additionalData":{"a":1,"b":2}`, `"additionalData":{"b":2}`},
		{"null=keep", func(c *caller) string {
			c.do("PATCH", pushPath+"d", `{"additionalData":{"a":1,"b":2}}`)
			c.do("PATCH", pushPath+"d", `{"additionalData":{"a":null}}`)
			return get(c)
		}, `"additionalData":{"b":2}`, `"additionalData":{"a":1,"b":2}`},
		{"null=keep", func(c *caller) string {
			c.personalize("d", "", who+`{"firstName":"Ana","tags":["x"]}}`)
			c.personalize("d", "", who+`{"firstName":null,"tags":null}}`)
			return person(c)
		}, `"externalId":"1","type"`, `"firstName":"Ana"`},
		{"primary=many", func(c *caller) string {
			c.personalize("d", "?setDeviceAsPrimary=true", `{"identity":{"externalId":"1"}}`)
			c.personalize("e", "?setDeviceAsPrimary=true", `{"identity":{"externalId":"1"}}`)
			return get(c)
		}, `"isPrimary":false`, `"isPrimary":true`},
		{"names=plain", func(c *caller) string {
			return c.personalize("d", "", who+`{"firstName":"A & B"}}`).body
		}, `"firstName":"A & B"`, "must not have"},
		{"birthday=date", func(c *caller) string {
			return c.with("Content-Type", "application/json").personalize("d", "", who+`{"birthday":"1990-01-31T00:00:00Z"}}`).body
		}, `"birthday":"1990-01-31T00:00:00Z"`, "must be a date such as"},
		{"applications=no", func(c *caller) string { return c.do("GET", "/push/1/applications", "").body }, `"applications":[`, "FORBIDDEN"},
		{"application-id=own", func(c *caller) string { return get(c) }, `"applicationId":"app"`, `"applicationId":"`},
	}
	for _, tt := range tests {
		t.Run(tt.choice, func(t *testing.T) {
			t.Parallel()
			if got := tt.run(chosen(t, "")); !strings.Contains(got, tt.first) {
				t.Errorf("by default: %s, want %s", got, tt.first)
			}
			got := tt.run(chosen(t, tt.choice))
			if !strings.Contains(got, tt.other) || !strings.Contains(tt.other, tt.first) && strings.Contains(got, tt.first) {
				t.Errorf("with %s: %s, want %s", tt.choice, got, tt.other)
			}
		})
	}
	for _, wrong := range []string{"tags", "tags=keep", "colour=red"} {
		if _, err := simulator.ParseChoices(wrong); err == nil || !strings.Contains(err.Error(), "primary=one|many") {
			t.Errorf("%s: %v", wrong, err)
		}
	}
}

func TestApplications(t *testing.T) {
	t.Parallel()
	_, call := seeded(t, thorough.Of(300, 1000), simulator.Config{WebPush: 30, Choices: simulator.Choices{OwnApplicationIDs: true}, Registrations: map[string][]string{"third": {"x", "y"}}})
	call.personalize("x", "", `{"identity":{"externalId":"new"}}`)
	var got struct {
		Applications []struct {
			ApplicationCode, ApplicationID, Name string
			RegistrationsCount                   int
		}
	}
	r := call.do("GET", "/push/1/applications", "")
	if err := json.Unmarshal([]byte(r.body), &got); err != nil || len(got.Applications) != 4 { // with the one that the request names
		t.Fatalf("answered %d %s", r.status, r.body)
	}
	counts, ids := map[string]int{}, map[string]string{}
	for _, a := range got.Applications {
		counts[a.ApplicationCode] = a.RegistrationsCount
		ids[a.ApplicationID] = a.ApplicationCode
	}
	if counts["third"] != 2 {
		t.Errorf("the third application has %d registrations, want 2", counts["third"])
	}
	listed := map[string]int{}
	for _, p := range list(t, call, url.Values{"limit": {"1000"}}).Persons {
		for _, d := range append(p.ContactInformation.Push, p.ContactInformation.Webpush...) {
			listed[ids[d.ApplicationID]]++
			kind := "PUSH"
			if d.IsPrimary == nil {
				kind = "WEB_PUSH"
			}
			if kind == "WEB_PUSH" && listed[kind] > 20 {
				continue
			}
			listed[kind]++
			q := url.Values{"type": {kind}, "identifier": {d.RegistrationID}, "sender": {d.ApplicationID}}
			if r := call.do("GET", personsPath+"?"+q.Encode(), ""); r.status != 200 || !strings.Contains(r.body, d.RegistrationID) {
				t.Fatalf("%v: answered %d %s", q, r.status, r.body)
			}
			q.Set("sender", "another")
			if r := call.do("GET", personsPath+"?"+q.Encode(), ""); r.status != 404 {
				t.Fatalf("%v: answered %d", q, r.status)
			}
		}
	}
	for code, n := range counts {
		if code != "third" && listed[code] != n {
			t.Errorf("%d registrations of %s are listed, %d counted", listed[code], code, n)
		}
	}
	if listed["WEB_PUSH"] < 20 {
		t.Errorf("%d web push registrations", listed["WEB_PUSH"])
	}
}

// A web push registration answers like others and has no isPrimary.
func TestWebPush(t *testing.T) {
	t.Parallel()
	sim, call := seeded(t, 200, simulator.Config{WebPush: 100, Contacts: 4})
	_ = sim
	phones := 0
	for _, p := range list(t, call, url.Values{"limit": {"200"}}).Persons {
		phones = max(phones, len(p.ContactInformation.Phone))
		if len(p.ContactInformation.Webpush) != 1 {
			t.Fatalf("person %d has %d web push registrations", p.ID, len(p.ContactInformation.Webpush))
		}
		for _, email := range p.ContactInformation.Email {
			q := url.Values{"type": {"EMAIL"}, "identifier": {email.Address}}
			if r := call.do("GET", personsPath+"?"+q.Encode(), ""); r.status != 200 {
				t.Fatalf("%s: answered %d", email.Address, r.status)
			}
		}
	}
	if phones != 4 {
		t.Errorf("at most %d phones, want 4", phones)
	}
	d := list(t, call, url.Values{"limit": {"1"}}).Persons[0].ContactInformation.Webpush[0]
	path := pushPath + d.RegistrationID
	if r := call.do("GET", path, ""); r.status != 200 || !strings.Contains(r.body, `"cloudType":"WEB"`) || strings.Contains(r.body, "isPrimary") {
		t.Errorf("get answered %d %s", r.status, r.body)
	}
	if r := call.do("PATCH", path, `{"additionalData":{"a":1}}`); r.status != 200 {
		t.Errorf("update answered %d %s", r.status, r.body)
	}
	if r := call.do("PATCH", path, `{"isPrimary":true,"additionalData":{"b":2}}`); r.status != 400 {
		t.Errorf("isPrimary answered %d", r.status)
	}
	if r := call.do("GET", path, ""); strings.Contains(r.body, `"b"`) {
		t.Errorf("a refused update has changed the registration: %s", r.body)
	}
	if r := call.do("POST", path+"/depersonalize", ""); r.status != 200 {
		t.Errorf("depersonalize answered %d %s", r.status, r.body)
	}
	if r := call.personalize(d.RegistrationID, "", `{"identity":{"externalId":"other"}}`); r.status != 200 {
		t.Errorf("personalize answered %d %s", r.status, r.body)
	}
}

// A device's change leaves its person's modifiedAt where that is chosen.
func TestModifiedByDevices(t *testing.T) {
	t.Parallel()
	for _, choice := range []string{"", "device-modifies=nothing"} {
		c, err := simulator.ParseChoices(choice)
		if err != nil {
			t.Fatal(err)
		}
		_, call := seeded(t, 50, simulator.Config{Choices: c})
		newest := url.Values{"limit": {"1"}, "orderBy": {"modifiedAt:desc"}}
		var target listed
		for _, p := range list(t, call, url.Values{"limit": {"50"}}).Persons {
			if len(p.ContactInformation.Push) > 0 {
				target = p
				break
			}
		}
		call.do("PATCH", pushPath+target.ContactInformation.Push[0].RegistrationID, `{"additionalData":{"a":1}}`)
		moved := list(t, call, newest).Persons[0].ID == target.ID
		filter := url.Values{"filter": {`{"#gt":{"modifiedAt":"` + target.ModifiedAt + `"}}`}, "limit": {"50"}}
		found := false
		for _, p := range list(t, call, filter).Persons {
			found = found || p.ID == target.ID
		}
		if want := choice == ""; moved != want || found != want {
			t.Errorf("choice %q: in front %t, found by the filter %t", choice, moved, found)
		}
	}
}
