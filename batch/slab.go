package batch

import "sync/atomic"

// Slab is memory for the values of some rows. It is filled by one reader, which
// says with Done that it is full; when every row that was cut from it has been
// released, its reader may get it again. Rows that are never released keep it
// as any memory is kept.
//
//	slab := slabs.Take(columns)
//	row.Values = slab.Cut(&row, columns)
//	…
//	slab.Done()
type Slab struct {
	free  []Value
	whole []Value
	cut   int64        // rows cut from it
	held  atomic.Int64 // after Done: rows that are not released; before: minus those that are
	home  *Slabs
}

// slabValues is how many values a slab has at least: a full size class of the
// allocator (32 KiB).
const slabValues = 1024

// slabsKept bounds the slabs that wait to be used again.
const slabsKept = 64

// Slabs is where one reading of a source has its slabs from. A run of millions
// of rows needs as many as its window has rows for: the collector has next to
// nothing to do.
type Slabs struct{ released chan *Slab }

// NewSlabs returns an empty store.
func NewSlabs() *Slabs { return &Slabs{make(chan *Slab, slabsKept)} }

// Take returns a slab with room for at least the given number of values, all of
// them Null.
func (s *Slabs) Take(values int) *Slab {
	select {
	case slab := <-s.released:
		if len(slab.whole) >= values {
			clear(slab.whole)
			slab.free, slab.cut = slab.whole, 0
			return slab
		}
	default:
	}
	whole := make([]Value, max(values, slabValues))
	return &Slab{whole: whole, free: whole, home: s}
}

// Free is the room that is left. What is written there before it is cut is not
// cleared.
func (s *Slab) Free() []Value { return s.free }

// Cut takes the next values for a row, which Release gives back.
func (s *Slab) Cut(row *Row, values int) []Value {
	cells := s.free[:values:values]
	s.free = s.free[values:]
	s.cut++
	row.Slab = s
	return cells
}

// Done says that no further row is cut from the slab.
func (s *Slab) Done() { s.count(s.cut) }

func (s *Slab) count(rows int64) {
	if s.held.Add(rows) != 0 || rows == 0 {
		return
	}
	select {
	case s.home.released <- s:
	default:
	}
}

// Equal makes any two slabs equal to comparisons: where a row's values lie says
// nothing about the row.
func (*Slab) Equal(*Slab) bool { return true }

// Release gives the memory of the row's values back to its reader: they must
// not be looked at any more. It is called at most once for a row and its
// copies; a row that nobody releases stays valid for ever.
func (r *Row) Release() {
	if r.Slab != nil {
		r.Slab.count(-1)
		r.Slab, r.Values, r.Excess = nil, nil, nil
	}
}
