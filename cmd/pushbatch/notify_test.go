package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"pushbatch/apiclient/simulator"
	"pushbatch/testdata/thorough"
)

const notifyTestSecret = "notify-secret-5f1d"

// hook is a web hook that answers with one status after the other, the last one
// from then on.
type hook struct {
	mu       sync.Mutex
	answers  []int
	requests []*http.Request
	bodies   []string
}

func (h *hook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.requests, h.bodies = append(h.requests, r), append(h.bodies, string(body))
	status := h.answers[min(len(h.requests), len(h.answers))-1]
	if status == http.StatusFound {
		w.Header().Set("Location", "/elsewhere")
	}
	w.WriteHeader(status)
}

// told runs a job that is stopped after a second, with a web hook, and returns its
// stderr.
func told(t *testing.T, dir string, h *hook) string {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	rows := filepath.Join(dir, "rows.csv")
	writeKillRows(t, rows, 300)
	_, url := serve(t, simulator.Config{Limits: simulator.PushLimits(0, 0)})
	if err := os.WriteFile(filepath.Join(dir, "secret"), []byte(notifyTestSecret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	address := strings.Replace(server.URL, "http://", "http://user:hook-password@", 1) + "/hook-token/x?key=hook-query"
	c := start(t, url, dir, "update", rows, "--out", "run", "--rate", "50", "--max-duration", "500ms", "-v",
		"--notify-url", address, "--notify-secret-file", "secret")
	if code := c.code(t); code != 6 {
		t.Errorf("exit code %d\n%s", code, &c.stderr)
	}
	if lines := strings.Split(strings.TrimSpace(c.stderr.String()), "\n"); !strings.Contains(lines[len(lines)-1], "pushbatch resume run") {
		t.Errorf("the last line does not say how to go on:\n%s", &c.stderr)
	}
	demandNone(t, filepath.Join(dir, "run"), c.stderr.String(), []string{notifyTestSecret, "hook-password", "hook-token", "hook-query"})
	return c.stderr.String()
}

// A stopped run is told too: with the bytes of summary.json, signed, once the web
// hook takes it.
func TestNotify(t *testing.T) {
	t.Parallel()
	dir, h := t.TempDir(), &hook{answers: []int{503, 200}}
	said := told(t, dir, h)
	if len(h.requests) != 2 || strings.Contains(said, "was not told") {
		t.Fatalf("%d requests\n%s", len(h.requests), said)
	}
	want, err := os.ReadFile(filepath.Join(dir, "run", "summary.json"))
	if err != nil || h.bodies[1] != string(want) {
		t.Errorf("it was sent, %v\n%s\nnot\n%s", err, h.bodies[1], want)
	}
	r := h.requests[1]
	mac := hmac.New(sha256.New, []byte(notifyTestSecret))
	mac.Write([]byte(r.Header.Get("Pushbatch-Timestamp") + "." + h.bodies[1]))
	if r.Header.Get("Pushbatch-Signature") != "v1="+hex.EncodeToString(mac.Sum(nil)) || r.Header.Get("Content-Type") != "application/json" {
		t.Errorf("the headers are %v", r.Header)
	}
	if id := r.Header.Get("Idempotency-Key"); len(id) != 32 || id != h.requests[0].Header.Get("Idempotency-Key") {
		t.Errorf("the two attempts do not have one id: %q", id)
	}
	if user, password, _ := r.BasicAuth(); user != "user" || password != "hook-password" || r.URL.Path != "/hook-token/x" {
		t.Errorf("it went to %s as %s", r.URL, user)
	}
}

// What is refused for good is told on standard error and changes nothing.
func TestNotifyRefused(t *testing.T) {
	t.Parallel()
	for _, status := range []int{404, 302} {
		h := &hook{answers: []int{status}}
		if said := told(t, t.TempDir(), h); len(h.requests) != 1 || !strings.Contains(said, "was not told of the end of this run: it answered HTTP") {
			t.Errorf("%d: %d requests\n%s", status, len(h.requests), said)
		}
	}
}

// The address is not kept with the run: a resumed one says that it is missing.
func TestNotifyResumed(t *testing.T) {
	t.Parallel()
	dir, h := t.TempDir(), &hook{answers: []int{200}}
	told(t, dir, h)
	_, url := serve(t, simulator.Config{Limits: simulator.PushLimits(0, 0)})
	c := start(t, url, dir, "resume", "run", "--base-url", url, "--rate", "5000")
	if code := c.code(t); code != 0 || !strings.Contains(c.stderr.String(), "give it again") || len(h.requests) != 1 {
		t.Errorf("exit code %d, %d requests\n%s", code, len(h.requests), &c.stderr)
	}
}

func TestNotifyURLRefused(t *testing.T) {
	t.Parallel()
	for _, c := range thorough.Sample([]struct{ address, says string }{
		{"http://example.com/token", "http://example.com/…: https was expected"},
		{"example.com", "such as https://"},
		{"https://", "such as https://"},
		{"ftp://127.0.0.1/x", "such as https://"},
		{"https://a b/%zz", "such as https://"},
	}, 3) {
		address, says := c.address, c.says
		child := start(t, "http://127.0.0.1:1", t.TempDir(), "update", "rows.csv", "--notify-url", address)
		if code := child.code(t); code != 2 || !strings.Contains(child.stderr.String(), says) || strings.Contains(child.stderr.String(), "token") {
			t.Errorf("%s: exit code %d\n%s", address, code, &child.stderr)
		}
	}
}

// roundTrip is a transport without a network.
type roundTrip func(*http.Request) (*http.Response, error)

func (r roundTrip) RoundTrip(req *http.Request) (*http.Response, error) { return r(req) }
