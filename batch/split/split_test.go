package split_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"pushbatch/batch/split"
)

// Rows that share a key, directly or over other rows, are in one part; all rows
// have one; sizes are told right; and the same rows give the same parts.
func TestParts(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		rows := rapid.SliceOfN(rapid.SliceOfN(rapid.IntRange(0, 30), 0, 3), 0, 80).Draw(t, "rows")
		n := rapid.IntRange(1, 9).Draw(t, "parts")
		part, sizes := divide(t, folder, rows, n)
		if len(part) != len(rows) || len(sizes) != n {
			t.Fatalf("%d parts for %d rows, %d sizes", len(part), len(rows), len(sizes))
		}
		of := make(map[int]uint16) // key -> part
		counted := make([]int64, n)
		for i, keys := range rows {
			counted[part[i]]++
			for _, key := range keys {
				if other, seen := of[key]; seen && other != part[i] {
					t.Fatalf("key %d stands in parts %d and %d", key, other, part[i])
				}
				of[key] = part[i]
			}
		}
		if diff := cmp.Diff(counted, sizes); diff != "" {
			t.Fatal(diff)
		}
		again, _ := divide(t, folder, rows, n)
		if !slices.Equal(part, again) {
			t.Fatal("the same rows gave other parts")
		}
	})
}

func divide(t rapid.TB, folder string, rows [][]int, n int) ([]uint16, []int64) {
	g, err := split.New(folder)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := g.Close(); err != nil {
			t.Error(err)
		}
	}()
	for _, keys := range rows {
		names := make([]string, len(keys))
		for i, key := range keys {
			names[i] = fmt.Sprint(key)
		}
		if err := g.Add(names); err != nil {
			t.Fatal(err)
		}
	}
	part, sizes, err := g.Parts(n)
	if err != nil {
		t.Fatal(err)
	}
	return part, sizes
}

// Parts of unrelated rows differ by one row at most.
func TestPartsAreBalanced(t *testing.T) {
	t.Parallel()
	rows := make([][]int, 1000)
	for i := range rows {
		rows[i] = []int{i}
	}
	_, sizes := divide(t, t.TempDir(), rows, 7)
	if slices.Max(sizes)-slices.Min(sizes) > 1 {
		t.Errorf("sizes %v", sizes)
	}
}
