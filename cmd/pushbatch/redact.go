package main

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"unicode"

	"pushbatch/apiclient"
	"pushbatch/batch"
	"pushbatch/batch/ops"
	"pushbatch/writers"
)

// redactKeyVariable holds the key of --redact.
const redactKeyVariable = "PUSHBATCH_REDACT_KEY"

const (
	redactedPrefix  = "redacted:"
	redactedDigits  = 16 // hexadecimal, 64 bits: two of ten million values meet with 3 in a million
	shortestKey     = 16 // bytes: with a shorter one, phone numbers could be tried out
	keyCheckPurpose = "pushbatch: is this the key of the run?"
)

// redactionSpec is what job.json says of a redacted run: enough to know the key
// again, too little to find it.
type redactionSpec struct {
	KeyCheck string `json:"key_check"`
}

// redactor replaces values by a keyed hash (HMAC-SHA256, cut to 64 bits): the same
// value gives the same hash in all reports of all runs with the key.
type redactor struct{ key []byte }

// newRedactor reads the key of --redact. It returns nil for a run without it.
func (p *process) newRedactor(o *outputFlags) (*redactor, error) {
	if !o.redact && o.redactKeyFile != "" {
		return nil, usageError("--redact-key-file is for --redact, which is not given")
	}
	if !o.redact {
		return nil, nil //nolint:nilnil // nil: nothing is redacted
	}
	key, err := p.secret(redactKeyVariable, "--redact-key-file", o.redactKeyFile)
	switch {
	case err != nil:
		return nil, err
	case key == "":
		return nil, usageError("--redact needs a key, so that a value has the same hash in all reports: "+
			"set %s or give --redact-key-file FILE (openssl rand -hex 32 makes one)", redactKeyVariable)
	case len(key) < shortestKey:
		return nil, usageError("the key of --redact has %d bytes: at least %d were expected, or values could be found by trying", len(key), shortestKey)
	}
	return &redactor{[]byte(key)}, nil
}

// secret reads a secret from a file that a flag names, else from a variable.
// Empty: there is none.
func (p *process) secret(variable, flag, file string) (string, error) {
	if file == "" {
		value, _ := p.getenv(variable)
		return strings.TrimSpace(value), nil
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return "", usageError("read %s: %v", flag, err)
	}
	if info, err := os.Stat(file); err == nil && runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		p.warn("%s: %s can be read by others: chmod 600 it", flag, file)
	}
	secret := strings.TrimSpace(string(data))
	if secret == "" {
		return "", usageError("read %s: %s is empty", flag, file)
	}
	return secret, nil
}

// redactWith takes the key of a new run, or demands that of the run it goes on with.
func (x *execution) redactWith(r *redactor) error {
	x.redactor = r
	if r == nil {
		return nil
	}
	check := r.sum(keyCheckPurpose)
	if x.spec.Redaction != nil && x.spec.Redaction.KeyCheck != check {
		return usageError("the key of --redact is not the one this run was started with: its hashes would not fit together")
	}
	x.spec.Redaction = &redactionSpec{check}
	return nil
}

func (r *redactor) sum(value string) string {
	mac := hmac.New(sha256.New, r.key)
	mac.Write([]byte(value))
	return hex.EncodeToString(mac.Sum(nil))[:redactedDigits]
}

// value is what stands for a value; nothing stays nothing.
func (r *redactor) value(value string) string {
	if value == "" {
		return ""
	}
	return redactedPrefix + r.sum(value)
}

// mapper makes the outcomes of a mapper's rows redacted ones, so that neither a
// report nor a checkpoint has seen the values.
func (r *redactor) mapper(m batch.Mapper) batch.Mapper {
	return func(row *batch.Row) (batch.Request, *batch.Outcome) {
		request, out := m(row)
		if out == nil {
			return redactedRequest{request, r}, nil
		}
		r.outcome(out)
		if len(out.Payload) > 0 {
			out.Payload = maskedCall(out.Payload, r.value)
		}
		return nil, out
	}
}

// outcome replaces what may be a value: the device, and names of columns and
// members that look like one.
func (r *redactor) outcome(out *batch.Outcome) {
	out.RegistrationID = r.value(out.RegistrationID)
	for _, text := range []*string{&out.Message, &out.ErrorColumns, &out.Warnings} {
		*text = r.words(*text)
	}
	for i := range out.Problems {
		out.Problems[i].Message = r.words(out.Problems[i].Message)
	}
}

