package simulator_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pushbatch/apiclient/simulator"
)

// step is one request and the start of what it is answered: a code, or part of
// the body of a 200.
type step struct {
	request string // METHOD PATH BODY; paths begin after the push path
	code    string // of the error; empty: 200
	has     string // in the answer
	hasNot  string
}

func TestRules(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name  string
		steps []step
		want  []string // people at the end
	}{
		{
			"devices with a common value have one person",
			[]step{
				{"POST a/personalize {\"identity\":{\"phoneNumber\":\"385911234567\"}}", "", `"number":"385911234567"`, "push"},
				{"POST b/personalize {\"identity\":{\"phoneNumber\":\"385911234567\",\"email\":\"Ana@example.com\"}}", "", "", ""},
				{"POST c/personalize?returnPush=true {\"identity\":{\"email\":\"ana@EXAMPLE.com\",\"externalId\":\"x1\"}}", "", `"registrationId":"b"`, ""},
			},
			[]string{`{"person":{"externalId":"x1","type":"CUSTOMER","phones":["385911234567"],"emails":["Ana@example.com"],"devices":["a","b","c"]}}`},
		},
		{
			"a device of another person is refused without force",
			[]step{
				{"POST a/personalize {\"identity\":{\"externalId\":\"x1\"}}", "", "", ""},
				{"POST a/personalize {\"identity\":{\"externalId\":\"x1\"}}", "", "", ""},
				{"POST a/personalize {\"identity\":{\"externalId\":\"x2\"}}", "PERSONALIZATION_IMPOSSIBLE", "", ""},
				{"POST a/personalize?forceDepersonalize=false {\"identity\":{\"externalId\":\"x2\"}}", "PERSONALIZATION_IMPOSSIBLE", "", ""},
				{"POST a/personalize?forceDepersonalize=true {\"identity\":{\"externalId\":\"x2\"}}", "", `"externalId":"x2"`, ""},
			},
			[]string{
				`{"person":{"externalId":"x1","type":"CUSTOMER"}}`,
				`{"person":{"externalId":"x2","type":"CUSTOMER","devices":["a"]}}`,
			},
		},
		{
			"values of several people are ambiguous",
			[]step{
				{"POST a/personalize {\"identity\":{\"externalId\":\"x1\"}}", "", "", ""},
				{"POST b/personalize {\"identity\":{\"email\":\"b@example.com\"}}", "", "", ""},
				{"POST c/personalize {\"identity\":{\"externalId\":\"x1\",\"email\":\"b@example.com\"}}", "AMBIGUOUS_PERSONALIZE_CANDIDATES", "", ""},
				{"POST a/personalize?forceDepersonalize=true {\"identity\":{\"externalId\":\"x1\",\"email\":\"b@example.com\"}}", "AMBIGUOUS_PERSONALIZE_CANDIDATES", "", ""},
			},
			[]string{
				`{"person":{"externalId":"x1","type":"CUSTOMER","devices":["a"]}}`,
				`{"person":{"type":"CUSTOMER","emails":["b@example.com"],"devices":["b"]}}`,
			},
		},
		{
			"a person keeps one external id",
			[]step{
				{"POST a/personalize {\"identity\":{\"externalId\":\"x1\",\"email\":\"a@example.com\"}}", "", "", ""},
				{"POST b/personalize {\"identity\":{\"externalId\":\"x2\",\"email\":\"a@example.com\"}}", "USER_MERGE_INTERRUPTED", "", ""},
			},
			[]string{`{"person":{"externalId":"x1","type":"CUSTOMER","emails":["a@example.com"],"devices":["a"]}}`},
		},
		{
			"one primary device a person",
			[]step{
				{"POST a/personalize?setDeviceAsPrimary=true {\"identity\":{\"externalId\":\"x1\"}}", "", "", ""},
				{"GET a", "", `"isPrimary":true`, ""},
				{"POST b/personalize?setDeviceAsPrimary=true {\"identity\":{\"externalId\":\"x1\"}}", "", "", ""},
				{"GET a", "", `"isPrimary":false`, ""},
				{"PATCH a {\"isPrimary\":true}", "", `"isPrimary":true`, ""},
				{"GET b", "", `"isPrimary":false`, ""},
				{"PATCH c {\"isPrimary\":true}", "", `"isPrimary":true`, ""},
				{"POST c/personalize {\"identity\":{\"externalId\":\"x1\"}}", "", "", ""},
				{"GET c", "", `"isPrimary":false`, ""},
				{"POST a/depersonalize", "", "", ""},
				{"GET a", "", `"isPrimary":false`, ""},
			},
			[]string{`{"person":{"externalId":"x1","type":"CUSTOMER","devices":["b","c"]}}`},
		},
		{
			"leads stay leads only when asked",
			[]step{
				{"POST a/personalize?keepAsLead=true {\"identity\":{\"externalId\":\"x1\"}}", "", "", ""},
				{"POST b/personalize {\"identity\":{\"externalId\":\"x2\"}}", "", "", ""},
				{"POST c/personalize?keepAsLead=true {\"identity\":{\"externalId\":\"x2\"}}", "", "", ""},
			},
			[]string{
				`{"person":{"externalId":"x1","type":"LEAD","devices":["a"]}}`,
				`{"person":{"externalId":"x2","type":"CUSTOMER","devices":["b","c"]}}`,
			},
		},
		{
			"attributes are set, kept and cleared",
			[]step{
				{`POST a/personalize {"identity":{"externalId":"x1"},"attributes":{"firstName":"Ana","lastName":"Šarić","middleName":"M","gender":"FEMALE","birthday":"1990-01-31T00:00:00Z","tags":["b","a"],"customAttributes":{"n":12345678901234567.890,"s":"x","b":true}}}`, "", `"birthday":"1990-01-31T00:00:00Z"`, ""},
				{`POST a/personalize {"identity":{"externalId":"x1"},"attributes":{"lastName":null,"middleName":null,"gender":null,"customAttributes":{"s":null,"b":false}}}`, "", `"n":12345678901234567.890`, "Šarić"},
			},
			[]string{`{"person":{"externalId":"x1","firstName":"Ana","birthday":"1990-01-31T00:00:00Z","type":"CUSTOMER","tags":["a","b"],"customAttributes":{"b":false,"n":12345678901234567.890},"devices":["a"]}}`},
		},
		{
			"additional data",
			[]step{
				{`PATCH a {"systemData":{"registrationEnabled":false},"additionalData":{"big":9223372036854775807,"gone":"x","e":1e3}}`, "", `"registrationEnabled":false`, ""},
				{`PATCH a {"additionalData":{"gone":null,"absent":null,"e":2}}`, "", `"additionalData":{"big":9223372036854775807,"e":2}`, "gone"},
				{`PATCH a {}`, "", `"registrationEnabled":false`, ""},
			},
			nil,
		},
		{
			"depersonalizing twice is fine",
			[]step{
				{"POST a/personalize {\"identity\":{\"externalId\":\"x1\"}}", "", "", ""},
				{"POST a/depersonalize", "", "", ""},
				{"POST a/depersonalize", "", "", ""},
				{"POST a/personalize {\"identity\":{\"externalId\":\"x2\"}}", "", "", ""},
			},
			[]string{
				`{"person":{"externalId":"x1","type":"CUSTOMER"}}`,
				`{"person":{"externalId":"x2","type":"CUSTOMER","devices":["a"]}}`,
			},
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			sim := simulator.New(simulator.Config{})
			call := newCaller(t, sim)
			for _, s := range c.steps {
				s.run(t, call)
			}
			if diff := cmp.Diff(c.want, people(t, sim)); diff != "" {
				t.Errorf("people (-want +got):\n%s", diff)
			}
		})
	}
}

