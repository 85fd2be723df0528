package blob_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pushbatch/batch/blob"
)

// tree makes files with their path as content, and links "a -> b".
func tree(t *testing.T, paths ...string) string {
	t.Helper()
	root := t.TempDir()
	for _, path := range paths {
		link, target, isLink := strings.Cut(path, " -> ")
		full := filepath.Join(root, filepath.FromSlash(link))
		if err := os.MkdirAll(filepath.Dir(full), 0o700); err != nil {
			t.Fatal(err)
		}
		if isLink {
			if err := os.Symlink(filepath.FromSlash(target), full); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if err := os.WriteFile(full, []byte(path), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func TestExpand(t *testing.T) {
	t.Parallel()
	root := tree(t, "b.csv", "a.csv", "odd[1].csv", "d/2.csv", "d/10.csv", "d/_SUCCESS", "d/.crc", "d/.hidden/x.csv", "d/_temporary/x.csv", "d/sub/1.csv", "d/sub-a/1.csv",
		"_named.csv", "p/day=2026-01-02/x.csv", "p/day=2026-01-01/x.csv", "p/_k=1/x.csv", "only/_SUCCESS", "l/link.csv -> ../a.csv", "l/folder -> ../d/sub", "l/in.csv -> ../l/_kept/x.csv", "l/_kept/x.csv", "r/a.csv", "r/runs/1/job.json", "r/runs/1/checkpoint.json", "r/runs/1/results.csv", "r/jobs/job.json", "loop/x.csv", "loop/again -> ../loop")
	for _, tt := range []struct {
		name string
		args []string
		want []string
		fail string

		follow bool
	}{
		{name: "files in the order given", args: []string{"b.csv", "a.csv"}, want: []string{"b.csv", "a.csv"}},
		{name: "a glob in lexical order", args: []string{"*.csv"}, want: []string{"a.csv", "b.csv", "odd[1].csv"}},
		{name: "a glob that asks for markers", args: []string{"_*.csv"}, want: []string{"_named.csv"}},
		{name: "a name that looks like a glob", args: []string{"odd[1].csv"}, want: []string{"odd[1].csv"}},
		{name: "a folder in the order of an object store", args: []string{"d"}, want: []string{"d/10.csv", "d/2.csv", "d/sub-a/1.csv", "d/sub/1.csv"}},
		{name: "a glob of folders", args: []string{"d/s*"}, want: []string{"d/sub-a/1.csv", "d/sub/1.csv"}},
		{name: "a marker by its name", args: []string{"d/_SUCCESS"}, want: []string{"d/_SUCCESS"}},
		{name: "partitions", args: []string{"p/"}, want: []string{"p/_k=1/x.csv", "p/day=2026-01-01/x.csv", "p/day=2026-01-02/x.csv"}},
		{name: "runs in a folder", args: []string{"r"}, want: []string{"r/a.csv", "r/jobs/job.json"}},
		{name: "a run by its name", args: []string{"r/runs/1"}, want: []string{"r/runs/1/checkpoint.json", "r/runs/1/job.json", "r/runs/1/results.csv"}},
		{name: "links out of the folder", args: []string{"l"}, want: []string{"l/in.csv"}},
		{name: "links out of the folder, followed", args: []string{"l"}, follow: true, want: []string{"l/folder/1.csv", "l/in.csv", "l/link.csv"}},
		{name: "a link by its name", args: []string{"l/link.csv"}, want: []string{"l/link.csv"}},
		{name: "links that a glob matches", args: []string{"l/*.csv"}, want: []string{"l/in.csv"}},
		{name: "standard input among files", args: []string{"a.csv", "-", "b.csv"}, want: []string{"a.csv", "-", "b.csv"}},
		{name: "standard input twice", args: []string{"-", "-"}, fail: "named twice"},
		{name: "a file that is not there", args: []string{"none.csv"}, fail: "none.csv"},
		{name: "a glob without a match", args: []string{"a.csv", "*.parquet"}, fail: "*.parquet: the pattern matches nothing"},
		{name: "a broken glob", args: []string{"[a"}, fail: "[a"},
		{name: "a folder of markers", args: []string{"only"}, fail: "only: no input file"},
		{name: "a folder in itself", args: []string{"loop"}, fail: "contains itself"},
		{name: "a scheme of no store", args: []string{"ftp://host/x.csv"}, fail: "ftp://"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var args []string
			for _, arg := range tt.args {
				if arg != blob.Stdin && !strings.Contains(arg, "://") {
					arg = filepath.Join(root, filepath.FromSlash(arg))
				}
				args = append(args, arg)
			}
			inputs, err := blob.Expand(blob.WithLinks(t.Context(), tt.follow, nil), args)
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
			for _, in := range inputs {
				name := in.Location
				if name != blob.Stdin {
					name, _ = filepath.Rel(root, name)
					if in.Size < 0 || in.ModTime.IsZero() || !filepath.IsAbs(in.URI) {
						t.Errorf("%+v lacks size, time or URI", in)
					}
				}
				got = append(got, filepath.ToSlash(name))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestExpandCancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(t.Context())
	cause := errors.New("stopped by the test")
	cancel(cause)
	if _, err := blob.Expand(ctx, []string{tree(t, "a.csv")}); !errors.Is(err, cause) {
		t.Errorf("got %v, want the cause", err)
	}
}

func TestPartitions(t *testing.T) {
	t.Parallel()
	root := tree(t, "app=a%2Fb/day=__HIVE_DEFAULT_PARTITION__/=x/k=/bad=%zz/rows=1.csv")
	inputs, err := blob.Expand(t.Context(), []string{root})
	if err != nil {
		t.Fatal(err)
	}
	want := []blob.Partition{{Name: "app", Value: "a/b"}, {Name: "day", Null: true}, {Name: "k"}, {Name: "bad", Value: "%zz"}}
	if diff := cmp.Diff(want, inputs[0].Partitions); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestStat(t *testing.T) {
	t.Parallel()
	root := tree(t, "a.csv")
	in, err := blob.Stat(t.Context(), filepath.Join(root, "a.csv"))
	if err != nil || in.Size != int64(len("a.csv")) || !in.Rereadable() {
		t.Errorf("%+v, %v", in, err)
	}
	if _, err := blob.Stat(t.Context(), filepath.Join(root, "b.csv")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want ErrNotExist", err)
	}
	if _, err := blob.Stat(t.Context(), root); err == nil {
		t.Error("a folder is no input")
	}
	if _, err := blob.Stat(t.Context(), "x://y"); err == nil {
		t.Error("a scheme of no store was accepted")
	}
	in, err = blob.Stat(t.Context(), blob.Stdin)
	if err != nil || in.Size != -1 || in.Rereadable() {
		t.Errorf("standard input: %+v, %v", in, err)
	}
}

func TestOpen(t *testing.T) {
	t.Parallel()
	path := filepath.Join(tree(t, "a.csv"), "a.csv")
	in, err := blob.Stat(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	for offset := range in.Size + 1 {
		r, err := blob.Open(t.Context(), in, offset)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(r)
		if err != nil || string(got) != "a.csv"[offset:] {
			t.Errorf("from %d: %q, %v", offset, got, err)
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
	block := make([]byte, 3)
	if _, err := at.ReadAt(block, 2); err != nil || string(block) != "csv" {
		t.Errorf("range: %q, %v", block, err)
	}
}

func TestOpenErrors(t *testing.T) {
	t.Parallel()
	stdin := blob.Info{Location: blob.Stdin, Size: -1}
	if _, err := blob.Open(t.Context(), stdin, 1); err == nil {
		t.Error("standard input was entered in the middle")
	}
	if _, err := blob.OpenAt(t.Context(), stdin); err == nil {
		t.Error("standard input has no ranges")
	}
	for _, location := range []string{"x://y", filepath.Join(t.TempDir(), "none")} {
		if _, err := blob.Open(t.Context(), blob.Info{Location: location}, 0); err == nil {
			t.Errorf("open %s", location)
		}
		if _, err := blob.OpenAt(t.Context(), blob.Info{Location: location}); err == nil {
			t.Errorf("open ranges of %s", location)
		}
		if _, err := blob.Fingerprint(t.Context(), blob.Info{Location: location}); err == nil {
			t.Errorf("fingerprint %s", location)
		}
	}
}

// TestChanged changes a file at every moment; no reader takes it for complete.
func TestChanged(t *testing.T) {
	t.Parallel()
	const data = "0123456789"
	for name, change := range map[string]func(path string) error{
		"cut":      func(path string) error { return os.Truncate(path, 5) },
		"appended": func(path string) error { return os.Truncate(path, 20) },
		"touched":  func(path string) error { return os.Chtimes(path, time.Time{}, time.Unix(1, 0)) },
		"replaced": func(path string) error { return os.WriteFile(path, []byte("another text"), 0o600) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "rows")
			if err := os.WriteFile(path, []byte(data), 0o600); err != nil {
				t.Fatal(err)
			}
			in, err := blob.Stat(t.Context(), path)
			if err != nil {
				t.Fatal(err)
			}
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
			if _, err := io.ReadFull(r, make([]byte, 3)); err != nil {
				t.Fatal(err)
			}
			if err := change(path); err != nil {
				t.Fatal(err)
			}
			if _, err := io.ReadAll(r); !errors.Is(err, blob.ErrChanged) {
				t.Errorf("read on: %v", err)
			}
			if _, err := at.ReadAt(make([]byte, 2), 0); !errors.Is(err, blob.ErrChanged) {
				t.Errorf("read a range: %v", err)
			}
			if _, err := blob.Open(t.Context(), in, 0); !errors.Is(err, blob.ErrChanged) {
				t.Errorf("open again: %v", err)
			}
		})
	}
}

func TestFingerprint(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "rows")
	fingerprint := func(data []byte) string {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		in, err := blob.Stat(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		sum, err := blob.Fingerprint(t.Context(), in)
		if err != nil || len(sum) != 64 {
			t.Fatalf("fingerprint %q: %v", sum, err)
		}
		return sum
	}
	seen := make(map[string]string)
	for _, size := range []int{0, 1, 100, 1 << 20} {
		data := make([]byte, size)
		for _, at := range []int{-1, 0, size / 3, size / 2, size - 1} {
			if at >= 0 && at < size {
				data[at]++
			}
			sum, what := fingerprint(data), fmt.Sprintf("%d bytes changed up to %d", size, at)
			if at >= size || size == 0 {
				continue
			}
			if before, ok := seen[sum]; ok {
				t.Errorf("%s and %s have the same fingerprint", before, what)
			}
			seen[sum] = what
			if again := fingerprint(data); again != sum {
				t.Errorf("%s: the fingerprint of the same bytes differs", what)
			}
		}
	}
	large := make([]byte, 17<<20)
	sums := map[string]bool{fingerprint(large): true}
	for _, at := range []int{0, len(large) / 63 * 5, len(large) - 1} {
		large[at]++
		sums[fingerprint(large)] = true
	}
	if len(sums) != 4 {
		t.Errorf("%d fingerprints of 4 large files", len(sums))
	}
	if sum, err := blob.Fingerprint(t.Context(), blob.Info{Location: blob.Stdin, Size: -1}); sum != "" || err != nil {
		t.Errorf("standard input: %q, %v", sum, err)
	}
}

// A record on a disk that is gone is not begun anew on the disk below it: who writes
// over what was read makes no folder.
func TestPutOverMakesNoFolder(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "mounted")
	path := filepath.Join(folder, "record.json")
	version, err := blob.Put(t.Context(), path, []byte("1"), blob.Absent)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(folder, folder+".away"); err != nil {
		t.Fatal(err)
	}
	if _, err := blob.Put(t.Context(), path, []byte("2"), version); !errors.Is(err, blob.ErrConflict) {
		t.Errorf("error %v, want a conflict", err)
	}
	if _, err := os.Stat(folder); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the folder is there: %v", err)
	}
}
