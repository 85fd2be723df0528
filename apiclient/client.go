package apiclient

import (
	"context"
	"errors"
	"fmt"
	"maps"
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
	headers   [opCount]headers
	exchanger *exchanger
	tokens    *tokens // nil: the authorization does not change
	lanes     [opCount]*lane
	weather   *weather
	counters  counters
	tickets   atomic.Uint64
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
	c := &Client{cfg: cfg, clock: clock{time.Now()}, base: base, exchanger: newExchanger(&cfg)}
	c.weather = newWeather(c.clock, &cfg)
	for op := range opCount {
		c.lanes[op] = newLane(c.clock, cfg.rate(op))
	}
	if cfg.Auth.oauth != nil {
		if c.tokens, err = newTokens(c.exchanger, cfg.Auth.oauth, base); err != nil {
			return nil, err
		}
	}
	c.base.Path, c.base.RawPath = strings.TrimSuffix(base.EscapedPath(), "/"), ""
	c.makeHeaders()
	return c, nil
}

// headers are what the requests of an operation have in common. Requests share
// the maps: nobody who sends a request may change it.
type headers struct{ withBody, bare http.Header }

func (c *Client) makeHeaders() {
	for op := range opCount {
		h := http.Header{"Accept": {"application/json"}, "User-Agent": {c.cfg.UserAgent}}
		if op != OpListPersons {
			h["Accept-Encoding"] = []string{"identity"} // small answers, not worth unpacking
		}
		if c.cfg.AppCode != "" {
			h["Appcode"] = []string{c.cfg.AppCode}
		}
		if c.cfg.Auth.header != "" {
			h["Authorization"] = []string{c.cfg.Auth.header}
		}
		withBody := maps.Clone(h)
		withBody["Content-Type"] = []string{"application/json"}
		c.headers[op] = headers{withBody: withBody, bare: h}
	}
}

// header returns the header of a call, a copy only where it has values of its
// own.
func (c *Client) header(call *Call, authorization string) http.Header {
	h := c.headers[call.Op].bare
	if call.Body != nil {
		h = c.headers[call.Op].withBody
	}
	if call.AppCode == "" && authorization == "" {
		return h
	}
	h = maps.Clone(h)
	if call.AppCode != "" {
		h["Appcode"] = []string{call.AppCode}
	}
	if authorization != "" {
		h["Authorization"] = []string{authorization}
	}
	return h
}

// message makes the request of a call. authorization is empty unless it
// changes over time.
func (c *Client) message(call *Call, authorization string) message {
	return message{
		op: call.Op, method: call.Method, url: c.url(call), header: c.header(call, authorization), body: call.Body,
		keep: !call.Discard, empty: call.Op == OpDepersonalize,
	}
}

func (c *Client) url(call *Call) *url.URL {
	u := *c.base
	u.Path += call.Path
	u.RawQuery = call.Query
	if strings.IndexByte(u.Path, '%') >= 0 {
		if plain, err := url.PathUnescape(u.Path); err == nil {
			u.Path, u.RawPath = plain, u.Path
		}
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
	Code    string
	Started time.Time
	Latency time.Duration
}

// Do sends a call, paced and repeated until it is answered for good. Its error
// is an *Error, an error that is ErrOutage or ErrDrained, or what ended ctx.
func (c *Client) Do(ctx context.Context, call Call) (Response, error) {
	if call.Op >= opCount {
		return Response{}, fmt.Errorf("operation %d does not exist", call.Op)
	}
	if call.AppCode != "" {
		if err := checkHeaderValue("application code", call.AppCode); err != nil {
			return Response{}, &Error{Op: call.Op, Code: "app_code_invalid", Message: err.Error()}
		}
	}
	c.counters.calls.Add(1)
	defer c.counters.calls.Add(-1)
	d := delivery{client: c, call: &call, lane: c.lanes[call.Op], ticket: c.tickets.Add(1)}
	err := d.run(ctx)
	return d.resp, err
}

// asError returns err as an *Error, nil if it is none.
func asError(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return nil
}
