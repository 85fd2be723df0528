package apiclient

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestAuthorizationHeaders(t *testing.T) {
	t.Parallel()
	tests := []struct {
		auth Auth
		want string
	}{
		{AppKey("k-1"), "App k-1"},
		{Basic("user", "pass"), "Basic dXNlcjpwYXNz"},
		{IBSSO("t-1"), "IBSSO t-1"},
	}
	for _, tt := range tests {
		t.Run(tt.want, func(t *testing.T) {
			t.Parallel()
			var got http.Header
			c := newClient(t, roundTripper(func(r *http.Request) (*http.Response, error) {
				got = r.Header
				return reply(200, "{}"), nil
			}), func(cfg *Config) { cfg.Auth = tt.auth })
			call := GetCall("1")
			call.AppCode = "other"
			if _, err := c.Do(t.Context(), call); err != nil {
				t.Fatal(err)
			}
			if got.Get("Authorization") != tt.want || got.Get("AppCode") != "other" || got.Get("User-Agent") != "pushbatch" {
				t.Errorf("headers %v", got)
			}
		})
	}
}

func TestAuthNeverPrints(t *testing.T) {
	t.Parallel()
	for _, auth := range []Auth{AppKey(secret), Basic("u", secret), IBSSO(secret), OAuth2("id", secret, ""), {}} {
		cfg := Config{Auth: auth}
		var log strings.Builder
		slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "auth", auth, "cfg", cfg)
		data, err := json.Marshal(map[string]any{"auth": auth})
		if err != nil {
			t.Fatal(err)
		}
		texts := []string{log.String(), string(data), auth.String(), fmt.Sprintf("%#v", auth)}
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			texts = append(texts, fmt.Sprintf(verb, auth), fmt.Sprintf(verb, &auth), fmt.Sprintf(verb, cfg))
		}
		for _, text := range texts {
			for _, form := range append(echoes(secret), fmt.Sprintf("%x", secret)) {
				if strings.Contains(text, form) {
					t.Errorf("the secret shows in %s", text)
				}
			}
		}
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	good := Config{BaseURL: "https://x.api.infobip.com", Auth: AppKey("k")}
	tests := []struct {
		name   string
		change func(*Config)
		want   string // in the error; "": accepted
	}{
		{"as it is", func(*Config) {}, ""},
		{"http to 127.0.0.1", func(c *Config) { c.BaseURL = "http://127.0.0.1:8099" }, ""},
		{"http to [::1]", func(c *Config) { c.BaseURL = "http://[::1]:8099/" }, ""},
		{"http to localhost", func(c *Config) { c.BaseURL = "http://LOCALHOST" }, ""},
		{"unlimited", func(c *Config) { c.Rate = Unlimited }, ""},
		{"http", func(c *Config) { c.BaseURL = "http://x.api.infobip.com" }, "https only"},
		{"http to a name that begins like loopback", func(c *Config) { c.BaseURL = "http://127.0.0.1.example.com" }, "https only"},
		{"no base URL", func(c *Config) { c.BaseURL = "" }, "base URL is missing"},
		{"no scheme", func(c *Config) { c.BaseURL = "x.api.infobip.com" }, "must begin with https://: give https://x.api.infobip.com"},
		{"no scheme, with a port", func(c *Config) { c.BaseURL = "localhost:8301" }, "give https://localhost:8301, or http://localhost:8301 for"},
		{"no scheme, with a password", func(c *Config) { c.BaseURL = "u:secret-pw@x.example" }, "must begin with https://"},
		{"no host", func(c *Config) { c.BaseURL = "https:///x" }, "names no host"},
		{"no port", func(c *Config) { c.BaseURL = "https://x.example:99999" }, "has the port 99999"},
		{"not an address", func(c *Config) { c.BaseURL = "https://a b\x00" }, "not an address"},
		{"query", func(c *Config) { c.BaseURL = "https://x/?a=1" }, "query"},
		{"user", func(c *Config) { c.BaseURL = "https://u:" + "pw" + "@x" }, "must not carry a user"},
		{"no authorization", func(c *Config) { c.Auth = Auth{} }, "authorization is missing"},
		{"empty key", func(c *Config) { c.Auth = AppKey("") }, "empty"},
		{"key with a line end", func(c *Config) { c.Auth = AppKey("abc\n") }, "position 4 of 4"},
		{"key with a space", func(c *Config) { c.Auth = AppKey(" abc") }, "space"},
		{"token with CR", func(c *Config) { c.Auth = IBSSO("a\rb") }, "control character"},
		{"no client id", func(c *Config) { c.Auth = OAuth2("", "s", "") }, "client id"},
		{"token URL", func(c *Config) { c.Auth = OAuth2("i", "s", "http://x.example") }, "token URL uses plain http"},
		{"application code", func(c *Config) { c.AppCode = "a\nb" }, "application code has a control character"},
		{"user agent", func(c *Config) { c.UserAgent = "a\nb" }, "user agent"},
		{"rate", func(c *Config) { c.Rate = -1 }, "rate of get"},
		{"rate NaN", func(c *Config) { c.ListRate = math.NaN() }, "rate of list-persons"},
		{"timeout", func(c *Config) { c.Timeout = -1 }, "negative"},
		{"attempts", func(c *Config) { c.MaxAttempts = -1 }, "attempts"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			cfg := good
			tt.change(&cfg)
			_, err := New(cfg)
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("got error %v, want %q", err, tt.want)
			}
		})
	}
}

