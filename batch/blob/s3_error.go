package blob

import (
	"context"
	_ "embed" // s3_errors.md
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/ssocreds"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// S3Error says what was tried in S3, what came back and what to do. It is
// fs.ErrNotExist or fs.ErrPermission where that is what happened.
type S3Error struct {
	Op          string // open, read, list, write, delete
	Bucket, Key string
	Code        string // as S3 names it, or one of ours
	Reason      string // why there are no credentials, or no connection
	Tried       string // the call, its region and how often
	RequestID   string // for the provider's support
	Remedy      string
	Err         error
}

// Error names bucket and key, the code, what was tried and the remedy.
func (e *S3Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s%s/%s: ", e.Op, s3Scheme, e.Bucket, e.Key)
	b.WriteString(e.meaning())
	if e.Tried != "" {
		fmt.Fprintf(&b, " (%s", e.Tried)
		if e.RequestID != "" {
			fmt.Fprintf(&b, ", request %s", e.RequestID)
		}
		b.WriteString(")")
	}
	if e.Remedy != "" {
		b.WriteString(": " + e.Remedy)
	}
	return b.String()
}

// meaning is the code in words. The text of the service is left out where a
// remedy is known: it says less and at times names keys.
func (e *S3Error) meaning() string {
	if words := s3Known[e.Code].meaning; words != "" {
		if e.Reason != "" {
			words += " (" + e.Reason + ")"
		}
		return words
	}
	if e.Remedy != "" || e.Err == nil {
		return e.Code
	}
	if api := smithy.APIError(nil); errors.As(e.Err, &api) {
		return fmt.Sprintf("%s: %s", api.ErrorCode(), api.ErrorMessage())
	}
	return e.Err.Error()
}

// Unwrap returns the SDK's error.
func (e *S3Error) Unwrap() error { return e.Err }

// Is tells that nothing is there and that access was refused.
func (e *S3Error) Is(target error) bool {
	switch target {
	case fs.ErrNotExist:
		return e.Code == "NoSuchKey" || e.Code == "NotFound"
	case fs.ErrPermission:
		return e.Code == "AccessDenied" || e.Code == "Forbidden"
	}
	return false
}

// failed turns an error of the SDK into one for people.
func (t *s3Target) failed(op, call string, err error) error {
	if credentials := s3Credentials(err); credentials != nil {
		credentials.Op, credentials.Bucket, credentials.Key = op, t.bucket, t.key
		return credentials
	}
	return t.coded(op, call, err, s3Code(err))
}

func (t *s3Target) coded(op, call string, err error, code string) error {
	e := &S3Error{Op: op, Bucket: t.bucket, Key: t.key, Code: code, Err: err}
	known := s3Known[code]
	if strings.HasPrefix(code, "KMS.") {
		known = s3Known[codeKMS]
	}
	e.Remedy = known.remedy
	if region := s3Region(err); region != "" && known == s3Known["PermanentRedirect"] {
		e.Remedy = fmt.Sprintf("it lies in %s: give --s3-region %s, or none, then the bucket is asked", region, region)
	}
	if request := (*url.Error)(nil); code == codeUnreachable && errors.As(err, &request) {
		e.Reason = request.Err.Error()
	}
	e.Tried = fmt.Sprintf("%s, region %s", call, t.client.Options().Region)
	if endpoint := aws.ToString(t.client.Options().BaseEndpoint); endpoint != "" {
		e.Tried = fmt.Sprintf("%s at %s, region %s", call, endpoint, t.client.Options().Region)
	}
	if many := (*retry.MaxAttemptsError)(nil); errors.As(err, &many) {
		e.Tried += fmt.Sprintf(", %d attempts", many.Attempt)
	}
	if response := (*awshttp.ResponseError)(nil); errors.As(err, &response) {
		e.RequestID = response.ServiceRequestID()
	}
	return e
}

// s3Code is the service's code of an error, or one of ours.
func s3Code(err error) string {
	response := (*awshttp.ResponseError)(nil)
	if errors.As(err, &response) && response.HTTPStatusCode()/100 == 3 && response.Response.Header.Get("Location") != "" {
		return codeRedirect // S3 names no place where a bucket lies in another region
	}
	if api := smithy.APIError(nil); errors.As(err, &api) {
		return api.ErrorCode()
	}
	if errors.As(err, new(*smithyhttp.RequestSendError)) || errors.As(err, new(*net.DNSError)) {
		return codeUnreachable // nothing came back: a name, port, certificate or connection
	}
	return ""
}

// s3Status is the status of the answer, 0 when there was none.
func s3Status(err error) int {
	if response := (*awshttp.ResponseError)(nil); errors.As(err, &response) {
		return response.HTTPStatusCode()
	}
	return 0
}

// orCause prefers why ctx ended to what that led to.
func orCause(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// Codes of ours beside those of S3.
const (
	codeNoCredentials = "no_credentials"
	codeNoProfile     = "no_profile"
	codeCredentials   = "credentials_refused"
	codeSSO           = "sso_expired"
	codeUnreachable   = "unreachable"
	codeKMS           = "kms" // those that begin with KMS.
	codeNoConditions  = "no_conditional_writes"
	codeRedirect      = "TemporaryRedirect"
)

// s3Words say what a code means, and what to do about it.
type s3Words struct{ meaning, remedy string }

//go:embed s3_errors.md
var s3ErrorTable string

// s3Known are the codes of s3_errors.md.
var s3Known = readS3Words(s3ErrorTable)

func readS3Words(table string) map[string]s3Words {
	known := make(map[string]s3Words)
	for line := range strings.Lines(table) {
		if cells := strings.Split(strings.Trim(line, "|\n"), "|"); len(cells) == 3 {
			for code := range strings.FieldsSeq(cells[0]) {
				known[code] = s3Words{strings.TrimSpace(cells[1]), strings.TrimSpace(cells[2])}
			}
		}
	}
	return known
}

// s3NoCredentials says why the SDK came to no credentials before the first
// request.
func s3NoCredentials(bucket, key string, err error) error {
	e := s3Credentials(err)
	if e == nil {
		e = &S3Error{Code: codeNoCredentials, Err: err}
	}
	e.Op, e.Bucket, e.Key, e.Remedy = "open", bucket, key, s3Known[e.Code].remedy
	return e
}

// s3Credentials is the error of a request that got no credentials to be signed
// with: those of roles and SSO run out and are fetched again on the way. It is
// nil when err is about something else.
func s3Credentials(err error) *S3Error {
	e := &S3Error{Err: err}
	var profile config.SharedConfigProfileNotExistError
	var sso *ssocreds.InvalidTokenError
	switch call := foreignCall(err); {
	case errors.As(err, &profile):
		e.Code, e.Reason = codeNoProfile, profile.Profile
	case errors.As(err, &sso):
		e.Code = codeSSO
	case call == nil:
		return nil
	case call.ServiceID == imds.ServiceID: // the last place that is looked at
		e.Code = codeNoCredentials
	default:
		e.Code, e.Reason = codeCredentials, reasonOf(call)
	}
	e.Remedy = s3Known[e.Code].remedy
	return e
}

// foreignCall is the call of another service than S3 that an error is about.
func foreignCall(err error) *smithy.OperationError {
	for ; err != nil; err = errors.Unwrap(err) {
		//nolint:errorlint // each link of the chain is looked at
		if call, ok := err.(*smithy.OperationError); ok && call.ServiceID != s3.ServiceID {
			return call
		}
	}
	return nil
}

// reasonOf says in short what a call for credentials came to.
func reasonOf(call *smithy.OperationError) string {
	what := call.Service() + " " + call.Operation()
	var api smithy.APIError
	switch {
	case errors.As(call.Err, &api):
		return fmt.Sprintf("%s: %s: %s", what, api.ErrorCode(), api.ErrorMessage())
	case errors.Is(call.Err, context.DeadlineExceeded):
		return what + ": no answer in time"
	case s3Code(call.Err) == codeUnreachable:
		return what + ": the service cannot be reached"
	}
	return fmt.Sprintf("%s: %v", what, call.Err)
}
