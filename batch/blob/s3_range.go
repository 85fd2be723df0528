package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

const (
	// bodyAttempts are the tries in a row that may bring no byte.
	bodyAttempts = 10
	// bodyStall is how long a connection may bring nothing.
	bodyStall = 30 * time.Second
)

// errStalled gives up a connection that brings nothing.
var errStalled = errors.New("the connection brought nothing for " + bodyStall.String())

// s3Object is one version of one object.
type s3Object struct {
	store       *s3Store
	client      *s3.Client
	bucket, key string
	in          Info
}

func (s *s3Store) object(ctx context.Context, in Info) (*s3Object, error) {
	bucket, key, err := cutS3(in.URI)
	if err != nil {
		return nil, err
	}
	client, err := s.bucket(ctx, bucket, key)
	if err != nil {
		return nil, err
	}
	return &s3Object{store: s, client: client, bucket: bucket, key: key, in: in}, nil
}

// fetch fills p with the bytes from off on. A connection that breaks costs
// only what it had not brought yet: the next one goes on at that byte.
func (o *s3Object) fetch(ctx context.Context, p []byte, off int64) error {
	for tries := 0; len(p) > 0; {
		n, broken, err := o.get(ctx, p, off)
		p, off = p[n:], off+int64(n)
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil:
			return err
		case n > 0:
			tries = 0
		}
		if broken == nil {
			continue
		}
		if tries++; tries >= bodyAttempts {
			return fmt.Errorf("read %s: the connection broke %d times in a row at byte %d of %d: %w", o.in.Location, tries, off, o.in.Size, broken)
		}
		if err := pause(ctx, s3Wait(tries-1)); err != nil {
			return err
		}
	}
	return nil
}

// get reads as much of p as one connection brings. broken is how it ended
// early, which is worth another try; err is not.
func (o *s3Object) get(ctx context.Context, p []byte, off int64) (n int, broken, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	last := off + int64(len(p)) - 1
	input := &s3.GetObjectInput{
		Bucket: &o.bucket, Key: &o.key, Range: aws.String(fmt.Sprintf("bytes=%d-%d", off, last)), RequestPayer: o.store.payer(),
	}
	if o.in.ETag != "" {
		input.IfMatch = &o.in.ETag
	}
	out, err := o.client.GetObject(ctx, input)
	if err != nil {
		return 0, nil, o.refused(err)
	}
	defer out.Body.Close()
	if err := o.sameSize(aws.ToString(out.ContentRange), off); err != nil {
		return 0, nil, err
	}
	n, broken = readWatched(out.Body, p, cancel)
	return n, broken, nil
}

// readWatched fills p and gives up a body that stalls.
func readWatched(body io.Reader, p []byte, cancel context.CancelCauseFunc) (n int, err error) {
	watch := time.AfterFunc(bodyStall, func() { cancel(errStalled) })
	defer watch.Stop()
	for n < len(p) && err == nil {
		var got int
		got, err = body.Read(p[n:])
		n += got
		watch.Reset(bodyStall)
	}
	if n == len(p) {
		return n, nil
	}
	if err == io.EOF {
		err = io.ErrUnexpectedEOF // the range is not complete: never the end
	}
	return n, err
}

func (o *s3Object) refused(err error) error {
	if s3Mismatch(err) {
		return fmt.Errorf("read %s: %w: its ETag is another one", o.in.Location, ErrChanged)
	}
	if s3Status(err) == http.StatusRequestedRangeNotSatisfiable {
		return fmt.Errorf("read %s: %w: it has fewer than %d bytes now", o.in.Location, ErrChanged, o.in.Size)
	}
	return s3Failed("read", o.bucket, o.key, "GetObject", o.client, err)
}

// sameSize holds "bytes 0-99/1234" against what the object was. A service that
// ignores ranges sends no such header: its bytes would be the wrong ones.
func (o *s3Object) sameSize(contentRange string, off int64) error {
	span, total, _ := strings.Cut(strings.TrimPrefix(contentRange, "bytes "), "/")
	first, _, _ := strings.Cut(span, "-")
	if first != strconv.FormatInt(off, 10) {
		return fmt.Errorf("read %s: the service did not send the range asked for: it must support ranged reads", o.in.Location)
	}
	if total != "*" && total != strconv.FormatInt(o.in.Size, 10) {
		return fmt.Errorf("read %s: %w: it had %d bytes and has %s", o.in.Location, ErrChanged, o.in.Size, total)
	}
	return nil
}

// pause waits unless ctx ends first.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
