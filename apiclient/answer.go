package apiclient

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// check returns what is wrong with an answer, nil when nothing is.
func (t *transport) check(ctx context.Context, r *request, resp *http.Response, body []byte, err error) *Error {
	if err == nil && success(resp.StatusCode) && r.complete(body) {
		return nil
	}
	e := &Error{Op: r.op, Status: resp.StatusCode, Class: Temporary, cause: err}
	switch {
	case resp.StatusCode >= 300 && resp.StatusCode < 400:
		return t.redirected(r, resp)
	case !success(resp.StatusCode):
		return t.errorFrom(r.op, resp, body, time.Now())
	case errors.Is(err, errTooLarge):
		e.Code, e.Message, e.Class = CodeAnswerTooLarge, fmt.Sprintf("the answer has more than %d MiB", r.bodyMax(resp.StatusCode)>>20), Final
	case err != nil && ctx.Err() != nil:
		e.Code, e.Message = CodeTimeout, fmt.Sprintf("the answer was not complete within %v", t.timeout)
	case err != nil:
		e.Code, e.Message = CodeAnswerCut, fmt.Sprintf("the answer was cut after %d bytes", len(body))
	default:
		e.Code, e.Message = CodeAnswerInvalid, t.excerpt(resp, body, false)
	}
	return e
}

func (t *transport) redirected(r *request, resp *http.Response) *Error {
	to := "somewhere unknown"
	if u, err := resp.Location(); err == nil {
		to = "the same host"
		if u.Hostname() != r.url.Hostname() {
			to = "host " + t.line(u.Hostname(), 100)
		} else if u.Scheme != r.url.Scheme {
			to = "the same host by " + t.line(u.Scheme, 16)
		}
	}
	return &Error{
		Op: r.op, Status: resp.StatusCode, Code: CodeRedirected, Class: Fatal,
		Message: "the answer redirects to " + to + "; redirects are not followed, correct the base URL",
	}
}

// complete reports whether the body of a 2xx is an answer of the platform: JSON,
// or nothing where nothing was asked for. A page of a proxy is none.
func (r *request) complete(body []byte) bool {
	if len(bytes.TrimSpace(body)) == 0 {
		return r.method != http.MethodGet
	}
	return json.Valid(body)
}
