package split

import (
	"encoding/binary"
	"slices"

	"pushbatch/batch/spill"
)

// MaxParts is the most parts that rows can be divided into.
const MaxParts = 1000

// Graph knows which rows hang together by their keys. It takes about 10 MB of
// memory for a million rows, and on disk 21 bytes for each key of each row. Keys
// are kept as 128-bit hashes: two that had the same would only put rows into one
// part that need not be.
type Graph struct {
	keys  *spill.Buckets // hash of a key -> row that has it
	above []uint32       // row -> earlier row of its component; the first one is above itself
}

// New is a graph without rows, which keeps their keys in a file below folder until
// Close.
func New(folder string) (*Graph, error) {
	keys, err := spill.New(folder, 0)
	return &Graph{keys: keys}, err
}

// Close removes the file.
func (g *Graph) Close() error { return g.keys.Close() }

// Rows is the number of rows that were added.
func (g *Graph) Rows() int { return len(g.above) }

// Add takes the keys of the next row. A row without keys hangs together with no other.
func (g *Graph) Add(keys []string) error {
	row := uint32(len(g.above)) //nolint:gosec // four thousand million rows are more than memory holds
	g.above = append(g.above, row)
	for _, key := range keys {
		if err := g.keys.Add(spill.KeyOf(key), binary.BigEndian.AppendUint32(nil, row)); err != nil {
			return err
		}
	}
	return nil
}

// joinAll makes one component of all rows that have a key in common.
func (g *Graph) joinAll() error {
	for records, err := range g.keys.All() {
		if err != nil {
			return err
		}
		first := make(map[spill.Key]uint32, len(records))
		for _, r := range records {
			row := binary.BigEndian.Uint32(r.Data)
			if other, seen := first[r.Key]; seen {
				g.join(other, row)
			} else {
				first[r.Key] = row
			}
		}
	}
	return nil
}

// root finds the first row of a row's component, and shortens the way there.
func (g *Graph) root(row uint32) uint32 {
	for g.above[row] != row {
		g.above[row] = g.above[g.above[row]]
		row = g.above[row]
	}
	return row
}

// join makes one component of two. The earlier root stays: that keeps ways short
// enough together with root's shortening.
func (g *Graph) join(a, b uint32) {
	a, b = g.root(a), g.root(b)
	if a < b {
		g.above[b] = a
	} else {
		g.above[a] = b
	}
}

// Parts gives every row its part, 0 to n-1, and says how many rows each part has.
// Components are dealt out in the order of their first rows, each to the part
// that has the fewest rows by then, which of 1,000 is found in 2 µs. n is 1 to
// MaxParts. The graph is used up.
func (g *Graph) Parts(n int) (part []uint16, rows []int64, err error) {
	if err := g.joinAll(); err != nil {
		return nil, nil, err
	}
	sizes := make([]uint32, len(g.above)) // of the component that a row is the first of
	for row := range g.above {
		g.above[row] = g.root(uint32(row)) //nolint:gosec // see Add
		sizes[g.above[row]]++
	}
	rows = make([]int64, n)
	part = make([]uint16, len(g.above))
	const dealt = 1 << 31 // a component that has its part keeps it in sizes
	for i, root := range g.above {
		if sizes[root]&dealt == 0 {
			least := slices.Index(rows, slices.Min(rows))
			rows[least] += int64(sizes[root])
			sizes[root] = dealt | uint32(least) //nolint:gosec // at most MaxParts
		}
		part[i] = uint16(sizes[root] &^ dealt) //nolint:gosec // at most MaxParts
	}
	return part, rows, nil
}
