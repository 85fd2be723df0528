package simulator_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"pushbatch/apiclient/simulator"
)

func TestOverlapsAreNoticed(t *testing.T) {
	t.Parallel()
	personalize := func(device, identity string) op {
		return op{"POST", pushPath + device + "/personalize", `{"identity":{` + identity + `}}`}
	}
	cases := []struct {
		name string
		a, b op
		want int64
	}{
		{"same device", op{"GET", pushPath + "d", ""}, op{"PATCH", pushPath + "d", "{}"}, 1},
		{"same device, other spelling", op{"GET", pushPath + "d", ""}, op{"GET", pushPath + "%64", ""}, 1},
		{"other devices", op{"GET", pushPath + "d", ""}, op{"GET", pushPath + "e", ""}, 0},
		{"same external id", personalize("d", `"externalId":"x"`), personalize("e", `"externalId":"x","email":"e@x.co"`), 1},
		{"same phone", personalize("d", `"phoneNumber":"385911234567"`), personalize("e", `"phoneNumber":"385911234567"`), 1},
		{"same e-mail", personalize("d", `"email":"A@x.co"`), personalize("e", `"email":"a@X.co"`), 1},
		{"same text of another kind", personalize("d", `"externalId":"385911234567"`), personalize("e", `"phoneNumber":"385911234567"`), 0},
		{"listings", op{"GET", personsPath, ""}, op{"GET", personsPath, ""}, 0},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				sim := simulator.New(simulator.Config{Faults: faults(t, "latency=1s")})
				call := newCaller(t, sim)
				var group sync.WaitGroup
				for _, o := range []op{c.a, c.b} {
					group.Go(func() { call.do(o.method, o.path, o.body) })
				}
				group.Wait()
				stats := sim.Stats()
				if stats.Overlaps != c.want || stats.Most != 2 || stats.InFlight != 0 {
					t.Errorf("overlaps %d, most in flight %d; want %d and 2", stats.Overlaps, stats.Most, c.want)
				}
				for _, o := range []op{c.a, c.b} { // one after the other is fine
					call.do(o.method, o.path, o.body)
				}
				if got := sim.Stats().Overlaps; got != c.want {
					t.Errorf("overlaps %d after more requests one by one, want %d", got, c.want)
				}
			})
		})
	}
}

func TestCallLog(t *testing.T) {
	t.Parallel()
	var log callLog
	sim := simulator.New(simulator.Config{CallLog: &log, Faults: faults(t, "cut-after=#2")})
	call := newCaller(t, sim)
	call.personalize("a%2Fb", "", `{"identity":{"externalId":"x","email":"A@x.co"}}`)
	_, _ = handling(call, "PATCH", pushPath+"d", `{"isPrimary":true}`)
	call.do("GET", pushPath+"d?x=1", "")
	type line struct {
		Seq            int
		Op, Code       string
		RegistrationID string
		Identity       []string
		Status         int
		Effect         bool
		Fault          string
	}
	want := []line{
		{1, "personalize", "", "a/b", []string{"externalId:x", "email:a@x.co"}, 200, true, ""},
		{2, "update", "", "d", nil, 0, true, "cut-after"},
		{3, "get", "BAD_REQUEST", "d", nil, 400, false, ""},
	}
	calls := log.calls(t)
	if len(calls) != len(want) {
		t.Fatalf("%d calls, want %d", len(calls), len(want))
	}
	for i, w := range want {
		c := calls[i]
		got := line{int(c.Seq), c.Op, c.Code, c.RegistrationID, c.Identity, c.Status, c.Effect, c.Fault}
		if fmt.Sprint(got) != fmt.Sprint(w) {
			t.Errorf("call %v, want %v", got, w)
		}
	}
}

func TestAdmin(t *testing.T) {
	t.Parallel()
	sim := simulator.New(simulator.Config{Admin: true})
	sim.SeedPeople(20)
	server := httptest.NewServer(sim)
	t.Cleanup(server.Close)
	admin := func(method, path string) (int, string) {
		r, err := http.NewRequest(method, server.URL+"/__simulator/"+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := server.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		raw, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(raw)
	}
	newCaller(t, sim).do("PATCH", pushPath+"mine", `{"isPrimary":true}`)
	_, before := admin("GET", "state")
	if !strings.Contains(before, `"registrationId":"mine"`) || strings.Count(before, `{"person"`) != 20 {
		t.Errorf("state %s", before)
	}
	var stats struct {
		Requests    int
		ByOperation map[string]map[string]int
		Effects     int
		MaxPerWall  map[string]int `json:"maxPerWallSecond"`
	}
	_, raw := admin("GET", "stats")
	if err := json.Unmarshal([]byte(raw), &stats); err != nil || stats.Requests != 1 || stats.ByOperation["update"]["200"] != 1 || stats.MaxPerWall["update"] != 1 {
		t.Errorf("stats %s (%v)", raw, err)
	}
	sim.AddPeople(5)
	sim.RemovePeople(3)
	if _, now := admin("GET", "state"); strings.Count(now, `{"person"`) != 22 || !strings.Contains(now, "added-") {
		t.Errorf("state after changing people: %s", now)
	}
	if status, _ := admin("POST", "reset"); status != http.StatusNoContent {
		t.Errorf("reset: %d", status)
	}
	if _, now := admin("GET", "state"); strings.Count(now, `{"person"`) != 20 || strings.Contains(now, "mine") {
		t.Errorf("state after reset: %s", now)
	}
	if status, _ := admin("GET", "other"); status != http.StatusNotFound {
		t.Errorf("unknown path: %d", status)
	}
	if sim.Stats().Requests != 0 {
		t.Error("admin requests are counted")
	}
}

func TestAdminIsOffByDefault(t *testing.T) {
	t.Parallel()
	if r := newCaller(t, simulator.New(simulator.Config{})).do("GET", "/__simulator/stats", ""); r.status != 404 {
		t.Errorf("answered %d", r.status)
	}
}

// Removed people leave their devices to nobody, and their identity values free.
func TestRemovePeople(t *testing.T) {
	t.Parallel()
	sim, call := seeded(t, 30, simulator.Config{})
	p := list(t, call, map[string][]string{"limit": {"30"}}).Persons
	call.personalize("mine", "", `{"identity":{"externalId":"x","email":"x@x.co","phoneNumber":"385911234567"}}`)
	if gone := sim.RemovePeople(100); len(gone) != 31 || len(people(t, sim)) != 0 {
		t.Fatalf("removed %d people of 31", len(gone))
	}
	for _, q := range p {
		for _, d := range q.ContactInformation.Push {
			if r := call.personalize(d.RegistrationID, "", `{"identity":{"externalId":"x"}}`); r.status != 200 {
				t.Errorf("device of a removed person: answered %d %s", r.status, r.body)
			}
		}
	}
	if got := len(people(t, sim)); got != 1 {
		t.Errorf("%d people, want 1", got)
	}
}
