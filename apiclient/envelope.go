package apiclient

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// envelope holds the platform's three forms of errors in one.
type envelope struct {
	ErrorCode    any             `json:"errorCode"` // number or string
	ErrorMessage text            `json:"errorMessage"`
	Description  text            `json:"description"`
	Action       text            `json:"action"`
	Violations   json.RawMessage `json:"violations"`
	RequestError struct {
		ServiceException struct {
			MessageID        any             `json:"messageId"`
			Text             text            `json:"text"`
			ValidationErrors json.RawMessage `json:"validationErrors"`
		} `json:"serviceException"`
	} `json:"requestError"`
}

// text is a string that may come as any other JSON value.
type text string

// UnmarshalJSON takes a string as it is and anything else as its JSON text.
func (t *text) UnmarshalJSON(data []byte) error {
	var s string
	if json.Unmarshal(data, &s) != nil {
		s = string(data)
	}
	*t = text(s)
	return nil
}

const (
	excerptMax   = 200 // bytes of an answer that is shown when it is no envelope
	messageMax   = 400 // bytes of the platform's own message
	violationMax = 200 // bytes of the violations after it
)

// errorFrom reads the error out of an answer that is not 2xx.
func (t *transport) errorFrom(op Op, resp *http.Response, body []byte, now time.Time) *Error {
	e := &Error{Op: op, Status: resp.StatusCode, RetryAfter: retryAfter(resp.Header, now)}
	var env envelope
	if decodeNumbers(body, &env) == nil {
		e.Code, e.Message = t.line(env.code(), 64), t.message(&env)
	}
	if e.Message == "" {
		e.Message = t.excerpt(resp, body, e.Code != "")
	}
	e.Code = cmp.Or(e.Code, fmt.Sprintf("http_%d", resp.StatusCode))
	e.Class = platformClass(e.Status, e.Code)
	return e
}

func (e *envelope) code() string {
	for _, v := range []any{e.ErrorCode, e.RequestError.ServiceException.MessageID} {
		switch v := v.(type) {
		case string:
			if v != "" {
				return v
			}
		case json.Number:
			return v.String()
		}
	}
	return ""
}

func (t *transport) message(e *envelope) string {
	service := &e.RequestError.ServiceException
	var parts []string
	for _, said := range []text{e.ErrorMessage, service.Text, e.Description, e.Action} {
		if line := t.line(string(said), messageMax); line != "" {
			parts = append(parts, line)
		}
	}
	msg := cut(strings.Join(parts, ": "), messageMax)
	for _, raw := range []json.RawMessage{service.ValidationErrors, e.Violations} {
		if v := flatten(raw); v != "" {
			msg += " (" + t.line(v, violationMax) + ")"
		}
	}
	return strings.TrimSpace(msg)
}

// flatten renders violations, whose form differs, as "name: text, text; name: text".
func flatten(raw json.RawMessage) string {
	var v any
	if len(raw) == 0 || decodeNumbers(raw, &v) != nil {
		return ""
	}
	return flat(v)
}

func flat(v any) string {
	var parts []string
	switch v := v.(type) {
	case nil:
		return ""
	case []any:
		for _, e := range v {
			parts = append(parts, flat(e))
		}
		return strings.Join(parts, ", ")
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			parts = append(parts, name+": "+flat(v[name]))
		}
		return strings.Join(parts, "; ")
	}
	return fmt.Sprint(v)
}

// excerpt describes an answer that is no envelope, or one that has a code and no
// message: what it is and its first bytes.
func (t *transport) excerpt(resp *http.Response, body []byte, coded bool) string {
	if len(bytes.TrimSpace(body)) == 0 {
		return "the answer has no body"
	}
	kind := "the answer is not an error of the platform"
	switch {
	case coded:
		kind = "the error of the platform has no message"
	case success(resp.StatusCode):
		kind = "the answer is not JSON"
	}
	if strings.Contains(resp.Header.Get("Content-Type"), "html") || bytes.HasPrefix(bytes.TrimSpace(body), []byte("<")) {
		kind = "the answer is a web page (of a proxy?)"
	}
	return fmt.Sprintf("%s and begins: %s", kind, t.line(string(body), excerptMax))
}

// line masks secrets and makes text one printable line of at most limit bytes.
func (t *transport) line(text string, limit int) string {
	text = strings.ToValidUTF8(t.scrubber.Load().Replace(text), "?")
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp) {
			return ' '
		}
		return r
	}, text)
	return cut(strings.Join(strings.Fields(text), " "), limit)
}

// cut shortens text to at most limit bytes and a mark, between characters.
func cut(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	for limit > 0 && !utf8.RuneStart(text[limit]) {
		limit--
	}
	return text[:limit] + "…"
}

// decodeNumbers decodes exactly one JSON value and keeps all digits of numbers.
func decodeNumbers(data []byte, v any) error {
	if !json.Valid(data) {
		return errors.New("not JSON")
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	return d.Decode(v)
}

// retryAfter reads Retry-After (RFC 9110, 10.2.3): seconds or a date; so many
// seconds that it can only be a time since 1970 are read as that. A date is checked
// against the answer's own Date, so that a clock that is wrong here does no harm.
// 0: absent, past, or neither of the two.
func retryAfter(h http.Header, now time.Time) time.Duration {
	const sinceEpoch = 1e9 // seconds: 32 years
	value := strings.TrimSpace(h.Get("Retry-After"))
	seconds, err := strconv.ParseFloat(value, 64)
	var date time.Time
	switch {
	case err != nil:
		if date, err = http.ParseTime(value); err != nil {
			return 0
		}
	case !(seconds > 0):
		return 0
	case seconds < sinceEpoch:
		return time.Duration(seconds * float64(time.Second))
	case seconds < 1000*sinceEpoch:
		date = time.Unix(int64(seconds), 0)
	default:
		date = time.UnixMilli(int64(seconds))
	}
	if sent, err := http.ParseTime(h.Get("Date")); err == nil {
		now = sent
	}
	return max(date.Sub(now), 0)
}
