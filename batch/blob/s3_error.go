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

// ErrConflict says that an object is not in the state a conditional write asked
// for: another process has written it.
var ErrConflict = errors.New("the object was written by another process")

// S3Error says what was tried in S3, what came back and what to do. It is
// fs.ErrNotExist or fs.ErrPermission where that is what happened.
type S3Error struct {
	Op          string // open, read, list, write, delete
	Bucket, Key string
	Code        string // as S3 names it, or one of ours
	Reason      string // why there are no credentials
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
	if words := errorMessages[e.Code]; words != "" {
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

// s3Failed turns an error of the SDK into one for people. What ended ctx, and
// an object that is not the one asked for, stay what they are.
func s3Failed(op, bucket, key, call string, client *s3.Client, err error) error {
	if credentials := s3Credentials(err); credentials != nil {
		credentials.Op, credentials.Bucket, credentials.Key = op, bucket, key
		return credentials
	}
	return s3Coded(op, bucket, key, call, client, err, s3Code(err))
}

func s3Coded(op, bucket, key, call string, client *s3.Client, err error, code string) error {
	e := &S3Error{Op: op, Bucket: bucket, Key: key, Code: code, Err: err}
	remedy := code
	if same := sameHint[code]; same != "" {
		remedy = same
	}
	if strings.HasPrefix(code, "KMS.") {
		remedy = codeKMS
	}
	e.Remedy = hints[remedy]
	if region := s3Region(err); region != "" && remedy == "PermanentRedirect" {
		e.Remedy = fmt.Sprintf("it lies in %s: give --s3-region %s, or none, then the bucket is asked", region, region)
	}
	e.Tried = fmt.Sprintf("%s, region %s", call, client.Options().Region)
	if endpoint := aws.ToString(client.Options().BaseEndpoint); endpoint != "" {
		e.Tried = fmt.Sprintf("%s at %s, region %s", call, endpoint, client.Options().Region)
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
