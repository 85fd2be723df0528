package ops

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"pushbatch/apiclient"
	"pushbatch/batch"
	"pushbatch/batch/undo"
)

// Undo is the operation of a run that puts devices back. Its rows are not those of
// an input but of a plan: see UndoHeader and UndoMapper.
func Undo() *Operation { return &Operation{Name: "undo", Title: "put devices back to what they were"} }

// UndoHeader is the columns of a plan: the device and its undo.Restore as JSON.
func UndoHeader() []string { return []string{"registrationId", "_restore"} }

// UndoMapper maps the rows of a plan. Each request first asks what its device is
// now: what others changed since is left alone. In a dry run that is all that is
// asked, and rows are skipped with the request that would put them back; without a
// Sender nothing is asked.
func UndoMapper(o Options) batch.Mapper {
	return func(row *batch.Row) (batch.Request, *batch.Outcome) {
		r := new(undo.Restore)
		if len(row.Values) < 2 || json.Unmarshal([]byte(row.Values[1].Text), r) != nil {
			return nil, &batch.Outcome{Status: batch.Rejected, Code: codePlanInvalid, Message: "the row of the undo plan cannot be read"}
		}
		q := &undoRequest{
			request: request{sender: o.Sender, id: r.Device, keys: []string{"r:" + r.Device}},
			restore: r, row: row.Num, sender: o.Sender, dryRun: o.DryRun,
		}
		if out := q.impossible(); out != nil {
			return nil, out
		}
		if p := r.Before; p != nil {
			for _, key := range [...]string{"x:" + p.ExternalID, "p:" + p.Phone, "e:" + strings.ToLower(p.Email)} {
				if len(key) > 2 {
					q.keys = append(q.keys, key)
				}
			}
		}
		if o.Sender == nil {
			return nil, q.planned()
		}
		return q, nil
	}
}

const fieldPrimary = "isPrimary"

// undoRequest puts one device back, if it is still as the run left it.
type undoRequest struct {
	request
	restore *undo.Restore
	sender  Doer
	row     int64
	dryRun  DryRun
}

// planned is the outcome of a device in a dry run that would be put back.
func (q *undoRequest) planned() *batch.Outcome {
	out := &batch.Outcome{Status: batch.Skipped, RegistrationID: q.id}
	if q.dryRun == ShowRequests {
		call := q.putBack()
		out.Payload = call.AppendJSON(nil)
	}
	return out
}

func (q *undoRequest) ofPerson() bool { return len(q.restore.Fields) == 0 }

// impossible is the outcome of a device that nothing can put back.
func (q *undoRequest) impossible() *batch.Outcome {
	switch r := q.restore; {
	case !r.Known:
		return &batch.Outcome{
			Status: batch.Skipped, RegistrationID: q.id, Code: codeBeforeUnknown,
			Message: "nothing tells what the device was: the inventory lacks it",
		}
	case !q.ofPerson():
		return nil
	case r.Before != nil && !r.Before.Identified():
		return &batch.Outcome{
			Status: batch.Rejected, RegistrationID: q.id, Code: codeCannotRestore,
			Message: "the device belonged to a person without external id, phone number and e-mail address, whom no request can name",
		}
	}
	return nil
}

// Send implements batch.Request.
func (q *undoRequest) Send(ctx context.Context) (batch.Outcome, error) {
	ctx = apiclient.WithDrain(ctx, batch.Stopping(ctx))
	skip, out, err := q.look(ctx)
	if err != nil {
		return q.failed(ctx, out, err)
	}
	if skip != "" {
		out.Status, out.Code, out.Message = batch.Skipped, skip, undoMessages[skip]
		return out, nil
	}
	if q.dryRun != Send {
		return *q.planned(), nil
	}
	q.call = q.putBack()
	return q.request.Send(ctx)
}

var undoMessages = map[string]string{
	CodeChangedSince:  "the device is no longer as the run left it: others changed it since, and it is left alone",
	codeNothingToUndo: "the device is as it was before the run",
}

