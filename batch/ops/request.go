package ops

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"pushbatch/apiclient"
	"pushbatch/batch"
)

// requestBuilder is where a row's request is put together. One serves all rows
// of an input, one after the other.
type requestBuilder struct {
	options  *Options
	phones   *phoneBook
	distinct bool           // every attribute has a column of its own: none can be given twice
	given    map[given]bool // attributes of the row, where they are not distinct
	outcome  batch.Outcome  // of the row if it goes through: its Warnings, and all of it where a dry run skips it

	gathered
	tags     []string
	custom   []apiclient.Attribute
	data     []apiclient.Attribute
	problems []batch.Problem
	body     []byte // of the call, until the next row
}

// gathered is what a row gave, apart from lists.
type gathered struct {
	row        int64 // its number in the run
	id         string
	appCode    string
	identity   apiclient.Identity
	mailbox    string // the e-mail address in the spelling that identifies it
	attributes apiclient.Attributes
	update     apiclient.Update
	known      bool // an identity value was given, valid or not
	hasID      bool // a registration id was given, valid or not
}

// warn notes what there is to know of a row that may go through all the same.
func (a *requestBuilder) warn(code, column string) { a.outcome.Warn(code, column) }

func (a *requestBuilder) reset() {
	if len(a.given) > 0 {
		clear(a.given)
	}
	a.gathered, a.outcome.Warnings = gathered{}, ""
	a.tags, a.custom, a.data, a.problems = a.tags[:0], a.custom[:0], a.data[:0], a.problems[:0]
}

// build moves what was gathered in slices into the request.
func (a *requestBuilder) build() {
	a.attributes.Tags = a.tags
	a.attributes.Custom = a.custom
	a.update.AdditionalData = a.data
}

// skipped is the outcome of a valid row of a dry run.
func (a *requestBuilder) skipped(payload []byte) *batch.Outcome {
	a.outcome = batch.Outcome{Status: batch.Skipped, RegistrationID: a.id, Payload: payload, Warnings: a.outcome.Warnings}
	return &a.outcome
}

// maxProblems bounds what is told of one row.
const maxProblems = 50

// reject notes one broken rule of the row. The same thing is told once.
func (a *requestBuilder) reject(f *field, code, message string) {
	p := batch.Problem{Code: code, Column: f.column, Message: message}
	if len(a.problems) < maxProblems && !slices.Contains(a.problems, p) {
		a.problems = append(a.problems, p)
	}
}

// rejection is the outcome of a row that broke rules: all of them are named.
func (a *requestBuilder) rejection() *batch.Outcome {
	return rejected(a.id, slices.Clone(a.problems))
}

func rejected(id string, problems []batch.Problem) *batch.Outcome {
	out := &batch.Outcome{Status: batch.Rejected, RegistrationID: id}
	out.SetProblems(problems)
	return out
}

// request is one row's call.
type request struct {
	sender Doer
	call   apiclient.Call
	id     string
	keys   []string

	warnings string
	answered bool // the body of the answer is the row's payload
}

func newRequest(sender Doer, call apiclient.Call, a *requestBuilder) *request {
	call.Body = bytes.Clone(call.Body)
	return &request{sender: sender, call: call, id: a.id, keys: a.keys(), warnings: a.outcome.Warnings}
}

// keys names what the row touches: its device and, where it names a person,
// each identity value in the one spelling that identifies it.
func (a *requestBuilder) keys() []string {
	keys := make([]string, 0, 4)
	for _, key := range [...][2]string{
		{"r:", a.id}, {"x:", a.identity.ExternalID}, {"p:", a.identity.PhoneNumber}, {"e:", strings.ToLower(a.mailbox)},
	} {
		if key[1] != "" {
			keys = append(keys, key[0]+key[1])
		}
	}
	return keys
}

// Call is what the request sends.
func (r *request) Call() apiclient.Call { return r.call }

// RegistrationID is the device that the request is about.
func (r *request) RegistrationID() string { return r.id }

// Keys implements batch.Request.
func (r *request) Keys() []string { return r.keys }

// Send implements batch.Request.
func (r *request) Send(ctx context.Context) (batch.Outcome, error) {
	response, err := r.sender.Do(apiclient.WithDrain(ctx, batch.Stopping(ctx)), r.call)
	out := batch.Outcome{
		Status: batch.Succeeded, RegistrationID: r.id,
		HTTPStatus: response.Status, Attempts: response.Attempts, Latency: response.Latency,
		Payload: response.Body,
	}
	if err == nil {
		out.Warnings = r.warnings
		for _, field := range answerDiffers(r.call.Body, response.Body) {
			out.Warn(codeAnswerDiffers, field)
		}
		if !r.answered {
			out.Payload = nil
		}
		return out, nil
	}
	return r.failed(ctx, out, err)
}

