package apiclient

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// The limits that the platform publishes, in requests a second for each
// operation of an account (OpenAPI document 3.210.0). They can be raised by
// contract.
const (
	PublishedPushRate = 50
	PublishedListRate = 5
)

// Unlimited is the rate of an operation that is not paced.
var Unlimited = math.Inf(1)

// Config is what a Client is made from. BaseURL and Auth are required.
type Config struct {
	BaseURL string // https://<id>.api.infobip.com; plain http to loopback only
	AppCode string // application code of calls that have none of their own
	Auth    Auth

	// Transport sends the requests. nil: connections are reused, as many as
	// calls are in flight, and the proxy of the environment is used.
	Transport http.RoundTripper
	UserAgent string // default pushbatch

	Timeout     time.Duration // of one attempt; default 30s
	MaxAttempts int           // of one call, answers 429 not counted; default 10
	BackoffBase time.Duration // before the first repetition; default 500ms
	BackoffCap  time.Duration // the longest; default 30s

	// Rate is the limit of each operation on push registrations and ListRate
	// that of listing people, in requests a second; 0: the published one. A
	// fraction below 1 works; above 1 the whole requests count, since only they
	// fit into a second.
	Rate     float64
	ListRate float64

	// MaxOutage is how long an outage is waited for before calls return
	// ErrOutage; 0: the default of 30m, negative: for ever.
	MaxOutage time.Duration

	// Shares keeps the record by which processes share the rates of an account:
	// each may then send at its share only, which KeepShares keeps. nil: this
	// client has the whole rate.
	Shares     ShareStore
	shareClock func() time.Time // tests set clocks apart

	Log       *slog.Logger  // pauses, rate changes, outages; at level debug every retry; nil: nothing is logged
	OnAttempt func(Attempt) // called after every attempt, from the caller's goroutine; may be nil

	// MaySend is asked right before every attempt, from the caller's goroutine.
	// An error keeps the attempt from being sent and ends the call with it. nil:
	// nothing is asked.
	MaySend func() error
}

// withDefaults returns cfg with what it leaves open filled in.
func (cfg Config) withDefaults() Config {
	cfg.Timeout = cmp.Or(cfg.Timeout, 30*time.Second)
	cfg.MaxAttempts = cmp.Or(cfg.MaxAttempts, 10)
	cfg.BackoffBase = cmp.Or(cfg.BackoffBase, 500*time.Millisecond)
	cfg.BackoffCap = cmp.Or(cfg.BackoffCap, 30*time.Second)
	cfg.MaxOutage = cmp.Or(cfg.MaxOutage, 30*time.Minute)
	cfg.Rate = cmp.Or(cfg.Rate, PublishedPushRate)
	cfg.ListRate = cmp.Or(cfg.ListRate, PublishedListRate)
	cfg.UserAgent = cmp.Or(cfg.UserAgent, "pushbatch")
	cfg.Log = cmp.Or(cfg.Log, slog.New(slog.DiscardHandler))
	if cfg.MaySend == nil {
		cfg.MaySend = func() error { return nil }
	}
	if cfg.shareClock == nil {
		cfg.shareClock = time.Now
	}
	if cfg.Transport == nil {
		cfg.Transport = newRoundTripper()
	}
	return cfg
}

// rate returns the configured rate of op.
func (cfg *Config) rate(op Op) float64 {
	if op == OpListPersons || op == OpApplications {
		return cfg.ListRate
	}
	return cfg.Rate
}

func (cfg *Config) check() error {
	for op := range opCount {
		if r := cfg.rate(op); !(r > 0) {
			return fmt.Errorf("rate of %s is %v: give a number above 0 (requests a second)", op, r)
		}
	}
	switch {
	case cfg.Timeout < 0 || cfg.BackoffBase < 0 || cfg.BackoffCap < 0:
		return errors.New("timeout and backoff must not be negative")
	case cfg.MaxAttempts < 0:
		return errors.New("the number of attempts must not be negative")
	}
	return cmp.Or(
		checkHeaderValue("application code", cfg.AppCode),
		checkHeaderValue("user agent", cfg.UserAgent),
		cfg.Auth.check(),
	)
}

// checkHeaderValue refuses what cannot stand in a header: a key pasted with
// its line end, most of the time. The value itself is never shown.
func checkHeaderValue(name, value string) error {
	for i := range len(value) {
		if c := value[i]; c < 0x20 || c == 0x7f {
			return fmt.Errorf("%s has a control character at position %d of %d (a line end?)", name, i+1, len(value))
		}
	}
	if strings.TrimSpace(value) != value {
		return fmt.Errorf("%s begins or ends with a space", name)
	}
	return nil
}

// CheckBaseURL returns what New would say of a Config.BaseURL; nil: nothing.
func CheckBaseURL(text string) error {
	_, err := parseBaseURL("base URL", text)
	return err
}

// parseBaseURL reads the address of the platform, or of its token endpoint.
// Its text is not shown where it may carry a password.
func parseBaseURL(name, text string) (*url.URL, error) {
	if text == "" {
		return nil, fmt.Errorf("%s is missing: it looks like https://<id>.api.infobip.com", name)
	}
	if !strings.Contains(text, "://") {
		return nil, fmt.Errorf("%s must begin with https://%s", name, withScheme(text))
	}
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s is not an address", name)
	case u.User != nil:
		return nil, fmt.Errorf("%s must not carry a user or a password", name)
	case u.Scheme != "https" && u.Scheme != "http":
		return nil, fmt.Errorf("%s must begin with https://", name)
	case u.Hostname() == "":
		return nil, fmt.Errorf("%s names no host", name)
	case !isPort(u.Port()):
		return nil, fmt.Errorf("%s has the port %s: the highest is 65535", name, u.Port())
	case u.RawQuery != "" || u.Fragment != "" || u.ForceQuery:
		return nil, fmt.Errorf("%s must not have a query or a fragment", name)
	case u.Scheme == "http" && !isLoopback(u.Hostname()):
		return nil, fmt.Errorf("%s uses plain http to host %s: credentials go out over https only (http is for loopback)", name, u.Hostname())
	}
	return u, nil
}

// withScheme is what an address without a scheme most likely means, to be told; empty
// where it may carry a password.
func withScheme(text string) string {
	u, err := url.Parse("https://" + text)
	if err != nil || u.User != nil || u.RawQuery != "" {
		return ""
	}
	if isLoopback(u.Hostname()) {
		return fmt.Sprintf(": give https://%s, or http://%s for a server of this machine that speaks no TLS", text, text)
	}
	return ": give https://" + text
}

func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
