package simulator_test

import (
	"strconv"
	"strings"
	"testing"

	"pushbatch/apiclient/simulator"
)

func TestBodies(t *testing.T) {
	t.Parallel()
	long := func(n int) string { return strings.Repeat("ž", n) }
	identity := `"identity":{"externalId":"x"}`
	attrs := func(s string) string { return "{" + identity + `,"attributes":{` + s + "}}" }
	ids := func(s string) string { return `{"identity":{` + s + "}}" }
	custom := func(s string) string { return attrs(`"customAttributes":{` + s + "}") }
	cases := []struct {
		op, body string
		code     string // empty: taken
		field    string // in validationErrors
	}{
		{"p", ids(`"externalId":"` + long(256) + `"`), "", ""},
		{"p", ids(`"externalId":"` + long(257) + `"`), "BAD_REQUEST", "identity.externalId"},
		{"p", ids(`"externalId":null,"email":"a@b.co"`), "", ""},
		{"p", ids(`"externalId":""`), "USER_IDENTITY_INVALID", "identity.externalId"},
		{"p", ids(`"externalId":"null"`), "USER_IDENTITY_INVALID", "identity.externalId"},
		{"p", ids(`"externalId":"NULL"`), "USER_IDENTITY_INVALID", "identity.externalId"},
		{"p", ids(`"externalId":"nULL"`), "", ""},
		{"p", ids(`"externalId":12`), "BAD_REQUEST", "identity.externalId"},
		{"p", ids(`"externalId":null`), "USER_IDENTITY_INVALID", "identity"},
		{"p", ids(``), "USER_IDENTITY_INVALID", "identity"},
		{"p", `{}`, "USER_IDENTITY_INVALID", "identity"},
		{"p", `{"identity":null}`, "BAD_REQUEST", "identity"},
		{"p", `[]`, "BAD_REQUEST", "body"},
		{"p", ids(`"phone":"385911234567"`), "BAD_REQUEST", "identity.phone"},
		{"p", ids(`"phoneNumber":"385911234567"`), "", ""},
		{"p", ids(`"phoneNumber":"+385911234567"`), "PHONE_INVALID", "identity.phoneNumber"},
		{"p", ids(`"phoneNumber":"0911234567"`), "PHONE_INVALID", "identity.phoneNumber"},
		{"p", ids(`"phoneNumber":"1234567890123456"`), "PHONE_INVALID", "identity.phoneNumber"},
		{"p", ids(`"phoneNumber":"3859112345.0"`), "PHONE_INVALID", "identity.phoneNumber"},
		{"p", ids(`"phoneNumber":385911234567`), "BAD_REQUEST", "identity.phoneNumber"},
		{"p", ids(`"email":"ana@example.com"`), "", ""},
		{"p", ids(`"email":"Ana <ana@example.com>"`), "EMAIL_INVALID", "identity.email"},
		{"p", ids(`"email":"ana@localhost"`), "EMAIL_INVALID", "identity.email"},
		{"p", ids(`"email":"a@b@example.com"`), "EMAIL_INVALID", "identity.email"},
		{"p", ids(`"email":"` + strings.Repeat("a", 65) + `@example.com"`), "EMAIL_INVALID", "identity.email"},
		{"p", ids(`"email":true`), "BAD_REQUEST", "identity.email"},
		{"p", "{" + identity + `,"extra":1}`, "BAD_REQUEST", "extra"},
		{"p", "{" + identity + `,"attributes":null}`, "BAD_REQUEST", "attributes"},
		{"p", attrs(`"firstName":"` + long(255) + `","lastName":"` + long(255) + `","middleName":"` + long(50) + `"`), "", ""},
		{"p", attrs(`"firstName":"` + long(256) + `"`), "BAD_REQUEST", "attributes.firstName"},
		{"p", attrs(`"lastName":"` + long(256) + `"`), "BAD_REQUEST", "attributes.lastName"},
		{"p", attrs(`"middleName":"` + long(51) + `"`), "BAD_REQUEST", "attributes.middleName"},
		{"p", attrs(`"middleName":1`), "BAD_REQUEST", "attributes.middleName"},
		{"p", attrs(`"age":1`), "BAD_REQUEST", "attributes.age"},
		{"p", attrs(`"birthday":"1990-01-31"`), "BAD_REQUEST", "attributes.birthday"},
		{"p", attrs(`"birthday":"1990-02-30T00:00:00Z"`), "BAD_REQUEST", "attributes.birthday"},
		{"p", attrs(`"birthday":null,"gender":null,"tags":null`), "", ""},
		{"p", attrs(`"gender":"female"`), "BAD_REQUEST", "attributes.gender"},
		{"p", attrs(`"tags":["a","b"]`), "", ""},
		{"p", attrs(`"tags":["a","b","a"]`), "BAD_REQUEST", "attributes.tags[2]"},
		{"p", attrs(`"tags":["a",1]`), "BAD_REQUEST", "attributes.tags[1]"},
		{"p", attrs(`"tags":"a"`), "BAD_REQUEST", "attributes.tags"},
		{"p", custom(`"a":"` + long(4096) + `","b":false,"c":-1.5e300,"d":null`), "", ""},
		{"p", custom(`"a":"` + long(4097) + `"`), "BAD_REQUEST", "attributes.customAttributes.a"},
		{"p", custom(`"` + long(256) + `":1`), "", ""},
		{"p", custom(`"` + long(257) + `":1`), "BAD_REQUEST", "attributes.customAttributes." + long(257)},
		{"p", custom(`"":1`), "BAD_REQUEST", "attributes.customAttributes"},
		{"p", custom(`"a":9223372036854775807`), "", ""},
		{"p", custom(`"a":9223372036854775807.00`), "", ""},
		{"p", custom(`"a":92233720368547758070`), "BAD_REQUEST", "attributes.customAttributes.a"},
		{"p", custom(`"a":1e19`), "BAD_REQUEST", "attributes.customAttributes.a"},
		{"p", custom(`"a":[1]`), "BAD_REQUEST", "attributes.customAttributes.a"},
		{"p", custom(`"a":{"b":1}`), "BAD_REQUEST", "attributes.customAttributes.a"},
		{"p", attrs(`"customAttributes":[]`), "BAD_REQUEST", "attributes.customAttributes"},
		{"p", `{"identity":{"externalId":"x","externalId":"y"}}`, "REQUEST_FORMAT_INVALID", ""},
		{"p", `{"identity":`, "REQUEST_FORMAT_INVALID", ""},
		{"p", ``, "REQUEST_FORMAT_INVALID", ""},
		{"u", `{"isPrimary":true,"systemData":{"registrationEnabled":true},"additionalData":{"a":1}}`, "", ""},
		{"u", `{"isPrimary":"true"}`, "BAD_REQUEST", "isPrimary"},
		{"u", `{"isPrimary":null}`, "BAD_REQUEST", "isPrimary"},
		{"u", `{"registrationId":"x"}`, "BAD_REQUEST", "registrationId"},
		{"u", `{"registrationEnabled":true}`, "BAD_REQUEST", "registrationEnabled"},
		{"u", `{"systemData":{"notificationsEnabled":true}}`, "BAD_REQUEST", "systemData.notificationsEnabled"},
		{"u", `{"systemData":{"registrationEnabled":1}}`, "BAD_REQUEST", "systemData.registrationEnabled"},
		{"u", `{"systemData":[]}`, "BAD_REQUEST", "systemData"},
		{"u", `{"additionalData":null}`, "BAD_REQUEST", "additionalData"},
		{"u", `{"additionalData":{"a":[]}}`, "BAD_REQUEST", "additionalData.a"},
		{"u", `"x"`, "BAD_REQUEST", "body"},
		{"d", `{}`, "REQUEST_FORMAT_INVALID", ""},
		{"g", `{}`, "REQUEST_FORMAT_INVALID", ""},
	}
	routes := map[string][2]string{
		"p": {"POST", "/personalize"}, "u": {"PATCH", ""}, "d": {"POST", "/depersonalize"}, "g": {"GET", ""},
	}
	for i, c := range cases {
		t.Run(strconv.Itoa(i), func(t *testing.T) {
			t.Parallel()
			r := newCaller(t, simulator.New(simulator.Config{})).do(routes[c.op][0], pushPath+"d"+routes[c.op][1], c.body)
			if r.code() != c.code || (r.status == 200) != (c.code == "") {
				t.Fatalf("%.200s: answered %d %.300s, want code %q", c.body, r.status, r.body, c.code)
			}
			if c.field != "" && !strings.Contains(r.body, strconv.Quote(c.field)+":") {
				t.Errorf("%.200s: answer %.300s does not name %s", c.body, r.body, c.field)
			}
		})
	}
}

