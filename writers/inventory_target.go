package writers

import (
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// inventoryFormat is one line of the table of inventory formats.
type inventoryFormat struct {
	ending string
	open   func(to io.Writer, columns []shownColumn) (renderer, error)
	packs  bool // may be compressed as a whole; Parquet compresses within
}

// renderer writes lines in a format.
type renderer interface {
	write(cells []shownValue) error
	close() error // writes what is left; the file below stays open
}

func inventoryFormats() []inventoryFormat {
	return []inventoryFormat{
		{".csv", newCSVRenderer, true},
		{".ndjson", newNDJSONRenderer, true},
		{".parquet", newParquetRenderer, false},
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

// InventoryTarget is where an inventory goes and in which form: what --to says.
type InventoryTarget struct {
	Location string
	format   inventoryFormat
	packed   packing // without open: not compressed
}

// ParseInventoryTarget reads a location whose ending names the format.
func ParseInventoryTarget(location string) (InventoryTarget, error) {
	t := InventoryTarget{Location: location}
	rest := location
	for _, p := range packings() {
		if bare, found := strings.CutSuffix(location, p.ending); found {
			rest, t.packed = bare, p
		}
	}
	for _, f := range inventoryFormats() {
		name := strings.TrimSuffix(path.Base(rest), f.ending)
		if strings.HasSuffix(rest, f.ending) && name != "" && (t.packed.open == nil || f.packs) {
			t.format = f
			return t, nil
		}
	}
	return t, fmt.Errorf("%q: the ending decides the format: take %s", location, inventoryEndings())
}

func inventoryEndings() string {
	var all []string
	for _, f := range inventoryFormats() {
		all = append(all, f.ending)
		for _, p := range packings() {
			if f.packs {
				all = append(all, f.ending+p.ending)
			}
		}
	}
	return strings.Join(all, ", ")
}

func (t *InventoryTarget) ending() string { return t.format.ending + t.packed.ending }

// folder is the location without its ending: where the files of an inventory
// of several files go.
func (t *InventoryTarget) folder() string { return strings.TrimSuffix(t.Location, t.ending()) }

// FormatName is the format for people: csv, ndjson or parquet.
func (t *InventoryTarget) FormatName() string { return t.format.ending[1:] }
