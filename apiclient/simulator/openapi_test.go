package simulator_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"pushbatch/apiclient/simulator"
	"pushbatch/testdata/openapitest"
)

// spy is a testing.TB that takes failures down.
type spy struct {
	testing.TB
	failures []string
}

func (s *spy) Helper() {}
func (s *spy) Errorf(format string, args ...any) {
	s.failures = append(s.failures, fmt.Sprintf(format, args...))
}

const device = "/people/2/contactInformation/push/d1"

type request struct{ method, path, body string }

func (q request) build(t *testing.T, base string) *http.Request {
	t.Helper()
	var body io.Reader
	if q.body != "" {
		body = strings.NewReader(q.body)
	}
	r, err := http.NewRequest(q.method, base+q.path, body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "App key")
	r.Header.Set("AppCode", "code")
	if q.body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	return r
}

func answering(status int, contentType, body string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if contentType != "" {
			w.Header().Set("Content-Type", contentType)
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	})
}

func TestViolations(t *testing.T) {
	t.Parallel()
	const js = "application/json"
	good := answering(200, js, `{"registrationId":"d1","applicationId":"a"}`)
	person := answering(200, js, `{"contactInformation":{}}`)
	put := func(body string) request { return request{"POST", device + "/personalize", body} }
	patch := func(body string) request { return request{"PATCH", device, body} }
	cases := []struct {
		name    string
		request request
		handler http.Handler
		want    string // part of the failure; empty: none
	}{
		{"get", request{"GET", device, ""}, good, ""},
		{"unknown path", request{"GET", "/people/2/other", ""}, good, "no such operation"},
		{"unknown parameter", request{"GET", device + "?x=1", ""}, good, "query parameter x"},
		{"repeated parameter", request{"GET", "/people/2/persons?page=1&page=2", ""}, good, "query parameter page"},
		{"page of zero", request{"GET", "/people/2/persons?page=0", ""}, good, "page"},
		{"unknown type", request{"GET", "/people/2/persons?type=CAR&identifier=1", ""}, good, "type"},
		{"flag not boolean", request{"POST", device + "/personalize?keepAsLead=yes", `{"identity":{"email":"a@b.co"}}`}, person, "keepAsLead"},
		{"body on depersonalize", request{"POST", device + "/depersonalize", `{}`}, answering(200, "", ""), "request"},
		{"personalize", put(`{"identity":{"email":"a@b.co"},"attributes":{"firstName":null,"tags":null,"customAttributes":{"a":1,"b":null}}}`), person, ""},
		{"no identity", put(`{}`), person, "identity"},
		{"empty identity", put(`{"identity":{}}`), person, "identity"},
		{"null word", put(`{"identity":{"externalId":"Null"}}`), person, "externalId"},
		{"plus in phone", put(`{"identity":{"phoneNumber":"+385911234567"}}`), person, "phoneNumber"},
		{"bad e-mail", put(`{"identity":{"email":"a b@c.d"}}`), person, "email"},
		{"unknown field", put(`{"identity":{"email":"a@b.co"},"attribute":{}}`), person, "attribute"},
		{"date as birthday", put(`{"identity":{"email":"a@b.co"},"attributes":{"birthday":"1990-01-31"}}`), person, "birthday"},
		{"gender", put(`{"identity":{"email":"a@b.co"},"attributes":{"gender":"male"}}`), person, "gender"},
		{"repeated tag", put(`{"identity":{"email":"a@b.co"},"attributes":{"tags":["a","a"]}}`), person, "tags"},
		{"object as attribute", put(`{"identity":{"email":"a@b.co"},"attributes":{"customAttributes":{"a":{}}}}`), person, "customAttributes"},
		{"long first name", put(`{"identity":{"email":"a@b.co"},"attributes":{"firstName":"` + strings.Repeat("x", 256) + `"}}`), person, "firstName"},
		{"patch", patch(`{"isPrimary":true,"systemData":{"registrationEnabled":false},"additionalData":{"a":null}}`), good, ""},
		{"read-only field", patch(`{"registrationId":"x"}`), good, "registrationId"},
		{"read-only system data", patch(`{"systemData":{"os":"iOS"}}`), good, "os"},
		{"long name", patch(`{"additionalData":{"` + strings.Repeat("n", 257) + `":1}}`), good, "257 characters"},
		{"long string", patch(`{"additionalData":{"a":"` + strings.Repeat("x", 4097) + `"}}`), good, "additionalData"},
		{"array in data", patch(`{"additionalData":{"a":[1]}}`), good, "additionalData"},
		{"answer without id", request{"GET", device, ""}, answering(200, js, `{"applicationId":"a"}`), "registrationId"},
		{"answer not an envelope", request{"GET", device, ""}, answering(400, js, `{"error":"x"}`), "answer"},
		{"push envelope", request{"GET", device, ""}, answering(400, js, `{"errorCode":48013,"errorMessage":"x"}`), ""},
		{"push envelope on 401", request{"GET", device, ""}, answering(401, js, `{"errorCode":48013,"errorMessage":"x"}`), "answer"},
		{"newer envelope on 429", request{"GET", device, ""}, answering(429, js, `{"errorCode":"E429"}`), ""},
		{"page of a proxy", request{"GET", device, ""}, answering(502, "text/html", `<html>`), ""},
		{"empty error", request{"GET", device, ""}, answering(503, "", ""), ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := &spy{TB: t}
			rec := httptest.NewRecorder()
			r := c.request.build(t, "")
			openapitest.Wrap(s, c.handler).ServeHTTP(rec, r)
			checkFailures(t, s, c.want)
		})
	}
}

