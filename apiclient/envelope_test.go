package apiclient

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestErrorFrom(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		status int
		body   string
		want   Error
	}{
		{
			"push, number", 400, `{"errorCode":48013,"errorMessage":"Push registration not found"}`,
			Error{Code: "48013", Message: "Push registration not found"},
		},
		{
			"push, string", 400, `{"errorCode":"48001","errorMessage":"Application code missing"}`,
			Error{Code: "48001", Message: "Application code missing", Class: AppCode},
		},
		{
			"push, application", 400, `{"errorCode":48012,"errorMessage":"Push application not found"}`,
			Error{Code: "48012", Message: "Push application not found", Class: AppCode},
		},
		{
			"older", 401, `{"requestError":{"serviceException":{"messageId":"UNAUTHORIZED","text":"Invalid login details"}}}`,
			Error{Code: "UNAUTHORIZED", Message: "Invalid login details", Class: Fatal},
		},
		{
			"older, validation", 400, `{"requestError":{"serviceException":{"messageId":"BAD_REQUEST","text":"Bad request","validationErrors":{"email":["is bad","is long"],"age":["is 1.50"]}}}}`,
			Error{Code: "BAD_REQUEST", Message: "Bad request (age: is 1.50; email: is bad, is long)"},
		},
		{
			"newer", 500, `{"errorCode":"E500","description":"Went wrong.","action":"Try again.","violations":[],"resources":[]}`,
			Error{Code: "E500", Message: "Went wrong.: Try again.", Class: Temporary},
		},
		{
			"newer, violations", 400, `{"errorCode":"E400","description":"Bad","action":"","violations":[{"property":"limit","violation":"too high"}]}`,
			Error{Code: "E400", Message: "Bad (property: limit; violation: too high)"},
		},
		{
			"nulls", 404, `{"errorCode":null,"errorMessage":null,"violations":null}`,
			Error{Code: "http_404", Message: `the answer is not an error of the platform and begins: {"errorCode":null,"errorMessage":null,"violations":null}`},
		},
		{"odd types", 400, `{"errorCode":7.50,"errorMessage":{"a":1}}`, Error{Code: "7.50", Message: `{"a":1}`}},
		{"empty", 502, "", Error{Code: "http_502", Message: "the answer has no body", Class: Temporary}},
		{"blank", 403, " \n", Error{Code: "http_403", Message: "the answer has no body", Class: Fatal}},
		{
			"page", 502, "<html>\r\n<h1>Bad\x00 gateway\u202e</h1>",
			Error{Code: "http_502", Message: "the answer is a web page (of a proxy?) and begins: <html> <h1>Bad gateway </h1>", Class: Temporary},
		},
		{
			"cut", 400, `{"errorCode":480`,
			Error{Code: "http_400", Message: `the answer is not an error of the platform and begins: {"errorCode":480`},
		},
		{"a code alone", 400, `{"errorCode":48013}`, Error{Code: "48013", Message: `the error of the platform has no message and begins: {"errorCode":48013}`}},
		{"a list", 422, `[1]`, Error{Code: "http_422", Message: "the answer is not an error of the platform and begins: [1]"}},
		{
			"echoed secret", 401, `{"errorCode":1,"errorMessage":"App ` + secret + ` is unknown"}`,
			Error{Code: "1", Message: "*** is unknown", Class: Fatal},
		},
		{
			"echoed secret as HTML", 403, "<p>s3cr3t-key&amp;&lt;value&gt; s3cr3t-key%26%3Cvalue%3E",
			Error{Code: "http_403", Message: "the answer is a web page (of a proxy?) and begins: <p>*** ***", Class: Fatal},
		},
	}
	s := newTransport(&Config{Auth: AppKey(secret)})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := s.errorFrom(OpUpdate, reply(tt.status, ""), []byte(tt.body), time.Now())
			tt.want.Op, tt.want.Status = OpUpdate, tt.status
			if diff := cmp.Diff(&tt.want, got, cmpopts.IgnoreUnexported(Error{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestErrorSaysWhatItIs(t *testing.T) {
	t.Parallel()
	row, whole := Call{AppCode: "own"}, Call{}
	tests := []struct {
		e                       Error
		text                    string
		temporary, row, forNone bool
	}{
		{Error{Op: OpGet, Status: 400, Code: "48013", Message: "no"}, "get: HTTP 400, 48013: no", false, false, false},
		{Error{Op: OpGet, Code: CodeTimeout, Message: "no", Class: Temporary}, "get: timeout: no", true, false, false},
		{Error{Op: OpGet, Status: 401, Code: "X", Message: "no", Class: Fatal}, "get: HTTP 401, X: no", false, true, true},
		{Error{Op: OpGet, Status: 400, Code: "48012", Message: "no", Class: AppCode}, "get: HTTP 400, 48012: no", false, false, true},
	}
	for _, tt := range tests {
		e := &tt.e
		if e.Error() != tt.text || e.Temporary() != tt.temporary ||
			e.FatalFor(&row) != tt.row || e.FatalFor(&whole) != tt.forNone {
			t.Errorf("%q: temporary %v, for its row %v, for a call without code %v",
				e, e.Temporary(), e.FatalFor(&row), e.FatalFor(&whole))
		}
	}
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	at := func(d time.Duration) string { return now.Add(d).Format(http.TimeFormat) }
	tests := []struct {
		value, date string
		want        time.Duration
	}{
		{"", "", 0},
		{"3", "", 3 * time.Second},
		{" 0.5 ", "", 500 * time.Millisecond},
		{"0", "", 0},
		{"-4", "", 0},
		{"NaN", "", 0},
		{"soon", "", 0},
		{"86400", "", 24 * time.Hour},
		{"1764140000", "", 0}, // a time since 1970, in the past
		{fmt.Sprint(now.Unix() + 45), "", 45 * time.Second},
		{fmt.Sprint(now.UnixMilli() + 1500), "", 1500 * time.Millisecond},
		{fmt.Sprint(now.Unix() + 45), at(15 * time.Second), 30 * time.Second},
		{"1e300", "", 0},
		{"Inf", "", 0},
		{at(90 * time.Second), "", 90 * time.Second},
		{at(-90 * time.Second), "", 0},
		{at(48 * time.Hour), "", 48 * time.Hour},
		{at(48*time.Hour + 7*time.Second), at(48 * time.Hour), 7 * time.Second}, // our clock is two days late
	}
	for _, tt := range tests {
		h := http.Header{"Retry-After": {tt.value}}
		if tt.date != "" {
			h.Set("Date", tt.date)
		}
		if got := retryAfter(h, now); got != tt.want {
			t.Errorf("Retry-After %q, Date %q: %v, want %v", tt.value, tt.date, got, tt.want)
		}
	}
}

// Whatever an answer holds: one clean, short line without the secret.
func FuzzErrorFrom(f *testing.F) {
	f.Add(400, []byte(`{"errorCode":48013,"errorMessage":"no"}`))
	f.Add(400, []byte(`{"requestError":{"serviceException":{"messageId":"A","text":"b","validationErrors":{"a":["`+secret+`"]}}}}`))
	f.Add(502, []byte("<html>\x00\xff"+secret+secret+secret+secret+secret+secret+secret+secret+secret+secret+secret+secret))
	f.Add(429, []byte(`{"errorCode":"E429","violations":[{"a":[[[{}]]]}]}`))
	s := newTransport(&Config{Auth: AppKey(secret)})
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		e := s.errorFrom(OpGet, reply(status, ""), body, time.Now())
		text := e.Error()
		if e.Code == "" || e.Message == "" || !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) {
			t.Errorf("error %q of %q", text, body)
		}
		if len(text) > 1100 || strings.Contains(text, secret) {
			t.Errorf("error %q of %d bytes", text, len(text))
		}
		_ = fmt.Sprintf("%+v", e)
	})
}
