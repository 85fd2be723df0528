package batch_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pushbatch/batch"
)

func TestCellsComeBack(t *testing.T) {
	t.Parallel()
	rows := [][]batch.Value{
		{{}, batch.TextValue(""), batch.TextValue("Ana\n"), batch.BoolValue(true), batch.IntValue(-7)},
		{},
		{{Kind: batch.Timestamp, Text: "2026-01-01T00:00:00Z"}},
	}
	var data []byte
	for _, row := range rows {
		data = batch.AppendCells(data, row)
	}
	rest := string(data)
	for i, want := range rows {
		var got []batch.Value
		var err error
		if got, rest, err = batch.ReadCells(rest, got); err != nil || !cmp.Equal(append([]batch.Value{}, got...), want) {
			t.Fatalf("row %d: %v, %v", i, got, err)
		}
	}
	if rest != "" {
		t.Fatalf("%d bytes are left", len(rest))
	}
}

func TestCellsDamaged(t *testing.T) {
	t.Parallel()
	whole := batch.AppendCells(nil, []batch.Value{batch.TextValue("abc"), {}, batch.BoolValue(false)})
	for n := range whole {
		if _, _, err := batch.ReadCells(string(whole[:n]), nil); !errors.Is(err, batch.ErrCells) {
			t.Errorf("%d of %d bytes: %v", n, len(whole), err)
		}
	}
	if _, _, err := batch.ReadCells(string([]byte{1, 200, 0}), nil); !errors.Is(err, batch.ErrCells) {
		t.Errorf("unknown kind: %v", err)
	}
}

func FuzzReadCells(f *testing.F) {
	f.Add(batch.AppendCells(nil, []batch.Value{batch.TextValue("abc"), {}}))
	f.Add([]byte{0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, data []byte) {
		values, rest, err := batch.ReadCells(string(data), nil)
		if err != nil {
			return
		}
		again, _, err := batch.ReadCells(string(batch.AppendCells(nil, values)), nil)
		if err != nil || len(rest) > len(data) || !cmp.Equal(again, values) {
			t.Fatalf("%v became %v: %v", values, again, err)
		}
	})
}
