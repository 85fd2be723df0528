package blob

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// bodyAttempts are the tries in a row that may bring no byte.
const bodyAttempts = 10

// s3Object is one version of one object.
type s3Object struct {
	*s3Target
	in Info
}

// fetch fills p with the bytes from off on. A connection that breaks costs
// only what it had not brought yet: the next one goes on at that byte.
func (o *s3Object) fetch(ctx context.Context, p []byte, off int64) error {
	return retrying(ctx, bodyAttempts, func() error {
		n, broken, err := o.get(ctx, p, off)
		p, off = p[n:], off+int64(n)
		if err != nil || len(p) == 0 {
			return err
		}
		return &transientError{fmt.Errorf("read %s: the connection broke at byte %d of %d: %w", o.in.Location, off, o.in.Size, broken), n > 0}
	})
}

// get reads as much of p as one connection brings. broken is how it ended
// early, which is worth another try; err is not.
func (o *s3Object) get(ctx context.Context, p []byte, off int64) (n int, broken, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	last := off + int64(len(p)) - 1
	input := &s3.GetObjectInput{Bucket: &o.bucket, Key: &o.key, Range: aws.String(fmt.Sprintf("bytes=%d-%d", off, last))}
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

// readWatched fills p and gives up a body that stalls. The end of the body before
// p is full is an error: never the end of the input.
func readWatched(body io.Reader, p []byte, cancel context.CancelCauseFunc) (int, error) {
	w := watch(body, cancel)
	defer w.stop()
	n, err := io.ReadFull(w, p)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

func (o *s3Object) refused(err error) error {
	if s3Status(err) == http.StatusPreconditionFailed {
		return fmt.Errorf("read %s: %w: its ETag is another one", o.in.Location, ErrChanged)
	}
	if s3Status(err) == http.StatusRequestedRangeNotSatisfiable {
		return fmt.Errorf("read %s: %w: it has fewer than %d bytes now", o.in.Location, ErrChanged, o.in.Size)
	}
	return o.failed("read", "GetObject", err)
}

// sameSize checks "bytes 0-99/1234" against what the object was. A service that
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
