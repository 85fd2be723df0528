package readers

import (
	"bytes"
	"encoding/binary"
	"flag"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"pushbatch/batch"
	"pushbatch/testdata/readertest"
	"pushbatch/testdata/thorough"
)

// Few draws by themselves: flags of rapid are there before this.
var _ = flag.Set("rapid.checks", thorough.Of("40", "100"))

// csvFile draws a table and writes it in a dialect drawn with it.
type csvFile struct {
	delimiter, lineEnd string
	rows               [][]string
}

func drawCSV(t *rapid.T) csvFile {
	f := csvFile{
		delimiter: rapid.SampledFrom([]string{",", ";", "\t", "|"}).Draw(t, "delimiter"),
		lineEnd:   rapid.SampledFrom([]string{"\n", "\r\n", "\r"}).Draw(t, "line end"),
	}
	columns := rapid.IntRange(2, 6).Draw(t, "columns")
	cell := rapid.StringOf(rapid.SampledFrom([]rune("ab1 ,;\t|\"\r\nžđ李😀")))
	for range rapid.IntRange(0, 40).Draw(t, "rows") {
		f.rows = append(f.rows, rapid.SliceOfN(cell, columns, columns).Draw(t, "cells"))
	}
	header := strings.Split("alpha beta gamma delta epsilon zeta", " ")[:columns]
	f.rows = append([][]string{header}, f.rows...)
	return f
}

func (f csvFile) text(random *rand.Rand) string {
	var b strings.Builder
	for n, row := range f.rows {
		for i, cell := range row {
			if i > 0 {
				b.WriteString(f.delimiter)
			}
			if n > 0 && (random.IntN(4) == 0 || strings.ContainsAny(cell, ",;\t|\"\r\n") || cell == "" && len(row) == 1) {
				cell = `"` + strings.ReplaceAll(cell, `"`, `""`) + `"`
			}
			b.WriteString(cell)
		}
		b.WriteString(strings.Repeat(f.lineEnd, 1+random.IntN(20)/19))
	}
	return b.String()
}

// difference is that of cmp.Diff, which takes seconds for thousands of rows that are the same.
func difference(want, got []batch.Row) string {
	if reflect.DeepEqual(want, got) {
		return ""
	}
	return cmp.Diff(want, got)
}

// TestCSVProperty writes tables in every dialect and encoding and reads the
// same cells back, at once, from a stream in small pieces, and from every row
// on.
func TestCSVProperty(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		file := drawCSV(rt)
		seed := rapid.Uint64().Draw(rt, "seed")
		stored := file.text(rand.New(rand.NewPCG(seed, 0)))
		switch rapid.SampledFrom([]string{"utf-8", "bom", "utf-16le", "utf-16be", "gzip", "zstd"}).Draw(rt, "stored") {
		case "bom":
			stored = "\xef\xbb\xbf" + stored
		case "utf-16le":
			stored = utf16Text("\uFEFF"+stored, binary.LittleEndian)
		case "utf-16be":
			stored = utf16Text("\uFEFF"+stored, binary.BigEndian)
		case "gzip":
			stored = gzipped(t, stored[:len(stored)/2], stored[len(stored)/2:])
		case "zstd":
			stored = zstandard(t, stored)
		}
		source := openFile(t, write(t, "rows", stored), Options{})
		rows, err := readertest.ReadFrom(t.Context(), source, batch.Position{})
		if err != nil {
			rt.Fatal(err)
		}
		if diff := cmp.Diff(file.rows, table(source.Header(), rows)); diff != "" {
			rt.Fatalf("%s (-written +read):\n%s", Detected(source), diff)
		}
		for i := range thorough.Some(len(rows), 16) {
			rest, err := readertest.ReadFrom(t.Context(), source, rows[i].Next)
			if diff := difference(rows[i+1:], rest); err != nil || diff != "" && len(rest)+len(rows[i+1:]) > 0 {
				rt.Fatalf("behind row %d: %v\n%s", i+1, err, diff)
			}
		}
		stream := openStdin(t, iotest.OneByteReader(bytes.NewReader([]byte(stored))), Options{})
		pieces, err := readertest.ReadFrom(t.Context(), stream, batch.Position{})
		if diff := difference(rows, pieces); err != nil || diff != "" {
			rt.Fatalf("in pieces: %v\n%s", err, diff)
		}
	})
}
