package batch

import (
	"sync/atomic"
	"unsafe"
)

// Slab is memory for the values of some rows. It is filled by one reader, which
// says with Done that it is full; when every row that was cut from it has been
// released, its reader may get it again. Rows that are never released keep it
// as any memory is kept.
//
//	slab := slabs.Take(columns, block)
//	row.Values = slab.Cut(&row, columns)
//	…
//	slab.Done()
type Slab struct {
	free  []Value
	whole []Value
	block *Block // holds the texts of its values; nil: texts that are not used again
	rows  holders
	home  *Slabs

	nested   arena[Nested]
	children arena[Value]
	names    arena[string]
}

// arena is memory that is given out piece by piece and used again as a whole.
type arena[T any] struct{ whole, free []T }

const (
	arenaLeast = 128
	arenaMost  = 16 << 10 // a larger one is not used again
)

// keep returns a copy of list. Where there is no room for it, there is twice as
// much the next time.
func (a *arena[T]) keep(list []T) []T {
	if len(list) == 0 {
		return nil
	}
	kept := a.take(len(list))
	copy(kept, list)
	return kept
}

// take returns the next n, as they were left.
func (a *arena[T]) take(n int) []T {
	if n > len(a.free) {
		a.whole = make([]T, max(n, 2*len(a.whole), arenaLeast))
		a.free = a.whole
	}
	taken := a.free[:n:n]
	a.free = a.free[n:]
	return taken
}

func (a *arena[T]) reset() {
	if len(a.whole) > arenaMost {
		a.whole = nil
	}
	a.free = a.whole
}

// holders counts who still needs a piece of memory that one giver hands out.
// Those who need it no longer may say so before the giver has said how many
// there are.
type holders struct {
	given int64        // the giver's
	held  atomic.Int64 // once all are given: who needs it; before: minus those who do not
}

func (h *holders) reset() { h.given = 0 }

// give counts one more.
func (h *holders) give() { h.given++ }

// givenAll says that there will be no more, and reports whether nobody needs it.
func (h *holders) givenAll() bool { return h.held.Add(h.given) == 0 }

// let counts n fewer, and reports whether nobody needs it.
func (h *holders) let(n int64) bool { return h.held.Add(-n) == 0 }

// slabValues is how many values a slab has at least: a full size class of the
// allocator (32 KiB).
const slabValues = 1024

// slabsKept bounds the slabs that wait to be used again, blocksKept the blocks.
const (
	slabsKept  = 512
	blocksKept = 64
)

// Slabs is where one reading of a source has its slabs from. A run of millions
// of rows needs as many as its window has rows for: the collector has next to
// nothing to do.
type Slabs struct {
	released    chan *Slab
	overwritten bool
}

// NewSlabs returns an empty store. overwritten is the reader's promise to write
// kind and text of every value it cuts, and what is nested wherever it nests
// anything in any row: then a slab that is used again is not cleared.
func NewSlabs(overwritten bool) *Slabs { return &Slabs{make(chan *Slab, slabsKept), overwritten} }

// Take returns a slab with room for at least the given number of values, all of
// them Null unless they are overwritten. The block holds their texts, see Blocks;
// nil: their texts may be kept for ever.
func (s *Slabs) Take(values int, block *Block) *Slab {
	slab := s.again(values)
	if slab == nil {
		whole := make([]Value, max(values, slabValues))
		slab = &Slab{whole: whole, home: s}
	}
	slab.free, slab.block = slab.whole, block
	slab.rows.reset()
	slab.nested.reset()
	slab.children.reset()
	slab.names.reset()
	if block != nil {
		block.slabs.give()
	}
	return slab
}

// again returns a slab that is used again, nil if none is there.
func (s *Slabs) again(values int) *Slab {
	select {
	case slab := <-s.released:
		if len(slab.whole) >= values {
			if !s.overwritten {
				clear(slab.whole)
			}
			return slab
		}
	default:
	}
	return nil
}

