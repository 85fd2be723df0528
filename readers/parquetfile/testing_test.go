//go:build collections

package parquetfile

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pushbatch/batch"
	"pushbatch/testdata/peak"
)

// TestParquetTestingFiles compares, for every file below the folder that
// PARQUET_TESTING names, our values with DuckDB's: a checkout of
// apache/parquet-testing, or of any other collection. A file that DuckDB reads must
// give the same values, or be refused with a reason, which is logged; no file takes
// more memory than is promised. Built for .ci/parquet-testing only.
func TestParquetTestingFiles(t *testing.T) {
	t.Parallel()
	root := os.Getenv("PARQUET_TESTING")
	if root == "" {
		t.Fatal("PARQUET_TESTING names no folder of files")
	}
	files := 0
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && strings.HasSuffix(path, ".parquet") {
			files++
			t.Run(strings.TrimPrefix(path, root+"/"), func(t *testing.T) {
				t.Parallel()
				compareFile(t, path)
			})
		}
		return err
	})
	if err != nil || files == 0 {
		t.Fatalf("%d files: %v", files, err)
	}
}

// told is what DuckDB reads in a file.
type told struct {
	columns [][2]string // names and types
	rows    [][]*string
}

func askDuckDB(t *testing.T, path string) (told, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "node", filepath.Join("testdata", "generate", "tell.mjs"), path)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return told{}, fs.ErrInvalid
	}
	var all told
	lines := json.NewDecoder(bytes.NewReader(out))
	if err := lines.Decode(&all.columns); err != nil {
		t.Fatal(err)
	}
	for lines.More() {
		var row []*string
		if err := lines.Decode(&row); err != nil {
			t.Fatal(err)
		}
		all.rows = append(all.rows, row)
	}
	return all, nil
}

func compareFile(t *testing.T, path string) {
	t.Helper()
	peak.AtMost(t, 2*mostFuzzHeap) // two files at a time
	want, duckErr := askDuckDB(t, path)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	src, err := openReader(bytes.NewReader(data), int64(len(data)), nil)
	if err != nil {
		t.Logf("DuckDB: %v; refused: %v", duckErr, err)
		return
	}
	rows, failed := readDamaged(t, src)
	switch {
	case failed != nil:
		t.Logf("DuckDB: %v; refused after %d rows: %v", duckErr, len(rows), failed)
		return
	case duckErr != nil:
		t.Logf("DuckDB does not read it; we read %d rows", len(rows))
		return
	case len(rows) != len(want.rows) || len(src.Header()) != len(want.columns):
		t.Fatalf("%d rows of %d columns, want %d of %d", len(rows), len(src.Header()), len(want.rows), len(want.columns))
	}
	for c, column := range src.Header() {
		if column.Undecoded != "" {
			t.Logf("column %s is refused: %s", column.Name, column.Undecoded)
			continue
		}
		for i, row := range rows {
			if slices.ContainsFunc(row.Faults, func(p batch.Problem) bool { return p.Column == column.Name }) {
				t.Logf("row %d, column %s is refused: %v", i, column.Name, row.Err)
				continue
			}
			if diff := diffTold(row.Values[c], want.rows[i][c], want.columns[c][1]); diff != "" {
				t.Errorf("row %d, column %s (%s, DuckDB %s): %s", i, column.Name, column.Type, want.columns[c][1], diff)
				break
			}
		}
	}
}

func diffTold(got batch.Value, want *string, typ string) string {
	switch {
	case want == nil && got.Kind == batch.Null:
		return ""
	case want == nil || got.Kind == batch.Null && *want != "null":
		return "null on one side: " + got.String()
	case typ == "BLOB":
		digits := strings.ToUpper(got.Text)
		if *want != digits {
			digits = strings.ToUpper(hex.EncodeToString([]byte(got.Text)))
		}
		return cmp.Diff(*want, digits)
	}
	var a, b any = plain(got, spelledText), *want
	if typ == "JSON" || got.Kind == batch.List || got.Kind == batch.Object {
		d := json.NewDecoder(strings.NewReader(*want))
		d.UseNumber()
		if err := d.Decode(&b); err != nil {
			return err.Error()
		}
		b = spelled(b)
	} else {
		b = spelledText(*want)
	}
	return cmp.Diff(b, a)
}

func spelled(v any) any {
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = spelled(v[i])
		}
	case map[string]any:
		for name := range v {
			v[name] = spelled(v[name])
		}
	case json.Number:
		return spelledText(string(v))
	case string:
		return spelledText(v)
	case bool:
		return strconv.FormatBool(v)
	}
	return v
}

var (
	moment   = regexp.MustCompile(`^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(\.\d+)?(Z|\+00)?$`)
	fraction = regexp.MustCompile(`\.?0+$`)
)

// spelledText takes the differences out that are of form only: 1.0 and 1, a space
// or T before the time, zeros at the end of a fraction, the name of the zone.
func spelledText(s string) string {
	if m := moment.FindStringSubmatch(s); m != nil {
		return m[1] + " " + m[2] + fraction.ReplaceAllString(m[3], "")
	}
	if _, err := strconv.ParseInt(s, 10, 64); err == nil {
		return s
	}
	f, err := strconv.ParseFloat(s, 64)
	switch {
	case s == "-nan":
		return "NaN" // the sign of what is no number says nothing
	case err != nil:
		return s
	case len(s) < 18 || strings.ContainsAny(s, "eEnN"):
		return strconv.FormatFloat(f, 'f', -1, 64)
	case strings.Contains(s, "."):
		return fraction.ReplaceAllString(s, "")
	}
	return s
}
