package inventory_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pushbatch/batch"
	"pushbatch/batch/blob"
	"pushbatch/testdata/s3test"
	"pushbatch/writers/inventory"
)

// namesBelow lists every file of a folder.
func namesBelow(ctx context.Context, t *testing.T, folder string) []string {
	t.Helper()
	names, err := blob.Names(ctx, folder)
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(names)
	return names
}

// A table of fewer files takes the place of one of more: readers of the folder
// never find files of both. The same in S3.
func TestInventoryReplacesTable(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t)
	for name, place := range map[string]struct {
		ctx    context.Context
		folder string
	}{
		"disk": {t.Context(), filepath.Join(t.TempDir(), "tables", "devices")},
		"S3":   {server.Context(t.Context(), blob.S3Options{}), server.Location("tables/devices")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run := func(lines int, partition string) {
				o := inventoryOptions(t, place.folder+".ndjson")
				o.SplitRows, o.PartitionBy = 4, partition
				if err := inventory.CheckTarget(place.ctx, o); err != nil {
					t.Fatal(err)
				}
				if _, err := inventory.Publish(place.ctx, gather(t, lines, inventoryLine), filepath.Join(t.TempDir(), "stage"), o); err != nil {
					t.Fatal(err)
				}
			}
			run(11, "")
			run(5, "is_primary")
			run(3, "")
			want := []string{"_manifest.json", "part-00001.ndjson"}
			if diff := cmp.Diff(want, namesBelow(place.ctx, t, place.folder)); diff != "" {
				t.Error(diff)
			}
			if left, err := filepath.Glob(filepath.Join(place.folder, "is_primary=*")); err != nil || len(left) > 0 {
				t.Errorf("empty folders are left: %v, %v", left, err)
			}
		})
	}
}

// Files that are no part of a table of ours are refused before a run begins,
// markers and hidden files are not.
func TestInventoryTargetRefused(t *testing.T) {
	t.Parallel()
	put := func(path string) {
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte("{}"), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	dir := t.TempDir()
	put(filepath.Join(dir, "alien", "os=iOS", "part-00001.csv"))
	put(filepath.Join(dir, "marked", "_SUCCESS"))
	put(filepath.Join(dir, "marked", ".hidden", "x.csv"))
	put(filepath.Join(dir, "file"))
	put(filepath.Join(dir, "taken.csv", "x"))
	for _, c := range []struct {
		to, want string
		split    int64
	}{
		{"alien.csv", "os=iOS/part-00001.csv", 1},
		{"alien.csv", "", 0},
		{"marked.csv", "", 1},
		{"new/deep.csv", "", 1},
		{"file.csv", "it is a file", 1},
		{"taken.csv", "it is a folder", 0},
		{"file/d.csv", "not a directory", 0},
	} {
		o := inventoryOptions(t, filepath.Join(dir, c.to))
		o.SplitRows = c.split
		err := inventory.CheckTarget(t.Context(), o)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q", c.to, err, c.want)
		}
	}
	o := inventoryOptions(t, filepath.Join(dir, "many.csv"))
	o.SplitRows = 5
	publish(t, gather(t, 20, inventoryLine), o)
	err := inventory.CheckTarget(t.Context(), inventoryOptions(t, filepath.Join(dir, "many", "one.csv")))
	if err == nil || !strings.Contains(err.Error(), "the folder of a table of 4 files") {
		t.Errorf("one file among many: %v", err)
	}
}

// An exchange of tables that ended in the middle is known as one: no manifest
// says that the folder is whole, and the next publication takes all of it away.
func TestInventoryReplacementInterrupted(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "devices")
	options := func() *inventory.Options {
		o := inventoryOptions(t, folder+".csv")
		o.SplitRows = 10
		return o
	}
	publish(t, gather(t, 50, inventoryLine), options())
	second := gather(t, 35, inventoryLine)
	obstacle := filepath.Join(folder, "part-00002.csv", "x") // a folder: no file can take its name
	if err := errors.Join(os.Remove(filepath.Dir(obstacle)), os.MkdirAll(obstacle, 0o700)); err != nil {
		t.Fatal(err)
	}
	if _, err := inventory.Publish(t.Context(), second, filepath.Join(t.TempDir(), "stage"), options()); err == nil {
		t.Fatal("it was published")
	}
	want := []string{"_publishing.json", "part-00001.csv", "part-00003.csv", "part-00004.csv"}
	if diff := cmp.Diff(want, namesBelow(t.Context(), t, folder)); diff != "" {
		t.Fatal(diff)
	}
	if err := os.RemoveAll(filepath.Dir(obstacle)); err != nil {
		t.Fatal(err)
	}
	if err := inventory.CheckTarget(t.Context(), options()); err != nil {
		t.Fatal(err)
	}
	publish(t, gather(t, 8, inventoryLine), options())
	want = []string{"_manifest.json", "part-00001.csv"}
	if diff := cmp.Diff(want, namesBelow(t.Context(), t, folder)); diff != "" {
		t.Fatal(diff)
	}
}

