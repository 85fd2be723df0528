package readers

import "pushbatch/batch"

// nestedStack gathers the children of lists and objects before it is known how
// many there are; then they are copied to where the values of their row lie.
type nestedStack struct {
	names  []string
	values []batch.Value
	slab   *batch.Slab // of the row
}

// take turns what is on the stack above the two lengths into children and
// takes it off. Names are nil for a list.
func (n *nestedStack) take(names, values int) *batch.Nested {
	if n.slab == nil {
		n.slab = new(batch.Slab) // no row's: it is never used again
	}
	nested := n.slab.Nest(n.names[names:], n.values[values:])
	n.names, n.values = n.names[:names], n.values[:values]
	return nested
}
