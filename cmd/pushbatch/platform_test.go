package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"pushbatch/testdata/thorough"
)

// devices writes an input of n rows and returns its path.
func devices(t *testing.T, n int) string {
	t.Helper()
	var text strings.Builder
	text.WriteString("registrationId\n")
	for i := range n {
		fmt.Fprintf(&text, "d%d\n", i)
	}
	path := filepath.Join(t.TempDir(), "devices.csv")
	if err := os.WriteFile(path, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// Only an empty body and JSON are answers of the platform.
func TestPagesAreNoAnswers(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, body string
		code       int
	}{
		{"page", "<!DOCTYPE html><title>Log in</title>", exitBadRows},
		{"text", "OK", exitBadRows},
		{"empty", "", 0},
		{"object", "{}", 0},
	}
	for _, tt := range thorough.Sample(tests, 2) {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			url := serveHandler(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "text/html")
				_, _ = io.WriteString(w, tt.body)
			}))
			dir := t.TempDir()
			c := start(t, url, dir, "depersonalize", devices(t, 3), "--max-attempts", "2", "--rate", "1000", "--out", "run")
			if code := c.code(t); code != tt.code {
				t.Fatalf("exit code %d, want %d\n%s", code, tt.code, &c.stderr)
			}
			for _, record := range results(t, filepath.Join(dir, "run", "results.csv")) {
				if wrong := strings.Contains(strings.Join(record, " "), "answer_invalid"); wrong != (tt.code != 0) {
					t.Errorf("result %v", record)
				}
			}
		})
	}
}

// What waiting cannot heal ends the run within seconds, and names what is wrong.
func TestWayToThePlatformIsWrong(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	proxy := serveHandler(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		if strings.HasPrefix(r.Host, "forbidden") {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		w.WriteHeader(http.StatusProxyAuthRequired)
	}))
	address := strings.TrimPrefix(proxy, "http://")
	plain := strings.TrimPrefix(serveHandler(t, http.NotFoundHandler()), "http://")
	busy := serveHandler(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }))
	tests := []struct {
		name, base, proxy, want string
	}{
		{"proxy that wants a password", "https://x.example", "http://user:hunter2@" + address, address},
		{"proxy that forbids the host", "https://forbidden.example", "http://user:hunter2@" + address, address},
		{"https to a plain port", "https://" + plain, "", plain},
		{"malformed proxy", "https://x.example", "http:/user:hunter2@" + address, "HTTPS_PROXY"},
		{"proxy that speaks no TLS", "https://x.example", "https://user:hunter2@" + plain, "proxy " + plain},
		{"proxy that may reach it later", "https://x.example", busy, "out of reach for"},
	}
	for _, tt := range thorough.Sample(tests, 3) {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := prepare(t, tt.base, t.TempDir(), "depersonalize", devices(t, 3), "--max-outage", "1s", "--out", "run")
			c.Env = append(c.Env, "HTTPS_PROXY="+tt.proxy, "NO_PROXY=")
			begin := time.Now()
			c.begin(t)
			if code := c.code(t); code != exitStopped || time.Since(begin) > 15*time.Second {
				t.Fatalf("exit code %d after %v\n%s", code, time.Since(begin), &c.stderr)
			}
			if text := c.stderr.String(); !strings.Contains(text, tt.want) || strings.Contains(text, "hunter2") {
				t.Errorf("it says:\n%s", text)
			}
		})
	}
	t.Cleanup(func() {
		if n := asked.Load(); n > 2*3 {
			t.Errorf("the proxy was asked %d times with the same password", n)
		}
	})
}

// A listing that a page stands in for will not come by waiting.
func TestPageForPeople(t *testing.T) {
	t.Parallel()
	url := serveHandler(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") }))
	c := start(t, url, t.TempDir(), "export", "--people", "--to", "p.csv", "--max-attempts", "1", "--out", "run")
	if code := c.code(t); code != exitStopped || !strings.Contains(c.stderr.String(), "what to do: A proxy may answer instead of the platform") {
		t.Errorf("exit code %d\n%s", code, &c.stderr)
	}
}

// A platform that answers every request with a 429 is given up.
func TestEndlessRefusals(t *testing.T) {
	t.Parallel()
	url := serveHandler(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTooManyRequests) }))
	c := start(t, url, t.TempDir(), "depersonalize", devices(t, 3), "--max-outage", "3s", "--progress", "plain", "--out", "run")
	if code := c.code(t); code != exitStopped {
		t.Fatalf("exit code %d\n%s", code, &c.stderr)
	}
	text := c.stderr.String()
	if strings.Contains(text, "Retry-After") || !strings.Contains(text, "pushbatch resume run") || !strings.Contains(text, "429") {
		t.Errorf("it says:\n%s", text)
	}
}

// The rate climbs back to where nothing is paced while requests are under way.
func TestRefusalsAboveThePacedRates(t *testing.T) {
	thorough.Only(t) // apiclient's TestClimbToUnlimited shows it in virtual time
	t.Parallel()
	var n atomic.Int32
	url := serveHandler(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if i := n.Add(1); i <= 360 && i%40 == 7 {
			w.WriteHeader(http.StatusTooManyRequests)
		}
	}))
	dir := t.TempDir()
	c := start(t, url, dir, "depersonalize", devices(t, 9000), "--rate", "1000000", "--max-in-flight", "16", "--out", "run")
	if code := c.code(t); code != 0 {
		t.Fatalf("exit code %d\n%s", code, &c.stderr)
	}
	demandEveryRowOnce(t, filepath.Join(dir, "run", "results.csv"), 9000)
	sim := start(t, url, t.TempDir(), "depersonalize", devices(t, 20), "--rate", "1e19", "--simulate", "--out", "run")
	if code := sim.code(t); code != 0 {
		t.Fatalf("--rate 1e19: exit code %d\n%s", code, &sim.stderr)
	}
}

// Secrets have no place in an address.
func TestCredentialsInAddresses(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{
		{"--base-url", "https://user:hunter2@x.example"},
		{"--base-url", "https://hunter2@x.example"},
		{"--simulate", "--s3-endpoint-url", "https://user:hunter2@x.example"},
	} {
		c := start(t, "https://x.example", t.TempDir(), append([]string{"depersonalize", devices(t, 3)}, args...)...)
		if code := c.code(t); code != exitUsage || strings.Contains(c.stderr.String(), "hunter2") {
			t.Errorf("%v: exit code %d\n%s", args, code, &c.stderr)
		}
	}
}

// The line of simulate says which key it takes.
func TestSimulateTellsItsKey(t *testing.T) {
	t.Parallel()
	for want, args := range map[string][]string{"any API key": nil, "the API key of --api-key only": {"--api-key", "k"}} {
		ctx, cancel := context.WithCancel(t.Context())
		said := &firstWrite{then: cancel}
		code := run(ctx, process{
			args: append([]string{"simulate", "--listen", "127.0.0.1:0"}, args...), stdin: strings.NewReader(""), stdout: io.Discard, stderr: said,
			getenv: func(string) (string, bool) { return "", false },
		})
		if code != exitDone || !strings.Contains(said.text, "("+want+";") {
			t.Errorf("exit code %d, it says %q", code, said.text)
		}
	}
}

// firstWrite keeps what is written and does something after the first.
type firstWrite struct {
	text string
	then func()
}

func (w *firstWrite) Write(p []byte) (int, error) {
	w.text += string(p)
	w.then()
	return len(p), nil
}
