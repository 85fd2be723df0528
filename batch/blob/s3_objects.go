package blob

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// Version is one state of an object, as the store names it, or a condition on
// it.
type Version string

// Conditions that are no version of their own.
const (
	AnyVersion Version = ""  // no condition
	Absent     Version = "*" // there is no such object
)

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

// conflictTries are the tries of a conditional write that met another one under
// way at the same time.
const conflictTries = 5

// Objects are the objects below a prefix. Names are relative to it. It may be
// used by several goroutines.
type Objects struct {
	store          *s3Store
	client         *s3.Client
	bucket, prefix string
}

// Object is a small object, whole.
type Object struct {
	Data    []byte
	Version Version
	Age     time.Duration // since it was written, by the store's clock, to the second
}

// IsS3 tells whether a location lies in S3.
func IsS3(location string) bool { return strings.HasPrefix(location, s3Scheme) }

// OpenObjects returns the objects below s3://bucket/prefix, with or without a
// slash at the end. There may be none yet.
func OpenObjects(ctx context.Context, location string) (*Objects, error) {
	bucket, prefix, err := cutS3(location)
	if err != nil {
		return nil, err
	}
	s := s3Of(ctx)
	client, err := s.bucket(ctx, bucket, prefix)
	if err != nil {
		return nil, err
	}
	return &Objects{store: s, client: client, bucket: bucket, prefix: strings.Trim(prefix, "/")}, nil
}

// Location is an object's name from everywhere; that of "" is the prefix's.
func (o *Objects) Location(name string) string {
	return strings.TrimSuffix(s3Scheme+o.bucket+"/"+o.key(name), "/")
}

func (o *Objects) key(name string) string { return strings.Trim(o.prefix+"/"+name, "/") }

// Get reads a small object. The error is fs.ErrNotExist when it is not there.
func (o *Objects) Get(ctx context.Context, name string) (Object, error) {
	for tries := 0; ; tries++ {
		object, err := o.get(ctx, name)
		if !errors.Is(err, ErrChanged) || tries == bodyAttempts {
			return object, err
		}
		if err := pause(ctx, s3Wait(tries)); err != nil {
			return Object{}, err
		}
	}
}

// get reads an object with one GET, and what that did not bring with more. It
// fails with ErrChanged when the object is written anew in between.
func (o *Objects) get(ctx context.Context, name string) (got Object, err error) {
	body, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	key := o.key(name)
	out, err := o.client.GetObject(body, &s3.GetObjectInput{Bucket: &o.bucket, Key: &key, RequestPayer: o.store.payer()})
	if err != nil {
		return got, orCause(ctx, s3Failed("read", o.bucket, key, "GetObject", o.client, err))
	}
	defer out.Body.Close()
	got.Version = Version(aws.ToString(out.ETag))
	if now, ok := awsmiddleware.GetServerTime(out.ResultMetadata); ok {
		got.Age = max(0, now.Sub(aws.ToTime(out.LastModified)))
	}
	got.Data = make([]byte, aws.ToInt64(out.ContentLength))
	n, broken := readWatched(out.Body, got.Data, cancel)
	if broken == nil {
		return got, nil
	}
	in := o.store.info(o.Location(name), key, int64(len(got.Data)), out.LastModified, out.ETag)
	rest := s3Object{store: o.store, client: o.client, bucket: o.bucket, key: key, in: in}
	return got, rest.fetch(ctx, got.Data[n:], int64(n))
}

// Put writes a small object, if what is there is of the given version, and
// returns its new one. The error is ErrConflict when it is not. A condition
// that fails only because an earlier try of this very call was successful
// counts as met: the content, which must be unique, tells.
func (o *Objects) Put(ctx context.Context, name string, data []byte, when Version) (Version, error) {
	for tries := 1; ; tries++ {
		version, err := o.put(ctx, name, data, when)
		switch status := s3Status(err); {
		case err == nil:
			return version, nil
		case ctx.Err() != nil:
			return "", context.Cause(ctx)
		case status == http.StatusPreconditionFailed, status == http.StatusNotFound && when != AnyVersion && when != Absent:
			is, err := o.Get(ctx, name)
			switch {
			case err == nil && bytes.Equal(is.Data, data):
				return is.Version, nil
			case err != nil && !errors.Is(err, fs.ErrNotExist):
				return "", err
			}
			return "", fmt.Errorf("write %s: %w", o.Location(name), ErrConflict)
		case status != http.StatusConflict || tries == conflictTries:
			return "", s3Failed("write", o.bucket, o.key(name), "PutObject", o.client, err)
		}
		if err := pause(ctx, s3Wait(tries)); err != nil {
			return "", err
		}
	}
}

