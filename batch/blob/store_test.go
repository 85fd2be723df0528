package blob_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pushbatch/batch/blob"
	"pushbatch/testdata/s3test"
	"pushbatch/testdata/thorough"
)

// storeTests are what every store must do; folder is an empty one.
var storeTests = []struct {
	name string
	test func(ctx context.Context, t *testing.T, folder string)
}{
	{"versions", testVersions},
	{"race", testRace},
	{"whole objects", testWholeObjects},
	{"names", testNames},
	{"reads", testReads},
	{"inputs", testInputs},
}

func TestLocalStore(t *testing.T) {
	t.Parallel()
	for _, tt := range storeTests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.test(t.Context(), t, filepath.Join(t.TempDir(), "store"))
		})
	}
}

func TestS3Store(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t)
	for i, tt := range storeTests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.test(server.Context(t.Context(), blob.S3Options{}), t, server.Location(fmt.Sprintf("store-%d/", i)))
		})
	}
}

// put writes an object whatever is there.
func put(ctx context.Context, t *testing.T, location, data string) blob.Version {
	t.Helper()
	version, err := blob.Put(ctx, location, []byte(data), blob.AnyVersion)
	if err != nil {
		t.Fatal(err)
	}
	return version
}

func testVersions(ctx context.Context, t *testing.T, folder string) {
	x := blob.Join(folder, "state.json")
	if _, err := blob.Get(ctx, x); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("get of nothing: %v", err)
	}
	if v, err := blob.VersionOf(ctx, x); v != blob.Absent || err != nil {
		t.Errorf("version of nothing: %q, %v", v, err)
	}
	if _, err := blob.Put(ctx, x, []byte("early"), "\"0123456789abcdef0123456789abcdef\""); !errors.Is(err, blob.ErrConflict) {
		t.Errorf("write over a version that is not there: %v", err)
	}
	first, err := blob.Put(ctx, x, []byte("1"), blob.Absent)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := blob.Put(ctx, x, []byte("other"), blob.Absent); !errors.Is(err, blob.ErrConflict) {
		t.Errorf("second create: %v", err)
	}
	second, err := blob.Put(ctx, x, []byte("2"), first)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := blob.Put(ctx, x, []byte("3"), first); !errors.Is(err, blob.ErrConflict) {
		t.Errorf("write over another version: %v", err)
	}
	if got, err := blob.Get(ctx, x); err != nil || string(got.Data) != "2" || got.Version != second {
		t.Errorf("%+v, %v", got, err)
	}
	if v, err := blob.VersionOf(ctx, x); v != second || err != nil {
		t.Errorf("version %q, %v, want %q", v, err, second)
	}
	for when, conflict := range map[blob.Version]bool{first: true, blob.Absent: true, second: false} {
		err := blob.Copy(ctx, x, strings.NewReader("large"), blob.CreateOptions{When: when})
		if errors.Is(err, blob.ErrConflict) != conflict || !conflict && err != nil {
			t.Errorf("upload over %q: %v", when, err)
		}
	}
}

// Of many that write over the same version exactly one succeeds.
func testRace(ctx context.Context, t *testing.T, folder string) {
	version := blob.Absent
	for round := range thorough.Of(4, 10) {
		var all sync.WaitGroup
		var won atomic.Int64
		var next atomic.Value
		for n := range 8 {
			all.Go(func() {
				got, err := blob.Put(ctx, blob.Join(folder, "lock"), fmt.Appendf(nil, "%d %d", round, n), version)
				switch {
				case err == nil:
					won.Add(1)
					next.Store(got)
				case !errors.Is(err, blob.ErrConflict):
					t.Error(err)
				}
			})
		}
		all.Wait()
		if won.Load() != 1 {
			t.Fatalf("%d winners in round %d", won.Load(), round)
		}
		version = next.Load().(blob.Version)
	}
}

// Nothing is to be seen of an object before all of it is there.
func testWholeObjects(ctx context.Context, t *testing.T, folder string) {
	x := blob.Join(folder, "below/x.bin")
	data := noise(9 << 20)
	for _, end := range []string{"abort", "commit", "abort"} {
		u, err := blob.Create(ctx, x)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := u.Write(data); err != nil {
			t.Fatal(err)
		}
		before, err := blob.VersionOf(ctx, x)
		if err != nil || before != blob.Absent && end == "commit" {
			t.Errorf("it is to be seen before Commit: %v", err)
		}
		if end == "commit" {
			err = errors.Join(u.Finish(), u.Commit(), u.Abort())
		} else {
			err = u.Abort()
		}
		if err != nil {
			t.Error(err)
		}
	}
	var b bytes.Buffer
	if n, err := blob.Download(ctx, x, &b, int64(len(data))); n != int64(len(data)) || !bytes.Equal(b.Bytes(), data) || err != nil {
		t.Errorf("%d bytes, %v", n, err)
	}
	if n, err := blob.Download(ctx, x, &b, int64(len(data)-1)); n != 0 || err == nil || !strings.Contains(err.Error(), "at most") {
		t.Errorf("%d bytes of one that is too large, %v", n, err)
	}
	names, err := blob.Names(ctx, folder)
	if diff := cmp.Diff([]string{"below/x.bin"}, names); diff != "" || err != nil {
		t.Error(diff, err)
	}
}