// tokenServer hands out tokens t1, t2, ... and takes only the latest, while it
// lasts.
type tokenServer struct {
	mu      sync.Mutex
	life    int
	issued  int
	failing int // answers 503 to so many fetches first
	refuse  bool
	once    bool // each is good for a single request
	forms   []url.Values
	calls   int
	expires time.Time
}

func (s *tokenServer) RoundTrip(r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.URL.Path == "/auth/1/oauth2/token" {
		return s.token(r)
	}
	s.calls++
	if r.Header.Get("Authorization") != fmt.Sprintf("Bearer t%d", s.issued) || time.Now().After(s.expires) || s.refuse {
		return reply(401, `{"requestError":{"serviceException":{"messageId":"UNAUTHORIZED","text":"no"}}}`), nil
	}
	if s.once {
		s.expires = time.Time{}
	}
	return reply(200, "{}"), nil
}

func (s *tokenServer) token(r *http.Request) (*http.Response, error) {
	body, _ := io.ReadAll(r.Body)
	form, _ := url.ParseQuery(string(body))
	s.forms = append(s.forms, form)
	if s.failing > 0 {
		s.failing--
		return reply(503, ""), nil
	}
	s.issued++
	s.expires = time.Now().Add(time.Duration(s.life) * time.Second)
	if s.once {
		s.expires = time.Now().Add(time.Hour)
	}
	return reply(200, fmt.Sprintf(`{"access_token":"t%d","expires_in":%d,"token_type":"Bearer"}`, s.issued, s.life)), nil
}

