package blob

import (
	"context"
	"fmt"
	"iter"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// The ways to ask for the page after another one. A service is asked in the first
// way; one whose answer does not lead on in that way is asked in the next.
const (
	byToken      = iota
	byStartAfter // version 2 of the listing: all keys after the last one
	byMarker     // version 1: the same
	noWay
)

// maxEmptyPages is how many pages in a row may bring nothing, in a listing that says
// that more will come.
const maxEmptyPages = 100

// unordered ends the name of a bucket whose keys are listed in no order (S3 Express).
const unordered = "--x-s3"

// listing is a listing of objects on its way. That it is whole is not believed: a
// page must bring keys after those of the pages before, until one says that it is
// the last.
type listing struct {
	*s3Target
	way    int
	token  string
	tokens map[string]bool // that were used
	firsts map[string]bool // keys that pages began with
	last   string          // key; nothing is listed after it yet
	empty  int             // pages in a row
	mixed  bool            // keys came in another order than theirs
}

// page is one answer in the terms of version 2.
type page struct {
	objects []types.Object
	more    bool
	token   string
}

// objects lists every object whose key begins with the target's. It ends with an
// error, never early: a listing in part would be taken for the whole.
func (t *s3Target) objects(ctx context.Context) iter.Seq2[*types.Object, error] {
	l := &listing{s3Target: t, tokens: make(map[string]bool), firsts: make(map[string]bool)}
	return func(yield func(*types.Object, error) bool) {
		for {
			p, err := l.next(ctx)
			if err != nil {
				yield(nil, err)
				return
			}
			for i := range p.objects {
				if o := &p.objects[i]; o.Size == nil || !strings.HasPrefix(aws.ToString(o.Key), t.key) {
					yield(nil, fmt.Errorf("list %s: the service listed %q, which does not begin so or has no size: name the objects one by one", t.location(), aws.ToString(o.Key)))
					return
				}
				if !yield(&p.objects[i], nil) {
					return
				}
			}
			if !p.more {
				return
			}
			l.advance(p)
		}
	}
}

// next asks for a page in one way after the other, until one leads on.
func (l *listing) next(ctx context.Context) (page, error) {
	for ; l.way == byToken || l.way < noWay && l.ordered(); l.way++ {
		if p, err := l.fetch(ctx); err != nil || l.leadsOn(p) {
			return p, err
		}
	}
	return page{}, fmt.Errorf("list %s: the service says that there are more objects, and does not give them: "+
		"name the objects one by one, or take a service that lists them", l.location())
}

// ordered tells whether all keys up to the last one were listed.
func (l *listing) ordered() bool {
	return l.last != "" && !l.mixed && !strings.HasSuffix(l.bucket, unordered)
}

func (l *listing) fetch(ctx context.Context) (p page, err error) {
	if l.way == byMarker {
		out, err := l.client.ListObjects(ctx, &s3.ListObjectsInput{Bucket: &l.bucket, Prefix: &l.key, Marker: &l.last})
		if err != nil {
			return p, orCause(ctx, l.failed("list", "ListObjects", err))
		}
		return l.page(out.Contents, out.IsTruncated, out.MaxKeys, out.Name, "")
	}
	input := &s3.ListObjectsV2Input{Bucket: &l.bucket, Prefix: &l.key}
	switch {
	case l.way == byStartAfter:
		input.StartAfter = &l.last
	case l.token != "":
		input.ContinuationToken = &l.token
	}
	out, err := l.client.ListObjectsV2(ctx, input)
	if err != nil {
		return p, orCause(ctx, l.failed("list", "ListObjectsV2", err))
	}
	return l.page(out.Contents, out.IsTruncated, out.MaxKeys, out.Name, aws.ToString(out.NextContinuationToken))
}

// page checks that an answer is a listing at all: a 200 of something between us and
// the service is read as one without an object.
func (l *listing) page(objects []types.Object, truncated *bool, most *int32, bucket *string, token string) (page, error) {
	if truncated == nil && bucket == nil {
		return page{}, fmt.Errorf("list %s: the answer is no listing: is the endpoint that of an S3 service?", l.location())
	}
	full := truncated == nil && aws.ToInt32(most) > 0 && len(objects) >= int(*most)
	return page{objects, aws.ToBool(truncated) || full, token}, nil
}

// leadsOn tells whether a page is another one than those before.
func (l *listing) leadsOn(p page) bool {
	if len(p.objects) == 0 {
		l.empty++
		return !p.more || p.token != "" && !l.tokens[p.token] && l.empty < maxEmptyPages
	}
	l.empty = 0
	first := aws.ToString(p.objects[0].Key)
	if l.firsts[first] || l.way != byToken && first <= l.last {
		return false
	}
	l.firsts[first] = true
	return true
}

// advance notes where the next page begins.
func (l *listing) advance(p page) {
	for i := range p.objects {
		key := aws.ToString(p.objects[i].Key)
		l.mixed = l.mixed || key <= l.last
		l.last = max(l.last, key)
	}
	if l.way != byToken {
		return
	}
	if p.token == "" || l.tokens[p.token] {
		l.way = byStartAfter
		return
	}
	l.tokens[p.token], l.token = true, p.token
}
