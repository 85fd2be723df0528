package parquetfile

import (
	"pushbatch/batch"
	"pushbatch/readers/inputerror"
)

// headerColumn is one column of the header.
type headerColumn struct {
	name string
	node *node
}

// columns lists the columns of the header.
func (f *file) columns() ([]headerColumn, error) {
	if len(f.leaves) == 0 {
		return nil, inputerror.New(inputerror.CodeEmpty, "the Parquet file has no columns")
	}
	var columns []headerColumn
	for _, n := range f.root.children {
		if n.shape != structShape || n.unknown != "" || !batch.Flattened(n.name) {
			columns = append(columns, headerColumn{n.name, n})
			continue
		}
		for _, field := range n.children {
			columns = append(columns, headerColumn{n.name + "." + field.name, field})
		}
	}
	seen := make(map[string]bool, len(columns))
	for i, c := range columns {
		if c.node.name == "" {
			return nil, inputerror.New(inputerror.CodeHeader, "column %d has no name", i+1)
		}
		if seen[c.name] {
			return nil, inputerror.New(inputerror.CodeHeaderRepeat, "two columns are named %s", c.name)
		}
		seen[c.name] = true
	}
	return columns, nil
}

func (c *headerColumn) header() batch.Column {
	h := batch.Column{Name: c.name, Kind: c.node.kind(), Type: c.node.typeName()}
	if c.node.unknown != "" {
		h.Undecoded = "its Parquet annotation " + c.node.unknown + " is not decoded"
	}
	return h
}
