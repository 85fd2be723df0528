package readers

import (
	"context"
	"iter"
	"slices"

	"pushbatch/batch"
	"pushbatch/batch/blob"
)

// partitioned adds the key=value folders of an input's path as columns.
type partitioned struct {
	batch.Source
	header batch.Header
	values []batch.Value
}

// withPartitions leaves out a partition whose name is a column already: the
// file's own value goes first.
func withPartitions(source batch.Source, partitions []blob.Partition) batch.Source {
	p := &partitioned{Source: source, header: slices.Clone(source.Header())}
	for _, part := range partitions {
		if slices.ContainsFunc(p.header, func(c batch.Column) bool { return c.Name == part.Name }) {
			continue
		}
		value := batch.TextValue(part.Value)
		if part.Null {
			value = batch.Value{}
		}
		p.header = append(p.header, batch.Column{Name: part.Name, Kind: batch.Text, Type: "partition", Partition: true})
		p.values = append(p.values, value)
	}
	if len(p.values) == 0 {
		return source
	}
	return p
}

// Header implements batch.Source.
func (p *partitioned) Header() batch.Header { return p.header }

func (p *partitioned) unwrap() batch.Source { return p.Source }

// Rows implements batch.Source.
func (p *partitioned) Rows(ctx context.Context, from batch.Position) iter.Seq2[batch.Row, error] {
	return func(yield func(batch.Row, error) bool) {
		for row, err := range p.Source.Rows(ctx, from) {
			if err == nil {
				row.Values = append(slices.Clip(row.Values), p.values...)
			}
			if !yield(row, err) {
				return
			}
		}
	}
}