// These go past the description, whose validator reads numbers as floats.
func TestNumbersAboveTheLimit(t *testing.T) {
	t.Parallel()
	sim := simulator.New(simulator.Config{})
	call := newCaller(t, sim)
	call.rt = sim.RoundTripper()
	for _, number := range []string{"9223372036854775808", "9223372036854775807.5", "1e999999999"} {
		r := call.do("PATCH", pushPath+"d", `{"additionalData":{"a":`+number+`}}`)
		if r.code() != "BAD_REQUEST" {
			t.Errorf("%s: answered %d %s, want BAD_REQUEST", number, r.status, r.body)
		}
	}
}

func TestAllViolationsAreNamed(t *testing.T) {
	t.Parallel()
	call := newCaller(t, simulator.New(simulator.Config{CustomAttributes: []string{"vip"}}))
	r := call.personalize("d", "?returnPush=1&other=true",
		`{"identity":{"email":"x","phoneNumber":"y"},"attributes":{"gender":"Z","customAttributes":{"vip":true,"new":1}}}`)
	for _, field := range []string{"identity.email", "identity.phoneNumber", "attributes.gender", "attributes.customAttributes.new", "returnPush", "other"} {
		if !strings.Contains(r.body, strconv.Quote(field)+":") {
			t.Errorf("answer %s does not name %s", r.body, field)
		}
	}
	if r.code() != "EMAIL_INVALID" && r.code() != "PHONE_INVALID" {
		t.Errorf("code %s, want the one of the identity", r.code())
	}
	if strings.Contains(r.body, ".vip") {
		t.Errorf("answer %s complains about a defined attribute", r.body)
	}
}

