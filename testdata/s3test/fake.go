package s3test

import (
	"bufio"
	"bytes"
	"crypto/md5"
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// How a Store treats the conditions of writes.
const (
	HeedConditions   = iota
	RefuseConditions // 501
	IgnoreConditions
)

// Store is a service that speaks S3 as some others than AWS do. It checks no
// signatures and forgets everything with its test.
type Store struct {
	ListV1        bool // knows version 1 of the listing only
	RefuseDeletes bool // DeleteObjects asks for Content-MD5
	NoChecksums   bool // 501 for PUTs with checksums
	Conditions    int
	SameToken     bool                         // gives the same token with every page of a listing
	Page          int                          // keys a page; default 1000
	Refuse        func(*http.Request) *Refusal // nil lets a request through

	mu      sync.Mutex
	objects map[string]*stored
	uploads map[string]*upload // by id
	said    []string           // requests: method, path and query
}

type upload struct {
	key   string
	parts map[int][]byte
}

type stored struct {
	data []byte
	etag string
	at   time.Time
}

// Serve starts the store; its bucket is named bucket.
func (s *Store) Serve(tb testing.TB) *Server {
	tb.Helper()
	s.objects, s.uploads = make(map[string]*stored), make(map[string]*upload)
	server := httptest.NewServer(s)
	tb.Cleanup(server.Close)
	return newServer(server.URL)
}

// Requests are those that came, as "METHOD /path?query".
func (s *Store) Requests() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.said)
}

func (s *Store) store(key string, data []byte) *stored {
	o := &stored{data, fmt.Sprintf(`"%x"`, md5.Sum(data)), time.Now()}
	s.objects[key] = o
	return o
}

func (s *Store) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body := payload(r)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.said = append(s.said, r.Method+" "+r.URL.String())
	if s.Refuse != nil {
		if refusal := s.Refuse(r); refusal != nil {
			refusal.write(w)
			return
		}
	}
	bucket, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	if bucket != "bucket" {
		refuse(w, http.StatusNotFound, "NoSuchBucket")
		return
	}
	q := r.URL.Query()
	switch {
	case q.Has("delete"):
		s.deleteMany(w, body)
	case q.Has("uploads") || q.Has("uploadId"):
		s.multipart(w, r, key, body)
	case key == "" && r.Method == http.MethodGet:
		s.list(w, r)
	case key == "":
	case r.Method == http.MethodPut:
		if s.refuses(w, r, key) {
			return
		}
		w.Header().Set("Etag", s.store(key, body).etag)
	case r.Method == http.MethodDelete:
		delete(s.objects, key)
		w.WriteHeader(http.StatusNoContent)
	default:
		s.get(w, r, key)
	}
}

// payload reads a body, without the frames of one whose checksum comes after it.
func payload(r *http.Request) []byte {
	if !strings.HasPrefix(r.Header.Get("X-Amz-Content-Sha256"), "STREAMING") {
		data := bytes.NewBuffer(make([]byte, 0, max(r.ContentLength, 0)+bytes.MinRead)) // one that grows would be copied often
		_, _ = data.ReadFrom(r.Body)
		return data.Bytes()
	}
	var data []byte
	for in := bufio.NewReader(r.Body); ; {
		line, err := in.ReadString('\n')
		size, bad := strconv.ParseInt(strings.TrimSpace(strings.SplitN(line, ";", 2)[0]), 16, 64)
		if err != nil || bad != nil || size == 0 {
			_, _ = io.Copy(io.Discard, in)
			return data
		}
		part := make([]byte, size+2)
		_, _ = io.ReadFull(in, part)
		data = append(data, part[:size]...)
	}
}

func refuse(w http.ResponseWriter, status int, code string) {
	(&Refusal{Status: status, Code: code}).write(w)
}

// refuses answers a write that the store does not take.
func (s *Store) refuses(w http.ResponseWriter, r *http.Request, key string) bool {
	for header := range r.Header {
		if h := strings.ToLower(header); s.NoChecksums && (strings.HasPrefix(h, "x-amz-checksum-") || h == "x-amz-sdk-checksum-algorithm" || h == "x-amz-trailer") {
			refuse(w, http.StatusNotImplemented, "NotImplemented")
			return true
		}
	}
	match, none := r.Header.Get("If-Match"), r.Header.Get("If-None-Match")
	is := s.objects[key]
	switch {
	case match == "" && none == "" || s.Conditions == IgnoreConditions:
		return false
	case s.Conditions == RefuseConditions:
		refuse(w, http.StatusNotImplemented, "NotImplemented")
	case none != "" && is != nil, match != "" && is != nil && is.etag != match:
		refuse(w, http.StatusPreconditionFailed, "PreconditionFailed")
	case match != "" && is == nil:
		refuse(w, http.StatusNotFound, "NoSuchKey")
	default:
		return false
	}
	return true
}

