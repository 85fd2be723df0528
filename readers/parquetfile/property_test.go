package parquetfile

import (
	"bytes"
	"encoding/binary"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/encoding/delta"
	"github.com/parquet-go/parquet-go/encoding/rle"
	"pgregory.net/rapid"

	"pushbatch/batch"
)

// TestParquetAnyRows writes random rows in random ways and reads them from
// random positions.
func TestParquetAnyRows(t *testing.T) {
	t.Parallel()
	words := rapid.SampledFrom([]string{"", "a", "žarko", "longer than most words"})
	numbers := rapid.Ptr(rapid.Int64(), true)
	rows := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) person {
		return person{
			ID: rapid.String().Draw(t, "id"), Score: numbers.Draw(t, "score"),
			Deep: rapid.SliceOfN(rapid.Custom(func(t *rapid.T) inner {
				return inner{Words: rapid.SliceOfN(words, 0, 4).Draw(t, "words"), N: numbers.Draw(t, "n")}
			}), 0, 4).Draw(t, "deep"),
			Tags:  rapid.SliceOfN(words, 0, 4).Draw(t, "tags"),
			Notes: rapid.OneOf(rapid.SliceOfN(words, 0, 4), rapid.SliceOfN(words, 253, 259)).Draw(t, "notes"),
			Marks: rapid.OneOf(rapid.Just([]*int64(nil)), rapid.SliceOfN(numbers, 0, 4)).Draw(t, "marks"),
		}
	}), 1, 60)
	rapid.Check(t, func(r *rapid.T) {
		people := rows.Draw(r, "rows")
		data := writeParquet(t, people,
			parquet.DataPageVersion(rapid.IntRange(1, 2).Draw(r, "version")),
			parquet.PageBufferSize(rapid.IntRange(16, 2000).Draw(r, "page")),
			parquet.MaxRowsPerRowGroup(int64(rapid.IntRange(1, 60).Draw(r, "group"))))
		src := openParquetBytes(t, data)
		from := rapid.IntRange(0, len(people)).Draw(r, "from")
		n := from
		for row, err := range src.Rows(t.Context(), batch.Position{Row: int64(from)}) {
			if err != nil {
				r.Fatal(err)
			}
			if diff := cmp.Diff(people[n].values(), row.Values); diff != "" {
				r.Fatalf("row %d: %s", n, diff)
			}
			n++
		}
		if n != len(people) {
			r.Fatalf("rows %d to %d, want %d", from, n, len(people))
		}
	})
}

type person struct {
	ID    string   `parquet:"id"`
	Score *int64   `parquet:"score,optional"`
	Deep  []inner  `parquet:"deep,list"`
	Tags  []string `parquet:"tags,list,dict"`
	Notes []string `parquet:"notes"`
	Marks []*int64 `parquet:"marks,list,optional"`
}

func (p *person) values() []batch.Value {
	deep := listOf()
	for _, d := range p.Deep {
		deep.Nested.Values = append(deep.Nested.Values, d.value())
	}
	marks := listOfEach(p.Marks, optionalInt)
	if p.Marks == nil {
		marks = batch.Value{}
	}
	return []batch.Value{
		batch.TextValue(p.ID), optionalInt(p.Score), deep,
		listOfEach(p.Tags, batch.TextValue), listOfEach(p.Notes, batch.TextValue), marks,
	}
}

type inner struct {
	Words []string `parquet:"words"`
	N     *int64   `parquet:"n,optional"`
}

func (d *inner) value() batch.Value {
	return objectOf("words", listOfEach(d.Words, batch.TextValue), "n", optionalInt(d.N))
}

func listOfEach[T any](elements []T, value func(T) batch.Value) batch.Value {
	list := listOf()
	for _, e := range elements {
		list.Nested.Values = append(list.Nested.Values, value(e))
	}
	return list
}

func optionalInt(n *int64) batch.Value {
	if n == nil {
		return batch.Value{}
	}
	return batch.IntValue(*n)
}