func testNames(ctx context.Context, t *testing.T, folder string) {
	if names, err := blob.Names(ctx, folder); len(names) != 0 || err != nil {
		t.Errorf("names of no folder: %q, %v", names, err)
	}
	want := []string{".hidden", "_SUCCESS", "a/1", "a/2", "b"}
	for _, name := range want {
		put(ctx, t, blob.Join(folder, name), "x")
	}
	names, err := blob.Names(ctx, folder)
	slices.Sort(names)
	if diff := cmp.Diff(want, names); diff != "" || err != nil {
		t.Error(diff, err)
	}
	if err := blob.RemoveBelow(ctx, blob.Join(folder, "a"), []string{"../b"}); err == nil {
		t.Error("a name that leads out of the folder was removed")
	}
	if err := blob.RemoveBelow(ctx, folder, []string{"a/1", "b", "nowhere", "_SUCCESS", ".hidden"}); err != nil {
		t.Error(err)
	}
	if names, err = blob.Names(ctx, folder); !slices.Equal(names, []string{"a/2"}) || err != nil {
		t.Errorf("left: %q, %v", names, err)
	}
}

func testReads(ctx context.Context, t *testing.T, folder string) {
	x := blob.Join(folder, "x.bin")
	data := noise(3 << 20)
	if err := blob.Copy(ctx, x, bytes.NewReader(data), blob.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	in, err := blob.Stat(ctx, x)
	if err != nil || in.Size != int64(len(data)) {
		t.Fatalf("%+v, %v", in, err)
	}
	for _, offset := range []int64{0, 1, 2 << 20, in.Size} {
		r, err := blob.Open(ctx, in, offset)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(r)
		if err = errors.Join(err, r.Close()); err != nil || !bytes.Equal(got, data[offset:]) {
			t.Errorf("from %d: %d bytes, %v", offset, len(got), err)
		}
	}
	ranges, err := blob.OpenAt(ctx, in)
	if err != nil {
		t.Fatal(err)
	}
	defer ranges.Close()
	part := make([]byte, 70_000)
	if _, err := ranges.ReadAt(part, 1_000_000); err != nil || !bytes.Equal(part, data[1_000_000:1_070_000]) {
		t.Error("a range differs:", err)
	}
	if n, err := ranges.ReadAt(part, in.Size-10); n != 10 || err != io.EOF {
		t.Errorf("range over the end: %d, %v", n, err)
	}
	put(ctx, t, x, "another")
	r, err := blob.Open(ctx, in, 0)
	if err == nil {
		_, err = io.ReadAll(r)
		_ = r.Close()
	}
	if !errors.Is(err, blob.ErrChanged) {
		t.Errorf("reading what was replaced: %v", err)
	}
	if _, err := blob.Stat(ctx, blob.Join(folder, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("stat of nothing: %v", err)
	}
}

func testInputs(ctx context.Context, t *testing.T, folder string) {
	for _, name := range []string{"b.csv", "a.csv", "sub/c.csv", "_SUCCESS", ".hidden", "sub_$folder$", "_year=2026/d.csv"} {
		put(ctx, t, blob.Join(folder, name), "id\n")
	}
	for arg, want := range map[string][]string{
		"":      {"_year=2026/d.csv", "a.csv", "b.csv", "sub/c.csv"},
		"*.csv": {"a.csv", "b.csv"},
		"sub":   {"sub/c.csv"},
		"b.csv": {"b.csv"},
	} {
		found, err := blob.Expand(ctx, []string{blob.Join(folder, arg)})
		var names []string
		for _, in := range found {
			names = append(names, strings.TrimPrefix(filepath.ToSlash(in.Location), strings.TrimSuffix(filepath.ToSlash(folder), "/")+"/"))
		}
		if diff := cmp.Diff(want, names); diff != "" || err != nil {
			t.Errorf("%q: %s %v", arg, diff, err)
		}
	}
	if _, err := blob.Expand(ctx, []string{blob.Join(folder, "none*")}); err == nil {
		t.Error("a pattern that matches nothing is no error")
	}
}
