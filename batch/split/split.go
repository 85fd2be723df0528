package split

import (
	"container/heap"
	"crypto/sha256"
	"encoding/binary"
)

// MaxParts is the most parts that rows can be divided into.
const MaxParts = 1000

// Graph knows which rows hang together by their keys. It takes about 100 MB of
// memory for a million rows with four keys of their own each, 40 MB with one.
// Keys are kept as 64-bit hashes: two that have the same only put rows into one
// part that need not be.
type Graph struct {
	nodes map[uint64]uint32 // key -> node
	above []uint32          // node -> node nearer to the root of its component; a root is above itself
	rows  []uint32          // row -> one of its nodes
}

// New is a graph without rows.
func New() *Graph { return &Graph{nodes: make(map[uint64]uint32)} }

// Rows is the number of rows that were added.
func (g *Graph) Rows() int { return len(g.rows) }

// Add takes the keys of the next row. A row without keys hangs together with no other.
func (g *Graph) Add(keys []string) {
	if len(keys) == 0 {
		g.rows = append(g.rows, g.newNode())
		return
	}
	node := g.node(keys[0])
	for _, key := range keys[1:] {
		g.join(node, g.node(key))
	}
	g.rows = append(g.rows, node)
}

func (g *Graph) newNode() uint32 {
	node := uint32(len(g.above)) //nolint:gosec // four thousand million nodes are more than memory holds
	g.above = append(g.above, node)
	return node
}

func (g *Graph) node(key string) uint32 {
	sum := sha256.Sum256([]byte(key))
	hash := binary.BigEndian.Uint64(sum[:])
	node, known := g.nodes[hash]
	if !known {
		node = g.newNode()
		g.nodes[hash] = node
	}
	return node
}

// root finds what names the component of a node, and shortens the way there.
func (g *Graph) root(node uint32) uint32 {
	for g.above[node] != node {
		g.above[node] = g.above[g.above[node]]
		node = g.above[node]
	}
	return node
}

// join makes one component of two. The older root stays: that keeps ways short
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
// that has the fewest rows by then. n is 1 to MaxParts. The graph is used up.
func (g *Graph) Parts(n int) (part []uint16, rows []int64) {
	g.nodes = nil
	sizes := make([]uint32, len(g.above))
	for i, node := range g.rows {
		g.rows[i] = g.root(node)
		sizes[g.rows[i]]++
	}
	loads := make(loadHeap, n)
	rows = make([]int64, n)
	for i := range loads {
		loads[i].part = i
	}
	part = make([]uint16, len(g.rows))
	const dealt = 1 << 31 // a component that has its part keeps it in sizes
	for i, root := range g.rows {
		if sizes[root]&dealt == 0 {
			least := &loads[0]
			least.rows += int64(sizes[root])
			rows[least.part] = least.rows
			sizes[root] = dealt | uint32(least.part) //nolint:gosec // at most MaxParts
			heap.Fix(&loads, 0)
		}
		part[i] = uint16(sizes[root] &^ dealt) //nolint:gosec // at most MaxParts
	}
	return part, rows
}

// load is a part and how many rows it has.
type load struct {
	rows int64
	part int
}

// loadHeap has the part with the fewest rows first, of equal ones the lower.
type loadHeap []load

func (h loadHeap) Len() int { return len(h) }
func (h loadHeap) Less(i, j int) bool {
	return h[i].rows < h[j].rows || h[i].rows == h[j].rows && h[i].part < h[j].part
}
func (h loadHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *loadHeap) Push(x any)   { *h = append(*h, x.(load)) } //nolint:forcetypeassert // never called
func (h *loadHeap) Pop() any     { panic("no part is ever taken away") }
