package inventory

import (
	"context"
	"encoding/hex"
	"time"

	"pushbatch/batch"
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

	// Progress is told now and then how many of the rows are rendered; may be nil.
	Progress func(done, all int64)
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
		CreatedAt: time.Now().UTC(), Version: o.Version, Source: o.Source, Format: o.Target.FormatName(),
		Moved: p.firstPass.stale, PartitionBy: o.PartitionBy, Partial: o.Partial, FromInput: o.FromInput, Counts: p.firstPass.counter.result(), Applications: p.firstPass.counter.applications, Files: []PublishedFile{},
	}
	for _, c := range p.columns {
		m.Schema = append(m.Schema, ManifestColumn{c.Name, c.Type})
		if c.Name == extraColumn {
			m.Unnamed = p.firstPass.counter.unnamedFields()
		}
	}
	for _, f := range p.finished {
		m.Rows += f.rows
		m.Files = append(m.Files, PublishedFile{f.name, f.rows, f.bytes, hex.EncodeToString(f.sum.Sum(nil))})
	}
	return m
}
