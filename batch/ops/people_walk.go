package ops

import (
	"errors"
	"strings"
)

// pageSize is how many people a request asks for, at most: the platform's own
// maximum.
const pageSize = 1000

// errUnordered says that the platform did not keep the order that the walk
// relies on.
var errUnordered = errors.New("the people listing is not ordered by createdAt, so that it cannot be walked completely")

// walk is a complete pass over a listing that changes meanwhile. Pages are cut
// by offset: when people are removed, all behind them move to earlier offsets,
// and the next page would leave some out. Therefore every page but the first
// begins with somebody who was met before: then nobody is missing between. When
// a page does not, the walk steps back until one does. How old somebody is, is
// told by createdAt alone, which never changes: everybody before the newest
// person met so far was met, or was not there all the time. So the state is
// bounded by the number of people created within one second, and nobody is
// listed twice.
type walk struct {
	Next    int64    `json:"next"`    // offset behind the last page
	Back    int64    `json:"back"`    // how far the next page steps back
	Newest  string   `json:"newest"`  // createdAt of the newest person met
	Ties    []string `json:"ties"`    // ids of the people met with that createdAt
	People  int64    `json:"people"`  // that were listed
	Total   int64    `json:"total"`   // as the last page counted; -1: it did not
	Skipped int64    `json:"skipped"` // pages that did not connect
	Done    bool     `json:"done"`
}

// window chooses the next page: limit and number, so that it overlaps what was
// met and reaches as far as possible. Offsets are multiples of the limit; among
// the limits just below size one nearly always begins a few people before the
// end of the last page, so that the overlap costs next to nothing.
func (w *walk) window(size int64) (limit, page int64) {
	for _, overlap := range []int64{min(int64(len(w.Ties))+1, size/2), 1} {
		from := max(0, w.Next-overlap-w.Back)
		reach := int64(-1)
		for l := size; l >= max(2, size/2); l-- {
			if end := from/l*l + l; end > reach {
				limit, page, reach = l, from/l+1, end
			}
		}
		if reach > w.Next || w.Back > 0 {
			break
		}
	}
	return limit, page
}

// listed is one person of a page.
type listed struct {
	id      string
	created string // in a form that sorts
	raw     []byte
}

// accept takes a page that was read at a window and returns the people on it
// who are new.
func (w *walk) accept(people []listed, limit, page int64) ([]listed, error) {
	start := (page - 1) * limit
	for i := 1; i < len(people); i++ {
		if people[i].created < people[i-1].created {
			return nil, errUnordered
		}
	}
	ties := make(map[string]bool, len(w.Ties))
	for _, id := range w.Ties {
		ties[id] = true
	}
	old := func(p *listed) bool { return p.created < w.Newest || p.created == w.Newest && ties[p.id] }
	if start > 0 && (len(people) == 0 || !old(&people[0])) {
		w.Back = max(limit/2, 2*w.Back)
		w.Skipped++
		return nil, nil
	}
	fresh := people[:0:0]
	for i := range people {
		if !old(&people[i]) {
			fresh = append(fresh, people[i])
		}
	}
	for i := range fresh {
		w.note(&fresh[i])
	}
	w.Next, w.Back = start+int64(len(people)), 0
	w.Done = int64(len(people)) < limit
	return fresh, nil
}

func (w *walk) note(p *listed) {
	if p.created != w.Newest {
		w.Newest, w.Ties = p.created, nil
	}
	w.Ties = append(w.Ties, strings.Clone(p.id))
	w.People++
}
