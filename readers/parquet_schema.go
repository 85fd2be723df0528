package readers

import (
	"math/bits"
	"strings"

	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/format"

	"pushbatch/batch"
)

// maxNesting bounds how deep a schema may nest.
const maxNesting = 64

type nodeShape uint8

const (
	leafShape nodeShape = iota
	structShape
	listShape // children: the element
	mapShape  // children: key and value
)

// parquetNode is one value of a row as users see it: the groups that only
// spell out a list or a map are folded into it.
type parquetNode struct {
	name     string
	shape    nodeShape
	def      uint8 // definition level from which on the value is not null
	itemDef  uint8 // list, map: level from which on it has an element
	itemRep  uint8 // list, map: repetition level of every element but the first
	children []*parquetNode
	names    []string // of the children
	leaf     *parquetLeaf
	lo, hi   int // its leaves: leaves[lo:hi]
}

// parquetLeaf is a column as it is stored.
type parquetLeaf struct {
	path           string
	physical       format.Type
	width          int // bytes of a fixed-size value; 0: byte arrays
	typ            parquetType
	maxDef, maxRep uint8
}

// schemaReader turns the flat list of schema elements into nodes.
type schemaReader struct {
	file     *parquetFile
	elements []format.SchemaElement
}

func (f *parquetFile) readSchema(elements []format.SchemaElement) error {
	if len(elements) == 0 || elements[0].Type.Valid {
		return damaged("its schema has no root")
	}
	s := schemaReader{file: f, elements: elements[1:]}
	root := &parquetNode{shape: structShape}
	if err := s.children(root, &elements[0], parquetLevels{}); err != nil {
		return err
	}
	if len(s.elements) > 0 {
		return damaged("%d elements of its schema belong to no group", len(s.elements))
	}
	f.root = root
	return nil
}

// parquetLevels is where a node stands in the tree.
type parquetLevels struct {
	def, rep uint8
	depth    int
	path     string
	hex      bool // below a VARIANT: byte arrays are no text
}

// at returns the levels of element e below l.
func (l parquetLevels) at(e *format.SchemaElement) parquetLevels {
	if l.path != "" {
		l.path += "."
	}
	l.path += e.Name
	l.depth++
	if _, variant := e.LogicalType.Value.(*format.VariantType); variant {
		l.hex = true
	}
	if e.RepetitionType.Valid {
		switch e.RepetitionType.V {
		case format.Optional:
			l.def++
		case format.Repeated:
			l.def++
			l.rep++
		}
	}
	return l
}

func isRepeated(e *format.SchemaElement) bool {
	return e.RepetitionType.Valid && e.RepetitionType.V == format.Repeated
}

func (s *schemaReader) children(n *parquetNode, e *format.SchemaElement, l parquetLevels) error {
	count := 0
	if e.NumChildren.Valid {
		count = int(e.NumChildren.V)
	}
	if count < 0 || count > len(s.elements) || l.depth > maxNesting {
		return damaged("a group of its schema claims %d children, %d deep", count, l.depth)
	}
	n.lo = len(s.file.leaves)
	for range count {
		child, err := s.node(l)
		if err != nil {
			return err
		}
		n.children, n.names = append(n.children, child), append(n.names, child.name)
	}
	n.hi = len(s.file.leaves)
	return nil
}

// node reads the next element and what is below it.
func (s *schemaReader) node(parent parquetLevels) (*parquetNode, error) {
	if len(s.elements) == 0 {
		return nil, damaged("its schema ends too early")
	}
	e := &s.elements[0]
	s.elements = s.elements[1:]
	l := parent.at(e)
	n := &parquetNode{name: e.Name, def: l.def, lo: len(s.file.leaves)}
	var err error
	if e.Type.Valid {
		err = s.leafNode(n, e, l)
	} else {
		n.shape = structShape
		err = s.children(n, e, l)
		n.fold(e)
	}
	n.hi = len(s.file.leaves)
	if err != nil || !isRepeated(e) {
		return n, err
	}
	// A repeated element is a list of required ones; a LIST or MAP group above
	// takes it over (fold).
	element := *n
	return &parquetNode{
		name: e.Name, shape: listShape, def: parent.def, itemDef: l.def, itemRep: l.rep,
		children: []*parquetNode{&element}, lo: n.lo, hi: n.hi,
	}, nil
}

