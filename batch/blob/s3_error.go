package blob

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"
)

// Codes of ours beside those of S3.
const (
	codeNoCredentials = "no_credentials"
	codeUnreachable   = "unreachable"
)

// ErrConflict says that an object is not in the state a conditional write asked
// for: another process has written it.
var ErrConflict = errors.New("the object was written by another process")

// S3Error says what was tried in S3, what came back and what to do. It is
// fs.ErrNotExist or fs.ErrPermission where that is what happened.
type S3Error struct {
	Op          string // open, read, list, write, delete
	Bucket, Key string
	Code        string // as S3 names it, or no_credentials, unreachable
	Tried       string // the call, its region and how often
	RequestID   string // for the provider's support
	Remedy      string
	Err         error
}

// Error names bucket and key, the code, what was tried and the remedy.
func (e *S3Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s%s/%s: ", e.Op, s3Scheme, e.Bucket, e.Key)
	b.WriteString(e.said())
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

// said is the code in words. The text of the service is left out where a
// remedy is known: it says less and at times names keys.
func (e *S3Error) said() string {
	if words := s3Words[e.Code]; words != "" {
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

// s3Words are codes in words.
var s3Words = map[string]string{
	codeNoCredentials:                    "no AWS credentials were found",
	codeUnreachable:                      "the service cannot be reached",
	"AccessDenied":                       "access denied",
	"Forbidden":                          "access denied",
	"NoSuchBucket":                       "there is no such bucket",
	"NoSuchKey":                          "there is no such object",
	"NotFound":                           "there is no such object",
	"ExpiredToken":                       "the security token has expired",
	"ExpiredTokenException":              "the security token has expired",
	"TokenRefreshRequired":               "the security token has expired",
	"RequestExpired":                     "the security token has expired",
	"InvalidToken":                       "the security token is not valid",
	"InvalidAccessKeyId":                 "the access key is not known",
	"SignatureDoesNotMatch":              "the signature does not match",
	"PermanentRedirect":                  "the bucket lies in another region",
	"MovedPermanently":                   "the bucket lies in another region",
	"AuthorizationHeaderMalformed":       "the bucket lies in another region",
	"IllegalLocationConstraintException": "the bucket lies in another region",
	"SlowDown":                           "the service asks to slow down",
	"ServiceUnavailable":                 "the service is not available",
	"InternalError":                      "the service has an internal error",
	"RequestTimeTooSkewed":               "this machine's clock is wrong",
	"InvalidObjectState":                 "the object is archived",
	"NotImplemented":                     "the service does not know this call",
}

// s3Remedies say what to do about a code.
var s3Remedies = map[string]string{
	codeNoCredentials: "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY or AWS_PROFILE, run aws sso login, or give the pod or " +
		"machine a role; for a public bucket give --s3-no-sign-request",
	codeUnreachable: "check the network, the proxy and --s3-endpoint-url (or AWS_ENDPOINT_URL_S3); " +
		"for a host name that begins with the bucket give --s3-path-style",
	"AccessDenied": "the identity needs s3:GetObject and s3:ListBucket to read, s3:PutObject and s3:DeleteObject to write " +
		"(and kms:Decrypt, kms:GenerateDataKey for encrypted objects); aws sts get-caller-identity says which one it is",
	"NoSuchBucket":          "check the spelling, and whether the profile and the endpoint are the right account's",
	"NoSuchKey":             "check the spelling: letter case counts",
	"ExpiredToken":          "get a new one (aws sso login, or restart the process that hands it out), then resume",
	"InvalidToken":          "AWS_SESSION_TOKEN does not belong to the access key: set all three variables anew, or none",
	"InvalidAccessKeyId":    "check AWS_ACCESS_KEY_ID, AWS_PROFILE and, for another service, --s3-endpoint-url",
	"SignatureDoesNotMatch": "check AWS_SECRET_ACCESS_KEY: it does not belong to the access key",
	"PermanentRedirect":     "give --s3-region (or none, then the bucket is asked)",
	"SlowDown":              "it went on for all attempts: try again later, or spread the load over more prefixes",
	"ServiceUnavailable":    "it went on for all attempts: try again later",
	"RequestTimeTooSkewed":  "set the clock (NTP)",
	"InvalidObjectState":    "restore it from its storage class first (aws s3api restore-object)",
	"NotImplemented":        "conditional writes (If-Match, If-None-Match) are needed for runs in S3: take a service that has them, or a local --out",
}

// s3Same are codes with the remedy of another.
var s3Same = map[string]string{
	"Forbidden": "AccessDenied", "NotFound": "NoSuchKey", "ExpiredTokenException": "ExpiredToken", "TokenRefreshRequired": "ExpiredToken",
	"RequestExpired": "ExpiredToken", "MovedPermanently": "PermanentRedirect", "AuthorizationHeaderMalformed": "PermanentRedirect",
	"IllegalLocationConstraintException": "PermanentRedirect", "InternalError": "ServiceUnavailable",
}

// s3Failed turns an error of the SDK into one for people. What ended ctx, and
// an object that is not the one asked for, stay what they are.
func s3Failed(op, bucket, key, call string, client *s3.Client, err error) error {
	return s3Coded(op, bucket, key, call, client, err, s3Code(err))
}

func s3Coded(op, bucket, key, call string, client *s3.Client, err error, code string) error {
	e := &S3Error{Op: op, Bucket: bucket, Key: key, Code: code, Err: err}
	remedy := code
	if same := s3Same[code]; same != "" {
		remedy = same
	}
	e.Remedy = s3Remedies[remedy]
	e.Tried = fmt.Sprintf("%s, region %s", call, client.Options().Region)
	if endpoint := aws.ToString(client.Options().BaseEndpoint); endpoint != "" {
		e.Tried = call + " at " + endpoint
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
	if api := smithy.APIError(nil); errors.As(err, &api) {
		return api.ErrorCode()
	}
	var dns *net.DNSError
	var dial *net.OpError
	if errors.As(err, &dns) || errors.As(err, &dial) && dial.Op == "dial" {
		return codeUnreachable
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

// s3Mismatch tells that a condition on the object's version did not hold.
func s3Mismatch(err error) bool { return s3Status(err) == http.StatusPreconditionFailed }

// orCause prefers why ctx ended to what that led to.
func orCause(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}