// look asks what the device is now. skip is why it needs no request, or must get none.
func (q *undoRequest) look(ctx context.Context) (skip string, out batch.Outcome, err error) {
	if q.ofPerson() {
		return q.lookForOwner(ctx)
	}
	body, out, err := q.ask(ctx, apiclient.GetCall(q.id))
	if err != nil {
		return "", out, err
	}
	now, err := undo.Flatten(body)
	if err != nil {
		return "", out, notRegistration(out.HTTPStatus)
	}
	return q.compareFields(now), out, nil
}

// lookForOwner asks whose the device is now. A look-up names the application and
// whether it is a web push registration: a device that no listing has shown is asked
// for both first.
func (q *undoRequest) lookForOwner(ctx context.Context) (skip string, out batch.Outcome, err error) {
	o := apiclient.ListPersonsOptions{Type: "PUSH", Identifier: q.id, Sender: q.restore.Application}
	web := q.restore.Web
	if o.Sender == "" {
		body, out, err := q.ask(ctx, apiclient.GetCall(q.id))
		if err != nil {
			return "", out, err
		}
		var is struct {
			ApplicationID string `json:"applicationId"`
			SystemData    struct {
				CloudType string `json:"cloudType"`
			} `json:"systemData"`
		}
		if json.Unmarshal(body, &is) != nil {
			return "", out, notRegistration(out.HTTPStatus)
		}
		o.Sender, web = is.ApplicationID, is.SystemData.CloudType == "WEB"
	}
	if web {
		o.Type = "WEB_PUSH"
	}
	body, out, err := q.ask(ctx, apiclient.ListPersonsCall(o))
	if refusal, refused := errors.AsType[*apiclient.Error](err); refused && refusal.Status == http.StatusNotFound && refusal.Code == "NOT_FOUND" {
		return q.compareOwner(nil), out, nil
	}
	if err != nil {
		return "", out, err
	}
	now, err := readOwner(body)
	if err != nil {
		return "", out, &apiclient.Error{Status: out.HTTPStatus, Code: apiclient.CodeAnswerInvalid, Message: err.Error()}
	}
	return q.compareOwner(now), out, nil
}

func notRegistration(status int) error {
	return &apiclient.Error{Status: status, Code: apiclient.CodeAnswerInvalid, Message: "the answer is no registration"}
}

// ask sends a request that changes nothing.
func (q *undoRequest) ask(ctx context.Context, call apiclient.Call) ([]byte, batch.Outcome, error) {
	q.call = call
	q.call.AppCode, q.call.Row = q.restore.AppCode, q.row
	response, err := q.sender.Do(ctx, q.call)
	out := batch.Outcome{RegistrationID: q.id, HTTPStatus: response.Status, Attempts: response.Attempts, Latency: response.Latency}
	return response.Body, out, err
}

// compareFields leaves isPrimary alone where a sibling that became primary took the
// mark away, by the run or by others: nothing tells which.
func (q *undoRequest) compareFields(now map[string]json.RawMessage) (skip string) {
	skip = codeNothingToUndo
	moved := false
	for _, f := range q.restore.Fields {
		value := now[f.Name]
		same := func(v json.RawMessage) bool { return undo.SameValue(value, v) }
		switch {
		case same(f.Before):
		case slices.ContainsFunc(f.Left, same):
			skip = ""
		case f.Name == fieldPrimary:
			moved = true
		default:
			return CodeChangedSince
		}
	}
	if moved && skip != "" {
		return CodeChangedSince
	}
	if moved {
		q.restore.Fields = slices.DeleteFunc(q.restore.Fields, func(f undo.Field) bool { return f.Name == fieldPrimary })
	}
	return skip
}

func (q *undoRequest) compareOwner(now *owner) (skip string) {
	r := q.restore
	if now == nil {
		switch {
		case r.Before == nil:
			return codeNothingToUndo
		case !r.Nobody:
			return CodeChangedSince
		}
		return ""
	}
	if r.Before != nil && now.is(r.Before) {
		return codeNothingToUndo
	}
	for i := range r.Left {
		if now.is(&r.Left[i]) {
			return ""
		}
	}
	return CodeChangedSince
}