// A manifest that names files elsewhere, or files that are none of ours, has
// none of them removed.
func TestInventoryForgedManifest(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	kept := []string{filepath.Join(dir, "part-00001.csv"), filepath.Join(dir, "devices", "notes.txt")}
	for _, path := range kept {
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte("x"), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	forged := `{"files":[{"path":"../part-00001.csv"},{"path":"notes.txt"},{"path":"a=../part-00001.csv"},{"path":"/part-00001.csv"}]}`
	if err := os.WriteFile(filepath.Join(dir, "devices", inventory.ManifestFile), []byte(forged), 0o600); err != nil {
		t.Fatal(err)
	}
	o := inventoryOptions(t, filepath.Join(dir, "devices.csv"))
	o.SplitRows = 10
	publish(t, gather(t, 5, inventoryLine), o)
	for _, path := range kept {
		if _, err := os.Stat(path); err != nil {
			t.Error(err)
		}
	}
}

// Values become folder names that Hive, Spark and DuckDB read back; a missing
// value has its own.
func TestInventoryPartitionNames(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("Željka's phone ", 40) // longer than a name can be in a file system
	values := []string{"", long + "1", long + "2", "a/b", "50% = half", "..", "Čuić", "x y", "a\\b", "a:b*?"}
	place := 16 // os_language
	folder := gather(t, len(values), func(n int) []batch.Value {
		cells := inventoryLine(0)
		cells[0] = batch.TextValue("device-" + string(rune('a'+n)))
		cells[place] = batch.Value{}
		if values[n] != "" {
			cells[place] = batch.TextValue(values[n])
		}
		return cells
	})
	dir := filepath.Join(t.TempDir(), "d")
	o := inventoryOptions(t, dir+".csv")
	o.PartitionBy = o.All[place].Name
	publish(t, folder, o)
	found, err := blob.Expand(t.Context(), []string{dir})
	if err != nil || len(found) != len(values) {
		t.Fatal(len(found), err)
	}
	var got []string
	cutOff := 0
	for _, f := range found {
		p := f.Partitions[len(f.Partitions)-1]
		if p.Name != "os_language" || p.Null != (p.Value == "") {
			t.Errorf("%+v", p)
		}
		if strings.HasPrefix(p.Value, long[:20]) { // cut, and told apart by a hash
			cutOff++
			continue
		}
		got = append(got, p.Value)
	}
	if cutOff != 2 {
		t.Errorf("%d folders of long names", cutOff)
	}
	values = slices.DeleteFunc(values, func(v string) bool { return len(v) > 200 })
	slices.Sort(got)
	slices.Sort(values)
	if diff := cmp.Diff(values, got); diff != "" {
		t.Error(diff)
	}
}

// Values of the platform stand in CSV as they are, also what a spreadsheet would
// take for a formula: a table is data, and goes back as INPUT.
func TestInventoryKeepsFormulas(t *testing.T) {
	t.Parallel()
	values := []string{"=1+1", "+385", "-2", "@x", "=HYPERLINK(\"x\",\"y\")", "\ttab"}
	place := 18 // device_name
	folder := gather(t, len(values), func(n int) []batch.Value {
		cells := inventoryLine(0)
		cells[place] = batch.TextValue(values[n])
		return cells
	})
	o := inventoryOptions(t, filepath.Join(t.TempDir(), "d.csv"))
	o.Columns = o.All[place : place+1]
	publish(t, folder, o)
	lines := texts(t, o.Target.Location)
	for i, want := range values {
		if lines[i] != "device_name="+want {
			t.Errorf("%q became %q", want, lines[i])
		}
	}
	o.Safe = true
	publish(t, folder, o)
	for i, line := range texts(t, o.Target.Location) {
		if line != "device_name='"+values[i] {
			t.Errorf("%q became %q, which a spreadsheet takes for a formula", values[i], line)
		}
	}
}

// A process dies while it renders a table that is to take the place of another:
// until the end the old one is whole; then the new one is, and nothing else is in
// the folder.
func TestInventoryDiesWhileRendering(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "devices")
	options := func(split int64) *inventory.Options {
		o := inventoryOptions(t, folder+".csv.zst")
		o.SplitRows, o.Tag = split, "run"
		return o
	}
	publish(t, gather(t, 1500, inventoryLine), options(100))
	old := wholeTable(t, folder)
	second := gather(t, 3000, inventoryLine)
	for _, after := range []int64{1000, 2000} { // rows
		func() {
			defer func() { _ = recover() }()
			o := options(200)
			o.Progress = func(_, rendered, _ int64) {
				if rendered >= after {
					panic("died") // nothing is cleaned up after it
				}
			}
			_, err := inventory.Publish(t.Context(), second, second+".stage", o)
			t.Error("it was published", err)
		}()
		if now := wholeTable(t, folder); !slices.Equal(now, old) {
			t.Fatal("the old table is not as it was")
		}
	}
	m := publish(t, second, options(200))
	files := wholeTable(t, folder)
	left, err := os.ReadDir(folder)
	if err != nil || len(left) != len(files)+1 || len(files) != 15 || m.Rows != 3000 || *m.Before != 1500 {
		t.Fatalf("%d files in the folder, %d of the table, %d rows: %v", len(left), len(files), m.Rows, err)
	}
}

// wholeTable returns the files of a table after it has made sure that all are
// what the manifest says.
func wholeTable(t *testing.T, folder string) (names []string) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(folder, inventory.ManifestFile))
	if err != nil {
		t.Fatal(err)
	}
	var m inventory.Manifest
	if err := json.Unmarshal(data, &m); err != nil || len(m.Files) == 0 {
		t.Fatalf("%d files: %v", len(m.Files), err)
	}
	for _, f := range m.Files {
		data, err := os.ReadFile(filepath.Join(folder, f.Path))
		if err != nil || int64(len(data)) != f.Bytes || fmt.Sprintf("%x", sha256.Sum256(data)) != f.SHA256 {
			t.Fatalf("%s is not what the manifest says: %d bytes, %v", f.Path, len(data), err)
		}
		names = append(names, f.Path)
	}
	return names
}