func TestRequestsOutsideTheAPI(t *testing.T) {
	t.Parallel()
	sim := simulator.New(simulator.Config{})
	call := newCaller(t, sim)
	good := `{"identity":{"externalId":"x"}}`
	cases := []struct {
		name   string
		reply  reply
		status int
	}{
		{"unknown path", call.do("GET", "/people/3/persons", ""), 404},
		{"below a registration", call.do("POST", pushPath+"a/other", ""), 404},
		{"too deep", call.do("POST", pushPath+"a/personalize/x", good), 404},
		{"trailing slash", call.do("POST", pushPath+"a/", good), 404},
		{"no id", call.do("GET", pushPath, ""), 404},
		{"no id to personalize", call.do("POST", pushPath+"/personalize", good), 404},
		{"wrong method", call.do("DELETE", pushPath+"a", ""), 405},
		{"get for post", call.do("GET", pushPath+"a/personalize", ""), 405},
		{"post for get", call.do("POST", personsPath, ""), 405},
		{"query on get", call.do("GET", pushPath+"a?x=1", ""), 400},
		{"repeated flag", call.personalize("a", "?keepAsLead=true&keepAsLead=true", good), 400},
		{"broken query", call.personalize("a", "?keepAsLead=%zz", good), 400},
		{"content type", call.with("Content-Type", "text/plain").personalize("a", "", good), 415},
		{"charset", call.with("Content-Type", "application/json; charset=utf-8").personalize("a", "", good), 200},
		{"not UTF-8", call.personalize("a", "", "{\"identity\":{\"externalId\":\"\xff\"}}"), 400},
		{"too long", call.personalize("a", "", `{"identity":{"externalId":"`+strings.Repeat("x", 1<<20)+`"}}`), 400},
	}
	for _, c := range cases {
		if c.reply.status != c.status {
			t.Errorf("%s: answered %d %s, want %d", c.name, c.reply.status, c.reply.body, c.status)
		}
	}
}