func TestOAuth2(t *testing.T) {
	t.Parallel()
	setup := func(t *testing.T, s *tokenServer) *Client {
		return newClient(t, s, func(cfg *Config) { cfg.Auth = OAuth2("id", secret, "") })
	}
	tests := []struct {
		name string
		run  func(*testing.T)
	}{
		{"one fetch for all, renewed before it expires", func(t *testing.T) {
			s := &tokenServer{life: 100, failing: 2}
			done := load(t, setup(t, s), 64, 5*time.Minute)
			if done != s.calls {
				t.Errorf("%d calls for %d successes: some were refused", s.calls, done)
			}
			if s.issued != 4 { // every 90 s
				t.Errorf("%d tokens in five minutes", s.issued)
			}
			f := s.forms[0]
			if f.Get("grant_type") != "client_credentials" || f.Get("client_id") != "id" || f.Get("client_secret") != secret {
				t.Errorf("form %v", f)
			}
		}},
		{"renewed once after a 401", func(t *testing.T) {
			s := &tokenServer{life: 3600}
			c := setup(t, s)
			mustGet(t, c)
			s.expires = time.Now().Add(-time.Second) // revoked
			resp, err := c.Do(t.Context(), GetCall("1"))
			if err != nil || resp.Attempts != 2 || s.issued != 2 {
				t.Errorf("got %+v, %v, %d tokens", resp, err, s.issued)
			}
		}},
		{"expires at once: used for a while, and renewed when refused", func(t *testing.T) {
			s := &tokenServer{life: 1}
			done := load(t, setup(t, s), 64, time.Minute)
			if s.issued > 61 || done < 60*40 {
				t.Errorf("%d tokens and %d successes in a minute", s.issued, done)
			}
		}},
		{"valid for one request: fetched once a second, not in a loop", func(t *testing.T) {
			s := &tokenServer{life: 0, once: true}
			c := setup(t, s)
			begin := time.Now()
			for range 30 {
				mustGet(t, c)
			}
			if took := time.Since(begin); s.issued > 31 || took < time.Duration(s.issued-1)*tokenEvery {
				t.Errorf("%d tokens for 30 calls in %v", s.issued, took)
			}
		}},
		{"then final", func(t *testing.T) {
			s := &tokenServer{life: 3600, refuse: true}
			resp, err := setup(t, s).Do(t.Context(), GetCall("1"))
			e := asError(err)
			if e == nil || !e.FatalFor(&Call{}) || e.Code != "UNAUTHORIZED" || resp.Attempts != 2 || s.issued != 2 {
				t.Errorf("got %+v, %v, %d tokens", resp, err, s.issued)
			}
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, tt.run)
		})
	}
}

func mustGet(t *testing.T, c *Client) {
	t.Helper()
	if _, err := c.Do(t.Context(), GetCall("1")); err != nil {
		t.Fatal(err)
	}
}

// Whatever life an answer names, a token is used for a while.
func TestTokenLifeHasAFloor(t *testing.T) {
	t.Parallel()
	for _, life := range []string{"0", "-5", "1", "0.000001", "9.9", "1e300", "NaN", "x"} {
		if d := usable(life); d < tokenFloor {
			t.Errorf("a life of %s: used for %v", life, d)
		}
	}
}

func TestTokenEndpointErrors(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, code string
		resp       func() (*http.Response, error)
		fatal      bool
	}{
		{"refused", "http_401", answerer(401, `{"error":"invalid_client"}`), true},
		{"bad request", "http_400", answerer(400, `{"error":"invalid_grant"}`), true},
		{"no token", CodeTokenInvalid, answerer(200, `{"expires_in":5}`), true},
		{"token with a line end", CodeTokenInvalid, answerer(200, `{"access_token":"a\nb"}`), true},
		{"overloaded", "http_429", answerer(429, ``), false},
		{"down", "http_500", answerer(500, ``), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := &platform{answer: func(int, *http.Request) (*http.Response, error) { return tt.resp() }}
				c := newClient(t, p, func(cfg *Config) { cfg.Auth = OAuth2("id", secret, ""); cfg.MaxAttempts = 3 })
				resp, err := c.Do(t.Context(), GetCall("1"))
				e := asError(err)
				if e == nil || e.Code != tt.code || e.FatalFor(&Call{}) != tt.fatal || resp.Attempts != 0 ||
					!strings.HasPrefix(e.Message, "fetch access token: ") {
					t.Errorf("got %+v, %v", resp, err)
				}
				if n := len(p.arrivals); tt.fatal && n != 1 || !tt.fatal && n != 3 {
					t.Errorf("%d fetches", n)
				}
			})
		})
	}
}

// A caller who goes away while he fetches the token leaves it to the others.
func TestTokenFetchIsTakenOver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &tokenServer{life: 3600}
		slow := roundTripper(func(r *http.Request) (*http.Response, error) {
			if err := sleep(r.Context(), 10*time.Second); err != nil {
				return nil, err
			}
			return s.RoundTrip(r)
		})
		c := newClient(t, slow, func(cfg *Config) { cfg.Auth = OAuth2("id", secret, "") })
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var group sync.WaitGroup
		group.Go(func() {
			if _, err := c.Do(ctx, GetCall("1")); err == nil {
				t.Error("the caller who went away got an answer")
			}
		})
		time.Sleep(time.Millisecond)
		group.Go(func() { mustGet(t, c) })
		group.Wait()
	})
}