// fold recognises LIST and MAP groups, in the form that the format prescribes
// now and in the older ones it asks readers to accept (LogicalTypes.md).
func (n *parquetNode) fold(e *format.SchemaElement) {
	list, mapping := annotation(e)
	if !list && !mapping || len(n.children) != 1 || n.children[0].shape != listShape {
		return // not in a form that is known: it stays the struct it is
	}
	repeated := n.children[0]
	item := repeated.children[0]
	pair := item.shape == structShape && (len(item.children) == 2 || len(item.children) == 1 && mapping)
	switch {
	case mapping && pair && item.children[0].shape == leafShape:
		n.shape, n.children = mapShape, item.children
	case list && item.shape == structShape && len(item.children) == 1 && item.name != "array" && item.name != n.name+"_tuple":
		n.shape, n.children = listShape, item.children
	case list:
		n.shape, n.children = listShape, []*parquetNode{item}
	default:
		return
	}
	n.itemDef, n.itemRep = repeated.itemDef, repeated.itemRep
}

func annotation(e *format.SchemaElement) (list, mapping bool) {
	switch e.LogicalType.Value.(type) {
	case *format.ListType:
		return true, false
	case *format.MapType:
		return false, true
	}
	if !e.ConvertedType.Valid {
		return false, false
	}
	c := e.ConvertedType.V
	return c == deprecated.List, c == deprecated.Map || c == deprecated.MapKeyValue
}

func (s *schemaReader) leafNode(n *parquetNode, e *format.SchemaElement, l parquetLevels) error {
	leaf := &parquetLeaf{path: l.path, physical: e.Type.V, maxDef: l.def, maxRep: l.rep}
	var known bool
	if leaf.width, known = physicalWidth(e); !known {
		return damaged("column %s has no physical type that is known", l.path)
	}
	leaf.typ = typeOf(e, leaf.width)
	if l.hex && leaf.width == 0 {
		leaf.typ = parquetType{name: "binary", kind: batch.Text, append: appendHex}
	}
	n.leaf = leaf
	s.file.leaves = append(s.file.leaves, leaf)
	return nil
}

// physicalWidth returns the bytes of a value of e, 0 for byte arrays.
func physicalWidth(e *format.SchemaElement) (width int, known bool) {
	switch e.Type.V {
	case format.Boolean:
		return 1, true // unpacked
	case format.Int32, format.Float:
		return 4, true
	case format.Int64, format.Double:
		return 8, true
	case format.Int96:
		return 12, true
	case format.ByteArray:
		return 0, true
	case format.FixedLenByteArray:
		return int(e.TypeLength.V), e.TypeLength.Valid && e.TypeLength.V > 0 && e.TypeLength.V <= 1<<24
	}
	return 0, false
}

func levelWidth(maxLevel uint8) uint { return uint(bits.Len8(maxLevel)) }

// typeName is the node's type in words.
func (n *parquetNode) typeName() string {
	switch n.shape {
	case leafShape:
		return n.leaf.typ.name
	case listShape:
		return "list<" + n.children[0].typeName() + ">"
	case mapShape:
		names := make([]string, len(n.children))
		for i, c := range n.children {
			names[i] = c.typeName()
		}
		return "map<" + strings.Join(names, ", ") + ">"
	}
	fields := make([]string, len(n.children))
	for i, c := range n.children {
		fields[i] = c.name + ": " + c.typeName()
	}
	return "struct<" + strings.Join(fields, ", ") + ">"
}

func (n *parquetNode) kind() batch.Kind {
	switch n.shape {
	case leafShape:
		return n.leaf.typ.kind
	case listShape:
		return batch.List
	}
	return batch.Object
}
