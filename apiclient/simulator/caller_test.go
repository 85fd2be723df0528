package simulator_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"pushbatch/apiclient/simulator"
	"pushbatch/testdata/openapitest"
)

const (
	pushPath    = "/people/2/contactInformation/push/"
	personsPath = "/people/2/persons"
)

// caller sends requests each of which is checked with its answer by the API's description.
type caller struct {
	t    testing.TB
	rt   http.RoundTripper
	head map[string]string
}

type reply struct {
	status int
	header http.Header
	body   string
}

func newCaller(t testing.TB, sim *simulator.Simulator) *caller {
	t.Helper()
	return &caller{t: t, rt: openapitest.Transport(t, sim.RoundTripper(), openapitest.Refusals()), head: map[string]string{
		"Authorization": "App key", "AppCode": "app", "Content-Type": "application/json",
	}}
}

// with returns a caller with another header; an empty value takes it away.
func (c *caller) with(name, value string) *caller {
	copied := *c
	copied.head = map[string]string{}
	for k, v := range c.head {
		copied.head[k] = v
	}
	copied.head[name] = value
	return &copied
}

func (c *caller) request(method, path, body string) *http.Request {
	c.t.Helper()
	r, err := http.NewRequest(method, "http://platform"+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	for name, value := range c.head {
		if value != "" {
			r.Header.Set(name, value)
		}
	}
	return r
}

func (c *caller) do(method, path, body string) reply {
	c.t.Helper()
	resp, err := c.rt.RoundTrip(c.request(method, path, body))
	if err != nil {
		c.t.Fatalf("%s %s: %v", method, path, err)
	}
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		c.t.Fatalf("%s %s: read the answer: %v", method, path, err)
	}
	return reply{resp.StatusCode, resp.Header, string(raw)}
}

func (c *caller) personalize(id, query, body string) reply {
	c.t.Helper()
	return c.do("POST", pushPath+id+"/personalize"+query, body)
}

// code reads the error code from any of the three envelopes.
func (r reply) code() string {
	var e struct {
		ErrorCode    any
		RequestError struct{ ServiceException struct{ MessageID string } }
	}
	if json.Unmarshal([]byte(r.body), &e) != nil {
		return ""
	}
	switch code := e.ErrorCode.(type) {
	case string:
		return code
	case float64:
		raw, _ := json.Marshal(code)
		return string(raw)
	}
	return e.RequestError.ServiceException.MessageID
}

func state(t testing.TB, sim *simulator.Simulator) string {
	t.Helper()
	var b strings.Builder
	if err := sim.WriteState(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// people returns the person lines of the state.
func people(t testing.TB, sim *simulator.Simulator) []string {
	t.Helper()
	var lines []string
	for line := range strings.Lines(state(t, sim)) {
		if strings.HasPrefix(line, `{"person"`) {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return lines
}

// callLog is a Config.CallLog.
type callLog struct {
	mu   sync.Mutex // a socket tells the race detector nothing of what came before what
	text bytes.Buffer
}

func (l *callLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

type loggedCall struct {
	simulator.Call
	Op string `json:"op"`
}

func (l *callLog) calls(t testing.TB) (calls []loggedCall) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	for line := range bytes.Lines(l.text.Bytes()) {
		var c loggedCall
		if err := json.Unmarshal(line, &c); err != nil {
			t.Fatal(err)
		}
		calls = append(calls, c)
	}
	return calls
}
