package readers

import "pushbatch/batch"

// nestedAtOnce is how many lists and objects are allocated at once.
const nestedAtOnce = 128

// nestedSlabs makes the children of lists and objects: gathered on a stack,
// then copied to where rows own them, many to one allocation.
type nestedSlabs struct {
	names  []string // stack
	values []batch.Value

	freeNames  []string
	freeValues []batch.Value
	freeNested []batch.Nested
}

// take turns what is on the stack above the two lengths into children and
// takes it off. Names are nil for a list.
func (n *nestedSlabs) take(names, values int) *batch.Nested {
	if len(n.freeNested) == 0 {
		n.freeNested = make([]batch.Nested, nestedAtOnce)
	}
	nested := &n.freeNested[0]
	n.freeNested = n.freeNested[1:]
	nested.Names, n.freeNames = moved(n.names[names:], n.freeNames)
	nested.Values, n.freeValues = moved(n.values[values:], n.freeValues)
	n.names, n.values = n.names[:names], n.values[:values]
	return nested
}

// moved copies list to the beginning of free and returns the copy and the
// rest of free, which it replaces when it is too short.
func moved[T any](list, free []T) (copied, rest []T) {
	if len(list) == 0 {
		return nil, free
	}
	if len(list) > len(free) {
		free = make([]T, max(len(list), 2*nestedAtOnce))
	}
	n := copy(free, list)
	return free[:n:n], free[n:]
}
