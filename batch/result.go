package batch

import (
	"context"
	"encoding/csv"
	"errors"
	"slices"
	"strings"
	"time"
)

// Status is how a row ended.
type Status uint8

// The statuses of a row; their names stand in the results file.
const (
	Succeeded Status = iota + 1 // answered 2xx
	Failed                      // the platform said no, or all attempts were used
	Rejected                    // invalid here, never sent
	Skipped                     // nothing to do
)

var statusNames = [...]string{"", "succeeded", "failed", "rejected", "skipped"}

// Statuses lists every status in the order reports show them.
var Statuses = [...]Status{Succeeded, Failed, Rejected, Skipped}

// String returns the status as it stands in the results file.
func (s Status) String() string { return statusNames[s] }

// MarshalText implements encoding.TextMarshaler.
func (s Status) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *Status) UnmarshalText(text []byte) error {
	for _, have := range Statuses {
		if have.String() == string(text) {
			*s = have
			return nil
		}
	}
	return errors.New("unknown status " + string(text))
}

// StatusCounts is a number of rows for each status; it is indexed by Status.
type StatusCounts [len(statusNames)]int64

// Bad reports whether the status is one that a run counts as an error.
func (s Status) Bad() bool { return s == Failed || s == Rejected }

// Outcome is everything that is known of a row after it ended, apart from the
// row itself. It is what a checkpoint keeps of a row.
type Outcome struct {
	Status         Status        `json:"status"`
	LeftOut        bool          `json:"-"` // a plan passes the row over: thresholds do not look at it
	RegistrationID string        `json:"registration_id,omitempty"`
	HTTPStatus     int           `json:"http_status,omitempty"` // of the last answer; 0 when there was none
	Code           string        `json:"code,omitempty"`        // error codes joined by CodeSeparator; empty when succeeded
	Message        string        `json:"message,omitempty"`
	ErrorColumns   string        `json:"error_columns,omitempty"` // the columns at fault as the input names them, joined by CodeSeparator
	Warnings       string        `json:"warnings,omitempty"`      // of a row that went through: codes, a column after a colon, joined by CodeSeparator
	Attempts       int           `json:"attempts,omitempty"`      // requests sent, answers 429 not counted
	Latency        time.Duration `json:"latency,omitempty"`       // of the last attempt, from sending to the answer read
	Finished       time.Time     `json:"finished"`
	Problems       []Problem     `json:"-"`                 // the rules that a rejected row broke; Code and Message tell them together
	Payload        []byte        `json:"payload,omitempty"` // what a sink needs beyond the report: a dry run's request, an export's registration
}

// CodeSeparator stands between the codes of a row that broke several rules.
const CodeSeparator = ";"

// Codes returns the row's error codes one by one.
func (o *Outcome) Codes() []string {
	if o.Code == "" {
		return nil
	}
	return strings.Split(o.Code, CodeSeparator)
}

// SetProblems makes the outcome's codes, message and columns those of the rules
// that were broken.
func (o *Outcome) SetProblems(problems []Problem) {
	var codes, columns, messages []string
	for i := range problems {
		p := &problems[i]
		if !slices.Contains(codes, p.Code) {
			codes = append(codes, p.Code)
		}
		if column := listed(p.Column); column != "" && !slices.Contains(columns, column) {
			columns = append(columns, column)
		}
		messages = append(messages, p.Error())
	}
	o.Problems = problems
	o.Code, o.ErrorColumns, o.Message = strings.Join(codes, CodeSeparator), strings.Join(columns, CodeSeparator), strings.Join(messages, "; ")
}

// listed is a text as it stands among others, as in CSV with semicolons: in double
// quotes, those in it doubled, where it holds what separates them.
func listed(text string) string {
	if !strings.ContainsAny(text, CodeSeparator+"\"\r\n") {
		return text
	}
	return `"` + strings.ReplaceAll(text, `"`, `""`) + `"`
}

