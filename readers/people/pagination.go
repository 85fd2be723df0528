package people

import "errors"

// pageSize is how many people a request asks for, at most: the platform's own
// maximum.
const pageSize = 1000

// errUnordered says that the platform did not keep the order that
// pagination relies on.
var errUnordered = errors.New("the people listing is not ordered by createdAt, so that it cannot be read completely")

// pagination is a complete pass over a listing that changes meanwhile. Pages are
// cut by offset: when people are removed, all after them move to earlier offsets,
// and the next page would leave some out. Therefore every page but the first
// begins with somebody who was met before: then nobody is missing between. When
// a page does not, pagination steps back until one does. How old somebody is, is
// told by createdAt alone, which never changes: everybody before the newest
// person met so far was met, or was not there all the time. So the state is
// bounded by the number of people created within one second, and nobody is
// listed twice.
type pagination struct {
	Next   int64    `json:"next"`   // offset after the last page
	Back   int64    `json:"back"`   // how far the next page steps back
	Newest string   `json:"newest"` // createdAt of the newest person met
	Ties   []string `json:"ties"`   // ids of the people met with that createdAt
	People int64    `json:"people"` // that were listed
	Total  int64    `json:"total"`  // as the last page counted; -1: it did not
	Gaps   int64    `json:"gaps"`   // pages that did not connect
	Done   bool     `json:"done"`
}

// window chooses the next page: limit and number, so that it overlaps what was
// met and reaches as far as possible. Offsets are multiples of the limit; among
// the limits just below size one nearly always begins a few people before the
// end of the last page, so that the overlap costs next to nothing.
func (p *pagination) window(size int64) (limit, page int64) {
	for _, overlap := range []int64{min(int64(len(p.Ties))+1, size/2), 1} {
		from := max(0, p.Next-overlap-p.Back)
		reach := int64(-1)
		for l := size; l >= max(2, size/2); l-- {
			if end := from/l*l + l; end > reach {
				limit, page, reach = l, from/l+1, end
			}
		}
		if reach > p.Next || p.Back > 0 {
			break
		}
	}
	return limit, page
}

// listed is one person of a page.
type listed struct {
	id      string
	created string // in a form that sorts
	raw     []byte // the person as the platform wrote it
}

// accept takes a page that was read at a window and returns the people on it
// who are new.
func (p *pagination) accept(people []listed, limit, page int64) ([]listed, error) {
	start := (page - 1) * limit
	for i := 1; i < len(people); i++ {
		if people[i].created < people[i-1].created {
			return nil, errUnordered
		}
	}
	ties := make(map[string]bool, len(p.Ties))
	for _, id := range p.Ties {
		ties[id] = true
	}
	old := func(l *listed) bool { return l.created < p.Newest || l.created == p.Newest && ties[l.id] }
	if start > 0 && (len(people) == 0 || !old(&people[0])) {
		p.Back = max(limit/2, 2*p.Back)
		p.Gaps++
		return nil, nil
	}
	fresh := people[:0:0]
	for i := range people {
		if !old(&people[i]) {
			fresh = append(fresh, people[i])
		}
	}
	for i := range fresh {
		p.note(&fresh[i])
	}
	p.Next, p.Back = start+int64(len(people)), 0
	p.Done = int64(len(people)) < limit
	return fresh, nil
}

func (p *pagination) note(person *listed) {
	if person.created != p.Newest {
		p.Newest, p.Ties = person.created, nil
	}
	p.Ties = append(p.Ties, person.id)
	p.People++
}
