package apiclient

import (
	"fmt"
	"slices"
	"time"
)

// Error is what the platform, or the way to it, answered instead of a result.
// It never contains credentials: they are masked where a server echoes them.
type Error struct {
	Op         Op
	Status     int           // HTTP status; 0: there was no answer
	Code       string        // the platform's (48013, UNAUTHORIZED, E429), else one of the Code constants or http_<status>
	Message    string        // in one line, at most about 600 bytes
	RetryAfter time.Duration // as the answer asked, however long; 0: it did not
	Class      Class
	cause      error
	token      bool // it came from the token endpoint
}

// Class is what an error means for a run.
type Class uint8

// The classes of errors.
const (
	Final     Class = iota // the request was refused; it would be refused again
	Temporary              // worth another try
	Fatal                  // every further request would fail the same way
	AppCode                // every further request with the same application code would
)

// Codes of failures for which the platform has none.
const (
	CodeTimeout           = "timeout"            // no answer within Config.Timeout
	CodeConnectionRefused = "connection_refused" // nothing listens there
	CodeConnectionBroken  = "connection_broken"  // cut before an answer came
	CodeHostUnknown       = "host_unknown"       // the base URL's host has no address
	CodeTLSCertificate    = "tls_certificate"    // the server's certificate is not trusted
	CodeTLSHandshake      = "tls_handshake"      // no encrypted connection came about
	CodeAnswerCut         = "answer_cut"         // the answer ended too early
	CodeAnswerInvalid     = "answer_invalid"     // the answer is neither JSON nor empty
	CodeAnswerTooLarge    = "answer_too_large"   // more than is ever read
	CodeRedirected        = "redirected"         // the platform points elsewhere; never followed
	CodeProxy             = "proxy"              // the proxy of the environment refuses, or its setting is wrong
	CodeTokenInvalid      = "token_invalid"      // the token endpoint's answer has no usable token
)

// Error names the operation, the status, the code and the message.
func (e *Error) Error() string {
	if e.Status == 0 {
		return fmt.Sprintf("%s: %s: %s", e.Op, e.Code, e.Message)
	}
	return fmt.Sprintf("%s: HTTP %d, %s: %s", e.Op, e.Status, e.Code, e.Message)
}

// brief is Error without a message of the platform's.
func (e *Error) brief() string {
	if e.Status == 0 {
		return e.Error()
	}
	return fmt.Sprintf("%s: HTTP %d, %s", e.Op, e.Status, e.Code)
}

// Unwrap returns the cause at transport level, nil when an answer came.
func (e *Error) Unwrap() error { return e.cause }

// Temporary reports whether the request is worth another try. Do has made all
// its tries when it returns such an error.
func (e *Error) Temporary() bool { return e.Class == Temporary }

// FatalFor reports whether every further request of a client would fail as call did:
// refused credentials, an unusable address, a refused application code, unless the call
// brought that itself.
func (e *Error) FatalFor(call *Call) bool {
	return e.Class == Fatal || e.Class == AppCode && call.AppCode == ""
}

// TemporaryStatus reports whether an answer of this status is worth another try: 408,
// 425, 429 and 5xx, as the platform's reference has it. A 501 or 505 says that the
// server does not know the request at all, which no waiting heals.
func TemporaryStatus(status int) bool {
	switch status {
	case 408, 425, 429:
		return true
	case 501, 505:
		return false
	}
	return status >= 500
}

// platformClass classifies an answer (the platform's reference: 401, 403, 48001
// and 48012 end a run).
func platformClass(status int, code string) Class {
	switch code {
	case "48001", "48012", "APP_CODE_MISSING":
		return AppCode
	}
	switch {
	case status == 401, status == 403, status == 407, status >= 300 && status < 400:
		return Fatal
	case TemporaryStatus(status):
		return Temporary
	}
	return Final
}

// mayBeOwn reports whether the failure may be the fault of its call, which another
// call would not have met.
func (e *Error) mayBeOwn() bool {
	return !e.token && (e.Status != 0 || e.Code == CodeTimeout || e.Code == CodeConnectionBroken)
}

// distant reports whether the failure says that the platform is out of reach,
// rather than that it is there and did not manage.
func (e *Error) distant() bool {
	return slices.Contains([]int{0, 502, 503, 504}, e.Status)
}
