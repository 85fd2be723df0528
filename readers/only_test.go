package readers

import (
	"context"
	"errors"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pushbatch/batch"
	"pushbatch/batch/blob"
)

func openOnly(t *testing.T, wanted ...int64) batch.Source {
	t.Helper()
	return Only(openText(t, "id\na\nb\nc\nd\ne\n"), func(context.Context) iter.Seq2[int64, error] {
		return func(yield func(int64, error) bool) {
			for _, n := range wanted {
				if n < 0 {
					yield(0, errBroken)
					return
				}
				if !yield(n, nil) {
					return
				}
			}
		}
	})
}

var errBroken = errors.New("the list is broken")

func openText(t *testing.T, text string) batch.Source {
	t.Helper()
	path := filepath.Join(t.TempDir(), "in.csv")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	info, err := blob.Stat(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	source, err := Open(t.Context(), info, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = source.Close() })
	return source
}

func TestOnly(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		wanted []int64
		want   string
		err    string
	}{
		{"none", nil, "", ""},
		{"first and last", []int64{1, 5}, "a e", ""},
		{"all", []int64{1, 2, 3, 4, 5}, "a b c d e", ""},
		{"behind the end", []int64{2, 9}, "b", "row 9 is not there any more"},
		{"broken list", []int64{2, -1}, "b", "the list is broken"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, failed := readCells(t, openOnly(t, test.wanted...), batch.Position{})
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
			if (failed == nil) != (test.err == "") || failed != nil && !strings.Contains(failed.Error(), test.err) {
				t.Errorf("error %v, want %q", failed, test.err)
			}
		})
	}
}

// Going on after any row gives what was left.
func TestOnlyResumes(t *testing.T) {
	t.Parallel()
	source := openOnly(t, 1, 3, 4)
	for row, err := range source.Rows(t.Context(), batch.Position{}) {
		if err != nil {
			t.Fatal(err)
		}
		got, err := readCells(t, source, row.Next)
		if err != nil {
			t.Fatal(err)
		}
		want := map[int64]string{1: "c d", 3: "d", 4: ""}[row.SourceNum()]
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("behind row %d: %s", row.SourceNum(), diff)
		}
	}
}

func readCells(t *testing.T, source batch.Source, from batch.Position) (string, error) {
	t.Helper()
	var cells []string
	for row, err := range source.Rows(t.Context(), from) {
		if err != nil {
			return strings.Join(cells, " "), err
		}
		cells = append(cells, row.Values[0].Text)
	}
	return strings.Join(cells, " "), nil
}