func checkFailures(t *testing.T, s *spy, want string) {
	t.Helper()
	got := strings.Join(s.failures, "\n")
	if want == "" && got != "" || !strings.Contains(got, want) || want != "" && got == "" {
		t.Errorf("failures %q, want one with %q", got, want)
	}
}

func TestNoCredentials(t *testing.T) {
	t.Parallel()
	s := &spy{TB: t}
	r := request{"GET", device, ""}.build(t, "")
	r.Header.Del("Authorization")
	openapitest.Wrap(s, simulator.New(simulator.Config{})).ServeHTTP(httptest.NewRecorder(), r)
	checkFailures(t, s, "Authorization")
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	bad := request{"POST", device + "/personalize", `{"identity":{"email":"a@b.co"},"extra":1}`}
	refused := &spy{TB: t}
	openapitest.Wrap(refused, simulator.New(simulator.Config{}), openapitest.Refusals()).
		ServeHTTP(httptest.NewRecorder(), bad.build(t, ""))
	checkFailures(t, refused, "")
	taken := &spy{TB: t}
	openapitest.Wrap(taken, answering(200, "application/json", `{"contactInformation":{}}`), openapitest.Refusals()).
		ServeHTTP(httptest.NewRecorder(), bad.build(t, ""))
	checkFailures(t, taken, "extra")
}

func TestTransportHandsOnCuts(t *testing.T) {
	t.Parallel()
	faults, err := simulator.ParseFaults("cut-body=#1,cut-before=#2")
	if err != nil {
		t.Fatal(err)
	}
	s := &spy{TB: t}
	rt := openapitest.Transport(s, simulator.New(simulator.Config{Faults: faults}).RoundTripper())
	resp, err := rt.RoundTrip(request{"GET", device, ""}.build(t, "http://platform"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(resp.Body); err != io.ErrUnexpectedEOF {
		t.Errorf("body of a cut answer ends with %v, want %v", err, io.ErrUnexpectedEOF)
	}
	if _, err := rt.RoundTrip(request{"GET", device + "?x=1", ""}.build(t, "http://platform")); err == nil {
		t.Error("a cut connection gave an answer")
	}
	checkFailures(t, s, "not answered")
}
