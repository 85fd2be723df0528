package simulator

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
)

const adminPath = "/__simulator/"

// serveAdmin serves tests that reach the simulator through a binary. It knows
// no authorization and no limit.
func (s *Simulator) serveAdmin(w http.ResponseWriter, r *http.Request) {
	switch r.Method + " " + r.URL.Path[len(adminPath):] {
	case "GET stats":
		st := s.Stats()
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(append(toJSON(st), '\n'))
	case "GET state":
		w.Header().Set("Content-Type", "application/x-ndjson")
		_ = s.WriteState(w) // the reader may leave
	case "POST reset":
		s.Reset()
		w.WriteHeader(http.StatusNoContent)
	default:
		http.NotFound(w, r)
	}
}

// AddPeople adds n people with a device each, as other users of the account do.
func (s *Simulator) AddPeople(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for range n {
		id := fmt.Sprintf("added-%d", s.store.lastID+1)
		d := &device{id: id, app: s.store.gen.application(id), enabled: true}
		s.store.personalize(d, object{"identity": object{"externalId": id}}, nil)
	}
}

// RemovePeople removes n people, or all there are, spread over the whole
// listing, and returns their ids. Their devices become nobody's.
func (s *Simulator) RemovePeople(n int) []int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	ids := s.store.ids()
	var gone []int64
	for range min(n, len(ids)) {
		at := s.dice.rng.IntN(len(ids))
		s.store.remove(ids[at])
		gone = append(gone, int64(ids[at]))
		ids = slices.Delete(ids, at, at+1)
	}
	return gone
}

// WriteState writes all registrations, then all people, as NDJSON:
// {"registration":{…}} sorted by id and {"person":{…}} sorted by text. Ids and
// times of people are left out and sets are sorted, so that two accounts in the
// same state give the same bytes, whatever the order in which they got there.
// Registrations that were only looked at are left out unless they were seeded
// or changed.
func (s *Simulator) WriteState(to io.Writer) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := bufio.NewWriter(to)
	for _, id := range slices.Sorted(maps.Keys(s.store.devices)) {
		fmt.Fprintf(w, "{\"registration\":%s}\n", toJSON(s.store.registration(s.store.devices[id])))
	}
	var lines []string
	for _, p := range s.store.people {
		lines = append(lines, string(toJSON(p.state())))
	}
	slices.Sort(lines)
	for _, line := range lines {
		fmt.Fprintf(w, "{\"person\":%s}\n", line)
	}
	return w.Flush()
}

func sortedEntries(list []entry) []entry {
	return slices.SortedFunc(slices.Values(list), func(a, b entry) int { return strings.Compare(a.name, b.name) })
}
