package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager"
	transfertypes "github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
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

func (s *s3Store) create(ctx context.Context, location string) (Upload, error) {
	bucket, key, err := cutS3(location)
	if err != nil {
		return nil, err
	}
	if key == "" || strings.HasSuffix(key, "/") {
		return nil, fmt.Errorf("write %s: it is a prefix: give the name of an object", location)
	}
	client, err := s.bucket(ctx, bucket, key)
	if err != nil {
		return nil, err
	}
	reader, writer := io.Pipe()
	u := &s3Upload{pipe: writer, done: make(chan error, 1)}
	go func() {
		err := s.upload(ctx, client, bucket, key, reader, AnyVersion)
		reader.CloseWithError(err) // a writer must not wait for an upload that has failed
		u.done <- err
	}()
	return u, nil
}

// upload sends what a reader has: in one piece up to partSize, else in parts.
// When anything fails the parts are removed and the object is not there, or as
// it was.
func (s *s3Store) upload(ctx context.Context, client *s3.Client, bucket, key string, body io.Reader, when Version) error {
	manager := transfermanager.New(client, func(o *transfermanager.Options) {
		o.PartSizeBytes, o.MultipartUploadThreshold, o.Concurrency = partSize, partSize, partsAtOnce
		o.FailTimeout = abandonedWithin
	})
	input := &transfermanager.UploadObjectInput{
		Bucket: &bucket, Key: &key, Body: body, RequestPayer: transfertypes.RequestPayer(s.payer()),
	}
	input.IfMatch, input.IfNoneMatch = when.conditions()
	if s.options.SSEKMSKeyID != "" {
		input.ServerSideEncryption, input.SSEKMSKeyID = transfertypes.ServerSideEncryptionAwsKms, &s.options.SSEKMSKeyID
	}
	_, err := manager.UploadObject(ctx, input)
	if err == nil {
		return nil
	}
	return orCause(ctx, s3Failed("write", bucket, key, "UploadObject", client, err))
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
