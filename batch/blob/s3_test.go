package blob_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"

	"pushbatch/batch/blob"
	"pushbatch/testdata/s3test"
	"pushbatch/testdata/thorough"
)

// inParts is a size that is uploaded in parts, which are 8 MiB.
var inParts = thorough.Of(9<<20, 20<<20)

// noise is n bytes that compress badly and repeat nowhere.
func noise(n int) []byte {
	data := make([]byte, n)
	source := rand.NewChaCha8([32]byte{1})
	_, _ = source.Read(data)
	return data
}

func stat(t *testing.T, server *s3test.Server, key string) blob.Info {
	t.Helper()
	info, err := blob.Stat(server.Context(t.Context(), blob.S3Options{}), server.Location(key))
	if err != nil {
		t.Fatal(err)
	}
	return info
}

func TestS3Expand(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t)
	for _, key := range []string{
		"b.csv", "a.csv", "odd[1].csv", "d/2.csv", "d/10.csv", "d/_SUCCESS", "d/.hidden/x.csv", "d/_temporary/x.csv", "d/sub/1.csv",
		"d/sub-a/1.csv", "_named.csv", "p/day=2026-01-02/x.csv", "p/day=2026-01-01/x.csv", "p/_k=1/x.csv", "only/_SUCCESS",
	} {
		server.Put(t, key, []byte(key))
	}
	for _, tt := range []struct {
		name string
		args []string
		want []string
		fail string
	}{
		{name: "objects in the order given", args: []string{"b.csv", "a.csv"}, want: []string{"b.csv", "a.csv"}},
		{name: "a glob in lexical order", args: []string{"*.csv"}, want: []string{"a.csv", "b.csv", "odd[1].csv"}},
		{name: "a glob that asks for markers", args: []string{"_*.csv"}, want: []string{"_named.csv"}},
		{name: "a key that looks like a glob", args: []string{"odd[1].csv"}, want: []string{"odd[1].csv"}},
		{name: "a prefix", args: []string{"d/"}, want: []string{"d/10.csv", "d/2.csv", "d/sub-a/1.csv", "d/sub/1.csv"}},
		{name: "a prefix without its slash", args: []string{"d"}, want: []string{"d/10.csv", "d/2.csv", "d/sub-a/1.csv", "d/sub/1.csv"}},
		{name: "a glob of prefixes", args: []string{"d/s*"}, want: []string{"d/sub-a/1.csv", "d/sub/1.csv"}},
		{name: "a glob stays in its folder", args: []string{"d/*.csv"}, want: []string{"d/10.csv", "d/2.csv"}},
		{name: "a marker by its name", args: []string{"d/_SUCCESS"}, want: []string{"d/_SUCCESS"}},
		{name: "partitions", args: []string{"p/"}, want: []string{"p/_k=1/x.csv", "p/day=2026-01-01/x.csv", "p/day=2026-01-02/x.csv"}},
		{name: "markers only", args: []string{"only/"}, fail: "no object is there"},
		{name: "nothing matches", args: []string{"z*.csv"}, fail: "no object is there"},
		{name: "nothing there", args: []string{"nowhere.csv"}, fail: "no object is there"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			args := make([]string, len(tt.args))
			for i, arg := range tt.args {
				args[i] = server.Location(arg)
			}
			found, err := blob.Expand(server.Context(t.Context(), blob.S3Options{}), args)
			if tt.fail != "" {
				if err == nil || !strings.Contains(err.Error(), tt.fail) {
					t.Fatalf("got %v, want an error with %q", err, tt.fail)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, in := range found {
				got = append(got, strings.TrimPrefix(in.Location, server.Location("")))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	t.Run("values of partitions", func(t *testing.T) {
		t.Parallel()
		in := stat(t, server, "p/day=2026-01-02/x.csv")
		if diff := cmp.Diff([]blob.Partition{{Name: "day", Value: "2026-01-02"}}, in.Partitions); diff != "" {
			t.Error(diff)
		}
	})
}

// What a listing says of an object is what asking for it says: a resumed run
// compares the two.
func TestS3ListAndStatAgree(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t)
	server.Put(t, "d/a.csv", []byte("a"))
	listed, err := blob.Expand(server.Context(t.Context(), blob.S3Options{}), []string{server.Location("d/")})
	if err != nil {
		t.Fatal(err)
	}
	asked := stat(t, server, "d/a.csv")
	if listed[0].Size != asked.Size || !listed[0].ModTime.Equal(asked.ModTime) || listed[0].ETag != asked.ETag || asked.ETag == "" {
		t.Errorf("listed %+v, asked %+v", listed[0], asked)
	}
	first, err := blob.Fingerprint(t.Context(), asked)
	if err != nil || first == "" {
		t.Fatal(first, err)
	}
	server.Put(t, "d/a.csv", []byte("b"))
	if second, err := blob.Fingerprint(t.Context(), stat(t, server, "d/a.csv")); err != nil || second == first {
		t.Errorf("the fingerprint of other bytes is the same (%v)", err)
	}
}

func TestS3ListOfManyPages(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t)
	const count = 1205
	var puts errgroup.Group
	puts.SetLimit(16)
	for n := range count {
		puts.Go(func() error { server.Put(t, fmt.Sprintf("many/%05d.csv", n), nil); return nil })
	}
	if err := puts.Wait(); err != nil {
		t.Fatal(err)
	}
	found, err := blob.Expand(server.Context(t.Context(), blob.S3Options{}), []string{server.Location("many/")})
	if err != nil || len(found) != count {
		t.Fatalf("%d inputs of %d: %v", len(found), count, err)
	}
	for n, in := range found {
		if want := server.Location(fmt.Sprintf("many/%05d.csv", n)); in.Location != want {
			t.Fatalf("input %d is %s", n, in.Location)
		}
	}
}

// Connections that are cut in the middle of a body, again and again, and bytes
// that come in small pieces change nothing of what is read.
func TestS3ReadsAcrossCuts(t *testing.T) {
	t.Parallel()
	server := s3test.StartReal(t)
	data := noise(3 << 20)
	server.Put(t, "big.bin", data)
	var cuts atomic.Int64
	broken := server.Through(t, s3test.Wire{Piece: 16 << 10, CutAfter: func() int64 {
		return 150_000 + cuts.Add(1)*7919%100_000
	}})
	in := stat(t, broken, "big.bin")
	for _, offset := range []int64{0, 1, 700_000, int64(len(data)) - 1, int64(len(data))} {
		r, err := blob.Open(t.Context(), in, offset)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(r)
		if err != nil || !bytes.Equal(got, data[offset:]) {
			t.Errorf("from %d: %d bytes of %d (%v)", offset, len(got), len(data)-int(offset), err)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
	at, err := blob.OpenAt(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	defer at.Close()
	got := make([]byte, len(data))
	if _, err := at.ReadAt(got, 0); err != nil || !bytes.Equal(got, data) {
		t.Errorf("ranges: %v", err)
	}
	if cuts.Load() < 20 {
		t.Errorf("only %d connections: the cuts did not happen", cuts.Load())
	}
}

// A connection that is always cut at once ends the reading with an error that
// says where, never as a short read.
func TestS3GivesUpLoudly(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t)
	server.Put(t, "a.bin", noise(1<<20))
	var refuse atomic.Bool
	broken := server.Behind(t, &s3test.Faults{Refuse: func(r *http.Request) *s3test.Refusal {
		if refuse.Load() && r.Method == http.MethodGet {
			return &s3test.Refusal{Status: http.StatusBadRequest, Code: "ExpiredToken"}
		}
		return nil
	}})
	r, err := blob.Open(t.Context(), stat(t, broken, "a.bin"), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := io.ReadFull(r, make([]byte, 1000)); err != nil {
		t.Fatal(err)
	}
	refuse.Store(true)
	n, err := io.Copy(io.Discard, r)
	if err == nil || !strings.Contains(err.Error(), "the security token has expired") || n >= 1<<20-1000 {
		t.Errorf("%d bytes, %v", n, err)
	}
}

func TestS3NoticesAnotherVersion(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t)
	server.Put(t, "a.bin", noise(1<<20))
	in := stat(t, server, "a.bin")
	r, err := blob.Open(t.Context(), in, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	at, err := blob.OpenAt(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	defer at.Close()
	if _, err := io.ReadFull(r, make([]byte, 1000)); err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"the same size": noise(1<<20 + 1)[1:], "shorter": []byte("x")} {
		server.Put(t, "a.bin", data)
		if _, err := at.ReadAt(make([]byte, 10), 900_000); !errors.Is(err, blob.ErrChanged) {
			t.Errorf("%s: ranges: %v", name, err)
		}
	}
	if _, err := io.Copy(io.Discard, r); !errors.Is(err, blob.ErrChanged) {
		t.Errorf("sequential: %v", err)
	}
	server.Delete(t, "a.bin")
	if _, err := at.ReadAt(make([]byte, 10), 900_000); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("deleted: %v", err)
	}
}

// The service asks to slow down: after a while everything goes on.
func TestS3SlowDown(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t)
	data := noise(600 << 10)
	server.Put(t, "a.bin", data)
	var asked atomic.Int64
	slow := server.Behind(t, &s3test.Faults{Refuse: func(*http.Request) *s3test.Refusal {
		if asked.Add(1)%3 != 0 {
			return &s3test.Refusal{Status: http.StatusServiceUnavailable, Code: "SlowDown"}
		}
		return nil
	}})
	r, err := blob.Open(t.Context(), stat(t, slow, "a.bin"), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, data) {
		t.Errorf("%d bytes: %v", len(got), err)
	}
}

// A large object is consumed slowly, in a few bytes at a time, across cut
// connections; no more than two chunks of it are in memory.
func TestS3LargeObjectInLittleMemory(t *testing.T) { //nolint:paralleltest // it measures the heap
	server := s3test.StartReal(t)
	const rows, width = 3_000_000, 32
	upload, err := blob.Create(server.Context(t.Context(), blob.S3Options{}), server.Location("large.csv"))
	if err != nil {
		t.Fatal(err)
	}
	var batch bytes.Buffer
	for n := range rows {
		fmt.Fprintf(&batch, "%0*d\n", width-1, n)
		if batch.Len() >= 1<<20 || n == rows-1 {
			if _, err := batch.WriteTo(upload); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := upload.Commit(); err != nil {
		t.Fatal(err)
	}
	var cuts atomic.Int64
	broken := server.Through(t, s3test.Wire{CutAfter: func() int64 { return 2_000_000 + cuts.Add(1)*7919%3_000_000 }})
	r, err := blob.Open(t.Context(), stat(t, broken, "large.csv"), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	before := heap()
	peak, row := before, make([]byte, width)
	for n := range rows {
		if _, err := io.ReadFull(r, row); err != nil {
			t.Fatalf("row %d: %v", n, err)
		}
		if want := fmt.Sprintf("%0*d\n", width-1, n); string(row) != want {
			t.Fatalf("row %d is %q", n, row)
		}
		if n%200_000 == 0 {
			peak = max(peak, heap())
		}
	}
	if n, err := r.Read(row); n != 0 || err != io.EOF {
		t.Errorf("behind the end: %d bytes, %v", n, err)
	}
	t.Logf("%d MB over %d connections, heap grew by %.1f MB", rows*width>>20, cuts.Load(), float64(peak-before)/(1<<20))
	if peak-before > 16<<20 {
		t.Errorf("the heap grew by %d bytes", peak-before)
	}
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// What a file of 100 MB costs: read in columns, a page at a time, as Parquet
// is, and from front to back.
func TestS3Requests(t *testing.T) {
	t.Parallel()
	server := s3test.StartReal(t)
	const size, groups, columns, page = 100 << 20, 8, 11, 64 << 10
	server.Put(t, "file.parquet", make([]byte, size))
	counted := func() (*s3test.Faults, blob.Info) {
		f := &s3test.Faults{}
		return f, stat(t, server.Behind(t, f), "file.parquet")
	}

	f, in := counted()
	at, err := blob.OpenAt(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	defer at.Close()
	buf := make([]byte, page)
	read := func(off int64) {
		if _, err := at.ReadAt(buf, off); err != nil && err != io.EOF {
			t.Fatal(err)
		}
	}
	read(size - page) // the footer
	const group, chunk = size / groups, size / groups / columns
	for g := range int64(groups) {
		for off := int64(0); off < chunk; off += page {
			for c := range int64(columns) {
				read(g*group + c*chunk + off)
			}
		}
	}
	t.Logf("Parquet, all columns: %d GETs for %d MB", f.Count(http.MethodGet), size>>20)
	if n := f.Count(http.MethodGet); n > 150 {
		t.Errorf("%d GETs", n)
	}

	f, in = counted()
	r, err := blob.Open(t.Context(), in, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if n, err := io.Copy(io.Discard, r); n != size || err != nil {
		t.Fatal(n, err)
	}
	t.Logf("front to back: %d GETs for %d MB", f.Count(http.MethodGet), size>>20)
	if n := f.Count(http.MethodGet); n > 30 {
		t.Errorf("%d GETs", n)
	}
}

// A small object that no connection ever brings whole is read on where each broke.
func TestGetOverBrokenWire(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t)
	want := noise(1 << 20)
	server.Put(t, "small.bin", want)
	broken := server.Through(t, s3test.Wire{CutAfter: func() int64 { return 50_000 }})
	got, err := blob.Get(broken.Context(t.Context(), blob.S3Options{}), server.Location("small.bin"))
	if err != nil || !bytes.Equal(got.Data, want) {
		t.Errorf("%d bytes of %d, %v", len(got.Data), len(want), err)
	}
}
