package simulator

import (
	"io"
	"time"
)

// Config says what the simulated account looks like. The zero Config accepts
// every credential and application code, makes unknown registrations on first
// sight, has the published limits and no faults.
type Config struct {
	Credentials      Credentials
	TokenLifetime    time.Duration // of OAuth2 tokens issued here; 0: one hour
	AppCodes         []string      // known application codes; empty: any
	CustomAttributes []string      // attributes defined on the account; empty: any
	RefuseUnknown    bool          // unknown registrations are answered with 48013

	Choices Choices
	// WebPush is the percentage of generated people who have a web push
	// registration too, Contacts how many phones and e-mails they have at most;
	// 0: one of each.
	WebPush, Contacts int

	Limits          *Limits // nil: PublishedLimits()
	Window          Window
	RetryAfter      RetryAfter
	TooManyRequests Envelope // of 429: EnvelopeOlder (default), EnvelopeNewer or EnvelopeAlternate

	Faults []Fault
	Seed   uint64 // of the faults' dice and the generated people

	CountersOnly bool      // keep no calls, so that memory does not grow with requests
	CallLog      io.Writer // every finished call as a line of NDJSON; nil: none
	Admin        bool      // serve /__simulator/…
}

// Credentials are what the simulator lets in. Without any, every non-empty
// credential of the four kinds is accepted (but for expired tokens issued here).
type Credentials struct {
	APIKeys  []string     // Authorization: App KEY
	Users    []BasicUser  // Authorization: Basic BASE64
	Sessions []string     // Authorization: IBSSO TOKEN
	Clients  []AuthClient // may ask for tokens: Authorization: Bearer TOKEN
}

// BasicUser is a user name with its password.
type BasicUser struct{ Name, Password string }

// AuthClient is an OAuth2 client of the client credentials grant.
type AuthClient struct{ ID, Secret string }

func (c *Credentials) isEmpty() bool {
	return len(c.APIKeys)+len(c.Users)+len(c.Sessions)+len(c.Clients) == 0
}

// Limits are requests a second by operation; 0 is no limit. Every operation
// is counted on its own, over the whole account.
type Limits struct {
	Get, Update, Personalize, Depersonalize, ListPersons, Applications int
}

// PublishedLimits returns the limits of the platform's reference: 50 a second
// for each push operation, 5 a second for listing people and applications.
func PublishedLimits() *Limits {
	return &Limits{Get: 50, Update: 50, Personalize: 50, Depersonalize: 50, ListPersons: 5, Applications: 5}
}

// PushLimits returns limits with n requests a second for each push operation
// and list for listing people and applications.
func PushLimits(n, list int) *Limits {
	return &Limits{Get: n, Update: n, Personalize: n, Depersonalize: n, ListPersons: list, Applications: list}
}

func (l *Limits) of(op Op) int {
	return [opCount]int{
		OpGet: l.Get, OpUpdate: l.Update, OpPersonalize: l.Personalize, OpDepersonalize: l.Depersonalize,
		OpListPersons: l.ListPersons, OpApplications: l.Applications,
	}[op]
}

// Window is how a limit counts.
type Window uint8

// The windows. The platform does not say which one it has, so a client must
// live with either.
const (
	Fixed   Window = iota // wall-clock seconds
	Sliding               // any second, half open: the request of exactly one second ago no longer counts
	Both                  // refuses what either of them refuses
)

// RetryAfter is the form of the Retry-After header of a 429.
type RetryAfter uint8

// The forms.
const (
	RetryAfterSeconds RetryAfter = iota
	RetryAfterDate
	RetryAfterNone
)

// Envelope is the form of an error answer.
type Envelope uint8

// The envelopes.
const (
	EnvelopeOlder     Envelope = iota // {"requestError":{"serviceException":{…}}}
	EnvelopeNewer                     // {"errorCode":"E429","description":…}
	EnvelopePush                      // {"errorCode":48013,"errorMessage":…}
	EnvelopeHTML                      // a proxy's page
	EnvelopeEmpty                     // no body
	EnvelopeAlternate                 // older and newer in turn; for Config.TooManyRequests
)

// Op is an operation of the platform.
type Op uint8

// The operations. OpOther stands for requests to paths that do not exist.
const (
	OpGet Op = iota
	OpUpdate
	OpPersonalize
	OpDepersonalize
	OpListPersons
	OpApplications
	OpToken
	OpOther
	opCount
)

// String returns the operation's name as fault rules and the call log use it.
func (o Op) String() string {
	return [opCount]string{"get", "update", "personalize", "depersonalize", "list-persons", "applications", "token", "other"}[o]
}

func parseOp(name string) (Op, bool) {
	for op := range opCount {
		if op.String() == name {
			return op, true
		}
	}
	return 0, false
}