func (o *Objects) put(ctx context.Context, name string, data []byte, when Version) (Version, error) {
	key := o.key(name)
	input := &s3.PutObjectInput{Bucket: &o.bucket, Key: &key, Body: bytes.NewReader(data), RequestPayer: o.store.payer()}
	input.IfMatch, input.IfNoneMatch = when.conditions()
	if id := o.store.options.SSEKMSKeyID; id != "" {
		input.ServerSideEncryption, input.SSEKMSKeyId = types.ServerSideEncryptionAwsKms, &id
	}
	out, err := o.client.PutObject(ctx, input)
	if err != nil {
		return "", err
	}
	return Version(aws.ToString(out.ETag)), nil
}

// Version is what an object is now: Absent when it is not there.
func (o *Objects) Version(ctx context.Context, name string) (Version, error) {
	in, err := o.store.stat(ctx, o.Location(name))
	if errors.Is(err, fs.ErrNotExist) {
		return Absent, nil
	}
	return Version(in.ETag), err
}

// Upload writes an object of any size, whole, if what is there is of the given
// version: nothing of it is to be seen before all of it is there. The error is
// ErrConflict when it is of another one, which may be this very call's: that it
// was successful can get lost on the way back.
func (o *Objects) Upload(ctx context.Context, name string, body io.Reader, when Version) error {
	err := o.store.upload(ctx, o.client, o.bucket, o.key(name), body, when)
	switch status := s3Status(err); {
	case err == nil || when == AnyVersion || ctx.Err() != nil:
		return err
	case status == http.StatusPreconditionFailed, status == http.StatusConflict, status == http.StatusNotFound:
		return fmt.Errorf("write %s: %w", o.Location(name), ErrConflict)
	}
	return err
}

// AbortStaleUploads gives up the multipart uploads below the prefix that a process left
// open when it died. They are not to be seen, but cost.
func (o *Objects) AbortStaleUploads(ctx context.Context) error {
	prefix := strings.TrimPrefix(o.prefix+"/", "/")
	pages := s3.NewListMultipartUploadsPaginator(o.client, &s3.ListMultipartUploadsInput{
		Bucket: &o.bucket, Prefix: &prefix, RequestPayer: o.store.payer(),
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return orCause(ctx, s3Failed("list", o.bucket, prefix, "ListMultipartUploads", o.client, err))
		}
		for i := range page.Uploads {
			key := aws.ToString(page.Uploads[i].Key)
			_, err := o.client.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{
				Bucket: &o.bucket, Key: &key, UploadId: page.Uploads[i].UploadId, RequestPayer: o.store.payer(),
			})
			if err != nil && s3Status(err) != http.StatusNotFound {
				return orCause(ctx, s3Failed("delete", o.bucket, key, "AbortMultipartUpload", o.client, err))
			}
		}
	}
	return nil
}

// Download appends an object's bytes to w and returns how many.
func (o *Objects) Download(ctx context.Context, name string, w io.Writer) (int64, error) {
	in, err := o.store.stat(ctx, o.Location(name))
	if err != nil {
		return 0, err
	}
	r, err := o.store.open(ctx, in, 0)
	if err != nil {
		return 0, err
	}
	defer r.Close()
	return io.Copy(w, r)
}

// Delete removes objects; those that are not there do not matter.
func (o *Objects) Delete(ctx context.Context, names ...string) error {
	for some := range slices.Chunk(names, 1000) {
		ids := make([]types.ObjectIdentifier, len(some))
		for i, name := range some {
			ids[i].Key = aws.String(o.key(name))
		}
		out, err := o.client.DeleteObjects(ctx, &s3.DeleteObjectsInput{
			Bucket: &o.bucket, Delete: &types.Delete{Objects: ids, Quiet: aws.Bool(true)}, RequestPayer: o.store.payer(),
		})
		if err != nil {
			return orCause(ctx, s3Failed("delete", o.bucket, o.key(some[0]), "DeleteObjects", o.client, err))
		}
		for _, e := range out.Errors {
			key := aws.ToString(e.Key)
			return s3Coded("delete", o.bucket, key, "DeleteObjects", o.client, errors.New(aws.ToString(e.Message)), aws.ToString(e.Code))
		}
	}
	return nil
}

// List names every object whose name begins with prefix.
func (o *Objects) List(ctx context.Context, prefix string) ([]string, error) {
	full := strings.TrimPrefix(o.prefix+"/"+prefix, "/")
	var names []string
	pages := s3.NewListObjectsV2Paginator(o.client, &s3.ListObjectsV2Input{Bucket: &o.bucket, Prefix: &full, RequestPayer: o.store.payer()})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, orCause(ctx, s3Failed("list", o.bucket, full, "ListObjectsV2", o.client, err))
		}
		for i := range page.Contents {
			names = append(names, strings.TrimPrefix(strings.TrimPrefix(aws.ToString(page.Contents[i].Key), o.prefix), "/"))
		}
	}
	return names, nil
}
