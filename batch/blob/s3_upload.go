package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager"
	transfertypes "github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"pushbatch/batch"
)

const (
	partSize        = 8 << 20 // 10,000 of them are 80 GB
	partsAtOnce     = 3
	abandonedWithin = 30 * time.Second // for the abort of an upload when its context has ended
)

// errAborted ends an upload that is given up.
var errAborted = errors.New("the upload was given up")

// s3Upload feeds what is written to a multipart upload in a goroutine of its
// own, which ends with Commit or Abort.
type s3Upload struct {
	pipe *io.PipeWriter
	done chan error
	over bool
}

func (s *s3Store) create(ctx context.Context, location string, o CreateOptions) (Upload, error) {
	_, key, err := cutS3(location)
	if err != nil {
		return nil, err
	}
	if key == "" || strings.HasSuffix(key, "/") {
		return nil, fmt.Errorf("write %s: it is a prefix: give the name of an object", location)
	}
	t, err := s.target(ctx, location)
	if err != nil {
		return nil, err
	}
	reader, writer := io.Pipe()
	u := &s3Upload{pipe: writer, done: make(chan error, 1)}
	batch.Go(func() error { return t.upload(ctx, reader, &o) }, func(err error) {
		reader.CloseWithError(err) // a writer must not wait for an upload that has failed
		u.done <- err
	})
	return u, nil
}

// partsClient tells of the multipart uploads that begin.
type partsClient struct {
	*s3.Client
	parts func(uploadID string) error
}

func (c *partsClient) CreateMultipartUpload(
	ctx context.Context, in *s3.CreateMultipartUploadInput, o ...func(*s3.Options),
) (*s3.CreateMultipartUploadOutput, error) {
	out, err := c.Client.CreateMultipartUpload(ctx, in, o...)
	if err == nil && c.parts != nil {
		err = c.parts(aws.ToString(out.UploadId))
	}
	return out, err
}

// upload sends what a reader has: in one piece up to partSize, else in parts.
// When anything fails the parts are removed and the object is not there, or as
// it was.
func (t *s3Target) upload(ctx context.Context, body io.Reader, o *CreateOptions) error {
	manager := transfermanager.New(&partsClient{t.client, o.Parts}, func(m *transfermanager.Options) {
		m.PartSizeBytes, m.MultipartUploadThreshold, m.Concurrency = partSize, partSize, partsAtOnce
		m.FailTimeout = abandonedWithin
		m.RequestChecksumCalculation = t.client.Options().RequestChecksumCalculation
	})
	input := &transfermanager.UploadObjectInput{Bucket: &t.bucket, Key: &t.key, Body: body}
	input.IfMatch, input.IfNoneMatch = o.When.conditions()
	if id := t.store.options.SSEKMSKeyID; id != "" {
		input.ServerSideEncryption, input.SSEKMSKeyID = transfertypes.ServerSideEncryptionAwsKms, &id
	}
	_, err := manager.UploadObject(ctx, input)
	status := s3Status(err)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case o.When != AnyVersion && (conflicts(status, o.When) || status == http.StatusConflict || status == http.StatusNotFound):
		return fmt.Errorf("write %s: %w", t.location(), ErrConflict)
	}
	return t.notImplemented(ctx, t.failed("write", "UploadObject", err), o.When)
}

func (u *s3Upload) Write(p []byte) (int, error) { return u.pipe.Write(p) }

// Finish implements Upload: the last part waits for Commit.
func (u *s3Upload) Finish() error { return nil }

func (u *s3Upload) Commit() error {
	u.over = true
	_ = u.pipe.Close() // a pipe's Close has no error
	return <-u.done
}

func (u *s3Upload) Abort() error {
	if u.over {
		return nil
	}
	u.over = true
	_ = u.pipe.CloseWithError(errAborted) // a pipe's Close has no error
	if err := <-u.done; err != nil && !errors.Is(err, errAborted) && !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}
