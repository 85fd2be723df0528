package apiclient

import (
	"encoding/base64"
	"errors"
	"fmt"
	"html"
	"io"
	"log/slog"
	"net/url"
	"slices"
	"strings"

	"pushbatch/batch/jsonappend"
)

// Auth is how a Client authorizes its requests. It never prints a secret: all
// of fmt, slog and encoding/json show the kind and a mask.
type Auth struct {
	kind   string
	header string   // value of Authorization; empty for OAuth2
	parts  []string // secrets besides the header
	oauth  *credentials
}

// credentials are those of the client credentials grant.
type credentials struct {
	clientID, secret, tokenURL string
}

// AppKey authorizes with an API key.
func AppKey(key string) Auth {
	return Auth{kind: "app", header: "App " + key, parts: []string{key}}
}

// Basic authorizes with user name and password.
func Basic(user, password string) Auth {
	pair := base64.StdEncoding.EncodeToString([]byte(user + ":" + password))
	return Auth{kind: "basic", header: "Basic " + pair, parts: []string{pair, password}}
}

// IBSSO authorizes with a session token.
func IBSSO(token string) Auth {
	return Auth{kind: "ibsso", header: "IBSSO " + token, parts: []string{token}}
}

// OAuth2 authorizes with access tokens of the client credentials grant. A
// token is shared by all calls, renewed before it expires, and once when it is
// refused. tokenURL empty: /auth/1/oauth2/token at the base URL.
func OAuth2(clientID, secret, tokenURL string) Auth {
	return Auth{kind: "oauth2", parts: []string{secret}, oauth: &credentials{clientID, secret, tokenURL}}
}

func (a Auth) check() error {
	if a.kind == "" {
		return errors.New("authorization is missing: give an API key")
	}
	for _, secret := range a.parts {
		if secret == "" {
			return fmt.Errorf("the secret of authorization %s is empty", a.kind)
		}
		if err := checkHeaderValue("the secret of authorization "+a.kind, secret); err != nil {
			return err
		}
	}
	if a.oauth != nil && a.oauth.clientID == "" {
		return errors.New("the client id of authorization oauth2 is empty")
	}
	return nil
}

// secrets lists what must never be shown.
func (a Auth) secrets() []string { return append([]string{a.header}, a.parts...) }

// String names the kind and masks the secret.
func (a Auth) String() string {
	if a.kind == "" {
		return "none"
	}
	return a.kind + " ***"
}

// Format masks under every verb.
func (a Auth) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, a.String()) }

// LogValue masks in logs.
func (a Auth) LogValue() slog.Value { return slog.StringValue(a.String()) }

// MarshalText masks in JSON and YAML.
func (a Auth) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// newScrubber takes secrets out of texts that came from outside. It masks each as it is
// and in the escapings in which a server may echo it.
func newScrubber(secrets []string) *strings.Replacer {
	var pairs []string
	for _, s := range secrets {
		for _, form := range echoes(s) {
			pairs = append(pairs, form, "***")
		}
	}
	return strings.NewReplacer(pairs...)
}

// echoes returns the forms in which a server may send a secret back: as it is,
// escaped for HTML, for a URL and for JSON.
func echoes(secret string) []string {
	if secret == "" {
		return nil
	}
	quoted := string(jsonappend.String(nil, secret))
	forms := []string{
		secret, html.EscapeString(secret), url.QueryEscape(secret), url.PathEscape(secret), quoted[1 : len(quoted)-1],
	}
	slices.Sort(forms)
	return slices.Compact(forms)
}
