package simulator

import (
	"slices"
	"sort"
)

// order keeps people sorted, in chunks, so that adding, removing and reading a
// page deep inside cost far less than sorting: a page of a million people is
// found by counting chunks.
type order struct {
	less   func(a, b personID) bool
	chunks [][]personID
	size   int
}

const chunkSize = 2048

// newOrder takes people that are sorted already.
func newOrder(sorted []personID, less func(a, b personID) bool) *order {
	o := &order{less: less, size: len(sorted)}
	for len(sorted) > 0 {
		n := min(chunkSize/2, len(sorted))
		o.chunks = append(o.chunks, sorted[:n:n])
		sorted = sorted[n:]
	}
	return o
}

// chunkOf returns the chunk in which id stands or would stand.
func (o *order) chunkOf(id personID) int {
	i := sort.Search(len(o.chunks), func(i int) bool {
		c := o.chunks[i]
		return !o.less(c[len(c)-1], id)
	})
	return min(i, len(o.chunks)-1)
}

func (o *order) position(chunk []personID, id personID) int {
	return sort.Search(len(chunk), func(i int) bool { return !o.less(chunk[i], id) })
}

func (o *order) insert(id personID) {
	o.size++
	if len(o.chunks) == 0 {
		o.chunks = [][]personID{{id}}
		return
	}
	i := o.chunkOf(id)
	at := o.position(o.chunks[i], id)
	o.chunks[i] = slices.Insert(o.chunks[i], at, id)
	if len(o.chunks[i]) > chunkSize {
		o.split(i)
	}
}

func (o *order) split(i int) {
	c := o.chunks[i]
	half := len(c) / 2
	o.chunks[i] = c[:half:half]
	o.chunks = slices.Insert(o.chunks, i+1, slices.Clone(c[half:]))
}

// remove takes id out. What less compares must not have changed since insert.
func (o *order) remove(id personID) {
	if len(o.chunks) == 0 {
		return
	}
	i := o.chunkOf(id)
	c := o.chunks[i]
	at := o.position(c, id)
	if at == len(c) || c[at] != id {
		return
	}
	o.size--
	o.chunks[i] = slices.Delete(c, at, at+1)
	if len(o.chunks[i]) == 0 {
		o.chunks = slices.Delete(o.chunks, i, i+1)
	}
}

// page returns up to limit people behind the first skip ones, from the end when
// descending.
func (o *order) page(skip, limit int, descending bool) []personID {
	end := min(skip+limit, o.size)
	if skip >= end {
		return nil
	}
	if !descending {
		return o.between(skip, end)
	}
	ids := o.between(o.size-end, o.size-skip)
	slices.Reverse(ids)
	return ids
}

func (o *order) between(from, to int) []personID {
	ids := make([]personID, 0, to-from)
	for _, c := range o.chunks {
		if to <= 0 {
			break
		}
		if from < len(c) {
			ids = append(ids, c[max(from, 0):min(to, len(c))]...)
		}
		from -= len(c)
		to -= len(c)
	}
	return ids
}
