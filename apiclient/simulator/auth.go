package simulator

import (
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// tokens are the OAuth2 access tokens issued here.
type tokens struct {
	mu     sync.Mutex
	issued map[string]time.Time // until when
}

func (t *tokens) issue(until time.Time) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	token := "sim" + rand.Text()
	t.issued[token] = until
	return token
}

// valid reports whether the token was issued here and whether it is still good.
func (t *tokens) valid(token string, now time.Time) (known, good bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	until, known := t.issued[token]
	return known, now.Before(until)
}

// authorized checks an Authorization header. A scheme's name is taken in any
// case, as RFC 9110 has it.
func (s *Simulator) authorized(header string, now time.Time) bool {
	scheme, credential, _ := strings.Cut(header, " ")
	credential = strings.TrimSpace(credential)
	if credential == "" {
		return false
	}
	open := len(s.cfg.APIKeys) == 0
	switch strings.ToLower(scheme) {
	case "app":
		return open || slices.Contains(s.cfg.APIKeys, credential)
	case "ibsso":
		return open
	case "basic":
		raw, err := base64.StdEncoding.DecodeString(credential)
		return open && err == nil && strings.Contains(string(raw), ":")
	case "bearer":
		known, good := s.tokens.valid(credential, now)
		return good || open && !known
	default:
		return false
	}
}

// token answers the client credentials grant. The client stands in the form or
// in a Basic header (RFC 6749, 2.3.1).
func (x *handling) token() answer {
	if !isContentType(x.r.Header, "application/x-www-form-urlencoded") {
		return olderError(http.StatusUnsupportedMediaType, "UNSUPPORTED_MEDIA_TYPE", "A form is expected")
	}
	form, err := url.ParseQuery(x.body)
	if err != nil {
		return badFormat("The form cannot be read")
	}
	for name := range form {
		if name != "grant_type" && name != "client_id" && name != "client_secret" && name != "scope" {
			return badRequest(name, "unknown field")
		}
	}
	if form.Get("grant_type") != "client_credentials" {
		return badRequest("grant_type", "must be client_credentials")
	}
	id, secret, inHeader := x.r.BasicAuth()
	if !inHeader {
		id, secret = form.Get("client_id"), form.Get("client_secret")
	}
	if id == "" || secret == "" {
		return unauthorized()
	}
	life := x.sim.cfg.TokenLifetime
	a := ok(struct {
		AccessToken string `json:"access_token"`
		TokenType   string `json:"token_type"`
		ExpiresIn   int64  `json:"expires_in"`
	}{x.sim.tokens.issue(time.Now().Add(life)), "Bearer", int64(life / time.Second)})
	a.effect = true
	return a
}