func (s step) run(t *testing.T, call *caller) {
	t.Helper()
	method, rest, _ := strings.Cut(s.request, " ")
	path, body, _ := strings.Cut(rest, " ")
	r := call.do(method, pushPath+path, body)
	if r.code() != s.code || (r.status == 200) != (s.code == "") {
		t.Fatalf("%s: answered %d %s, want code %q", s.request, r.status, r.body, s.code)
	}
	if !strings.Contains(r.body, s.has) {
		t.Errorf("%s: answer %s has no %s", s.request, r.body, s.has)
	}
	if s.hasNot != "" && strings.Contains(r.body, s.hasNot) {
		t.Errorf("%s: answer %s has %s", s.request, r.body, s.hasNot)
	}
}

func TestPrimaryMovesWithForce(t *testing.T) {
	t.Parallel()
	sim := simulator.New(simulator.Config{})
	call := newCaller(t, sim)
	step{"POST a/personalize?setDeviceAsPrimary=true {\"identity\":{\"externalId\":\"x1\"}}", "", "", ""}.run(t, call)
	step{"POST a/personalize?forceDepersonalize=true {\"identity\":{\"externalId\":\"x1\"}}", "", "", ""}.run(t, call)
	step{"GET a", "", `"isPrimary":false`, ""}.run(t, call)
}

func TestRegistrations(t *testing.T) {
	t.Parallel()
	sim := simulator.New(simulator.Config{AppCodes: []string{"app", "other"}, Registrations: map[string][]string{"app": {"known", "a/b c"}}})
	call := newCaller(t, sim)
	cases := []struct {
		name, path, app string
		want            string
	}{
		{"known", "known", "app", ""},
		{"escaped", "a%2Fb%20c", "app", ""},
		{"unknown", "stranger", "app", "48013"},
		{"of another application", "known", "other", "48013"},
		{"unknown application", "known", "nobody", "48012"},
		{"no application", "known", "", "48001"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := call.with("AppCode", c.app).do("GET", pushPath+c.path, "")
			if r.code() != c.want || c.want != "" && r.status != 400 {
				t.Errorf("answered %d %s, want code %q", r.status, r.body, c.want)
			}
		})
	}
}

func TestLookingLeavesNoTrace(t *testing.T) {
	t.Parallel()
	sim := simulator.New(simulator.Config{})
	call := newCaller(t, sim)
	first := call.do("GET", pushPath+"seen", "")
	if second := call.do("GET", pushPath+"seen", ""); first.body != second.body {
		t.Errorf("a device changed between two looks:\n%s\n%s", first.body, second.body)
	}
	if got := state(t, sim); got != "" {
		t.Errorf("state %s, want none", got)
	}
}
