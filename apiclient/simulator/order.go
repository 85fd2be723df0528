package simulator

import (
	"slices"
	"sort"
)

// order keeps people sorted. A change moves up to 4 bytes a person: 0.2 ms of a
// million.
type order struct {
	less func(a, b personID) bool
	ids  []personID
}

func (o *order) position(id personID) int {
	return sort.Search(len(o.ids), func(i int) bool { return !o.less(o.ids[i], id) })
}

func (o *order) insert(id personID) { o.ids = slices.Insert(o.ids, o.position(id), id) }

// remove takes id out. What less compares must not have changed since insert.
func (o *order) remove(id personID) {
	if at := o.position(id); at < len(o.ids) && o.ids[at] == id {
		o.ids = slices.Delete(o.ids, at, at+1)
	}
}

// page returns up to limit people after the first skip ones, from the end when
// descending.
func (o *order) page(skip, limit int, descending bool) []personID {
	n := len(o.ids)
	skip = min(skip, n)
	end := min(skip+limit, n)
	if !descending {
		return slices.Clone(o.ids[skip:end])
	}
	ids := slices.Clone(o.ids[n-end : n-skip])
	slices.Reverse(ids)
	return ids
}
