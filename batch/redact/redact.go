package redact

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode"

	"pushbatch/apiclient"
	"pushbatch/batch"
	"pushbatch/batch/ops"
)

// ShortestKey is how many bytes a key has at least: with a shorter one, phone
// numbers could be tried out.
const ShortestKey = 16

// What stands for a value: a prefix, and so many digits of its hash.
const (
	Prefix          = "redacted:"
	Digits          = 16 // hexadecimal, 64 bits: two of ten million values meet with 3 in a million
	keyCheckPurpose = "pushbatch: is this the key of the run?"
)

// Redactor replaces values by a keyed hash (HMAC-SHA256, cut to 64 bits): the same
// value gives the same hash in all reports of all runs with the key.
type Redactor struct{ key []byte }

// New takes the key of --redact.
func New(key string) (*Redactor, error) {
	if len(key) < ShortestKey {
		return nil, fmt.Errorf("the key of --redact has %d bytes: at least %d were expected, or values could be found by trying", len(key), ShortestKey)
	}
	return &Redactor{[]byte(key)}, nil
}

// Check is enough to know the key again, too little to find it.
func (r *Redactor) Check() string { return r.sum(keyCheckPurpose) }

func (r *Redactor) sum(value string) string {
	mac := hmac.New(sha256.New, r.key)
	mac.Write([]byte(value))
	return hex.EncodeToString(mac.Sum(nil))[:Digits]
}

// Value is what stands for a value; nothing stays nothing.
func (r *Redactor) Value(value string) string {
	if value == "" {
		return ""
	}
	return Prefix + r.sum(value)
}

// Name is the name of a column as reports show it: what looks like a value in it is
// replaced. A nil Redactor leaves it as it is.
func (r *Redactor) Name(name string) string {
	if r == nil {
		return name
	}
	return r.words(name)
}

// Mapper makes the outcomes of a mapper's rows redacted ones, so that neither a
// report nor a checkpoint has seen the values.
func (r *Redactor) Mapper(m batch.Mapper) batch.Mapper {
	return func(row *batch.Row) (batch.Request, *batch.Outcome) {
		request, out := m(row)
		if out == nil {
			return batch.Amended(request, r.outcome), nil
		}
		r.outcome(out)
		if len(out.Payload) > 0 {
			out.Payload = maskedCall(out.Payload, r.Value)
		}
		return nil, out
	}
}

// outcome replaces what may be a value: the device, and names of columns and
// members that look like one.
func (r *Redactor) outcome(out *batch.Outcome) {
	out.RegistrationID = r.Value(out.RegistrationID)
	for _, text := range []*string{&out.Message, &out.ErrorColumns, &out.Warnings} {
		*text = r.words(*text)
	}
	for i := range out.Problems {
		out.Problems[i].Message = r.words(out.Problems[i].Message)
	}
}

// Sender sends calls and puts our words about a code in place of the
// platform's, which quote values.
type Sender struct{ ops.Doer }

// Do implements ops.Doer.
func (s Sender) Do(ctx context.Context, call apiclient.Call) (apiclient.Response, error) {
	response, err := s.Doer.Do(ctx, call)
	refusal, ok := errors.AsType[*apiclient.Error](err)
	switch {
	case !ok:
		return response, err
	case errors.Is(err, apiclient.ErrOutage):
		return response, fmt.Errorf("%w: %w", apiclient.ErrOutage, ownWords(refusal))
	}
	return response, ownWords(refusal)
}

// ownWords is an error with our words about its code.
func ownWords(refusal *apiclient.Error) *apiclient.Error {
	quiet := *refusal
	quiet.Message = "(redacted)"
	if e, known := ops.Explain(refusal.Code); known {
		quiet.Message = e.Meaning
	}
	return &quiet
}

// keeps reports whether a cell is a switch or an application code, which say nothing
// of a person. Anything else in such a column is hashed like all.
func keeps(target string, v batch.Value) bool {
	switch text := v.String(); target {
	case "isPrimary", "registrationEnabled":
		return v.Kind == batch.Bool || slices.Contains(switches, strings.ToLower(text))
	case "appCode":
		return appCodeForm.MatchString(text) && strings.IndexFunc(text, unicode.IsLetter) >= 0
	}
	return false
}

var (
	switches    = []string{"", "true", "false", "1", "0", "yes", "no", "y", "n", "t", "f"}
	appCodeForm = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)
)

// Result is what reports show of a result: of a bad row, which failed.csv lists, every
// cell is replaced but switches and application codes; and the device, where the row
// is of an export, whose table is made of the result itself.
func (r *Redactor) Result(result *batch.Result, columns []ops.ColumnUse, export bool) *batch.Result {
	shown := *result
	if export {
		shown.RegistrationID = r.Value(result.RegistrationID)
	}
	if !result.Status.Bad() {
		return &shown
	}
	hash := func(v batch.Value) batch.Value { return batch.TextValue(r.Value(v.String())) }
	shown.Row.Values, shown.Row.Excess = make([]batch.Value, len(result.Row.Values)), make([]batch.Value, len(result.Row.Excess))
	for i, v := range result.Row.Values {
		if shown.Row.Values[i] = v; i >= len(columns) || !keeps(columns[i].Target, v) {
			shown.Row.Values[i] = hash(v)
		}
	}
	for i, v := range result.Row.Excess {
		shown.Row.Excess[i] = hash(v)
	}
	return &shown
}

// Attr keeps the platform's words out of log lines.
func Attr(a slog.Attr) slog.Attr {
	if err, ok := a.Value.Any().(error); ok {
		if refusal, ok := errors.AsType[*apiclient.Error](err); ok {
			a.Value = slog.StringValue(ownWords(refusal).Error())
		}
	}
	return a
}

// words replaces in a text of our own the words that look like an address, a number
// or an id: a name of a column or member may be one.
func (r *Redactor) words(text string) string {
	return foreignWord().ReplaceAllStringFunc(text, func(word string) string {
		if strings.HasPrefix(word, Prefix) || word == ops.ExampleEmail || word == ops.ExamplePhone || !personal(word) {
			return word
		}
		return r.Value(word)
	})
}

// foreignWord finds hashes and words that may be something of a person. It is compiled
// when it is needed: with its classes of letters that takes as long as 50 others.
var foreignWord = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(Prefix + `[0-9a-f]+|\+[0-9][0-9 ()/.-]{5,}[0-9]|[\pL\pN_+@][\pL\pN_.+@-]*[\pL\pN]`)
})

// Words from these numbers of characters and digits on may name somebody.
const (
	idLength = 16
	idDigits = 6
)

func personal(word string) bool {
	digits := 0
	for i := range len(word) {
		if isDigit(word[i]) {
			digits++
		}
	}
	return strings.Contains(word, "@") || digits >= idDigits || digits > 0 && len(word) >= idLength
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
