package people

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"pushbatch/testdata/thorough"
)

// account is a listing that changes between two requests.
type account struct {
	dice    *rand.Rand
	people  []listed // by created, then id
	clock   int
	next    int
	ever    map[string]bool // were there when the walk began
	removed map[string]bool
}

func newAccount(seed uint64, n, perSecond int) *account {
	a := &account{dice: rand.New(rand.NewPCG(seed, 1)), ever: make(map[string]bool), removed: make(map[string]bool)}
	for range n {
		if a.dice.IntN(perSecond) == 0 {
			a.clock++
		}
		a.add()
	}
	for _, p := range a.people {
		a.ever[p.id] = true
	}
	return a
}

func (a *account) add() {
	a.next++
	a.people = append(a.people, listed{id: strconv.Itoa(a.next), created: fmt.Sprintf("%09d", a.clock)})
}

// change lets others work on the account: people come at the end and go
// anywhere, sometimes many in a row.
func (a *account) change() {
	for range a.dice.IntN(4) {
		a.clock += a.dice.IntN(2)
		a.add()
	}
	for range a.dice.IntN(6) {
		if len(a.people) == 0 {
			return
		}
		at := a.dice.IntN(len(a.people))
		if a.dice.IntN(3) == 0 {
			at /= 4 // before the walk, mostly
		}
		n := min(1+a.dice.IntN(3)*a.dice.IntN(20), len(a.people)-at)
		for _, p := range a.people[at : at+n] {
			a.removed[p.id] = true
		}
		a.people = slices.Delete(a.people, at, at+n)
	}
}

func (a *account) page(limit, page int64) []listed {
	from := min(int((page-1)*limit), len(a.people))
	return slices.Clone(a.people[from:min(from+int(limit), len(a.people))])
}

// Whoever is there all the time is listed, and nobody is listed twice, however
// the listing shifts between two pages.
func TestPaginationIsComplete(t *testing.T) {
	t.Parallel()
	for seed := range uint64(thorough.Of(150, 400)) {
		size := []int64{10, 17, 50, 100}[seed%4]
		a := newAccount(seed, 50+int(seed)*3, 1+int(seed%7)*2)
		seen := make(map[string]int)
		var w pagination
		pages := 0
		for ; !w.Done; pages++ {
			if pages > 20_000 {
				t.Fatalf("seed %d: the walk does not end: %+v", seed, w)
			}
			limit, page := w.window(size)
			if limit > size || limit < 1 || page < 1 {
				t.Fatalf("seed %d: limit %d, page %d", seed, limit, page)
			}
			fresh, err := w.accept(a.page(limit, page), limit, page)
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range fresh {
				seen[p.id]++
			}
			a.change()
		}
		for id := range a.ever {
			if !a.removed[id] && seen[id] == 0 {
				t.Fatalf("seed %d: person %s was there all the time and is not listed", seed, id)
			}
		}
		for id, n := range seen {
			if n > 1 {
				t.Fatalf("seed %d: person %s is listed %d times", seed, id, n)
			}
		}
		if int64(len(seen)) != w.People {
			t.Fatalf("seed %d: %d counted, %d listed", seed, w.People, len(seen))
		}
	}
}

// The overlap costs next to nothing: a million people in little more than a
// thousand requests.
func TestPaginationIsCheap(t *testing.T) {
	t.Parallel()
	people := thorough.Of[int64](300_000, 1_000_000)
	var w pagination
	requests := 0
	for ; !w.Done; requests++ {
		limit, page := w.window(pageSize)
		start := (page - 1) * limit
		list := make([]listed, 0, limit)
		for n := start; n < min(start+limit, people); n++ {
			list = append(list, listed{id: strconv.FormatInt(n, 10), created: fmt.Sprintf("%09d", n/3)})
		}
		if _, err := w.accept(list, limit, page); err != nil {
			t.Fatal(err)
		}
	}
	if w.People != people || int64(requests) > people/1_000*108/100 {
		t.Fatalf("%d people in %d requests", w.People, requests)
	}
	t.Logf("%d requests", requests)
}

func TestPaginationRefusesAnotherOrder(t *testing.T) {
	t.Parallel()
	var w pagination
	if _, err := w.accept([]listed{{id: "1", created: "2"}, {id: "2", created: "1"}}, 10, 1); err == nil {
		t.Fatal("an unordered page was taken")
	}
}

// People who joined within one second, more than a page of them.
func TestPaginationOverTies(t *testing.T) {
	t.Parallel()
	a := newAccount(1, 0, 1)
	for range 95 {
		a.add()
	}
	var w pagination
	for requests := 0; !w.Done; requests++ {
		limit, page := w.window(10)
		if _, err := w.accept(a.page(limit, page), limit, page); err != nil || requests > 200 {
			t.Fatalf("%d requests: %v", requests, err)
		}
	}
	if w.People != 95 {
		t.Fatalf("%d people", w.People)
	}
}