// warningList are the warnings of an outcome one by one.
func (o *Outcome) warningList() []string {
	list := csv.NewReader(strings.NewReader(o.Warnings))
	list.Comma = rune(CodeSeparator[0])
	if all, err := list.Read(); err == nil && strings.Contains(o.Warnings, `"`) {
		return all
	}
	return strings.Split(o.Warnings, CodeSeparator)
}

// Warn adds a warning; column may be empty.
func (o *Outcome) Warn(code, column string) {
	if column != "" {
		code = listed(code + ":" + column)
	}
	if o.Warnings != "" {
		code = o.Warnings + CodeSeparator + code
	}
	o.Warnings = code
}

// MessageOf is what the message says about one of the row's codes, or all of it
// where they are not told apart.
func (o *Outcome) MessageOf(code string) string {
	if len(o.Problems) < 2 {
		return o.Message
	}
	var messages []string
	for i := range o.Problems {
		if p := &o.Problems[i]; p.Code == code {
			messages = append(messages, p.Error())
		}
	}
	return strings.Join(messages, "; ")
}

// Result is a row and how it ended.
type Result struct {
	Row Row
	Outcome
}

// Mapper turns a row into the request to send, or settles it at once: exactly
// one of the two results is not nil. A settled outcome is Rejected or Skipped.
// A Mapper is called from one goroutine, in input order, and must not keep the
// row's slices. The outcome is copied before the next call; what it points to is
// the engine's from then on.
type Mapper func(*Row) (Request, *Outcome)

// Request is one row's work at the platform.
type Request interface {
	// Keys names what the request touches. Requests that share a key are never
	// under way at the same time and are sent in input order. The engine calls
	// it once.
	Keys() []string
	// Send does the work, retries included, and is called once, from any
	// goroutine. It returns the row's outcome (Succeeded or Failed), or an
	// error when the row has none: an error that is ErrUnsent says that the
	// row was given up because the run is stopping (see Stopping) and that the
	// platform has not said yes to it; an *Abort says that the whole run must
	// stop, the row staying unsent.
	Send(ctx context.Context) (Outcome, error)
}

// Amended is a request whose outcome, where it has one, is changed before anybody sees
// it.
func Amended(r Request, change func(*Outcome)) Request { return amended{r, change} }

type amended struct {
	Request
	change func(*Outcome)
}

func (a amended) Send(ctx context.Context) (Outcome, error) {
	out, err := a.Request.Send(ctx)
	if err == nil {
		a.change(&out)
	}
	return out, err
}

// ErrUnsent is what Send returns for a row that was given up because the run
// stops. The row stands in no report and is sent again by a resumed run.
var ErrUnsent = errors.New("not sent: the run is stopping")

// Abort is an error that ends the whole run: every further row would fail the
// same way (refused credentials, an unreadable input, results not writable).
type Abort struct {
	Code string // stable code, as in the error catalogue
	Err  error
}

func (a *Abort) Error() string { return a.Err.Error() }
func (a *Abort) Unwrap() error { return a.Err }

type stoppingKey struct{}

// Stopping returns the channel that is closed when the run that gave ctx to
// Send stops gracefully: from then on no new attempt may begin, an attempt
// under way is finished. It returns nil, which blocks for ever, outside a run.
func Stopping(ctx context.Context) <-chan struct{} {
	ch, _ := ctx.Value(stoppingKey{}).(<-chan struct{})
	return ch
}

// Mark says how much of a sink's output is durable: names of its files and
// their lengths in bytes.
type Mark map[string]int64

// Sink takes the results of a run. All methods are called from one goroutine.
type Sink interface {
	// Write takes the next result, in input order. It must not keep it.
	Write(*Result) error
	// Flush makes everything written durable and returns the mark up to which
	// it is. A sink opened at that mark goes on as if it had never been closed.
	Flush() (Mark, error)
	// Close finishes what was written and publishes it. It is called once, at
	// the end of a run, whether it was stopped or not.
	Close() error
}
