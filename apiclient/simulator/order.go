package simulator

import "sort"

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
	c := append(o.chunks[i], 0)
	copy(c[at+1:], c[at:])
	c[at] = id
	o.chunks[i] = c
	if len(c) > chunkSize {
		o.split(i)
	}
}

func (o *order) split(i int) {
	c := o.chunks[i]
	half := len(c) / 2
	right := append([]personID(nil), c[half:]...)
	o.chunks = append(o.chunks, nil)
	copy(o.chunks[i+2:], o.chunks[i+1:])
	o.chunks[i], o.chunks[i+1] = c[:half:half], right
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
	o.chunks[i] = append(c[:at], c[at+1:]...)
	if len(o.chunks[i]) == 0 {
		o.chunks = append(o.chunks[:i], o.chunks[i+1:]...)
	}
}

// page appends up to limit people behind the first skip ones, from the end
// when descending.
func (o *order) page(dst []personID, skip, limit int, descending bool) []personID {
	end := min(skip+limit, o.size)
	if skip >= end {
		return dst
	}
	if !descending {
		return o.between(dst, skip, end)
	}
	from := len(dst)
	dst = o.between(dst, o.size-end, o.size-skip)
	for i, j := from, len(dst)-1; i < j; i, j = i+1, j-1 {
		dst[i], dst[j] = dst[j], dst[i]
	}
	return dst
}

func (o *order) between(dst []personID, from, to int) []personID {
	for _, c := range o.chunks {
		if to <= 0 {
			break
		}
		if from < len(c) {
			dst = append(dst, c[max(from, 0):min(to, len(c))]...)
		}
		from -= len(c)
		to -= len(c)
	}
	return dst
}