// Free is the room that is left. What is written there before it is cut is not
// cleared.
func (s *Slab) Free() []Value { return s.free }

// Block is what holds the texts of the slab's values; nil: nothing that is used
// again.
func (s *Slab) Block() *Block { return s.block }

// Cut takes the next values for a row, which Release gives back.
func (s *Slab) Cut(row *Row, values int) []Value {
	cells := s.free[:values:values]
	s.free = s.free[values:]
	s.rows.give()
	row.Slab = s
	return cells
}

// Nest returns children of a value of the slab, copies of those given. They are
// given back with the slab's rows.
func (s *Slab) Nest(names []string, values []Value) *Nested {
	one := [1]Nested{{Names: s.names.keep(names), Values: s.children.keep(values)}}
	return &s.nested.keep(one[:])[0]
}

// Nests returns n empty parents of children, which are given back with the slab's
// rows.
func (s *Slab) Nests(n int) []Nested {
	taken := s.nested.take(n)
	clear(taken)
	return taken
}

// Children returns memory for n values that are children of others. What stands
// there is left from rows before: each must be written. It is given back with the
// slab's rows.
func (s *Slab) Children(n int) []Value { return s.children.take(n) }

// Done says that no further row is cut from the slab.
func (s *Slab) Done() {
	if s.rows.givenAll() {
		s.giveBack()
	}
}

func (s *Slab) let(rows int64) {
	if s.rows.let(rows) {
		s.giveBack()
	}
}

// giveBack gives a slab that no row needs to its reader.
func (s *Slab) giveBack() {
	if s.block != nil && s.block.slabs.let(1) {
		s.block.giveBack()
	}
	s.block = nil
	select {
	case s.home.released <- s:
	default:
	}
}

// Equal makes any two slabs equal to comparisons: where a row's values lie says
// nothing about the row.
func (*Slab) Equal(*Slab) bool { return true }

// Release gives the memory of the row's values, and of their texts, back to its
// reader: they must not be looked at any more, nor must anything that was cut
// from a text. It is called at most once for a row and its copies; a row that
// nobody releases stays valid for ever.
func (r *Row) Release() {
	if r.Slab != nil {
		r.Slab.let(1)
		r.Slab, r.Values, r.Excess = nil, nil, nil
	}
}

// Block is memory for the texts of the slabs that were taken with it. Its reader
// fills it, cuts texts out of it and says with Done that no further slab is
// taken with it; when all of them are given back, its reader may get it again.
type Block struct {
	Bytes []byte
	slabs holders
	home  *Blocks
}

// Blocks is where one reading of a source has its blocks from.
type Blocks struct {
	released chan *Block
	size     int
}

// NewBlocks returns an empty store of blocks with room for size bytes.
func NewBlocks(size int) *Blocks { return &Blocks{make(chan *Block, blocksKept), size} }

// Take returns an empty block with room for at least the given number of bytes.
func (b *Blocks) Take(bytes int) *Block {
	if bytes > b.size {
		return &Block{Bytes: make([]byte, 0, bytes)} // not used again: it would be kept for good
	}
	select {
	case block := <-b.released:
		block.Bytes = block.Bytes[:0]
		block.slabs.reset()
		return block
	default:
		return &Block{Bytes: make([]byte, 0, b.size), home: b}
	}
}

// Text is what the block holds as a string, without copying it. The bytes must
// not be changed any more.
func (b *Block) Text() string { return unsafe.String(unsafe.SliceData(b.Bytes), len(b.Bytes)) }

// Done says that no further slab is taken with the block, and that its text is
// not looked at any more but by rows.
func (b *Block) Done() {
	if b.slabs.givenAll() {
		b.giveBack()
	}
}

func (b *Block) giveBack() {
	if b.home == nil {
		return
	}
	spoil(b.Bytes)
	select {
	case b.home.released <- b:
	default:
	}
}
