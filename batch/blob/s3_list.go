package blob

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

func (s *s3Store) stat(ctx context.Context, location string) (Info, error) {
	_, key, err := cutS3(location)
	if err != nil {
		return Info{}, err
	}
	if key == "" || strings.HasSuffix(key, "/") {
		return Info{}, fmt.Errorf("open %s: it is a prefix", location)
	}
	t, err := s.target(ctx, location)
	if err != nil {
		return Info{}, err
	}
	out, err := t.client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &t.bucket, Key: &key})
	if err != nil {
		return Info{}, orCause(ctx, t.whyNot(ctx, err))
	}
	return s.info(location, key, aws.ToInt64(out.ContentLength), out.LastModified, out.ETag), nil
}

// whyNot finds out why a HEAD was refused: its answers have no body and so no
// code. A GET of one byte has.
func (t *s3Target) whyNot(ctx context.Context, err error) error {
	failed := t.failed("open", "HeadObject", err)
	if status := s3Status(err); status == 0 || status == http.StatusNotFound || status >= http.StatusInternalServerError {
		return failed
	}
	out, err := t.client.GetObject(ctx, &s3.GetObjectInput{Bucket: &t.bucket, Key: &t.key, Range: aws.String("bytes=0-0")})
	if err == nil {
		_ = out.Body.Close()
		return failed
	}
	return t.failed("open", "GetObject", err)
}

// info describes an object. Listings know times to the millisecond at some
// services, other answers to the second: it must be the same time.
func (s *s3Store) info(location, key string, size int64, modified *time.Time, etag *string) Info {
	return Info{
		Location: location, URI: location, Size: size, ModTime: aws.ToTime(modified).UTC().Truncate(time.Second),
		ETag: aws.ToString(etag), Partitions: partitions(key), store: s,
	}
}

func (s *s3Store) expand(ctx context.Context, arg string) ([]Info, error) {
	bucket, key, err := cutS3(arg)
	if err != nil {
		return nil, err
	}
	if key != "" && !strings.HasSuffix(key, "/") {
		in, err := s.stat(ctx, arg)
		switch {
		case err == nil:
			return []Info{in}, nil
		case hasMeta(key) && errors.Is(err, fs.ErrPermission): // without s3:ListBucket what is missing is forbidden
		case !errors.Is(err, fs.ErrNotExist):
			return nil, err
		}
		if !hasMeta(key) {
			key += "/"
		}
	}
	wanted, err := newKeyPattern(key)
	if err != nil {
		return nil, fmt.Errorf("expand %s: %w", arg, err)
	}
	found, err := s.list(ctx, bucket, wanted)
	if err == nil && len(found) == 0 {
		err = fmt.Errorf("expand %s: no object is there (names beginning with _ or . are passed over)", arg)
	}
	return found, err
}

// list finds the wanted objects of a bucket.
func (s *s3Store) list(ctx context.Context, bucket string, wanted keyPattern) ([]Info, error) {
	t, err := s.target(ctx, s3Scheme+bucket+"/"+wanted.prefix)
	if err != nil {
		return nil, err
	}
	var found []Info
	for o, err := range t.objects(ctx) {
		if err != nil {
			return nil, err
		}
		if key := aws.ToString(o.Key); wanted.matches(key) {
			found = append(found, s.info(s3Scheme+bucket+"/"+key, key, aws.ToInt64(o.Size), o.LastModified, o.ETag))
		}
	}
	slices.SortFunc(found, func(a, b Info) int { return strings.Compare(a.Location, b.Location) })
	for i := 1; i < len(found); i++ {
		if found[i].Location == found[i-1].Location {
			return nil, fmt.Errorf("list %s: the service listed %s twice: name the objects one by one", t.location(), found[i].Location)
		}
	}
	return found, nil
}

// keyPattern chooses keys: those below a prefix, or those that a glob matches
// and what lies below them, as with folders on a disk.
type keyPattern struct {
	prefix  string   // that every key has
	pattern []string // the glob's parts; nil: the prefix alone decides
	markers bool     // the glob asks for names with _ or .
}

func newKeyPattern(key string) (keyPattern, error) {
	if !hasMeta(key) {
		return keyPattern{prefix: key}, nil
	}
	literal := key[:strings.IndexAny(key, `*?[`)]
	p := keyPattern{prefix: strings.TrimSuffix(literal, `\`), pattern: strings.Split(strings.TrimSuffix(key, "/"), "/")}
	p.markers = ignored(path.Base(key))
	for _, part := range p.pattern {
		if _, err := path.Match(part, ""); err != nil {
			return p, err
		}
	}
	return p, nil
}

func (p keyPattern) matches(key string) bool {
	if strings.HasSuffix(key, "/") {
		return false // the placeholder of an empty folder
	}
	if p.pattern == nil {
		return !PassedOver(strings.Split(key[len(p.prefix):], "/")...)
	}
	parts := strings.Split(key, "/")
	if len(parts) < len(p.pattern) {
		return false
	}
	for i, part := range p.pattern {
		if ok, err := path.Match(part, parts[i]); !ok || err != nil {
			return false
		}
	}
	below := parts[len(p.pattern)-1:]
	if p.markers {
		below = below[1:]
	}
	return !PassedOver(below...)
}

// PassedOver reports whether Expand passes over a name, or a folder in it.
func PassedOver(names ...string) bool { return slices.ContainsFunc(names, ignored) }
