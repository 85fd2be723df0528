package apiclient

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"
)

// tokens holds the access token of the client credentials grant (RFC 6749,
// 4.4), shared by all callers. One fetch is under way at a time.
type tokens struct {
	transport *transport
	endpoint  *url.URL
	form      []byte
	current   atomic.Pointer[token]

	turn  chan struct{} // capacity 1: who is in it may fetch, and use what follows
	asked time.Time     // when the last fetch began
	ended time.Time     // and when it ended
	err   *Error        // in which way
}

// token is an access token as a header value.
type token struct {
	header string
	renew  time.Time // from when on it is not used any more
}

const (
	tokenLife = time.Hour // assumed where the answer names none
	// tokenFloor is how long a token is used at least, whatever life its answer
	// names: when it expired before, a call says so and fetches another.
	tokenFloor = 10 * time.Second
	// tokenEvery is the least time between two fetches.
	tokenEvery = time.Second
)

func newTokens(x *transport, c *credentials, base *url.URL) (*tokens, error) {
	own := *base // JoinPath would leave out the slash after the host
	own.Path, own.RawPath = strings.TrimSuffix(own.Path, "/")+"/auth/1/oauth2/token", ""
	endpoint := &own
	if c.tokenURL != "" {
		u, err := parseBaseURL("token URL", c.tokenURL)
		if err != nil {
			return nil, err
		}
		endpoint = u
	}
	form := url.Values{
		"grant_type": {"client_credentials"}, "client_id": {c.clientID}, "client_secret": {c.secret},
	}
	return &tokens{transport: x, endpoint: endpoint, form: []byte(form.Encode()), turn: make(chan struct{}, 1)}, nil
}

// header returns the value of Authorization, empty when a token must be
// fetched first.
func (t *tokens) header() string {
	if tok := t.current.Load(); tok != nil && time.Now().Before(tok.renew) {
		return tok.header
	}
	return ""
}

// refuse gives up the token that was answered with a 401, unless another has
// taken its place meanwhile.
func (t *tokens) refuse(header string) {
	if tok := t.current.Load(); tok != nil && tok.header == header {
		t.current.CompareAndSwap(tok, nil)
	}
}

// ensure returns when there is a token, or why there is none: an *Error, or
// the reason why ctx stopped waiting.
func (t *tokens) ensure(ctx context.Context, op Op) error {
	if t.header() != "" {
		return nil
	}
	began := time.Now()
	select {
	case t.turn <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-draining(ctx):
		return ErrDrained
	}
	defer func() { <-t.turn }()
	switch {
	case t.header() != "":
		return nil
	case t.err != nil && !t.ended.Before(began): // it failed for all who waited for it
		return t.err
	}
	if err := pause(ctx, max(0, tokenEvery-time.Since(t.asked)), nil); err != nil {
		return err
	}
	err := t.fetch(ctx, op)
	if why := stopped(ctx); why != nil {
		return why // which says nothing to the others
	}
	if t.ended, t.err = time.Now(), err; err != nil {
		return err
	}
	return nil
}

func (t *tokens) fetch(ctx context.Context, op Op) *Error {
	h := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Accept": {"application/json"}}
	t.asked = time.Now()
	a := t.transport.send(ctx, request{op: op, method: http.MethodPost, url: t.endpoint, header: h, body: t.form, keep: true})
	if a.err != nil {
		return tokenError(a.err)
	}
	var reply struct {
		AccessToken string `json:"access_token"`
		ExpiresIn   text   `json:"expires_in"` // number, or text
	}
	if decodeNumbers(a.body, &reply) != nil || reply.AccessToken == "" ||
		strings.ContainsFunc(reply.AccessToken, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return tokenError(&Error{
			Op: op, Status: a.status, Code: CodeTokenInvalid, Message: "the answer has no usable access_token",
		})
	}
	t.transport.hide(reply.AccessToken)
	t.current.Store(&token{"Bearer " + reply.AccessToken, t.asked.Add(usable(string(reply.ExpiresIn)))})
	return nil
}

// tokenError says what was asked. A refusal other than one of the passing
// kind means that the credentials are wrong: nothing would ever be sent.
func tokenError(e *Error) *Error {
	e.token = true
	e.Message = "fetch access token: " + e.Message
	if e.Class != Temporary {
		e.Class = Fatal
	}
	return e
}

// usable returns how long a token is used: its life less a tenth, at most a
// minute, so that it does not expire on its way; never less than tokenFloor.
func usable(expiresIn string) time.Duration {
	life, err := time.ParseDuration(expiresIn + "s")
	if err != nil || life <= 0 {
		life = tokenLife
	}
	return max(life-min(life/10, time.Minute), tokenFloor)
}
