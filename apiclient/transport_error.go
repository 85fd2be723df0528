package apiclient

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/net/http/httpproxy"
)

// wsaConnectionRefused is what Windows says for ECONNREFUSED, which means
// nothing there. No other system has this number.
const wsaConnectionRefused = syscall.Errno(10061)

// transportError says what kept an answer from coming. What waiting cannot
// heal is Fatal: a certificate, a port that does not speak TLS, a name that was
// never found, a proxy that refuses.
func (t *transport) transportError(ctx context.Context, req *request, err error) *Error {
	e := &Error{Op: req.op, Class: Temporary, Code: CodeConnectionBroken, cause: err}
	var (
		dns       *net.DNSError
		byProxy   *proxyError
		recordErr tls.RecordHeaderError
		alert     tls.AlertError
	)
	switch {
	case errors.As(err, &byProxy):
		e.Code, e.Class, e.Message = CodeProxy, byProxy.class(), byProxy.Error()
		return e
	case errors.Is(ctx.Err(), context.DeadlineExceeded) || isTimeout(err):
		e.Code, e.Message = CodeTimeout, t.timeoutMessage(req, err)
		return e
	case isCertificate(err):
		e.Code, e.Class = CodeTLSCertificate, Fatal
	case errors.As(err, &recordErr):
		e.Code, e.Message = CodeTLSHandshake, fmt.Sprintf("%s does not answer in TLS: it is no https port", hostPort(req.url))
		if proxy, _ := ProxyOf(&http.Request{URL: req.url}); proxy != nil && proxy.Scheme == "https" {
			e.Message = "proxy " + hostPort(proxy) + ", or behind it " + e.Message
		}
		e.Class = t.unlessReached()
		return e
	case errors.As(err, &alert):
		e.Code, e.Class = CodeTLSHandshake, t.unlessReached()
	case errors.As(err, &dns):
		e.Code = CodeHostUnknown
		if dns.IsNotFound { // mistyped, rather than a resolver that is down
			e.Class = t.unlessReached()
		}
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, wsaConnectionRefused):
		e.Code = CodeConnectionRefused
	}
	e.Message = t.line(t.viaProxy(req, err)+err.Error(), excerptMax)
	return e
}

// unlessReached is the class of what cannot heal unless the platform answered
// before.
func (t *transport) unlessReached() Class {
	if t.reached.Load() {
		return Temporary
	}
	return Fatal
}

// timeoutMessage says what took too long: a connection has its own time limit.
func (t *transport) timeoutMessage(req *request, err error) string {
	var op *net.OpError
	switch {
	case errors.As(err, &op) && op.Op == "dial":
		return fmt.Sprintf("%sno connection to %s within %v", t.viaProxy(req, err), hostPort(req.url), min(t.timeout, dialTimeout))
	case strings.Contains(err.Error(), "TLS handshake timeout"):
		return fmt.Sprintf("no TLS handshake with %s within %v", hostPort(req.url), min(t.timeout, dialTimeout))
	}
	return fmt.Sprintf("no answer within %v", t.timeout)
}

// viaProxy names the proxy where the connection to it is what failed.
func (t *transport) viaProxy(req *request, err error) string {
	var op *net.OpError
	if !errors.As(err, &op) || op.Op != "proxyconnect" {
		return ""
	}
	if proxy, _ := ProxyOf(&http.Request{URL: req.url}); proxy != nil {
		return "proxy " + hostPort(proxy) + ": "
	}
	return ""
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}

func isCertificate(err error) bool {
	var (
		verification *tls.CertificateVerificationError
		authority    x509.UnknownAuthorityError
		host         x509.HostnameError
		invalid      x509.CertificateInvalidError
	)
	return errors.As(err, &verification) || errors.As(err, &authority) || errors.As(err, &host) || errors.As(err, &invalid)
}

// hostPort names where an address leads, without user and password.
func hostPort(u *url.URL) string {
	usual := map[string]string{"http": "80", "https": "443", "socks5": "1080", "socks5h": "1080"}[u.Scheme]
	return net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), usual))
}

// proxyError is a proxy that did not open the way, or that cannot be used.
type proxyError struct {
	proxy  string // host and port
	status int    // of its answer; 0: the setting is wrong
	text   string
}

func (e *proxyError) Error() string { return e.text }

// class: a proxy that cannot reach the platform may do so later; one that
// refuses goes on refusing, and counts failed passwords.
func (e *proxyError) class() Class {
	if e.status == 408 || e.status == 429 || e.status >= 500 {
		return Temporary
	}
	return Fatal
}

// refusedByProxy reads a proxy's answer to CONNECT.
func refusedByProxy(_ context.Context, proxy *url.URL, _ *http.Request, answer *http.Response) error {
	if answer.StatusCode == http.StatusOK {
		return nil
	}
	e := &proxyError{proxy: hostPort(proxy), status: answer.StatusCode}
	remedy := "it does not let requests through to this host"
	switch {
	case answer.StatusCode == http.StatusProxyAuthRequired:
		remedy = "it wants other credentials: set user and password in HTTPS_PROXY"
	case e.class() == Temporary:
		remedy = "it does not reach the platform"
	}
	e.text = fmt.Sprintf("proxy %s answered %d: %s", e.proxy, e.status, remedy)
	return e
}

// ProxyOf is the proxy of a request by the environment; nil: none. A variable that holds
// no address is an error: net/http would go around the proxy in silence.
func ProxyOf(req *http.Request) (*url.URL, error) {
	name, value := firstVariable("HTTPS_PROXY", "https_proxy")
	if value != "" && !isProxyAddress(value) {
		_, except := firstVariable("NO_PROXY", "no_proxy")
		standIn := httpproxy.Config{HTTPSProxy: "http://proxy.invalid", NoProxy: except}
		if proxy, _ := standIn.ProxyFunc()(req.URL); proxy != nil {
			return nil, &proxyError{text: name + " does not hold the address of a proxy: it looks like http://host:3128"}
		}
	}
	return http.ProxyFromEnvironment(req)
}

func firstVariable(names ...string) (name, value string) {
	for _, name := range names {
		if value := os.Getenv(name); value != "" {
			return name, value
		}
	}
	return "", ""
}

func isProxyAddress(value string) bool {
	if !strings.Contains(value, "://") && !strings.Contains(strings.TrimSuffix(value, "/"), "/") {
		value = "http://" + value
	}
	u, err := url.Parse(value)
	return err == nil && u.Hostname() != "" && isPort(u.Port()) && slices.Contains([]string{"http", "https", "socks5", "socks5h"}, u.Scheme)
}

// isPort reports whether text can be a port; an empty one is the scheme's.
func isPort(text string) bool {
	n, err := strconv.ParseUint(text, 10, 16)
	return text == "" || err == nil && n > 0
}

// dialTimeout is how long a connection, and then its TLS handshake, may take.
const dialTimeout = 10 * time.Second
