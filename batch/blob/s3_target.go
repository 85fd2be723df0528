package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	smithytime "github.com/aws/smithy-go/time"
)

// s3Target is a key, or the beginning of keys, with what reaches it.
type s3Target struct {
	store       *s3Store
	client      *s3.Client
	bucket, key string
}

// SameBucket reports whether two locations lie in one bucket of S3.
func SameBucket(a, b string) bool {
	one, _, err := cutS3(a)
	other, _, otherErr := cutS3(b)
	return IsS3(a) && IsS3(b) && err == nil && otherErr == nil && one == other
}

// cutS3 splits a location into bucket and key.
func cutS3(location string) (bucket, key string, err error) {
	bucket, key, _ = strings.Cut(strings.TrimPrefix(location, s3Scheme), "/")
	if bucket == "" {
		return "", "", fmt.Errorf("open %s: it names no bucket: s3://BUCKET/KEY was expected", location)
	}
	return bucket, key, nil
}

func (s *s3Store) target(ctx context.Context, location string) (*s3Target, error) {
	bucket, key, err := cutS3(location)
	if err != nil {
		return nil, err
	}
	client, err := s.bucket(ctx, bucket, key)
	if err != nil {
		return nil, err
	}
	return &s3Target{store: s, client: client, bucket: bucket, key: key}, nil
}

func (t *s3Target) location() string { return s3Scheme + t.bucket + "/" + t.key }

// below is a name under the target as a prefix.
func (t *s3Target) below(name string) *s3Target {
	b := *t
	b.key = strings.TrimPrefix(strings.TrimRight(t.key, "/")+"/"+name, "/")
	return &b
}

// transientError is worth another try.
type transientError struct {
	err      error
	progress bool // the try was not in vain: tries are counted anew
}

func (e *transientError) Error() string { return e.err.Error() }
func (e *transientError) Unwrap() error { return e.err }

// retrying calls try until it succeeds or fails for good: with anything but a
// transientError, or with so many of these in a row. It is the one loop of its kind;
// a single request is repeated by the SDK, with the same waits.
func retrying(ctx context.Context, most int, try func() error) error {
	for tries := 1; ; tries++ {
		err := try()
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		again, ok := errors.AsType[*transientError](err)
		if !ok {
			return err
		}
		if again.progress {
			tries = 1
		}
		if tries >= most {
			return fmt.Errorf("%w (%d times in a row)", again.err, tries)
		}
		if smithytime.SleepWithContext(ctx, s3Wait(tries-1)) != nil {
			return context.Cause(ctx)
		}
	}
}

// s3Wait is the wait after a number of tries that came to nothing: doubled
// each time, scattered, so that many processes do not come back as one.
func s3Wait(tries int) time.Duration {
	longest := min(100*time.Millisecond<<min(tries, 10), s3LongestWait)
	return longest/2 + rand.N(longest/2)
}

// bodyStall is how long a connection may bring nothing.
const bodyStall = 30 * time.Second

var errStalled = errors.New("the connection brought nothing for " + bodyStall.String())

// watchedBody is the body of an answer that is given up when it stalls.
type watchedBody struct {
	body  io.Reader
	timer *time.Timer
}

func watch(body io.Reader, cancel context.CancelCauseFunc) *watchedBody {
	return &watchedBody{body, time.AfterFunc(bodyStall, func() { cancel(errStalled) })}
}

func (w *watchedBody) Read(p []byte) (int, error) {
	n, err := w.body.Read(p)
	w.timer.Reset(bodyStall)
	return n, err
}

func (w *watchedBody) stop() { w.timer.Stop() }
