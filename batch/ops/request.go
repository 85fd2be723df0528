package ops

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"pushbatch/apiclient"
	"pushbatch/batch"
)

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
	return &request{sender: sender, call: call, id: a.id, keys: a.keys(), warnings: a.warnings.Warnings}
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
