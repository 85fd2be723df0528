package jsonlines

import "pushbatch/batch"

// nestedStack gathers the children of lists and objects before it is known how
// many there are; then they are copied.
type nestedStack struct {
	names  []string
	values []batch.Value
}

// take turns what is on the stack above the two lengths into children and
// takes it off. Names are nil for a list.
func (n *nestedStack) take(names, values int) *batch.Nested {
	nested := &batch.Nested{
		Names: append([]string(nil), n.names[names:]...), Values: append([]batch.Value(nil), n.values[values:]...),
	}
	n.names, n.values = n.names[:names], n.values[:values]
	return nested
}
