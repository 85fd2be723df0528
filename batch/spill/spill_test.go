package spill_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"pushbatch/batch/spill"
)

func keyOf(name string) spill.Key {
	sum := sha256.Sum256([]byte(name))
	return spill.Key(sum[:spill.KeySize])
}

// Every record comes back once, in its bucket, after the earlier ones of its key.
func TestRecordsComeBackInOrder(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		b, err := spill.New(folder, rapid.IntRange(1, 40).Draw(t, "buckets"))
		if err != nil {
			t.Fatal(err)
		}
		defer b.Close()
		want := make(map[spill.Key][][]byte)
		for range rapid.IntRange(0, 300).Draw(t, "records") {
			key := keyOf(fmt.Sprint(rapid.IntRange(0, 60).Draw(t, "key")))
			data := rapid.SliceOfN(rapid.Byte(), 0, 900).Draw(t, "data")
			if err := b.Add(key, data); err != nil {
				t.Fatal(err)
			}
			want[key] = append(want[key], data)
		}
		got := make(map[spill.Key][][]byte)
		n, last := 0, spill.Key{}
		for records, err := range b.All() {
			if err != nil {
				t.Fatal(err)
			}
			first := true
			for _, r := range records {
				if b.Bucket(r.Key) != n {
					t.Fatalf("a record of bucket %d stands in %d", b.Bucket(r.Key), n)
				}
				if first && bytes.Compare(last[:4], r.Key[:4]) > 0 {
					t.Fatal("buckets do not follow the order of keys")
				}
				got[r.Key] = append(got[r.Key], append([]byte{}, r.Data...))
				first, last = false, r.Key
			}
			n++
		}
		if diff := cmp.Diff(want, got, cmp.Comparer(bytes.Equal)); diff != "" {
			t.Fatal(diff)
		}
	})
	left, err := os.ReadDir(folder)
	if err != nil || len(left) > 0 {
		t.Fatalf("files are left: %v, %v", left, err)
	}
}

func TestRecordTooLarge(t *testing.T) {
	t.Parallel()
	b, err := spill.New(t.TempDir(), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if err := b.Add(spill.Key{}, make([]byte, spill.MaxRecord+1)); !errors.Is(err, spill.ErrTooLarge) {
		t.Fatalf("got %v", err)
	}
}

func BenchmarkSpill(b *testing.B) {
	buckets, err := spill.New(b.TempDir(), 0)
	if err != nil {
		b.Fatal(err)
	}
	defer buckets.Close()
	data := make([]byte, 64)
	for n := range b.N {
		binary.LittleEndian.PutUint64(data, uint64(n))
		sum := sha256.Sum256(data)
		if err := buckets.Add(spill.Key(sum[:16]), data); err != nil {
			b.Fatal(err)
		}
	}
}
