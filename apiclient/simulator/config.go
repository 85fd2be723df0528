package simulator

import (
	"io"
	"time"
)

// Config says what the simulated account looks like. The zero Config accepts
// every credential and application code, makes unknown registrations on first
// sight, has the published limits and no faults.
type Config struct {
	APIKeys          []string      // what is let in, beside tokens issued here; empty: any credential
	TokenLifetime    time.Duration // of OAuth2 tokens issued here; 0: one hour
	AppCodes         []string      // known application codes; empty: any
	CustomAttributes []string      // attributes defined on the account; empty: any
	RefuseUnknown    bool          // unknown registrations are answered with 48013

	// Registrations that nobody owns, by application code. Where there are any,
	// unknown ones are refused.
	Registrations map[string][]string

	Choices Choices
	// WebPush is the percentage of generated people who have a web push
	// registration too, Contacts how many phones and e-mails they have at most;
	// 0: one of each.
	WebPush, Contacts int

	Limits *Limits // nil: PublishedLimits()
	Window Window

	Faults []Fault
	Seed   uint64 // of the faults' dice and the generated people

	CallLog io.Writer // every finished Call as a line of NDJSON; nil: none
	Admin   bool      // serve /__simulator/…
}

// Limits are requests a second; 0 is no limit. Every operation is counted on its
// own, over the whole account.
type Limits struct {
	Push int // of each push operation
	List int // of listing people, and of listing applications
}

// PublishedLimits returns the limits of the platform's reference.
func PublishedLimits() *Limits { return PushLimits(50, 5) }

// PushLimits returns limits with n requests a second for each push operation
// and list for listing people and applications.
func PushLimits(n, list int) *Limits { return &Limits{n, list} }

func (l *Limits) of(op Op) int {
	switch {
	case op < OpListPersons:
		return l.Push
	case op < OpToken:
		return l.List
	}
	return 0
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

var opNames = [opCount]string{"get", "update", "personalize", "depersonalize", "list-persons", "applications", "token", "other"}

// String returns the operation's name as fault rules and the call log use it.
func (o Op) String() string { return opNames[o] }

// MarshalText implements encoding.TextMarshaler.
func (o Op) MarshalText() ([]byte, error) { return []byte(o.String()), nil }