// newRedaction hashes the values in outcomes. The table of an export is made of
// them and keeps them.
func newRedaction(x *execution) *feature {
	if x.redactor == nil || x.makesTable() {
		return nil
	}
	return &feature{mapper: func(_ *openedInput, next batch.Mapper) batch.Mapper { return x.redactor.mapper(next) }}
}

// redactedRequest is a request whose outcome is redacted.
type redactedRequest struct {
	batch.Request
	redactor *redactor
}

// Send implements batch.Request.
func (q redactedRequest) Send(ctx context.Context) (batch.Outcome, error) {
	out, err := q.Request.Send(ctx)
	q.redactor.outcome(&out)
	return out, err
}

// redactedSender sends calls and puts our words about a code in place of the
// platform's, which quote values.
type redactedSender struct{ ops.Doer }

// Do implements ops.Doer.
func (s redactedSender) Do(ctx context.Context, call apiclient.Call) (apiclient.Response, error) {
	response, err := s.Doer.Do(ctx, call)
	said, ok := errors.AsType[*apiclient.Error](err)
	switch {
	case !ok:
		return response, err
	case errors.Is(err, apiclient.ErrOutage):
		return response, fmt.Errorf("%w: %w", apiclient.ErrOutage, ownWords(said))
	}
	return response, ownWords(said)
}

// ownWords is an error with our words about its code.
func ownWords(said *apiclient.Error) *apiclient.Error {
	quiet := *said
	quiet.Message = "(redacted)"
	if e, known := ops.Explain(said.Code); known {
		quiet.Message = e.Meaning
	}
	return &quiet
}

// sender is what requests of the run go through.
func (x *execution) sender() ops.Doer { return x.senderOver(x.client) }

func (x *execution) senderOver(sender ops.Doer) ops.Doer {
	if x.before != nil {
		sender = snapshotSender{sender, x.before}
	}
	if x.redactor != nil {
		sender = redactedSender{sender}
	}
	return sender
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

// shownResult returns what reports show of a result: of a bad row, which failed.csv
// lists, every cell is replaced but switches and application codes. The table of an
// export is no report: it is made of the result itself.
func (x *execution) shownResult() func(*batch.Result) *batch.Result {
	if x.redactor == nil {
		return nil
	}
	hash := func(v batch.Value) batch.Value { return batch.TextValue(x.redactor.value(v.String())) }
	return func(r *batch.Result) *batch.Result {
		shown := *r
		if x.makesTable() {
			shown.RegistrationID = x.redactor.value(r.RegistrationID)
		}
		if !r.Status.Bad() {
			return &shown
		}
		columns := x.opened[r.Row.Input].binding.Columns
		shown.Row.Values, shown.Row.Excess = make([]batch.Value, len(r.Row.Values)), make([]batch.Value, len(r.Row.Excess))
		for i, v := range r.Row.Values {
			if shown.Row.Values[i] = v; i >= len(columns) || !keeps(columns[i].Target, v) {
				shown.Row.Values[i] = hash(v)
			}
		}
		for i, v := range r.Row.Excess {
			shown.Row.Excess[i] = hash(v)
		}
		return &shown
	}
}

// refuseRedacted refuses the failed.csv of a redacted run, whose hashes would be
// sent for values.
func refuseRedacted(source batch.Source) error {
	for _, c := range source.Header() {
		if c.Name == writers.RedactedColumn {
			return usageError("%s is of a redacted run: it holds hashes, not values. pushbatch retry RUN takes the rows from the inputs", source.Name())
		}
	}
	return nil
}

// quietErrors keeps the platform's words out of log lines.
func quietErrors(a slog.Attr) slog.Attr {
	if err, ok := a.Value.Any().(error); ok {
		if said, ok := errors.AsType[*apiclient.Error](err); ok {
			a.Value = slog.StringValue(ownWords(said).Error())
		}
	}
	return a
}

// words replaces in a text of our own the words that look like an address, a number
// or an id: a name of a column or member may be one.
func (r *redactor) words(text string) string {
	return foreignWord.ReplaceAllStringFunc(text, func(word string) string {
		if strings.HasPrefix(word, redactedPrefix) || !personal(word) {
			return word
		}
		return r.value(word)
	})
}

// foreignWord finds hashes and words that may be something of a person.
var foreignWord = regexp.MustCompile(redactedPrefix + `[0-9a-f]+|\+[0-9][0-9 ()/.-]{5,}[0-9]|[\pL\pN_+@][\pL\pN_.+@-]*[\pL\pN]`)

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
