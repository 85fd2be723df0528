package inventory

import (
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"pushbatch/writers/table"
)

// format is one line of the table of formats.
type format struct {
	ending string
	open   func(to io.Writer, columns []table.Column, safe bool) (table.Writer, error)
	packs  bool // may be compressed as a whole; Parquet compresses within
}

func formats() []format {
	return []format{
		{".csv", func(to io.Writer, columns []table.Column, safe bool) (table.Writer, error) {
			return table.NewLines(to, table.CSV(columns, safe))
		}, true},
		{".ndjson", func(to io.Writer, columns []table.Column, _ bool) (table.Writer, error) {
			return table.NewLines(to, table.NDJSON(columns))
		}, true},
		{".parquet", func(to io.Writer, columns []table.Column, _ bool) (table.Writer, error) {
			return table.NewParquet(to, columns)
		}, false},
	}
}

// packing is a compression that a file's ending names.
type packing struct {
	ending string
	open   func(io.Writer) (io.WriteCloser, error)
}

func packings() []packing {
	return []packing{
		{".gz", func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriter(w), nil }},
		{".zst", func(w io.Writer) (io.WriteCloser, error) {
			return zstd.NewWriter(w, zstd.WithEncoderConcurrency(1))
		}},
	}
}

// Target is where an inventory goes and in which form: what --to says.
type Target struct {
	Location string
	format   format
	packed   packing // without open: not compressed
}

// ParseTarget reads a location whose ending names the format.
func ParseTarget(location string) (Target, error) {
	t := Target{Location: location}
	rest := location
	for _, p := range packings() {
		if bare, found := strings.CutSuffix(location, p.ending); found {
			rest, t.packed = bare, p
		}
	}
	for _, f := range formats() {
		name := strings.TrimSuffix(path.Base(rest), f.ending)
		if strings.HasSuffix(rest, f.ending) && name != "" && (t.packed.open == nil || f.packs) {
			t.format = f
			return t, nil
		}
	}
	return t, fmt.Errorf("%q: the ending decides the format: take %s", location, endings())
}

func endings() string {
	var all []string
	for _, f := range formats() {
		all = append(all, f.ending)
		for _, p := range packings() {
			if f.packs {
				all = append(all, f.ending+p.ending)
			}
		}
	}
	return strings.Join(all, ", ")
}

func (t *Target) ending() string { return t.format.ending + t.packed.ending }

// folder is the location without its ending: where the files of an inventory
// of several files go.
func (t *Target) folder() string { return strings.TrimSuffix(t.Location, t.ending()) }

// FormatName is the format for people: csv, ndjson or parquet.
func (t *Target) FormatName() string { return t.format.ending[1:] }