// failed sorts errors into the row's failure, the end of the run, and a row
// that was given up because the run stops.
func (r *request) failed(ctx context.Context, out batch.Outcome, err error) (batch.Outcome, error) {
	refusal, answered := errors.AsType[*apiclient.Error](err)
	switch {
	case errors.Is(err, apiclient.ErrDrained):
		return batch.Outcome{}, batch.ErrUnsent
	case errors.Is(err, apiclient.ErrOutage):
		return batch.Outcome{}, &batch.Abort{Code: codeOutage, Err: err}
	case answered && refusal.FatalFor(&r.call):
		return batch.Outcome{}, &batch.Abort{Code: refusal.Code, Err: err}
	case ctx.Err() != nil:
		return batch.Outcome{}, batch.ErrUnsent
	case !answered:
		return batch.Outcome{}, fmt.Errorf("send %s: %w", r.call.Op, err)
	}
	out.Status, out.HTTPStatus = batch.Failed, refusal.Status
	out.Code, out.Message = refusal.Code, refusal.Message
	return out, nil
}

// answerDiffers names the fields of a request that its 2xx answer does not
// repeat, in the platform's terms. An answer that says nothing of the device or
// person (empty, {}) differs in nothing.
func answerDiffers(sent, answer []byte) []string {
	if len(answer) <= len("{}") {
		return nil // unread, as what was sent: 2 % and 10 % of a job
	}
	reply, request := jsonMap(answer), jsonMap(sent)
	if len(reply) == 0 || len(request) == 0 {
		return nil
	}
	var c answerComparison
	if identity := mapOf(request["identity"]); identity != nil {
		if id, given := identity["externalId"]; given {
			c.field("externalId", id, reply["externalId"])
		}
		c.contact("phoneNumber", identity["phoneNumber"], reply, "phone", "number")
		c.contact("email", identity["email"], reply, "email", "address")
	}
	fields, found := mapOf(request["attributes"]), reply
	if fields == nil {
		fields = request
	}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		switch name {
		case "identity":
		case "customAttributes", "additionalData":
			c.members(name+".", mapOf(fields[name]), mapOf(found[name]))
		case "systemData":
			c.members("", mapOf(fields[name]), mapOf(found[name]))
		default:
			c.field(name, fields[name], found[name])
		}
	}
	return c.differ
}

type answerComparison struct{ differ []string }

func (c *answerComparison) members(prefix string, sent, found map[string]any) {
	for _, name := range slices.Sorted(maps.Keys(sent)) {
		c.field(prefix+name, sent[name], found[name])
	}
}

func (c *answerComparison) field(name string, sent, found any) {
	if sent == nil && found != nil && textOf(found) != "" || sent != nil && !sameValue(sent, found) {
		c.differ = append(c.differ, name)
	}
}

// contact looks for a phone number or address among those of a person; a person
// without contact information was answered in a short form.
func (c *answerComparison) contact(name string, sent any, reply map[string]any, list, member string) {
	contact := mapOf(reply["contactInformation"])
	text, ok := sent.(string)
	if !ok || contact == nil {
		return
	}
	for _, key := range []string{list, list + "s"} {
		all, _ := contact[key].([]any)
		for _, one := range all {
			if found, _ := mapOf(one)[member].(string); strings.EqualFold(strings.TrimPrefix(found, "+"), text) {
				return
			}
		}
	}
	c.differ = append(c.differ, name)
}

// sameValue reports whether an answer repeats a value: numbers by what they are,
// days with or without a time, tags among those that are there.
func sameValue(sent, found any) bool {
	switch sent := sent.(type) {
	case []any:
		there, _ := found.([]any)
		return !slices.ContainsFunc(sent, func(tag any) bool { return !slices.Contains(there, tag) })
	case json.Number:
		a, ok := new(big.Rat).SetString(textOf(found))
		b, valid := new(big.Rat).SetString(sent.String())
		return ok && valid && a.Cmp(b) == 0
	case string:
		text := textOf(found)
		return text == sent || len(sent) >= 10 && len(text) >= 10 && isDay(sent[:10]) && text[:10] == sent[:10]
	}
	return strings.EqualFold(textOf(sent), textOf(found))
}

// jsonMap reads an object; anything else is none.
func jsonMap(data []byte) map[string]any {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var m map[string]any
	if d.Decode(&m) != nil {
		return nil
	}
	return m
}

func mapOf(v any) map[string]any {
	m, _ := v.(map[string]any)
	return m
}

func textOf(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	case bool:
		return strconv.FormatBool(v)
	}
	return ""
}
