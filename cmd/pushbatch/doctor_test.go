package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pushbatch/apiclient/simulator"
	"pushbatch/testdata/s3test"
	"pushbatch/testdata/thorough"
)

// secrets of the doctor's tests: none of them may be printed.
const (
	doctorProxySecret = "proxy-secret-2b7e"
	doctorS3Secret    = "s3-secret-91ac"
)

// sick is one thing that is wrong, and the line that tells it.
type sick struct {
	name   string
	url    string   // base URL; empty: that of a simulator where all is well
	args   []string // beside doctor
	env    []string
	check  string // of the one line that is not ok
	status string
	says   string
	remedy string
}

// Each check that fails has its line and what to do, in both forms; the exit code is 4
// where a job would not work, and no secret is printed.
func TestDoctorFindsEach(t *testing.T) {
	t.Parallel()
	well := simulator.New(simulator.Config{Limits: simulator.PushLimits(0, 0), AppCodes: []string{"test-app"}, APIKeys: []string{scriptKey}})
	closed := "127.0.0.1:1" // not a port that a test beside this one may be given
	served := func(h http.HandlerFunc) string { return serveHandler(t, h) }
	store := s3test.Start(t)
	denied := store.Behind(t, &s3test.Faults{Refuse: func(r *http.Request) *s3test.Refusal {
		if r.Method == http.MethodPut {
			return &s3test.Refusal{Status: http.StatusForbidden, Code: "AccessDenied"}
		}
		return nil
	}})
	selfSigned := httptest.NewTLSServer(well)
	t.Cleanup(selfSigned.Close)
	selfSigned.Config.ErrorLog = nil
	proxy := func(address string) []string { return []string{"HTTPS_PROXY=" + address, "NO_PROXY="} }
	const refused = `{"requestError":{"serviceException":{"messageId":"FORBIDDEN","text":"no"}}}`
	cases := []sick{
		{name: "no address", url: "https://nothing.invalid", check: "host name", status: checkFailed, says: "nothing.invalid has no address", remedy: "--base-url"},
		{name: "closed port", url: "http://" + closed, check: "connection", status: checkFailed, says: "connection_refused", remedy: "--base-url"},
		{name: "certificate", url: selfSigned.URL, check: "TLS", status: checkFailed, says: "certificate", remedy: "certificate"},
		{
			name: "another web server", url: served(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>Welcome") }),
			check: "credentials", status: checkFailed, says: "web page", remedy: "--base-url",
		},
		{
			name: "a web server without the paths", url: served(http.NotFound),
			check: "credentials", status: checkFailed, says: "not as the platform does", remedy: "--base-url",
		},
		{
			name: "a server that wants https", url: served(func(w http.ResponseWriter, _ *http.Request) {
				http.Error(w, "Client sent an HTTP request to an HTTPS server.", http.StatusBadRequest)
			}),
			check: "credentials", status: checkFailed, says: "not as the platform does (400)", remedy: "--base-url",
		},
		{
			name: "a path behind the address", url: serveHandler(t, well) + "/push/1",
			check: "credentials", status: checkFailed, says: "not as the platform does", remedy: "without a path",
		},
		{
			name: "proxy setting", url: "https://nothing.invalid", env: proxy("http://user:" + doctorProxySecret + "@%zz"),
			check: "proxy", status: checkFailed, says: "does not hold the address", remedy: "HTTPS_PROXY",
		},
		{
			name: "proxy is not there", url: "https://nothing.invalid", env: proxy("http://user:" + doctorProxySecret + "@" + closed),
			check: "proxy", status: checkFailed, says: "connection refused", remedy: "HTTPS_PROXY",
		},
		{
			name: "proxy wants a password", url: "https://nothing.invalid", env: proxy(served(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusProxyAuthRequired) })),
			check: "proxy", status: checkFailed, says: "407", remedy: "HTTPS_PROXY",
		},
		{
			name: "clock", check: "clock", status: checkNote, says: "off by ", remedy: "NTP",
			url: served(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Date", time.Now().Add(10*time.Minute).UTC().Format(http.TimeFormat))
				well.ServeHTTP(w, r)
			}),
		},
		{name: "key", env: []string{"INFOBIP_API_KEY=another-key"}, check: "credentials", status: checkFailed, says: "401", remedy: "key"},
		{
			name: "scope", check: "credentials", status: checkFailed, says: "403", remedy: "people:manage",
			url: served(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(http.StatusForbidden)
				_, _ = io.WriteString(w, refused)
			}),
		},
		{
			name: "scope of listing", check: "people listing", status: checkNote, says: "FORBIDDEN", remedy: "people:read",
			url: served(func(w http.ResponseWriter, r *http.Request) {
				if !strings.HasPrefix(r.URL.Path, "/people/2/persons") {
					well.ServeHTTP(w, r)
					return
				}
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(http.StatusForbidden)
				_, _ = io.WriteString(w, refused)
			}),
		},
		{name: "application", args: []string{"--app-code", "test-ap"}, check: "application codes", status: checkFailed, says: "did you mean test-app?", remedy: "profile"},
		{
			name: "no bucket", args: []string{"--out", "s3://nowhere/run", "--s3-endpoint-url", store.Endpoint, "--s3-path-style"},
			check: "S3 rights", status: checkFailed, says: "s3://nowhere", remedy: "s3:PutObject",
		},
		{
			name: "no right to write", args: []string{"--out", store.Location("run"), "--s3-endpoint-url", denied.Endpoint, "--s3-path-style"},
			check: "S3 rights", status: checkFailed, says: "access denied", remedy: "s3:PutObject",
		},
		{name: "run folder", args: []string{"--out", "file/run"}, check: "run folder", status: checkFailed, says: "is no folder", remedy: "--out"},
		{name: "input", args: []string{"missing.csv"}, check: "inputs", status: checkFailed, says: "missing.csv", remedy: "INPUT"},
	}
	for n := range thorough.Some(len(cases), 5) {
		s := &cases[n]
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			if s.url == "" {
				s.url = serveHandler(t, well)
			}
			s.demand(t)
		})
	}
}

