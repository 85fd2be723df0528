package ops_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pushbatch/apiclient"
	"pushbatch/batch"
	"pushbatch/batch/ops"
)

// answer is a Doer that always gives the same answer.
type answer struct {
	response apiclient.Response
	err      error
	call     apiclient.Call
}

func (a *answer) Do(_ context.Context, call apiclient.Call) (apiclient.Response, error) {
	a.call = call
	return a.response, a.err
}

// requestOf maps one row to a request that is sent to a.
func requestOf(t *testing.T, a *answer, operation string, h batch.Header, o ops.Options, cells ...string) batch.Request {
	t.Helper()
	o.HasAppCode, o.Sender = true, a
	b, err := ops.Named(operation).Bind(h, o)
	if err != nil {
		t.Fatal(err)
	}
	request, out := b.Map(row(cells...))
	if out != nil {
		t.Fatalf("row was %s: %s", out.Status, out.Message)
	}
	return request
}

func TestSend(t *testing.T) {
	t.Parallel()
	response := apiclient.Response{Status: 200, Attempts: 2, Throttled: 1, Latency: 30 * time.Millisecond}
	known := batch.Outcome{RegistrationID: deviceID, HTTPStatus: 200, Attempts: 2, Latency: 30 * time.Millisecond}
	failed := func(code, message string, status int) batch.Outcome {
		o := known
		o.Status, o.Code, o.Message, o.HTTPStatus = batch.Failed, code, message, status
		return o
	}
	succeeded := known
	succeeded.Status = batch.Succeeded
	final := &apiclient.Error{Status: 400, Code: "48013", Message: "push registration not found", Class: apiclient.Final}
	for name, c := range map[string]struct {
		err     error
		appCode string
		want    batch.Outcome
		unsent  bool
		abort   string
	}{
		"succeeded":           {want: succeeded},
		"final":               {err: final, want: failed("48013", "push registration not found", 400)},
		"attempts used up":    {err: fmt.Errorf("wrapped: %w", &apiclient.Error{Code: "timeout", Message: "no answer", Class: apiclient.Temporary}), want: failed("timeout", "no answer", 0)},
		"drained":             {err: apiclient.ErrDrained, unsent: true},
		"outage":              {err: fmt.Errorf("%w: %w", apiclient.ErrOutage, final), abort: "outage"},
		"refused":             {err: &apiclient.Error{Status: 401, Code: "UNAUTHORIZED", Class: apiclient.Fatal}, abort: "UNAUTHORIZED"},
		"refused row's code":  {err: &apiclient.Error{Status: 401, Code: "UNAUTHORIZED", Class: apiclient.Fatal}, appCode: "ROW", abort: "UNAUTHORIZED"},
		"application unknown": {err: &apiclient.Error{Status: 400, Code: "48012", Class: apiclient.AppCode}, abort: "48012"},
		"row's own application unknown": {
			err: &apiclient.Error{Status: 400, Code: "48012", Message: "not found", Class: apiclient.AppCode}, appCode: "ROW",
			want: failed("48012", "not found", 400),
		},
		"anything else": {err: errors.New("no such thing"), abort: "none"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := &answer{response: response, err: c.err}
			got, err := requestOf(t, a, "depersonalize", header("registrationId", "appCode"), ops.Options{}, deviceID, c.appCode).Send(t.Context())
			if a.call.AppCode != c.appCode || !a.call.Discard {
				t.Errorf("call %+v", a.call)
			}
			abort, isAbort := errors.AsType[*batch.Abort](err)
			switch {
			case c.unsent != errors.Is(err, batch.ErrUnsent):
				t.Errorf("error %v", err)
			case c.abort == "none" && (err == nil || isAbort), c.abort != "none" && isAbort != (c.abort != ""), isAbort && abort.Code != c.abort:
				t.Errorf("error %v, want an abort with code %q", err, c.abort)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestSendWithACancelledContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	a := &answer{err: &apiclient.Error{Code: "connection_broken", Class: apiclient.Temporary}}
	_, err := requestOf(t, a, "depersonalize", header("registrationId"), ops.Options{}, deviceID).Send(ctx)
	if !errors.Is(err, batch.ErrUnsent) {
		t.Errorf("error %v, want ErrUnsent", err)
	}
}

func TestGetKeepsTheAnswer(t *testing.T) {
	t.Parallel()
	a := &answer{response: apiclient.Response{Status: 200, Body: []byte(`{}`)}}
	out, err := requestOf(t, a, "export", header("registrationId"), ops.Options{}, deviceID).Send(t.Context())
	if err != nil || string(out.Payload) != "{}" || a.call.Discard || a.call.Method != http.MethodGet {
		t.Errorf("outcome %+v, error %v, call %+v", out, err, a.call)
	}
}

func TestCalls(t *testing.T) {
	t.Parallel()
	a := new(answer)
	h := header("registrationId", "email", "appCode")
	o := ops.Options{Personalize: apiclient.PersonalizeOptions{ForceDepersonalize: true, ReturnPush: true}}
	_, _ = requestOf(t, a, "personalize", h, o, "a:b?c", "ana@example.com", "ROW").Send(t.Context())
	want := apiclient.Call{
		Op: apiclient.OpPersonalize, Method: "POST", Path: "/people/2/contactInformation/push/a:b%3Fc/personalize",
		Query: "forceDepersonalize=true&returnPush=true", AppCode: "ROW", Body: []byte(`{"identity":{"email":"ana@example.com"}}`), Row: 1,
	}
	if diff := cmp.Diff(want, a.call); diff != "" {
		t.Error(diff)
	}
}

// TestKeys: rows that name the same device or the same identity value in
// different spellings share a key.
func TestKeys(t *testing.T) {
	t.Parallel()
	h := header("registrationId", "externalId", "phoneNumber", "email")
	for name, c := range map[string]struct{ cells, want []string }{
		"all":             {[]string{"d", "x", "+385 91 123 4567", "Ana@Example.com"}, []string{"r:d", "x:x", "p:385911234567", "e:ana@example.com"}},
		"phone only":      {[]string{"d", "", "385911234567", ""}, []string{"r:d", "p:385911234567"}},
		"domain in ASCII": {[]string{"d", "", "", "a@xn--bcher-kva.example"}, []string{"r:d", "e:a@xn--bcher-kva.example"}},
		"domain in UTF-8": {[]string{"d", "", "", "A@Bücher.example"}, []string{"r:d", "e:a@xn--bcher-kva.example"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := requestOf(t, new(answer), "personalize", h, ops.Options{}, c.cells...).Keys()
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	for _, operation := range []string{"depersonalize", "export"} {
		got := requestOf(t, new(answer), operation, h, ops.Options{}, "d", "x", "385911234567", "a@example.com").Keys()
		if diff := cmp.Diff([]string{"r:d"}, got); diff != "" {
			t.Errorf("%s: %s", operation, diff)
		}
	}
}

// TestRequestsOutliveTheNextRow: a mapper is used again before a request is
// sent.
func TestRequestsOutliveTheNextRow(t *testing.T) {
	t.Parallel()
	a := new(answer)
	b, err := ops.Named("personalize").Bind(header("registrationId", "externalId", "tags"), ops.Options{HasAppCode: true, Sender: a})
	if err != nil {
		t.Fatal(err)
	}
	first, _ := b.Map(row("d1", "x1", "a|b"))
	_, _ = b.Map(row("d2", "x2", "c|d"))
	if diff := cmp.Diff([]string{"r:d1", "x:x1"}, first.Keys()); diff != "" {
		t.Error(diff)
	}
	_, _ = first.Send(t.Context())
	if want := `{"identity":{"externalId":"x1"},"attributes":{"tags":["a","b"]}}`; string(a.call.Body) != want {
		t.Errorf("body %s, want %s", a.call.Body, want)
	}
}
