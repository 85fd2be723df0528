package inventory

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"pushbatch/batch"
	"pushbatch/writers/table"
)

// Options say how an inventory is published.
type Options struct {
	Target      Target
	All         batch.Header // of the gathered lines
	Columns     batch.Header // that are published, in this order
	Additional  string       // AdditionalJSON, AdditionalMap or AdditionalColumns
	SplitRows   int64        // rows a file, at most; 0: one file
	PartitionBy string       // column; empty: none
	Since       time.Time    // of a walk over people: when it began; zero: no walk
	Source      []string     // for the manifest: where the devices come from
	Version     string       // of the program
	Tag         string       // of the run, for names of temporary files
	Partial     string       // which part of the devices is asked for; empty: all
	FromInput   bool         // the devices are those of an INPUT
	Replace     bool         // a part may take the place of the whole
	Safe        bool         // texts in CSV cannot start a formula in a spreadsheet

	// Open opens a file of a table that was published before.
	Open func(ctx context.Context, location string) (batch.Source, error)

	// Progress is told now and then how many rows a pass over them has read, and how
	// many are rendered of how many: 0 until the first pass has counted them. May be nil.
	Progress func(read, rendered, all int64)
}

// Manifest is the content of _manifest.json.
type Manifest struct {
	CreatedAt   time.Time        `json:"created_at"`
	Version     string           `json:"version"`
	Source      []string         `json:"source"`
	Format      string           `json:"format"`
	Rows        int64            `json:"rows"`
	Moved       int64            `json:"moved,omitempty"` // devices met twice because they went to another person meanwhile; listed once
	PartitionBy string           `json:"partition_by,omitempty"`
	Schema      []ManifestColumn `json:"schema"`
	Files       []PublishedFile  `json:"files"`
	Counts      Counts           `json:"counts"`
	Unnamed     []string         `json:"unnamed,omitempty"` // fields that have no column: they stand in extra

	Applications map[string]int64 `json:"applications"`      // devices by application id
	Changes      *Changes         `json:"changes,omitempty"` // from the day before
	Day          string           `json:"day,omitempty"`
	Partial      string           `json:"partial,omitempty"` // which part of the devices it was asked for; empty: all
	FromInput    bool             `json:"from_input,omitempty"`
	Before       *int64           `json:"rows_before,omitempty"` // of the table whose place it took
}

// ManifestColumn is a column of the published files.
type ManifestColumn struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

// PublishedFile is a published file.
type PublishedFile struct {
	Path   string `json:"path"` // relative to the manifest
	Rows   int64  `json:"rows"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

func (p *publication) manifest() *Manifest {
	o := p.options
	m := &Manifest{
		CreatedAt: time.Now().UTC(), Version: o.Version, Source: o.Source, Format: o.Target.format.ending[1:],
		Moved: p.firstPass.stale, PartitionBy: o.PartitionBy, Partial: o.Partial, FromInput: o.FromInput, Counts: p.firstPass.counter.result(), Applications: p.firstPass.counter.applications, Files: []PublishedFile{},
	}
	for _, c := range p.columns {
		m.Schema = append(m.Schema, ManifestColumn{c.Name, c.Type})
		if c.Name == extraColumn {
			m.Unnamed = slices.Sorted(maps.Keys(p.firstPass.counter.unnamed))
		}
	}
	for _, f := range p.finished {
		m.Rows += f.rows
		m.Files = append(m.Files, PublishedFile{f.name, f.rows, f.bytes, hex.EncodeToString(f.sum.Sum(nil))})
	}
	return m
}

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

// The forms of additional_data, as --additional-data takes them.
const (
	AdditionalJSON    = "json"    // one column with an object
	AdditionalMap     = "map"     // Parquet: a map of texts; else as json
	AdditionalColumns = "columns" // a column for each name
)

const additionalColumn = "additional_data"

// maxAttributes bounds the columns that additional_data can become.
const maxAttributes = 1000

// column is one column of a published file.
type column struct {
	table.Column
	cell int    // in a gathered row
	attr string // of additional_data, when it is spread over columns
}

// PickColumns are the columns that --columns names, each of which is there; none named: all.
func PickColumns(all batch.Header, names []string) (batch.Header, error) {
	if len(names) == 0 {
		return all, nil
	}
	var picked batch.Header
	for _, name := range names {
		column := all[all.Index(strings.TrimSpace(name))]
		if picked.Index(column.Name) >= 0 {
			return nil, fmt.Errorf("column %q is named twice", name)
		}
		picked = append(picked, column)
	}
	return picked, nil
}

// shownColumns are the columns of the published files.
func (o *Options) shownColumns(attributes map[string]string) []column {
	var list []column
	for _, c := range o.Columns {
		at := o.cell(c.Name)
		switch {
		case c.Name == o.PartitionBy:
		case c.Name != additionalColumn || o.Additional == AdditionalJSON:
			list = append(list, column{table.Column{Name: c.Name, Type: c.Type}, at, ""})
		case o.Additional == AdditionalMap:
			list = append(list, column{table.Column{Name: c.Name, Type: table.Map}, at, ""})
		default:
			for _, name := range slices.Sorted(maps.Keys(attributes)) {
				list = append(list, column{table.Column{Name: additionalColumn + "." + name, Type: attributes[name], Attribute: true}, at, name})
			}
		}
	}
	return list
}

// attributeType is the column type that holds the values of an attribute: the
// one of all of them, or text.
func attributeType(have string, raw json.RawMessage) string {
	typ := table.Text
	switch c := raw[0]; {
	case c == 't' || c == 'f':
		typ = table.Boolean
	case c == '-' || c >= '0' && c <= '9':
		typ = table.Double
		if _, err := strconv.ParseInt(string(raw), 10, 64); err == nil {
			typ = table.Integer
		}
	}
	switch {
	case have == "" || have == typ:
		return typ
	case have == table.Integer && typ == table.Double || have == table.Double && typ == table.Integer:
		return table.Double
	}
	return table.Text
}

// tableColumns are the columns as a writer takes them.
func tableColumns(columns []column) []table.Column {
	list := make([]table.Column, len(columns))
	for i, c := range columns {
		list[i] = c.Column
	}
	return list
}

// show picks the values of a published row out of a gathered one.
func show(dst []batch.Value, columns []column, cells []batch.Value) []batch.Value {
	dst = dst[:0]
	var attributes map[string]json.RawMessage
	for _, c := range columns {
		if c.attr == "" {
			dst = append(dst, cells[c.cell])
			continue
		}
		if attributes == nil {
			attributes = table.Attributes(cells[c.cell])
		}
		v := batch.Value{}
		if raw, has := attributes[c.attr]; has {
			v = batch.TextValue(table.AttributeText(raw))
		}
		dst = append(dst, v)
	}
	return dst
}
