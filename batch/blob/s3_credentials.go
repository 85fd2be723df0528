package blob

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/ssocreds"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"
)

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