// demand runs doctor in both forms.
func (s *sick) demand(t *testing.T) {
	t.Helper()
	want := exitDone
	if s.status == checkFailed {
		want = exitStopped
	}
	var got struct {
		ExitCode int `json:"exit_code"`
		Checks   []finding
	}
	text := s.run(t, want, "--json")
	if err := json.Unmarshal(text, &got); err != nil || got.ExitCode != want {
		t.Errorf("%v\n%s", err, text)
	}
	found := false
	for _, f := range got.Checks {
		switch {
		case f.Check == s.check && f.Status == s.status && strings.Contains(f.Message, s.says) && strings.Contains(f.Remedy, s.remedy):
			found = true
		case f.Status == checkFailed && f.Check != s.check:
			t.Errorf("%s failed too: %s", f.Check, f.Message)
		}
		if f.Message == "" || f.Remedy == "" && (f.Status == checkFailed || f.Status == checkNote) {
			t.Errorf("a line without words or without a remedy: %+v", f)
		}
	}
	plain := string(s.run(t, want))
	if !found {
		t.Errorf("no line %q %s %q %q:\n%s", s.check, s.status, s.says, s.remedy, plain)
	}
	for line := range strings.Lines(plain) {
		if strings.HasPrefix(line, s.status) && strings.Contains(line, s.check) && strings.Contains(line, s.remedy) {
			return
		}
	}
	t.Errorf("no line of text says it:\n%s", plain)
}

func (s *sick) run(t *testing.T, want int, more ...string) []byte {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	c := prepare(t, s.url, dir, append(append([]string{"doctor"}, s.args...), more...)...)
	c.Env = append(c.Env, "AWS_SECRET_ACCESS_KEY="+doctorS3Secret)
	c.Env = append(c.Env, s.env...)
	var out bytes.Buffer
	c.Stdout = &out
	c.begin(t)
	if code := c.code(t); code != want {
		t.Errorf("exit code %d, want %d\n%s%s", code, want, &out, &c.stderr)
	}
	for _, secret := range []string{scriptKey, "another-key", doctorProxySecret, doctorS3Secret} {
		if strings.Contains(out.String()+c.stderr.String(), secret) {
			t.Errorf("a secret is printed:\n%s%s", &out, &c.stderr)
		}
	}
	return out.Bytes()
}
