package blob

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// conflictTries are the tries of a conditional write that met another one under
// way at the same time.
const conflictTries = 5

// conditions are the headers that make a write keep to a version.
func (v Version) conditions() (ifMatch, ifNoneMatch *string) {
	switch v {
	case AnyVersion:
		return nil, nil
	case Absent:
		return nil, aws.String(string(Absent))
	}
	return aws.String(string(v)), nil
}

func (s *s3Store) get(ctx context.Context, location string) (got Object, err error) {
	t, err := s.target(ctx, location)
	if err != nil {
		return got, err
	}
	err = retrying(ctx, bodyAttempts, func() error {
		got, err = t.getOnce(ctx)
		return err
	})
	return got, err
}

// getOnce reads an object with one GET, and what that did not bring with more: over a
// wire that is cut again and again a whole object may never come at once.
func (t *s3Target) getOnce(ctx context.Context) (got Object, err error) {
	first, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	out, err := t.client.GetObject(first, &s3.GetObjectInput{Bucket: &t.bucket, Key: &t.key})
	if err != nil {
		return got, t.failed("read", "GetObject", err)
	}
	defer out.Body.Close()
	if aws.ToInt64(out.ContentLength) > maxObject {
		return got, tooLarge(t.location())
	}
	got.Version = Version(aws.ToString(out.ETag))
	if now, ok := awsmiddleware.GetServerTime(out.ResultMetadata); ok {
		got.Age = max(0, now.Sub(aws.ToTime(out.LastModified)))
	}
	body := watch(out.Body, cancel)
	got.Data, err = readObject(body, t.location())
	body.stop()
	n, size := len(got.Data), aws.ToInt64(out.ContentLength)
	if n > maxObject || err == nil && (n == int(size) || out.ContentLength == nil) {
		return got, err
	}
	if got.Version == "" || n == 0 || n > int(size) { // which bytes the rest is of cannot be told
		return got, &transientError{err: fmt.Errorf("read %s: %d bytes of %d came: %w", t.location(), n, size, cmp.Or(err, io.ErrUnexpectedEOF))}
	}
	rest := &s3Object{t, Info{Location: t.location(), Size: size, ETag: string(got.Version)}}
	got.Data = slices.Grow(got.Data, int(size)-n)[:size]
	if err = rest.fetch(ctx, got.Data[n:], int64(n)); errors.Is(err, ErrChanged) {
		err = &transientError{err: err}
	}
	return got, err
}

func (s *s3Store) put(ctx context.Context, location string, data []byte, when Version) (version Version, err error) {
	t, err := s.target(ctx, location)
	if err != nil {
		return "", err
	}
	err = retrying(ctx, conflictTries, func() error {
		version, err = t.putOnce(ctx, data, when)
		return err
	})
	return version, err
}