func (s *Store) get(w http.ResponseWriter, r *http.Request, key string) {
	o := s.objects[key]
	if o == nil {
		refuse(w, http.StatusNotFound, "NoSuchKey")
		return
	}
	w.Header().Set("Etag", o.etag)
	w.Header().Set("Content-Type", "binary/octet-stream")
	http.ServeContent(w, r, "", o.at, bytes.NewReader(o.data))
}

func (s *Store) deleteMany(w http.ResponseWriter, body []byte) {
	if s.RefuseDeletes {
		refuse(w, http.StatusBadRequest, "MissingContentMD5")
		return
	}
	var asked struct{ Object []struct{ Key string } }
	_ = xml.Unmarshal(body, &asked)
	for _, o := range asked.Object {
		delete(s.objects, o.Key)
	}
	fmt.Fprint(w, `<DeleteResult/>`)
}

func (s *Store) list(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	after := max(q.Get("start-after"), q.Get("continuation-token"))
	if s.ListV1 {
		after = q.Get("marker")
	}
	if s.SameToken {
		after = q.Get("start-after")
	}
	most := s.Page
	if most == 0 {
		most = 1000
	}
	var b strings.Builder
	count, last, more := 0, "", false
	for _, key := range slices.Sorted(maps.Keys(s.objects)) {
		if !strings.HasPrefix(key, q.Get("prefix")) || key <= after {
			continue
		}
		if count == most {
			more = true
			break
		}
		o := s.objects[key]
		fmt.Fprintf(&b, "<Contents><Key>%s</Key><LastModified>%s</LastModified><ETag>%s</ETag><Size>%d</Size></Contents>",
			key, o.at.UTC().Format(time.RFC3339), o.etag, len(o.data))
		count, last = count+1, key
	}
	if more && s.SameToken {
		last = "same"
	}
	if more && !s.ListV1 {
		fmt.Fprintf(&b, "<NextContinuationToken>%s</NextContinuationToken>", last)
	}
	fmt.Fprintf(w, "<ListBucketResult><Name>bucket</Name><MaxKeys>%d</MaxKeys><IsTruncated>%t</IsTruncated>%s</ListBucketResult>", most, more, b.String())
}

func (s *Store) multipart(w http.ResponseWriter, r *http.Request, key string, body []byte) {
	q := r.URL.Query()
	id := q.Get("uploadId")
	u := s.uploads[id]
	switch {
	case r.Method == http.MethodGet:
		fmt.Fprint(w, "<ListMultipartUploadsResult><Bucket>bucket</Bucket><IsTruncated>false</IsTruncated>")
		for id, u := range s.uploads {
			fmt.Fprintf(w, "<Upload><Key>%s</Key><UploadId>%s</UploadId></Upload>", u.key, id)
		}
		fmt.Fprint(w, "</ListMultipartUploadsResult>")
	case q.Has("uploads"):
		id = fmt.Sprintf("upload-%d", len(s.said))
		s.uploads[id] = &upload{key, make(map[int][]byte)}
		fmt.Fprintf(w, "<InitiateMultipartUploadResult><UploadId>%s</UploadId></InitiateMultipartUploadResult>", id)
	case u == nil:
		refuse(w, http.StatusNotFound, "NoSuchUpload")
	case r.Method == http.MethodDelete:
		delete(s.uploads, id)
		w.WriteHeader(http.StatusNoContent)
	case s.refuses(w, r, key):
	case r.Method == http.MethodPut:
		n, _ := strconv.Atoi(q.Get("partNumber"))
		u.parts[n] = body
		w.Header().Set("Etag", fmt.Sprintf(`"part-%d"`, n))
	default:
		var whole []byte
		for _, n := range slices.Sorted(maps.Keys(u.parts)) {
			whole = append(whole, u.parts[n]...)
		}
		delete(s.uploads, id)
		fmt.Fprintf(w, "<CompleteMultipartUploadResult><ETag>%s</ETag></CompleteMultipartUploadResult>", s.store(key, whole).etag)
	}
}
