package apiclient

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// throughProxy makes a client whose requests go through a proxy with a password.
func throughProxy(t *testing.T, handler http.HandlerFunc) (c *Client, address string, asked *int) {
	t.Helper()
	asked = new(int)
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*asked++
		handler(w, r)
	}))
	t.Cleanup(proxy.Close)
	at, err := url.Parse(proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	at.User = url.UserPassword("user", secret)
	tr := newRoundTripper()
	tr.Proxy = http.ProxyURL(at)
	return newClient(t, tr, func(cfg *Config) { cfg.MaxAttempts, cfg.BackoffBase = 2, time.Nanosecond }), at.Host, asked
}

func TestProxyThatRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		status int
		fatal  bool
		asked  int
		want   string
	}{
		{407, true, 1, "credentials"},
		{403, true, 1, "does not let requests through"},
		{404, true, 1, "does not let requests through"},
		{502, false, 2, "does not reach"},
		{503, false, 2, "does not reach"},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprint(tt.status), func(t *testing.T) {
			t.Parallel()
			c, address, asked := throughProxy(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(tt.status) })
			_, err := c.Do(t.Context(), DepersonalizeCall("1"))
			e := asError(err)
			if e == nil || e.Code != CodeProxy || e.FatalFor(&Call{}) != tt.fatal || *asked != tt.asked {
				t.Fatalf("got %v after %d requests to the proxy", err, *asked)
			}
			for _, want := range []string{address, fmt.Sprint(tt.status), tt.want} {
				if !strings.Contains(e.Message, want) {
					t.Errorf("the message lacks %q: %s", want, e.Message)
				}
			}
			if strings.Contains(err.Error(), secret) || strings.Contains(err.Error(), url.QueryEscape(secret)) {
				t.Errorf("the password shows in %v", err)
			}
		})
	}
}

// A proxy variable that holds no address is an error, not gone around.
func TestProxyVariableIsMalformed(t *testing.T) {
	tests := []struct {
		value, except string
		wrong         bool
	}{
		{"http:/proxy:3128", "", true},
		{"http//proxy:3128", "", true},
		{"http://pro xy:3128", "", true},
		{"http://user:p%zz@proxy:3128", "", true},
		{"proxy:port", "", true},
		{"ftp://proxy:3128", "", true},
		{"http://proxy:99999", "", true},
		{"http:/proxy:3128", "other.example, test.example", false},
		{"http:/proxy:3128", "*", false},
		{"http://proxy:3128", "", false},
		{"proxy:3128", "", false},
		{"socks5://proxy:1080/", "", false},
	}
	for _, tt := range tests {
		t.Run(tt.value+" "+tt.except, func(t *testing.T) {
			t.Setenv("HTTPS_PROXY", tt.value)
			t.Setenv("NO_PROXY", tt.except)
			_, err := ProxyOf(&http.Request{URL: &url.URL{Scheme: "https", Host: "test.example"}})
			if (err != nil) != tt.wrong {
				t.Fatalf("got %v", err)
			}
			if tt.wrong && (!strings.Contains(err.Error(), "HTTPS_PROXY") || strings.Contains(err.Error(), "p%zz")) {
				t.Errorf("the message is %q", err)
			}
		})
	}
	t.Setenv("HTTPS_PROXY", "http:/proxy:3128")
	t.Setenv("NO_PROXY", "")
	_, err := newClient(t, nil, nil).Do(t.Context(), GetCall("1"))
	if e := asError(err); e == nil || e.Code != CodeProxy || !e.FatalFor(&Call{}) {
		t.Errorf("a call ends with %v", err)
	}
}

// https to a port that speaks something else never works, however long one waits.
func TestPortWithoutTLS(t *testing.T) {
	t.Parallel()
	for _, greeting := range []string{"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", "SSH-2.0-OpenSSH_9.2\r\n"} {
		t.Run(greeting[:4], func(t *testing.T) {
			t.Parallel()
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			go func() { // ends with the listener
				for {
					conn, err := l.Accept()
					if err != nil {
						return
					}
					_, _ = conn.Write([]byte(greeting))
				}
			}()
			c := newClient(t, newRoundTripper(), func(cfg *Config) { cfg.BaseURL = "https://" + l.Addr().String() })
			_, err = c.Do(t.Context(), GetCall("1"))
			e := asError(err)
			if e == nil || e.Code != CodeTLSHandshake || !e.FatalFor(&Call{}) || !strings.Contains(e.Message, l.Addr().String()) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// A timeout says of what.
func TestTimeoutsSayOfWhat(t *testing.T) {
	t.Parallel()
	dial := &net.OpError{Op: "dial", Net: "tcp", Err: &timeout{}}
	tests := []struct {
		name string
		err  error
		want string
	}{
		{"dial", dial, "no connection to test.example:443 within 10s"},
		{"handshake", errors.New("net/http: TLS handshake timeout"), ""},
		{"handshake of net/http", &timeout{"net/http: TLS handshake timeout"}, "no TLS handshake with test.example:443 within 10s"},
		{"answer", context.DeadlineExceeded, "no answer within 30s"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := &platform{answer: func(int, *http.Request) (*http.Response, error) { return nil, tt.err }}
				c := newClient(t, p, func(cfg *Config) { cfg.MaxAttempts = 1 })
				_, err := c.Do(t.Context(), GetCall("1"))
				if e := asError(err); e == nil || (e.Code == CodeTimeout) != (tt.want != "") || tt.want != "" && e.Message != tt.want {
					t.Errorf("got %v, want %q", err, tt.want)
				}
			})
		})
	}
}

type timeout struct{ text string }

func (t *timeout) Error() string { return t.text }
func (*timeout) Timeout() bool   { return true }
func (*timeout) Temporary() bool { return true }

// A proxy that is down is named, and waited for like an outage.
func TestProxyThatIsDown(t *testing.T) {
	t.Setenv("HTTPS_PROXY", "http://user:pw@127.0.0.1:9")
	t.Setenv("NO_PROXY", "")
	down := &net.OpError{Op: "proxyconnect", Net: "tcp", Err: &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}}
	synctest.Test(t, func(t *testing.T) {
		p := &platform{answer: func(int, *http.Request) (*http.Response, error) { return nil, down }}
		_, err := newClient(t, p, func(cfg *Config) { cfg.MaxAttempts = 1 }).Do(t.Context(), GetCall("1"))
		if e := asError(err); e == nil || e.Code != CodeConnectionRefused || e.FatalFor(&Call{}) {
			t.Errorf("got %v", err)
		}
	})
}