func (t *s3Target) putOnce(ctx context.Context, data []byte, when Version) (Version, error) {
	version, err := t.putObject(ctx, data, when)
	if err == nil {
		return version, nil
	}
	failed := t.failed("write", "PutObject", err)
	switch status := s3Status(err); {
	case status == http.StatusConflict:
		return "", &transientError{err: failed}
	case !conflicts(status, when):
		return "", t.notImplemented(ctx, failed, when)
	}
	is, err := t.store.get(ctx, t.location())
	if err == nil && bytes.Equal(is.Data, data) {
		return is.Version, nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	return "", fmt.Errorf("write %s: %w", t.location(), ErrConflict)
}

// conflicts tells the answers that say that a condition did not hold.
func conflicts(status int, when Version) bool {
	return status == http.StatusPreconditionFailed || status == http.StatusNotFound && when != AnyVersion && when != Absent
}

func (t *s3Target) putObject(ctx context.Context, data []byte, when Version) (Version, error) {
	input := &s3.PutObjectInput{Bucket: &t.bucket, Key: &t.key, Body: bytes.NewReader(data)}
	input.IfMatch, input.IfNoneMatch = when.conditions()
	if id := t.store.options.SSEKMSKeyID; id != "" {
		input.ServerSideEncryption, input.SSEKMSKeyId = types.ServerSideEncryptionAwsKms, &id
	}
	out, err := t.client.PutObject(ctx, input)
	if err != nil {
		return "", err
	}
	return Version(aws.ToString(out.ETag)), nil
}

// notImplemented finds out what it is that a service does not know: the condition
// of a write, when the same write without one succeeds beside the object.
func (t *s3Target) notImplemented(ctx context.Context, err error, when Version) error {
	refused, ok := errors.AsType[*S3Error](err)
	if !ok || when == AnyVersion || s3Status(err) != http.StatusNotImplemented {
		return err
	}
	probe := *t
	probe.key += ".probe"
	if _, failed := probe.putObject(ctx, nil, AnyVersion); failed != nil {
		return err
	}
	_ = probe.deleteOne(ctx)
	refused.Code, refused.Remedy = codeNoConditions, s3Known[codeNoConditions].remedy
	return refused
}

// remove deletes by the thousand. A service that refuses that (some ask for an MD5
// sum, some do not know the call) gets a request for each object.
func (s *s3Store) remove(ctx context.Context, folder string, names []string) error {
	t, err := s.target(ctx, folder)
	if err != nil {
		return err
	}
	for some := range slices.Chunk(names, 1000) {
		refused := t.deleteMany(ctx, some)
		if status := s3Status(refused); status != http.StatusNotImplemented && (status < 400 || status >= 500 || status == http.StatusForbidden) {
			if refused != nil {
				return refused
			}
			continue
		}
		for _, name := range some {
			if err := t.below(name).deleteOne(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

func (t *s3Target) deleteMany(ctx context.Context, names []string) error {
	ids := make([]types.ObjectIdentifier, len(names))
	for i, name := range names {
		ids[i].Key = aws.String(t.below(name).key)
	}
	out, err := t.client.DeleteObjects(ctx, &s3.DeleteObjectsInput{
		Bucket: &t.bucket, Delete: &types.Delete{Objects: ids, Quiet: aws.Bool(true)},
	})
	if err != nil {
		return orCause(ctx, t.failed("delete", "DeleteObjects", err))
	}
	for _, e := range out.Errors {
		failed := *t
		failed.key = aws.ToString(e.Key)
		return failed.coded("delete", "DeleteObjects", errors.New(aws.ToString(e.Message)), aws.ToString(e.Code))
	}
	return nil
}

func (t *s3Target) deleteOne(ctx context.Context) error {
	_, err := t.client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &t.bucket, Key: &t.key})
	if err != nil && s3Status(err) != http.StatusNotFound {
		return orCause(ctx, t.failed("delete", "DeleteObject", err))
	}
	return nil
}

func (s *s3Store) names(ctx context.Context, folder string) ([]string, error) {
	t, err := s.target(ctx, folder)
	if err != nil {
		return nil, err
	}
	if t.key = strings.Trim(t.key, "/"); t.key != "" {
		t.key += "/"
	}
	var names []string
	for o, err := range t.objects(ctx) {
		if err != nil {
			return nil, err
		}
		names = append(names, strings.TrimPrefix(aws.ToString(o.Key), t.key))
	}
	return names, nil
}

// AbortParts gives up a multipart upload of a process that died. One that is not
// there, or not in S3, does not matter.
func AbortParts(ctx context.Context, location, uploadID string) error {
	if !IsS3(location) {
		return nil
	}
	t, err := s3Of(ctx).target(ctx, location)
	if err != nil {
		return err
	}
	_, err = t.client.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{
		Bucket: &t.bucket, Key: &t.key, UploadId: &uploadID,
	})
	if err != nil && s3Status(err) != http.StatusNotFound {
		return orCause(ctx, t.failed("delete", "AbortMultipartUpload", err))
	}
	return nil
}
