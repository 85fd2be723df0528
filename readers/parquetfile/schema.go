package parquetfile

import (
	"math/bits"
	"strings"

	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/format"

	"pushbatch/batch"
	"pushbatch/readers/inputerror"
)

// maxNesting bounds how deep a schema may nest.
const maxNesting = 64

type shape uint8

const (
	leafShape shape = iota
	structShape
	listShape // children: the element
	mapShape  // children: key and value
)

// node is one value of a row as users see it: the groups that only spell out a
// list or a map are not there.
type node struct {
	name     string
	shape    shape
	def      uint8 // definition level from which on the value is not null
	itemDef  uint8 // list, map: level from which on it has an element
	itemRep  uint8 // list, map: repetition level of every element but the first
	children []*node
	names    []string // of the children
	leaf     *leaf
	lo, hi   int    // its leaves: leaves[lo:hi]
	unknown  string // the annotation, here or below, that is not decoded; empty: none
}

// leaf is a column as it is stored.
type leaf struct {
	path           string
	physical       format.Type
	width          int // bytes of a fixed-size value; 0: byte arrays
	typ            leafType
	maxDef, maxRep uint8
}

// schemaReader turns the flat list of schema elements into nodes.
type schemaReader struct {
	file     *file
	elements []schemaElement
}

func (f *file) readSchema(elements []schemaElement) error {
	if len(elements) == 0 {
		return damaged("its schema has no root")
	}
	s := schemaReader{file: f, elements: elements[1:]}
	f.root = &node{shape: structShape}
	if err := s.children(f.root, &elements[0], place{}); err != nil {
		return err
	}
	if len(s.elements) > 0 {
		return damaged("%d elements of its schema belong to no group", len(s.elements))
	}
	return nil
}

// place is where an element stands in the tree.
type place struct {
	def, rep uint8
	depth    int
	path     string
}

// below returns the place of element e below p.
func (p place) below(e *schemaElement) place {
	if p.path != "" {
		p.path += "."
	}
	p.path += e.Name
	p.depth++
	switch e.Repetition {
	case format.Optional:
		p.def++
	case format.Repeated:
		p.def++
		p.rep++
	}
	return p
}

func (s *schemaReader) children(n *node, e *schemaElement, p place) error {
	if int(e.Children) > len(s.elements) || p.depth > maxNesting {
		return damaged("a group of its schema claims %d children, %d deep", e.Children, p.depth)
	}
	n.lo = len(s.file.leaves)
	for range e.Children {
		child, err := s.node(p)
		if err != nil {
			return err
		}
		n.children, n.names = append(n.children, child), append(n.names, child.name)
		if child.unknown != "" {
			n.unknown = child.unknown
		}
	}
	n.hi = len(s.file.leaves)
	return nil
}

// node reads the next element and what is below it.
func (s *schemaReader) node(parent place) (*node, error) {
	if len(s.elements) == 0 {
		return nil, damaged("its schema ends too early")
	}
	e := &s.elements[0]
	e.Name = strings.Clone(e.Name) // or it would keep the whole footer in memory
	s.elements = s.elements[1:]
	p := parent.below(e)
	n := &node{name: e.Name, def: p.def, lo: len(s.file.leaves)}
	var err error
	if e.Type.Valid {
		err = s.leafNode(n, e, p)
	} else {
		n.shape = structShape
		if err = s.children(n, e, p); err == nil && !n.resolve(e) {
			n.unknown = e.annotation()
		}
	}
	n.hi = len(s.file.leaves)
	if err != nil || e.Repetition != format.Repeated {
		return n, err
	}
	// A repeated element is a list of required ones; a LIST or MAP group above
	// takes it over (resolve).
	return &node{
		name: e.Name, shape: listShape, def: parent.def, itemDef: p.def, itemRep: p.rep,
		children: []*node{n}, lo: n.lo, hi: n.hi, unknown: n.unknown,
	}, nil
}

// resolve makes of a group what its annotation says, and reports false for one
// that is not known, or on a group of another form than it demands. LIST and MAP
// come in the form that the format prescribes now and in the older ones it asks
// readers to accept (LogicalTypes.md).
func (n *node) resolve(e *schemaElement) bool {
	switch l := e.meaning().(type) {
	case nil:
		return true
	case *format.ListType:
		return n.resolveList()
	case *format.MapType:
		return n.resolveMap()
	case older: // of a map, or, by later writers, of its pairs
		return deprecated.ConvertedType(l) == deprecated.MapKeyValue && (n.resolveMap() || e.Repetition == format.Repeated)
	}
	return false
}

func (n *node) repeated() *node {
	if len(n.children) != 1 || n.children[0].shape != listShape {
		return nil
	}
	return n.children[0]
}

func (n *node) resolveList() bool {
	repeated := n.repeated()
	if repeated == nil {
		return false
	}
	item := repeated.children[0]
	if item.shape == structShape && len(item.children) == 1 && item.name != "array" && item.name != n.name+"_tuple" {
		item = item.children[0]
	}
	n.shape, n.children = listShape, []*node{item}
	n.itemDef, n.itemRep = repeated.itemDef, repeated.itemRep
	return true
}

func (n *node) resolveMap() bool {
	repeated := n.repeated()
	if repeated == nil {
		return false
	}
	item := repeated.children[0]
	pair := item.shape == structShape && len(item.children) > 0 && len(item.children) <= 2
	if !pair || item.children[0].shape != leafShape {
		return false
	}
	n.shape, n.children = mapShape, item.children
	n.itemDef, n.itemRep = repeated.itemDef, repeated.itemRep
	return true
}

func (s *schemaReader) leafNode(n *node, e *schemaElement, p place) error {
	l := &leaf{path: p.path, physical: e.Type.V, maxDef: p.def, maxRep: p.rep}
	var known bool
	if l.width, known = physicalWidth(e); !known {
		return damaged("column %s has no physical type that is known", p.path)
	}
	if l.typ, known = typeOf(e, l.width); !known {
		n.unknown = e.annotation()
	}
	n.leaf = l
	s.file.leaves = append(s.file.leaves, l)
	return nil
}

// physicalWidth returns the bytes of a value of e, 0 for byte arrays.
func physicalWidth(e *schemaElement) (width int, known bool) {
	if !e.Type.Valid {
		return 0, false
	}
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
		return int(e.Length), e.Length > 0 && e.Length <= maxText
	}
	return 0, false
}

func levelWidth(maxLevel uint8) uint { return uint(bits.Len8(maxLevel)) }

// typeName is the node's type in words.
func (n *node) typeName() string {
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

func (n *node) kind() batch.Kind {
	switch n.shape {
	case leafShape:
		return n.leaf.typ.kind
	case listShape:
		return batch.List
	}
	return batch.Object
}

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
