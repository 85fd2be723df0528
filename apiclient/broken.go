package apiclient

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"syscall"
)

// wsaConnectionRefused is what Windows says for ECONNREFUSED, which means
// nothing there. No other system has this number.
const wsaConnectionRefused = syscall.Errno(10061)

// transportError tells what kept an answer from coming.
func (x *exchanger) transportError(ctx context.Context, op Op, err error) *Error {
	e := &Error{Op: op, Class: Temporary, cause: err}
	var dns *net.DNSError
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded) || isTimeout(err):
		e.Code, e.Message = CodeTimeout, fmt.Sprintf("no answer within %v", x.timeout)
		return e
	case isCertificate(err):
		e.Code, e.Class = CodeTLSCertificate, Fatal
	case isHandshake(err):
		e.Code = CodeTLSHandshake
	case errors.As(err, &dns):
		e.Code = CodeHostUnknown
		if dns.IsNotFound && !x.reached.Load() {
			e.Class = Fatal // mistyped, rather than a resolver that is down
		}
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, wsaConnectionRefused):
		e.Code = CodeConnectionRefused
	default:
		e.Code = CodeConnectionBroken
	}
	e.Message = x.scrubber.Load().line(err.Error(), excerptMax)
	return e
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

func isHandshake(err error) bool {
	var (
		header tls.RecordHeaderError
		alert  tls.AlertError
	)
	return errors.As(err, &header) || errors.As(err, &alert)
}
