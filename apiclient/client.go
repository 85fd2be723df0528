package apiclient

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"
)

// Client sends calls to the platform. It is safe for concurrent use, and one
// is enough for an account: the limit is kept within a client.
type Client struct {
	cfg       Config
	clock     clock
	base      *url.URL
	transport *transport
	tokens    *tokens // nil: the authorization does not change
	limiters  [opCount]*limiter
	headers   [opCount]map[bool]http.Header // of calls with a body or without that add nothing to it: 3 % of a job
	breaker   *breaker
	refusals  refusals
	counters  counters
	sequence  atomic.Uint64 // of the latest call
	shareKick chan struct{} // capacity 1: the shares are to be looked at
}

// New returns a client. It sends nothing. Its errors name the setting that is
// wrong and never show a secret.
func New(cfg Config) (*Client, error) {
	base, err := parseBaseURL("base URL", cfg.BaseURL)
	if err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	if err := cfg.check(); err != nil {
		return nil, err
	}
	c := &Client{cfg: cfg, clock: clock{time.Now()}, base: base, transport: newTransport(&cfg), shareKick: make(chan struct{}, 1)}
	c.breaker = newBreaker(c.clock, &cfg)
	c.refusals.longest = cfg.MaxOutage
	for op := range opCount {
		c.headers[op] = map[bool]http.Header{false: c.header(&Call{Op: op}, ""), true: c.header(&Call{Op: op, Body: []byte{}}, "")}
		c.limiters[op] = newLimiter(c.clock, cfg.rate(op))
		if cfg.Shares != nil && op != OpApplications { // a request or two, before anything is shared
			c.limiters[op].share = &share{kick: c.shareKick}
		}
	}
	if cfg.Auth.oauth != nil {
		if c.tokens, err = newTokens(c.transport, cfg.Auth.oauth, base); err != nil {
			return nil, err
		}
	}
	c.base.Path, c.base.RawPath = strings.TrimSuffix(base.EscapedPath(), "/"), ""
	return c, nil
}

// header returns the header of a call. authorization is empty unless it changes
// over time.
func (c *Client) header(call *Call, authorization string) http.Header {
	h := http.Header{"Accept": {"application/json"}, "User-Agent": {c.cfg.UserAgent}}
	if call.Op != OpListPersons {
		h["Accept-Encoding"] = []string{"identity"} // small answers, not worth unpacking
	}
	if call.Body != nil {
		h["Content-Type"] = []string{"application/json"}
	}
	if code := cmp.Or(call.AppCode, c.cfg.AppCode); code != "" {
		h["Appcode"] = []string{code}
	}
	if value := cmp.Or(authorization, c.cfg.Auth.header); value != "" {
		h["Authorization"] = []string{value}
	}
	return h
}

// request makes the request of a call.
func (c *Client) request(call *Call, authorization string) request {
	header := c.headers[call.Op][call.Body != nil]
	if call.AppCode != "" || authorization != "" {
		header = c.header(call, authorization)
	}
	return request{op: call.Op, method: call.Method, url: c.url(call), header: header, body: call.Body, keep: !call.Discard}
}

func (c *Client) url(call *Call) *url.URL {
	u := *c.base
	u.Path += call.Path
	u.RawQuery = call.Query
	if plain, err := url.PathUnescape(u.Path); err == nil && plain != u.Path {
		u.Path, u.RawPath = plain, u.Path
	}
	return &u
}

// Response is what is known of a call after it ended, whether it succeeded or
// not.
type Response struct {
	Status    int           // of the last answer; 0: none came
	Body      []byte        // of a 2xx, unless the call discards it
	Attempts  int           // requests sent, those answered 429 not counted
	Throttled int           // requests answered 429
	Latency   time.Duration // of the last attempt, from sending to the body read
}

// Attempt is one request that was sent.
type Attempt struct {
	Op      Op
	Number  int // of the call's requests, from 1
	Status  int // 0: no answer
	Latency time.Duration
	Err     *Error // nil: it succeeded
	Date    string // of the answer by the server's clock, as in its header; empty: it did not say
}

// Do sends a call, paced and repeated until it is answered for good. Its error
// is an *Error, an error that is ErrOutage or ErrDrained, or what ended ctx.
func (c *Client) Do(ctx context.Context, call Call) (Response, error) {
	if call.Op >= opCount {
		return Response{}, fmt.Errorf("operation %d does not exist", call.Op)
	}
	if err := checkHeaderValue("application code", call.AppCode); err != nil {
		return Response{}, &Error{Op: call.Op, Code: "app_code_invalid", Message: err.Error()}
	}
	c.counters.calls.Add(1)
	defer c.counters.calls.Add(-1)
	d := activeCall{client: c, call: &call, limiter: c.limiters[call.Op], sequence: c.sequence.Add(1)}
	err := d.run(ctx)
	return d.resp, err
}
