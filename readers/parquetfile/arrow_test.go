package parquetfile

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pushbatch/batch"
)

// TestParquetFromArrow compares every value of files that Apache Arrow wrote with what
// Arrow's own reader finds in them (.ci/arrow makes both). What stands after an @ in a
// file's name is how its rows are stored; the rows are those of the JSON before it.
func TestParquetFromArrow(t *testing.T) {
	t.Parallel()
	files := arrowFiles(t)
	for _, file := range files {
		base := strings.TrimSuffix(filepath.Base(file), ".parquet")
		t.Run(base, func(t *testing.T) {
			t.Parallel()
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if strings.HasPrefix(base, "encrypted") {
				if _, err := openReader(bytes.NewReader(data), int64(len(data)), nil); err == nil || !strings.Contains(err.Error(), "is encrypted") {
					t.Fatalf("refused as %v", err)
				}
				return
			}
			rows, _, _ := strings.Cut(base, "@")
			want := arrowTold(t, rows)
			src := openParquetBytes(t, data)
			var columns []string
			for _, c := range src.Header() {
				if columns = append(columns, c.Name); strings.Contains(c.Undecoded, "VARIANT") != (base == "variants") {
					t.Errorf("column %s: %s", c.Name, c.Undecoded)
				}
			}
			if base == "variants" { // which are refused, not decoded
				return
			}
			if diff := cmp.Diff(want.Columns, columns); diff != "" {
				t.Fatal(diff)
			}
			got := allRows(t, src, 0)
			if len(got) != len(want.Rows) {
				t.Fatalf("%d rows, want %d", len(got), len(want.Rows))
			}
			for i, row := range got {
				if row.Err != nil {
					t.Fatalf("row %d: %v", i, row.Err)
				}
				for c, v := range row.Values {
					if told, ok := want.Rows[i][c].(string); ok && base == "int96" {
						want.Rows[i][c] = strings.TrimSuffix(told, "Z") // the format says nothing of a zone
					}
					if diff := cmp.Diff(want.Rows[i][c], plain(v, strings.Clone)); diff != "" {
						t.Errorf("row %d, column %s (%s, -Arrow +ours):\n%s", i, columns[c], src.Header()[c].Type, diff)
					}
				}
			}
			for from := 0; from < len(got); from += 20 {
				if diff := cmp.Diff(got[from:], allRows(t, openParquetBytes(t, data), int64(from))); diff != "" {
					t.Fatalf("from row %d on:\n%s", from, diff)
				}
			}
		})
	}
}

func arrowFiles(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", "arrow", "*.parquet"))
	if err != nil || len(files) < 25 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	return files
}

// arrowRows is what Arrow reader finds in a file: texts, null, lists and objects.
type arrowRows struct {
	Columns []string
	Rows    [][]any
}

func arrowTold(t *testing.T, name string) (told arrowRows) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "arrow", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &told); err != nil {
		t.Fatal(err)
	}
	return told
}

// plain is a value as JSON is decoded: null, lists, objects, and texts as spell has them.
func plain(v batch.Value, spell func(string) string) any {
	switch v.Kind {
	case batch.Null:
		return nil
	case batch.List:
		list := make([]any, len(v.Nested.Values))
		for i, e := range v.Nested.Values {
			list[i] = plain(e, spell)
		}
		return list
	case batch.Object:
		object := make(map[string]any)
		for i, e := range v.Nested.Values {
			object[v.Nested.Names[i]] = plain(e, spell)
		}
		return object
	}
	return spell(v.Text)
}
