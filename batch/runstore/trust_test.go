//go:build unix

package runstore

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"pushbatch/batch"
	"pushbatch/batch/blob"
	"pushbatch/testdata/peak"
	"pushbatch/testdata/s3test"
)

// stoppedRun is the folder of a run that can be resumed.
func stoppedRun(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "run")
	f, err := Create(t.Context(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	err = errors.Join(f.WriteJSON(JobFile, "job"), f.SaveCheckpoint(&batch.Checkpoint{Mark: batch.Mark{"results.csv": 0}}), f.Close())
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// A folder that others can write is refused by whoever opens or looks at it, unless
// that is said to be meant.
func TestFolderOfOthers(t *testing.T) {
	t.Parallel()
	for _, mode := range []fs.FileMode{0o770, 0o707, 0o777} {
		path := stoppedRun(t)
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		for name, open := range map[string]func(Options) (*Folder, error){
			"create": func(o Options) (*Folder, error) { return Create(t.Context(), path, o) },
			"open":   func(o Options) (*Folder, error) { return Open(t.Context(), path, o) },
			"view":   func(o Options) (*Folder, error) { return View(t.Context(), path, o) },
		} {
			var untrusted *TrustError
			if _, err := open(Options{}); !errors.As(err, &untrusted) || !strings.Contains(err.Error(), "--trust-folder") {
				t.Errorf("%s, mode %v: %v", name, mode, err)
			}
			f, err := open(Options{Trust: true})
			if errors.As(err, &untrusted) {
				t.Errorf("%s, mode %v, trusted: %v", name, mode, err)
			}
			if err == nil {
				err = f.Close()
			}
			if err != nil && !errors.Is(err, ErrRunExists) {
				t.Error(err)
			}
		}
	}
	if os.Geteuid() != 0 {
		return // only root can give a folder away
	}
	path := stoppedRun(t)
	if err := os.Chown(path, 12345, -1); err != nil {
		t.Fatal(err)
	}
	if _, err := View(t.Context(), path, Options{}); err == nil || !strings.Contains(err.Error(), "belongs to user 12345") {
		t.Errorf("a folder of another user: %v", err)
	}
	path, link := stoppedRun(t), filepath.Join(t.TempDir(), "link")
	if err := errors.Join(os.Symlink(path, link), os.Lchown(link, 12345, -1)); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{link, link + "/"} {
		if _, err := View(t.Context(), name, Options{}); err == nil || !strings.Contains(err.Error(), "is a link of user 12345") {
			t.Errorf("a link of another user: %v", err)
		}
	}
	if err := os.Lchown(link, 0, -1); err != nil {
		t.Fatal(err)
	}
	f, err := View(t.Context(), link, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
}

// Files that were planted in a folder are not followed, not written, and wait for
// nobody.
func TestPlantedFiles(t *testing.T) {
	t.Parallel()
	victim := filepath.Join(t.TempDir(), "victim")
	for kind, plant := range map[string]func(path string) error{
		"link":          func(path string) error { return os.Symlink(victim, path) },
		"link inside":   func(path string) error { return os.Symlink("other", path) },
		"hard link":     func(path string) error { return os.Link(victim, path) },
		"pipe":          func(path string) error { return syscall.Mkfifo(path, 0o600) },
		"folder":        func(path string) error { return os.Mkdir(path, 0o700) },
		"dangling link": func(path string) error { return os.Symlink(victim+"-none", path) },
	} {
		for _, name := range []string{"results.csv" + PartSuffix, CheckpointFile, holderFile, lockFile} {
			path := stoppedRun(t)
			planted := filepath.Join(path, name)
			_ = os.Remove(planted)
			err := errors.Join(os.WriteFile(victim, []byte("precious"), 0o600), os.WriteFile(filepath.Join(path, "other"), nil, 0o600), plant(planted))
			if err != nil {
				t.Fatal(err)
			}
			f, err := Open(t.Context(), path, Options{Trust: true})
			if err == nil {
				_, err = f.LoadCheckpoint()
				a, failed := OpenAppend(f, "results.csv", 0)
				if failed == nil {
					failed = errors.Join(a.Grow(func(dst []byte) []byte { return append(dst, "row\n"...) }), a.Close())
				}
				err = errors.Join(err, failed, f.SaveCheckpoint(&batch.Checkpoint{}), f.Close())
			}
			if err == nil && name != holderFile { // that one is simply made anew
				t.Errorf("%s as %s was used", kind, name)
			}
			if data, _ := os.ReadFile(victim); string(data) != "precious" {
				t.Errorf("%s as %s: the file behind it is now %q", kind, name, data)
			}
			if _, err := os.Lstat(victim + "-none"); err == nil {
				t.Errorf("%s as %s: a file was made outside", kind, name)
			}
		}
	}
}

// A report that others could write before can be written by its owner only.
func TestModesOfOldReports(t *testing.T) {
	t.Parallel()
	path := stoppedRun(t)
	part := filepath.Join(path, "results.csv"+PartSuffix)
	if err := errors.Join(os.WriteFile(part, nil, 0o600), os.Chmod(part, 0o666)); err != nil {
		t.Fatal(err)
	}
	f, err := Open(t.Context(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	a, err := OpenAppend(f, "results.csv", 0)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Abandon()
	if info, err := os.Stat(part); err != nil || info.Mode().Perm()&0o022 != 0 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

// hostileNames lead out of a folder, or to what is no report of a run.
var hostileNames = []string{"../x", "../../etc/cron.d/x", "/etc/x", "a/b", `a\b`, "", ".", "..", JobFile, CheckpointFile, "x\x00y", "C:x", "known_hosts"}

// A checkpoint that names other files than reports is refused, on disk and in S3, and
// nothing is written, replaced or deleted.
func TestHostileCheckpoint(t *testing.T) {
	t.Parallel()
	for _, name := range hostileNames {
		path := stoppedRun(t)
		data, err := json.Marshal(map[string]any{"mark": map[string]int64{name: 3}})
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(path, CheckpointFile), data, 0o600); err != nil {
			t.Fatal(err)
		}
		f, err := View(t.Context(), path, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.LoadCheckpoint(); err == nil {
			t.Errorf("a checkpoint that names %q was taken", name)
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
	for name, point := range map[string]remotePoint{
		"a report outside":  {Checkpoint: &batch.Checkpoint{Mark: batch.Mark{"../../x": 3}}},
		"a report's name":   {Reports: map[string]*mirroredReport{"../x": {}}},
		"a segment outside": {Reports: map[string]*mirroredReport{"results.csv": {Segments: []segment{{Name: "../other/data", To: 4}}}}},
		"a segment of none": {Reports: map[string]*mirroredReport{"results.csv": {Segments: []segment{{Name: "job.json", To: 4}}}}},
		"a segment twice": {Reports: map[string]*mirroredReport{"results.csv": {Segments: []segment{
			{Name: segmentName("results.csv", 0, 4, "ABCDEFGHIJKL"), To: 4}, {Name: segmentName("results.csv", 0, 4, "ABCDEFGHIJKL"), From: 4, To: 8},
		}}}},
		"another's segment": {Reports: map[string]*mirroredReport{"results.csv": {Segments: []segment{{Name: segmentName("failed.csv", 0, 4, "ABCDEFGHIJKL"), To: 4}}}}},
		"a null":            {Reports: map[string]*mirroredReport{"results.csv": nil}},
		"a length below 0":  {Checkpoint: &batch.Checkpoint{Mark: batch.Mark{"results.csv": -1}}},
	} {
		server := new(s3test.Store).Serve(t)
		data, err := json.Marshal(point)
		if err != nil {
			t.Fatal(err)
		}
		server.Put(t, "run/"+JobFile, []byte(`{}`))
		server.Put(t, "run/"+CheckpointFile, data)
		server.Put(t, "other/data", []byte("precious"))
		before := server.Keys(t, "")
		f, err := Open(server.Context(t.Context(), blob.S3Options{}), "s3://bucket/run", Options{})
		if err == nil {
			t.Errorf("%s was taken", name)
			err = f.Close()
		}
		if after := server.Keys(t, ""); len(after) != len(before)+1 { // the lease
			t.Errorf("%s: %q became %q (%v)", name, before, after, err)
		}
	}
}

// FuzzCheckpoint: whatever stands in a checkpoint, loading it ends, and what it names
// are reports of a run.
func FuzzCheckpoint(f *testing.F) {
	for _, name := range hostileNames {
		data, _ := json.Marshal(map[string]any{"mark": map[string]int64{name: 3}})
		f.Add(data)
	}
	f.Add([]byte(`{"rows":1,"mark":{"results.csv":9}}`))
	f.Add([]byte(`{"rows":-1,"mark":{"results.csv":-9},"waiting":[{}]}`))
	f.Add([]byte(strings.Repeat("[", 1000)))
	f.Add([]byte(`{"waiting":` + strings.Repeat("[", 1<<20)))
	f.Add([]byte(`{"waiting":[` + strings.Repeat("{},", 1<<18) + `{}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		peak.AtMost(t, 512<<20)
		path := t.TempDir()
		if err := os.WriteFile(filepath.Join(path, CheckpointFile), data, 0o600); err != nil {
			t.Fatal(err)
		}
		folder, err := View(t.Context(), path, Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer folder.Close()
		c, err := folder.LoadCheckpoint()
		if err != nil || c == nil {
			return
		}
		for name, length := range c.Mark {
			if !isName(name) || length < 0 {
				t.Errorf("%q, %d bytes", name, length)
			}
		}
	})
}