// putBack is the call that puts the device back.
func (q *undoRequest) putBack() apiclient.Call {
	var call apiclient.Call
	switch p := q.restore.Before; {
	case !q.ofPerson():
		call = apiclient.UpdateCall(q.id, q.oldValues())
	case p == nil:
		call = apiclient.DepersonalizeCall(q.id)
	default:
		identity := map[string]string{"externalId": p.ExternalID}
		if p.ExternalID == "" {
			identity = map[string]string{"phoneNumber": p.Phone}
		}
		if p.ExternalID == "" && p.Phone == "" {
			identity = map[string]string{"email": p.Email}
		}
		body, _ := json.Marshal(map[string]any{"identity": identity}) // texts
		call = apiclient.PersonalizeCall(q.id, body, apiclient.PersonalizeOptions{ForceDepersonalize: true, KeepAsLead: true})
	}
	call.AppCode, call.Row, call.Discard = q.restore.AppCode, q.row, call.Body == nil
	return call
}

// oldValues is the body that gives the fields their old values; an attribute that
// was not there becomes null, a switch that was not there is left alone.
func (q *undoRequest) oldValues() []byte {
	body, system, additional := map[string]any{}, map[string]any{}, map[string]any{}
	for _, f := range q.restore.Fields {
		name, isAttribute := strings.CutPrefix(f.Name, "additionalData.")
		switch {
		case isAttribute && len(f.Before) == 0:
			additional[name] = nil
		case isAttribute:
			additional[name] = f.Before
		case len(f.Before) == 0:
		case f.Name == fieldPrimary:
			body[fieldPrimary] = asBoolean(f.Before)
		default:
			system["registrationEnabled"] = asBoolean(f.Before)
		}
	}
	if len(system) > 0 {
		body["systemData"] = system
	}
	if len(additional) > 0 {
		body["additionalData"] = additional
	}
	data, _ := json.Marshal(body) // values that were read as JSON
	return data
}

// asBoolean takes the quotes off, which the people listing gives booleans.
func asBoolean(v json.RawMessage) json.RawMessage { return bytes.Trim(v, `"`) }

// owner is the person that a device belongs to now.
type owner struct {
	ID                 any    `json:"id"`
	ExternalID         string `json:"externalId"`
	ContactInformation struct {
		Phone  []struct{ Number string }
		Phones []struct{ Number string }
		Email  []struct{ Address string }
		Emails []struct{ Address string }
	} `json:"contactInformation"`
}

// readOwner reads the answer to a look-up: one person, or a list of one.
func readOwner(body []byte) (*owner, error) {
	var answer struct {
		owner
		Persons *[]owner `json:"persons"`
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if err := d.Decode(&answer); err != nil {
		return nil, errors.New("the answer is no person")
	}
	switch {
	case answer.Persons == nil:
		return &answer.owner, nil
	case len(*answer.Persons) == 0:
		return nil, nil
	}
	return &(*answer.Persons)[0], nil
}

// is reports whether a person is the one that was known by these values.
func (o *owner) is(p *undo.Person) bool {
	if p.ID != "" && o.ID != nil {
		return p.ID == fmt.Sprint(o.ID)
	}
	c := &o.ContactInformation
	return p.ExternalID != "" && p.ExternalID == o.ExternalID ||
		p.Phone != "" && slices.ContainsFunc(append(c.Phone, c.Phones...), func(phone struct{ Number string }) bool {
			return strings.TrimPrefix(phone.Number, "+") == strings.TrimPrefix(p.Phone, "+")
		}) ||
		p.Email != "" && slices.ContainsFunc(append(c.Email, c.Emails...), func(email struct{ Address string }) bool {
			return strings.EqualFold(email.Address, p.Email)
		})
}