func decodeDelta(src []byte, n int) (values []int64, rest []byte, err error) {
	d, err := newDeltaReader(src)
	if err != nil {
		return nil, nil, err
	}
	if rest, err = d.rest(); err != nil {
		return nil, nil, err
	}
	for range n {
		v, err := d.next()
		if err != nil {
			return values, rest, err
		}
		values = append(values, v)
	}
	return values, rest, nil
}

func decodeHybrid(dst []uint8, src []byte, width uint) error {
	r := newRunReader(src, width)
	for i := range dst {
		v, err := r.next()
		if err != nil {
			return err
		}
		dst[i] = uint8(v)
	}
	return nil
}

// TestParquetBits checks our decoders against parquet-go's encoders.
func TestParquetBits(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		values := rapid.SliceOfN(rapid.OneOf(rapid.Int64(), rapid.Int64Range(-9, 9), rapid.Just(int64(math.MinInt64))), 0, 700).Draw(r, "values")
		packed, err := new(delta.BinaryPackedEncoding).EncodeInt64(nil, values)
		if err != nil {
			r.Fatal(err)
		}
		got, rest, err := decodeDelta(append(packed, "rest"...), len(values))
		if err != nil || string(rest) != "rest" || len(got) != len(values) || cmp.Diff(append([]int64{}, values...), append([]int64{}, got...)) != "" {
			r.Fatalf("delta: %v, rest %q, %v", got, rest, err)
		}
	})
	rapid.Check(t, func(r *rapid.T) {
		width := rapid.IntRange(1, 8).Draw(r, "width")
		levels := rapid.SliceOfN(rapid.Uint8Range(0, 1<<width-1), 0, 300).Draw(r, "levels")
		packed, err := (&rle.Encoding{BitWidth: width}).EncodeLevels(nil, levels)
		if err != nil {
			r.Fatal(err)
		}
		got := make([]uint8, len(levels))
		if err := decodeHybrid(got, packed, uint(width)); err != nil || !bytes.Equal(got, levels) {
			r.Fatalf("hybrid: %v, %v", got, err)
		}
	})
}

func TestParquetBitsRefused(t *testing.T) {
	t.Parallel()
	hybrids := map[string][]byte{
		"nothing":            {},
		"run of no length":   {0},
		"run without value":  {8},
		"packed without end": {3, 1},
		"packed of nothing":  {1, 1},
		"varint without end": {0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80},
	}
	for name, src := range hybrids {
		if err := decodeHybrid(make([]uint8, 20), src, 8); err == nil {
			t.Errorf("hybrid, %s: no error", name)
		}
	}
	head := func(head ...uint64) (b []byte) {
		for _, v := range head {
			b = binary.AppendUvarint(b, v)
		}
		return b
	}
	for name, src := range map[string][]byte{
		"nothing":               {},
		"no block":              head(0, 4, 3, 0),
		"huge block":            head(1<<40, 4, 3, 0),
		"no miniblock":          head(128, 0, 3, 0),
		"odd miniblocks":        head(128, 3, 3, 0),
		"more values than rows": head(128, 4, 1<<40, 0),
		"no widths":             head(128, 4, 3, 0, 0),
		"width of 65":           append(head(128, 4, 3, 0, 0), 65, 0, 0, 0),
		"no values":             append(head(128, 4, 3, 0, 0), 8, 0, 0, 0),
	} {
		if _, _, err := decodeDelta(src, 20); err == nil {
			t.Errorf("delta, %s: no error", name)
		}
	}
}

// TestParquetDates has the first and the last day of ten thousand years.
func TestParquetDates(t *testing.T) {
	t.Parallel()
	for day, want := range map[int32]string{-719528: "0000-01-01", -1: "1969-12-31", 11016: "2000-02-29", 2932896: "9999-12-31"} {
		raw := binary.LittleEndian.AppendUint32(nil, uint32(day))
		if got, fault := dayText(raw); fault != noFault || got != want {
			t.Errorf("day %d: %s, want %s", day, got, want)
		}
	}
	for _, day := range []int32{-719529, 2932897} {
		if _, fault := dayText(binary.LittleEndian.AppendUint32(nil, uint32(day))); fault != faultRange {
			t.Errorf("day %d has a date", day)
		}
	}
}
