package simulator_test

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"pushbatch/apiclient/simulator"
)

func basic(user, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}

func TestAuthorization(t *testing.T) {
	t.Parallel()
	cases := []struct {
		header       string
		open, closed bool
	}{
		{"App k2", true, true},
		{"app k1", true, true},
		{"App other", true, false},
		{"App ", false, false},
		{"App", false, false},
		{"IBSSO s", true, false},
		{basic("u", "p:w"), true, false},
		{"Basic !", false, false},
		{"Bearer t", true, false},
		{"Digest x", false, false},
		{"", false, false},
	}
	for _, c := range cases {
		t.Run(c.header, func(t *testing.T) {
			t.Parallel()
			check := func(cfg simulator.Config, good bool) {
				r := newCaller(t, simulator.New(cfg)).with("Authorization", c.header).do("GET", pushPath+"a", "")
				if good && r.status != 200 || !good && (r.status != 401 || r.code() != "UNAUTHORIZED") {
					t.Errorf("answered %d %s, want let in: %t", r.status, r.body, good)
				}
			}
			check(simulator.Config{}, c.open)
			check(simulator.Config{APIKeys: []string{"k1", "k2"}}, c.closed)
		})
	}
}

func TestTokens(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim := simulator.New(simulator.Config{
			APIKeys: []string{"k"}, TokenLifetime: time.Minute,
		})
		call := newCaller(t, sim)
		bearer := "Bearer " + askToken(t, call, "c", "s")
		if r := call.with("Authorization", bearer).do("GET", pushPath+"a", ""); r.status != 200 {
			t.Errorf("a new token is answered %d", r.status)
		}
		time.Sleep(time.Minute)
		if r := call.with("Authorization", bearer).do("GET", pushPath+"a", ""); r.status != 401 {
			t.Errorf("an expired token is answered %d", r.status)
		}
		if again := "Bearer " + askToken(t, call, "c", "s"); again == bearer {
			t.Error("the same token was issued twice")
		}
	})
}

const tokenPath = "/auth/1/oauth2/token"

func form(call *caller) *caller {
	return call.with("Content-Type", "application/x-www-form-urlencoded").with("Authorization", "").with("AppCode", "")
}

func askToken(t *testing.T, call *caller, id, secret string) string {
	t.Helper()
	fields := url.Values{"grant_type": {"client_credentials"}, "client_id": {id}, "client_secret": {secret}}
	r := form(call).do("POST", tokenPath, fields.Encode())
	var got struct {
		Token     string `json:"access_token"`
		ExpiresIn int    `json:"expires_in"`
	}
	if err := json.Unmarshal([]byte(r.body), &got); err != nil || got.Token == "" || got.ExpiresIn != 60 {
		t.Fatalf("token answered %d %s (%v)", r.status, r.body, err)
	}
	return got.Token
}

func TestTokenRefusals(t *testing.T) {
	t.Parallel()
	sim := simulator.New(simulator.Config{})
	call := form(newCaller(t, sim))
	const grant = "grant_type=client_credentials"
	cases := []struct {
		name  string
		reply reply
		want  int
	}{
		{"no secret", call.do("POST", tokenPath, grant+"&client_id=c&client_secret="), 401},
		{"no client", call.do("POST", tokenPath, grant), 401},
		{"in a header", call.with("Authorization", basic("c", "s")).do("POST", tokenPath, grant), 200},
		{"other grant", call.do("POST", tokenPath, "grant_type=password&client_id=c&client_secret=s"), 400},
		{"unknown field", call.do("POST", tokenPath, grant+"&client_id=c&client_secret=s&x=1"), 400},
		{"broken form", call.do("POST", tokenPath, "grant_type=%zz"), 400},
		{"json", call.with("Content-Type", "application/json").do("POST", tokenPath, "{}"), 415},
		{"get", call.do("GET", tokenPath, ""), 405},
	}
	for _, c := range cases {
		if c.reply.status != c.want {
			t.Errorf("%s: answered %d %s, want %d", c.name, c.reply.status, c.reply.body, c.want)
		}
	}
}
